"""JSONL of `swift infer`: its columns, what it cuts off, and lines that are refused by name."""

from pathlib import Path
from typing import Any

import pytest

from mmdet_eval import (
    Annotations,
    InputError,
    read_predictions,
    read_rows,
)
from mmdet_eval.answers.truncation import looks_truncated

from .readers import Write, rows_of


def test_swift_infer(annotations: Annotations, write: Write) -> None:
    logprobs = {"content": [{"token": "[]", "logprob": -0.5, "bytes": [91, 93]}]}
    path = write(
        "infer.jsonl",
        [{"response": "[]", "logprobs": logprobs, "image_id": 3, "finish_reason": None}],
    )
    (row,) = rows_of(path, annotations)
    assert (row.line, row.text, row.truncated, row.request, row.processed) == (
        1,
        "[]",
        False,
        None,
        None,
    )
    assert [(token.text, token.logprob) for token in row.tokens or ()] == [("[]", -0.5)]
    assert row.columns["image_id"] == 3


@pytest.mark.parametrize(
    ("text", "message"),
    [
        pytest.param("", "empty file", id="empty"),
        pytest.param("\n \n", "empty file", id="blank-lines"),
        pytest.param(
            '{"image_id": 1}',
            r"line 1: .*\"response\", got the keys \['image_id'\]",
            id="no-response",
        ),
        pytest.param('{"response": null}', 'text in "response"', id="null-response"),
        pytest.param("7", "got a int", id="no-object"),
        pytest.param('{"response": ""}\n{"resp', "line 2: .*still writing", id="half-a-line"),
        pytest.param(
            '{"response": "", "logprobs": {"content": [{"token": 1}]}}',
            "line 1.*logprobs",
            id="logprobs",
        ),
        pytest.param(
            '{"response": "", "processed_size": [0, 28]}',
            r"line 1.*input size.*got \[0, 28\]",
            id="size",
        ),
        pytest.param(
            '{"response": "", "input_width": 28}', r"input size.*got \[28, None\]", id="half-a-size"
        ),
    ],
)
def test_other_lines_are_refused(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "infer.jsonl"
    path.write_text(text)
    with pytest.raises(InputError, match=message):
        read_rows(path)


def test_binary_and_missing_files_are_named(tmp_path: Path, annotations: Annotations) -> None:
    (tmp_path / "binary.jsonl").write_bytes(b"\xff\xfe\x00")
    for name in ("binary.jsonl", "nowhere.jsonl"):
        with pytest.raises(InputError, match=name):
            read_rows(tmp_path / name)
        with pytest.raises(InputError, match=name):
            read_predictions(tmp_path / name, annotations)


def test_unicode_line_ends_inside_an_answer_do_not_end_the_row(tmp_path: Path) -> None:
    path = tmp_path / "infer.jsonl"
    path.write_text('{"response": "a\u2028b\x85"}\n{"response": ""}\n', encoding="utf-8")
    assert [(row.line, row.text) for row in read_rows(path)] == [(1, "a\u2028b\x85"), (2, "")]


@pytest.mark.parametrize(
    "columns",
    [{"input_width": 644, "input_height": 476}, {"processed_size": [644, 476]}],
    ids=["columns", "pair"],
)
def test_the_recorded_input_size_is_read(write: Write, columns: dict[str, Any]) -> None:
    (row,) = read_rows(write("infer.jsonl", [{"response": "", **columns}]))
    assert row.processed == (644, 476)


@pytest.mark.parametrize(
    ("reason", "expected"), [("length", True), ("stop", False), (None, True)], ids=str
)
def test_finish_reason_goes_before_the_look_of_the_text(
    write: Write, reason: str | None, expected: bool
) -> None:
    (row,) = read_rows(write("infer.jsonl", [{"response": "[", "finish_reason": reason}]))
    assert row.truncated is expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param('[{"bbox_2d": [1, 2, 3, 4], "label": "a"}]', False, id="whole"),
        pytest.param(
            '```json\n[{"bbox_2d": [1, 2, 3, 4], "label": "a"}]\n```', False, id="whole-fenced"
        ),
        pytest.param('[{"bbox_2d": [1, 2, 3', True, id="in-a-box"),
        pytest.param('[{"bbox_2d": [1, 2, 3, 4], "label": "re', True, id="in-a-label"),
        pytest.param('[{"bbox_2d": [1, 2, 3, 4], "label": "a"},', True, id="between-entries"),
        pytest.param("```json\n[]", True, id="fence-left-open"),
        pytest.param(
            '[{"bbox_2d": [1, 2, 3, 4], "label": "[{\\"["}]', False, id="brackets-in-a-label"
        ),
        pytest.param("There is nothing.", False, id="prose"),
        pytest.param("", False, id="empty"),
        pytest.param('"' * 5001, False, id="quotes-only"),
    ],
)
def test_truncation_without_finish_reason(text: str, expected: bool) -> None:
    assert looks_truncated(text) is expected
