"""Files that cannot be a data set: the error says what they are, before ms-swift divides by zero."""

import gzip
import json
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from swift_plugin_visionr1 import cli
from swift_plugin_visionr1.data.dataset_files import require_dataset
from swift_plugin_visionr1.doctor.blame import reraise_own
from swift_plugin_visionr1.errors import InputError

COCO = {
    "images": [{"id": 1, "file_name": "1.jpg", "width": 9, "height": 9}],
    "annotations": [],
    "categories": [{"id": 1, "name": "cat"}],
}


def write(path: Path, name: str) -> Path:
    """An unusable data set of each kind."""
    file = path / name
    if name.endswith("folder"):
        file.mkdir()
        if name.startswith("image"):
            (file / "1.jpg").write_bytes(b"x")
    elif name.endswith(".zip"):
        with zipfile.ZipFile(file, "w") as archive:
            archive.writestr("rows.jsonl", "{}")
    elif name.endswith(".gz"):
        file.write_bytes(gzip.compress(b'{"messages": []}'))
    elif name.startswith("coco"):
        file.write_text(json.dumps(COCO, indent=1 if "pretty" in name else None))
    elif name == "other.parquet":
        parquet = pytest.importorskip("pyarrow.parquet")
        pyarrow = pytest.importorskip("pyarrow")
        parquet.write_table(pyarrow.table({"img": ["1.jpg"], "bbox": [[1, 2]]}), file)
    else:
        file.write_text({"blank.jsonl": "\n\n", "list.json": "[]"}.get(name, ""))
    return file


NAMES = [
    "empty folder",
    "image folder",
    "names.txt",
    "rows.zip",
    "rows.jsonl.gz",
    "data.yaml",
    "empty.jsonl",
    "empty.json",
    "empty.csv",
    "empty.parquet",
    "blank.jsonl",
    "list.json",
    "coco.json",
    "coco_pretty.json",
    "coco.jsonl",
    "other.parquet",
]


@pytest.mark.parametrize("name", NAMES)
def test_what_is_no_data_set_is_refused(tmp_path: Path, name: str) -> None:
    file = write(tmp_path, name)
    with pytest.raises(InputError) as refusal:
        require_dataset(file)
    assert str(file) in str(refusal.value)


@pytest.mark.parametrize("name", NAMES)
def test_the_doctor_says_so(examine: Callable, tmp_path: Path, name: str) -> None:
    told = examine([], dataset=str(write(tmp_path, name)))
    assert told.code == 1
    (said,) = [line for line in told.text.splitlines() if line.startswith("problem")]
    assert name in said


def test_other_columns_are_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="bbox, img"):
        require_dataset(write(tmp_path, "other.parquet"))


@pytest.mark.parametrize(
    "text",
    [
        pytest.param('{"messages": []}\n', id="jsonl"),
        pytest.param('[\n  {"messages": []}\n]', id="a list"),
        pytest.param('\ufeff{"query": "?", "response": "!"}\n', id="byte-order mark"),
        pytest.param('{"problem": "?", "images": ["1.jpg"], "solution": "{}"}\n', id="problem"),
        pytest.param("{cut off\n", id="broken, which the reader of rows explains"),
        pytest.param(json.dumps({"messages": [], "images": ["x" * 2_000_000]}), id="long row"),
    ],
)
def test_rows_pass(tmp_path: Path, text: str) -> None:
    file = tmp_path / "rows.jsonl"
    file.write_text(text, encoding="utf-8")
    require_dataset(file)


def test_renamed_columns_pass(tmp_path: Path) -> None:
    file = tmp_path / "rows.jsonl"
    file.write_text('{"turns": []}\n')
    with pytest.raises(InputError):
        require_dataset(file)
    require_dataset(file, ["messages"])


def ours(kind: str) -> None:
    """Errors of our own code, and of the libraries that it uses."""
    from swift_plugin_visionr1.geometry.boxes import iou

    if kind == "own":
        iou(None, None)  # type: ignore[arg-type]  numpy raises, in our own function
    elif kind == "input":
        raise InputError("expected a file")
    else:
        import yaml

        yaml.safe_load("[")


@pytest.mark.parametrize(("kind", "is_bug"), [("own", True), ("input", False), ("yaml", False)])
def test_our_own_mistakes_are_not_blamed_on_the_data(kind: str, is_bug: bool) -> None:
    def blamed() -> bool:
        try:
            ours(kind)
        except Exception as error:
            try:
                reraise_own(error)
            except Exception as again:
                return again is error
        return False

    assert blamed() == is_bug


def test_a_bug_is_a_traceback_and_said_to_be_one(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture, tmp_path: Path
) -> None:
    monkeypatch.setattr(cli.doctor, "read_recipe", lambda *_: 1 // 0)
    assert cli.main(["doctor", "--model", "x"]) == 3
    said = capsys.readouterr().err
    assert "ZeroDivisionError" in said
    assert "bug" in said
