"""Files that are bombs, cells that are formulas, letters beyond ASCII."""

import csv
import io
import json
import os
import pickle
import subprocess
import sys
import time
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmdet_eval import Annotations, InputError, read_predictions
from mmdet_eval.metrics.matches import Matches
from mmdet_eval.reports.machine_files import _write_csv
from swift_plugin_visionr1.text import for_spreadsheet, from_spreadsheet

ASCII = {"LC_ALL": "C", "PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}


def entry(image_id: Any, **arrays: Any) -> dict[str, Any]:
    empty = {"bboxes": np.zeros((0, 4)), "scores": np.zeros(0), "labels": np.zeros(0)}
    return {"img_id": image_id, "pred_instances": empty | arrays}


class Claims:
    """An array of a shape that nothing fills."""

    def __reduce__(self) -> tuple[Any, ...]:
        return np.ndarray, ((10**11, 4),)


def expanded() -> Any:
    torch = pytest.importorskip("torch")
    return torch.zeros(1, dtype=torch.float64).expand(10**10, 4)


def nested() -> Any:
    value: Any = ("x",)
    for _ in range(60):
        value = (value, value)
    return value


DUMPS = {
    "an array that claims its size": lambda: pickle.dumps([entry(1, bboxes=Claims())]),
    "a tensor that repeats one number": lambda: pickle.dumps([entry(1, bboxes=expanded())]),
    "an image id of nested tuples": lambda: pickle.dumps([entry(nested())]),
    "an image id that is a list": lambda: pickle.dumps([entry([1])]),
    "a memo of 4 billion places": lambda: b"\x80\x02]r\xff\xff\xff\xff.",
    "bytes of a huge length": lambda: b"\x80\x04\x8e" + (2**62).to_bytes(8, "little") + b".",
    "deep": lambda: b"\x80\x04" + b"(" * 10**6,
    "cut": lambda: pickle.dumps([entry(1)])[:-9],
}


@pytest.mark.parametrize("name", DUMPS)
def test_dumps_that_are_bombs_are_refused(
    name: str, tmp_path: Path, annotations: Annotations
) -> None:
    path = tmp_path / "dump.pkl"
    path.write_bytes(DUMPS[name]())
    began = time.process_time()
    with pytest.raises(InputError, match=r"dump\.pkl"):
        read_predictions(path, annotations)
    assert time.process_time() - began < 5


def archive(header: bytes, content: bytes) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as target:
        for name in Matches.__dataclass_fields__:
            target.writestr(f"{name}.npy", header + content)
    return file.getvalue()


def npy(shape: str) -> bytes:
    text = f"{{'descr': '<f8', 'fortran_order': False, 'shape': {shape}, }}\n".encode()
    return b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little") + text


@pytest.mark.parametrize(
    "raw",
    [
        pytest.param(archive(npy("(100000000000000,)"), b""), id="a shape that nothing fills"),
        pytest.param(archive(npy("(2,)"), b"\0" * 5), id="too few numbers"),
        pytest.param(archive(b"\x80\x04N.", b""), id="a pickle"),
        pytest.param(archive(npy("(1,)"), b"\0" * 8)[:-50], id="a cut archive"),
        pytest.param(b"", id="empty"),
    ],
)
def test_matches_that_cannot_be_read(tmp_path: Path, raw: bytes) -> None:
    path = tmp_path / "matches.npz"
    path.write_bytes(raw)
    with pytest.raises(InputError, match=r"matches\.npz"):
        Matches.load(path)


def test_an_archive_that_says_it_is_huge_is_not_unpacked(tmp_path: Path) -> None:
    raw = bytearray(archive(npy("(1,)"), b"\0" * 8))
    at = raw.find(b"PK\x01\x02")  # the first entry of the directory: its size is 24 bytes on
    raw[at + 24 : at + 28] = (2**32 - 2).to_bytes(4, "little")
    path = tmp_path / "matches.npz"
    path.write_bytes(raw)
    with pytest.raises(InputError, match="more than"):
        Matches.load(path)


@given(text=st.text(alphabet=st.sampled_from("=+-@'a1\t\r\n＝")))
def test_cells_are_no_formulas_and_are_read_back(text: str) -> None:
    cell = for_spreadsheet(text)
    assert cell[:1] not in tuple("=+-@\t\r\n＝")
    assert from_spreadsheet(cell) == text


def test_numbers_of_a_csv_stay_numbers(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    _write_csv(path, ["name", "AP"], [["=cmd|' /C calc'!A0", -0.5], ["-1", None]])
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.reader(file))[1:]
    assert rows == [["'=cmd|' /C calc'!A0", "-0.5"], ["'-1", ""]]


@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"], ids=["no mark", "byte order mark"])
def test_the_mmdet_engine_reads_utf8_in_an_ascii_locale(
    tmp_path: Path, dataset: Any, mark: bytes
) -> None:
    dataset["categories"][0]["name"] = "Tür 猫"
    ann, pred = tmp_path / "ann.json", tmp_path / "pred.json"
    ann.write_bytes(mark + json.dumps(dataset, ensure_ascii=False).encode("utf-8"))
    boxes = [
        {**{n: a[n] for n in ("image_id", "category_id", "bbox")}, "score": 1.0}
        for a in dataset["annotations"]
    ]
    pred.write_text(json.dumps(boxes))
    command = [
        sys.executable,
        "-m",
        "mmdet_eval",
        "--ann",
        str(ann),
        "--pred",
        str(pred),
        "--orders",
        "1",
    ]
    done = subprocess.run(command, capture_output=True, env={**os.environ, **ASCII}, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    assert done.stdout.isascii()
