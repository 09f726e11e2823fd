"""The one reader of JSON lines: every encoding, every fault with its place, nothing unbounded."""

import gzip
import json
import math
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from swift_plugin_visionr1.data import row_files
from swift_plugin_visionr1.data.published import form_of
from swift_plugin_visionr1.data.row_files import read_file, read_jsonl, read_rows
from swift_plugin_visionr1.errors import InputError, SolutionError


def rows(path: Path, raw: bytes) -> list[Any]:
    path.write_bytes(raw)
    return list(read_jsonl(path))


@pytest.mark.parametrize(
    "raw",
    [
        pytest.param(b'{"a": 1}\n\n{"a": 2}\n', id="plain"),
        pytest.param(b'\xef\xbb\xbf{"a": 1}\n\n{"a": 2}\n', id="byte order mark"),
        pytest.param(b'{"a": 1}\r\n \r\n{"a": 2}', id="CRLF, no last line end"),
        pytest.param(gzip.compress(b'{"a": 1}\n\n{"a": 2}'), id="gzip"),
        pytest.param(gzip.compress(b'\xef\xbb\xbf{"a": 1}\n\n{"a": 2}'), id="gzip with a mark"),
    ],
)
def test_lines_keep_their_numbers(tmp_path: Path, raw: bytes) -> None:
    assert rows(tmp_path / "x.jsonl", raw) == [(1, {"a": 1}), (3, {"a": 2})]


@pytest.mark.parametrize(
    ("line", "said"),
    [
        pytest.param(b'{"a": 1', "column 8", id="cut"),
        pytest.param(b'{"a": "caf\xe9"}', "0xE9: save the file as UTF-8 (column 11)", id="Latin-1"),
        pytest.param(b"[1]", "a list", id="a list"),
        pytest.param(b"[" * 100_000, "nested", id="deep"),
        pytest.param(b'{"a": ' * 100_000, "nested", id="deep objects"),
        pytest.param(b'{"a": ' + b"9" * 5000 + b"}", "4300 digits", id="5000 digits"),
        pytest.param(b'{"a": 1} {"a": 2}', "column 10", id="two on a line"),
    ],
)
def test_an_invalid_line_says_what_and_where(tmp_path: Path, line: bytes, said: str) -> None:
    path = tmp_path / "x.jsonl"
    (first, (number, error), last) = rows(path, b"{}\n" + line + b'\n{"b": 2}\n')
    assert (first, number, last) == ((1, {}), 2, (3, {"b": 2}))
    assert said in error
    with pytest.raises(InputError, match=r"line 2 of .*x\.jsonl"):
        list(read_rows(path))


def test_values_are_those_of_json(tmp_path: Path) -> None:
    line = rb'{"a": NaN, "b": 1e400, "c": 1' + b"0" * 400 + rb', "d": "\ud800", "e": "\u2028"}'
    ((_, row),) = rows(tmp_path / "x.jsonl", line)
    assert math.isnan(row["a"])
    assert (row["b"], row["c"], row["d"], row["e"]) == (math.inf, 10**400, "\ud800", "\u2028")


@pytest.mark.parametrize(
    "raw",
    [
        pytest.param('{"a": 1}'.encode("utf-16"), id="UTF-16"),
        pytest.param('{"a": 1}'.encode("utf-16-be"), id="UTF-16 without a mark"),
        pytest.param('{"a": 1}'.encode("utf-32"), id="UTF-32"),
        pytest.param(gzip.compress('{"a": 1}'.encode("utf-16")), id="UTF-16 in gzip"),
        pytest.param(gzip.compress(b'{"a": 1}\n' * 9)[:20], id="half a gzip file"),
        pytest.param(b"\x1f\x8bnothing", id="a gzip header"),
        pytest.param(gzip.compress(b"\n" * (row_files.LEAST_ALLOWED + 10)), id="a gzip bomb"),
    ],
)
def test_a_file_that_cannot_be_read(tmp_path: Path, raw: bytes) -> None:
    with pytest.raises(InputError, match=r"x\.jsonl"):
        rows(tmp_path / "x.jsonl", raw)


def test_lines_are_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(row_files, "LONGEST_LINE", 1000)
    with pytest.raises(InputError, match=r"longer one"):
        rows(tmp_path / "x.jsonl", b" " * 1001)
    with pytest.raises(InputError, match=r"longer one"):
        rows(tmp_path / "x.jsonl", gzip.compress(b"{}" + b" " * 10**7))


@pytest.mark.parametrize("name", ["folder", "gone.jsonl", "gone.json", "gone.csv"])
def test_a_folder_and_a_missing_file(tmp_path: Path, name: str) -> None:
    (tmp_path / "folder").mkdir()
    with pytest.raises((InputError, OSError), match=name):
        list(read_file(tmp_path / name) if "." in name else read_jsonl(tmp_path / name))


def test_rows_come_one_by_one(tmp_path: Path) -> None:
    path = tmp_path / "x.jsonl"
    path.write_bytes(b"{}\n" * 3 + b"\xff")
    stream = read_jsonl(path)
    assert next(stream) == (1, {})


@given(raw=st.binary(max_size=300))
def test_any_bytes_are_rows_or_an_error(
    raw: bytes, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.getbasetemp() / "any.jsonl"
    for content in (raw, b"\x1f\x8b" + raw, gzip.compress(raw)):
        with suppress(InputError):
            assert all(isinstance(row, dict | str) for _, row in rows(path, content))


@given(
    data=st.lists(
        st.dictionaries(st.text(max_size=9), st.text(max_size=9) | st.integers(), max_size=3),
        max_size=3,
    )
)
def test_what_json_writes_is_read_back(
    data: list[Any], tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.getbasetemp() / "any.jsonl"
    text = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in data)
    read = rows(path, text.encode("utf-8"))
    assert read == list(enumerate(data, start=1))


FORMS = {
    "VLM-R1 (problem, solution)": {
        "image": "a.jpg",
        "problem": "Where is the cat?",
        "solution": [1, 2, 3, 4],
        "width": 9,
        "height": 9,
        "normal_caption": "cat",
    },
    "VLM-R1 (conversations)": {
        "image": "a.jpg",
        "conversations": [
            {"from": "human", "value": "bbox of the cat?"},
            {"from": "gpt", "value": "[1, 2, 3, 4]"},
        ],
        "width": 9,
        "height": 9,
    },
    "Vision-R1-Data": {
        "image": "a.jpg",
        "problem": "Where?",
        "solution": '[["cat", [[1, 2, 3, 4]]]]',
        "width": 9,
        "height": 9,
    },
    "Visual-RFT": {
        "image": "a.jpg",
        "problem": "Detect category 'cat' in the image, between 0 and 1000",
        "solution": "<answer>No Objects</answer>",
        "width": 9,
        "height": 9,
    },
    "ms-swift grounding": {
        "images": ["a.jpg"],
        "messages": [{"role": "user", "content": "<image>cat"}],
        "objects": {"ref": ["cat"], "bbox": [[1, 2, 3, 4]]},
        "width": 9,
        "height": 9,
    },
}
ODD = [
    None,
    7,
    -1,
    10**400,
    math.nan,
    math.inf,
    True,
    "x",
    "",
    [],
    [[]],
    {},
    {"a": 1},
    [None],
    "\ud800",
]


def no_file(image: Any) -> tuple[int, int]:
    raise SolutionError(f"expected an image file, got {image!r}")


@pytest.mark.parametrize("name", FORMS)
def test_a_later_row_of_a_form_may_be_anything(name: str) -> None:
    """Never a KeyError: only the first row told the form."""
    row = FORMS[name]
    form = form_of(row)
    assert form is not None
    assert form.name == name
    for column in row:
        changed = [{k: v for k, v in row.items() if k != column}]
        changed += [row | {column: value} for value in ODD]
        for other in changed:
            try:
                form.convert(other, no_file)
            except SolutionError:
                continue


def test_a_missing_column_is_named() -> None:
    row = FORMS["Visual-RFT"]
    form = form_of(row)
    assert form is not None
    with pytest.raises(SolutionError, match="expected a column problem"):
        form.convert({k: v for k, v in row.items() if k != "problem"}, no_file)
