"""What `swift infer` wrote, and the join to images."""

from pathlib import Path
from typing import Any

import pytest

from mmdet_eval import InputError, join, read_rows
from mmdet_eval.answers.truncation import is_truncated, looks_truncated
from mmdet_eval.data.annotations import Image

IMAGES = (Image(10, "a/x.png", (8, 8)), Image(2, "b/x.png", (8, 8)), Image(3, "only.png", (8, 8)))


def row(**columns: Any) -> dict[str, Any]:
    return {"response": "[]", **columns}


def joined(*rows: dict[str, Any], images: tuple[Image, ...] = IMAGES, allow_missing: bool = True) -> list[Any]:
    return [answer.image.id for answer in join(list(enumerate(rows, 1)), images, allow_missing)]


@pytest.mark.parametrize(
    ("columns", "image"),
    [
        pytest.param({"image_id": 2}, 2, id="id"),
        pytest.param({"image_id": "2"}, 2, id="id-as-text"),
        pytest.param({"image_id": 2, "images": ["/data/only.png"]}, 2, id="id-before-path"),
        pytest.param({"image_id": None, "images": ["/data/only.png"]}, 3, id="null-id"),
        pytest.param({"images": [{"bytes": None, "path": "/data/only.png"}]}, 3, id="ms-swift-dict"),
        pytest.param({"images": ["only.png"]}, 3, id="bare-name"),
        pytest.param({"images": ["/data/b/x.png"]}, 2, id="path-suffix"),
        pytest.param({"images": ["a/x.png"]}, 10, id="whole-path"),
        pytest.param({"images": ["/moved/elsewhere/only.png"]}, 3, id="other-folder"),
    ],
)
def test_a_row_finds_its_image(columns: dict[str, Any], image: int) -> None:
    assert joined(row(**columns)) == [image]


def test_the_longest_file_name_wins() -> None:
    images = (Image(1, "x.png", (8, 8)), Image(2, "b/x.png", (8, 8)))
    assert joined(row(images=["/d/b/x.png"]), images=images) == [2]
    assert joined(row(images=["/d/c/x.png"]), images=images) == [1]


def test_answers_come_in_ascending_order_of_the_ids() -> None:
    assert joined(row(image_id=10), row(image_id=3), row(image_id=2)) == [2, 3, 10]


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        pytest.param([row(image_id=3), row(image_id=3)], "two for image 3.*lines 1 and 2.*appends", id="duplicate"),
        pytest.param([row(image_id=3), row(images=["only.png"])], "two for image 3", id="duplicate-by-name"),
        pytest.param([row(image_id=4)], r"image_id of the annotation file \(10, 2, 3\), got '4'", id="unknown-id"),
        pytest.param([row(images=["/d/new.png"])], r"called /d/new\.png, got none", id="unknown-name"),
        pytest.param([row(images=["/d/x.png"])], r"got 2 \(a/x\.png, b/x\.png\)", id="ambiguous"),
        pytest.param([row()], "remove_unused_columns false", id="nothing-to-join"),
        pytest.param([row(images=[{"bytes": "QUJD", "path": None}])], 'one path in "images"', id="bytes-only"),
        pytest.param([row(images=["a/x.png", "only.png"])], 'one path in "images"', id="two-images"),
        pytest.param([row(image_id=3)], r"none for 2: 10 \(a/x\.png\), 2 .*--allow-missing", id="missing"),
    ],
)
def test_what_cannot_be_joined_is_refused(rows: list[dict[str, Any]], message: str) -> None:
    with pytest.raises(InputError, match=message):
        joined(*rows, allow_missing=False)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        pytest.param("", "empty file", id="empty"),
        pytest.param("\n \n", "empty file", id="blank-lines"),
        pytest.param('{"image_id": 1}', r"line 1: .*\"response\", got the keys \['image_id'\]", id="no-response"),
        pytest.param('{"response": null}', 'text in "response"', id="null-response"),
        pytest.param("[1]", "got a list", id="no-object"),
        pytest.param('{"response": ""}\n{"resp', "line 2: .*still writing", id="half-a-line"),
    ],
)
def test_other_files_are_refused(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "infer.jsonl"
    path.write_text(text)
    with pytest.raises(InputError, match=message):
        read_rows(path)


def test_binary_and_missing_files_are_named(tmp_path: Path) -> None:
    (tmp_path / "binary.jsonl").write_bytes(b"\xff\xfe\x00")
    for name in ("binary.jsonl", "nowhere.jsonl"):
        with pytest.raises(InputError, match=name):
            read_rows(tmp_path / name)


def test_unicode_line_ends_inside_an_answer_do_not_end_the_row(tmp_path: Path) -> None:
    path = tmp_path / "infer.jsonl"
    path.write_text('{"response": "a\u2028b\x85"}\n{"response": ""}\n', encoding="utf-8")
    assert [(line, row["response"]) for line, row in read_rows(path)] == [(1, "a\u2028b\x85"), (2, "")]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param('[{"bbox_2d": [1, 2, 3, 4], "label": "a"}]', False, id="whole"),
        pytest.param('```json\n[{"bbox_2d": [1, 2, 3, 4], "label": "a"}]\n```', False, id="whole-fenced"),
        pytest.param('[{"bbox_2d": [1, 2, 3', True, id="in-a-box"),
        pytest.param('[{"bbox_2d": [1, 2, 3, 4], "label": "re', True, id="in-a-label"),
        pytest.param('[{"bbox_2d": [1, 2, 3, 4], "label": "a"},', True, id="between-entries"),
        pytest.param("```json\n[]", True, id="fence-left-open"),
        pytest.param('[{"bbox_2d": [1, 2, 3, 4], "label": "[{\\"["}]', False, id="brackets-in-a-label"),
        pytest.param("There is nothing.", False, id="prose"),
        pytest.param("", False, id="empty"),
        pytest.param('"' * 5001, False, id="quotes-only"),
    ],
)
def test_truncation_without_finish_reason(text: str, expected: bool) -> None:
    assert looks_truncated(text) is expected


@pytest.mark.parametrize(("reason", "expected"), [("length", True), ("stop", False), (None, True)], ids=str)
def test_finish_reason_goes_before_the_look_of_the_text(reason: str | None, expected: bool) -> None:
    assert is_truncated({"response": "[", "finish_reason": reason}) is expected
