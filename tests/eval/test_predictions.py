"""Rows joined to images and to what was asked about them."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from mmdet_eval import InputError, join
from mmdet_eval.answers.join import Joined
from mmdet_eval.answers.rows import make_row
from mmdet_eval.coco.annotations import Image
from mmdet_eval.suites.queries import Query

IMAGES = (Image(10, "a/x.png", (8, 8)), Image(2, "b/x.png", (8, 8)), Image(3, "only.png", (8, 8)))
CAT, DOG = Query("Find every cat.", 1, "cat"), Query("Find every dog.", 2, "dog")
Asked = Mapping[Any, Sequence[Query]]


def row(**columns: Any) -> dict[str, Any]:
    return {"response": "[]", **columns}


def user(text: object) -> dict[str, Any]:
    """A row with the turns of ms-swift's messages."""
    return row(messages=[{"role": "user", "content": text}, {"role": "assistant", "content": "[]"}])


def joined(
    *rows: dict[str, Any],
    images: Sequence[Image] = IMAGES,
    queries: Asked | None = None,
    **options: Any,
) -> Joined:
    made = [
        make_row(n, f"line {n}", r["response"], r, request=r.get("id"))
        for n, r in enumerate(rows, 1)
    ]
    return join(made, images, queries, **{"missing": "empty", **options})


def ids(found: Joined) -> list[Any]:
    return [answer.image.id for answer in found.answers]


@pytest.mark.parametrize(
    ("columns", "image"),
    [
        pytest.param({"image_id": 2}, 2, id="id"),
        pytest.param({"image_id": "2"}, 2, id="id-as-text"),
        pytest.param({"image_id": 2.0}, 2, id="id-as-float"),
        pytest.param({"image_id": 2, "images": ["/data/only.png"]}, 2, id="id-before-path"),
        pytest.param({"image_id": None, "images": ["/data/only.png"]}, 3, id="null-id"),
        pytest.param(
            {"images": [{"bytes": None, "path": "/data/only.png"}]}, 3, id="ms-swift-dict"
        ),
        pytest.param({"images": ["only.png"]}, 3, id="bare-name"),
        pytest.param({"images": ["/data/b/x.png"]}, 2, id="path-suffix"),
        pytest.param({"images": ["a/x.png"]}, 10, id="whole-path"),
        pytest.param({"images": ["/moved/elsewhere/only.png"]}, 3, id="other-folder"),
        pytest.param({"id": 3}, 3, id="request-id"),
        pytest.param({"id": "only.png"}, 3, id="request-id-is-a-file"),
        pytest.param({"id": "b/x.png"}, 2, id="request-id-is-a-path"),
        pytest.param({"id": "3", "image_id": 2}, 2, id="id-before-request-id"),
        pytest.param({"id": "3", "images": ["a/x.png"]}, 10, id="path-before-request-id"),
    ],
)
def test_a_row_finds_its_image(columns: dict[str, Any], image: int) -> None:
    assert ids(joined(row(**columns))) == [image]


def test_the_longest_file_name_wins() -> None:
    images = (Image(1, "x.png", (8, 8)), Image(2, "b/x.png", (8, 8)))
    assert ids(joined(row(images=["/d/b/x.png"]), images=images)) == [2]
    assert ids(joined(row(images=["/d/c/x.png"]), images=images)) == [1]


def test_answers_come_in_ascending_order_of_the_ids() -> None:
    found = joined(row(image_id=10), row(image_id=2))
    assert ids(found) == [2, 10]
    assert (found.images, found.queries, found.missing, found.duplicates) == (3, 3, 1, 0)


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        pytest.param(
            [row(image_id=3), row(image_id=3)],
            "two for image 3.*lines 1 and 2.*appends",
            id="duplicate",
        ),
        pytest.param(
            [row(image_id=3), row(images=["only.png"])], "two for image 3", id="duplicate-by-name"
        ),
        pytest.param(
            [row(image_id=3)] * 2,
            "more than once, pass --protocol",
            id="perhaps-a-protocol",
        ),
        pytest.param(
            [row(image_id=4)],
            r"image_id of the annotation file \(10, 2, 3\), got '4'",
            id="unknown-id",
        ),
        pytest.param(
            [row(images=["/d/new.png"])], r"match /d/new\.png, got none", id="unknown-name"
        ),
        pytest.param([row(images=["/d/x.png"])], r"got 2 \(a/x\.png, b/x\.png\)", id="ambiguous"),
        pytest.param([row()], "remove_unused_columns false", id="nothing-to-join"),
        pytest.param(
            [row(id="chatcmpl-7")],
            "request id 'chatcmpl-7', which matches no image id",
            id="foreign-request-id",
        ),
        pytest.param(
            [row(images=[{"bytes": "QUJD", "path": None}])], 'one path in "images"', id="bytes-only"
        ),
        pytest.param(
            [row(images=["a/x.png", "only.png"])], 'one path in "images"', id="two-images"
        ),
        pytest.param(
            [row(image_id=3)], r"none for 2: 10 \(a/x\.png\), 2 .*--allow-missing", id="missing"
        ),
    ],
)
def test_what_cannot_be_joined_is_refused(rows: list[dict[str, Any]], message: str) -> None:
    with pytest.raises(InputError, match=message):
        joined(*rows, missing="error")


@pytest.mark.parametrize(("keep", "line"), [("first", 1), ("last", 3)])
def test_duplicates_are_counted_when_allowed(keep: str, line: int) -> None:
    found = joined(row(image_id=3), row(image_id=2), row(image_id=3), duplicates=keep)
    assert [answer.line for answer in found.answers] == [2, line]
    assert found.duplicates == 1


ASKED: Asked = {10: (CAT, DOG), 2: (DOG,), 3: ()}


@pytest.mark.parametrize(
    "columns",
    [
        pytest.param({"category_id": 2}, id="category_id"),
        pytest.param({"category_id": "2", "category": "cat"}, id="category_id-goes-first"),
        pytest.param({"query": "Find every dog."}, id="query"),
        pytest.param({"query": "dog"}, id="query-by-name"),
        pytest.param({"category": "dog", "category_id": None}, id="category"),
        pytest.param({"messages": user("<image>Find every dog.")["messages"]}, id="user-turn"),
        pytest.param(
            {
                "messages": user([{"type": "image"}, {"type": "text", "text": "Find every dog."}])[
                    "messages"
                ]
            },
            id="parts",
        ),
    ],
)
def test_a_row_finds_its_query(columns: dict[str, Any]) -> None:
    found = joined(row(image_id=10, **columns), queries=ASKED)
    assert [(answer.image.id, answer.query) for answer in found.answers] == [(10, DOG)]
    assert (found.queries, found.missing) == (3, 2)


def test_answers_follow_the_queries_whatever_the_order_of_the_rows() -> None:
    rows = [
        row(image_id=10, category="dog"),
        row(image_id=10, category="cat"),
        row(image_id=2, category="dog"),
    ]
    found = joined(*rows, queries=ASKED, missing="error")
    assert [(answer.image.id, answer.query.name) for answer in found.answers] == [
        (2, "dog"),
        (10, "cat"),
        (10, "dog"),
    ]


def test_the_only_query_needs_no_words() -> None:
    assert joined(row(image_id=2), queries=ASKED).answers[0].query == DOG


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        pytest.param([row(image_id=10)], 'neither "query"', id="no-words-for-two-queries"),
        pytest.param(
            [row(image_id=2, category="cat")],
            "'Find every dog.'.*category 'cat'.*protocol",
            id="not-asked",
        ),
        pytest.param(
            [row(image_id=10, category_id=2, query="Dogs?")],
            "'Find every dog.'.*'Dogs\\?'",
            id="reworded",
        ),
        pytest.param(
            [row(image_id=2, category="dog", query="Dogs?")],
            "got query 'Dogs\\?'",
            id="category-reworded",
        ),
        pytest.param(
            [user("<image>Where?") | {"image_id": 2}], "the user turn 'Where\\?'", id="other-prompt"
        ),
        pytest.param([row(image_id=3)], r"image 3 \(nothing\)", id="nothing-asked"),
        pytest.param(
            [row(image_id=10, category="cat")] * 2,
            "two for image 10 .*asked for 'cat'",
            id="duplicate",
        ),
        pytest.param(
            [row(image_id=10, category="cat")],
            r"none for 2: 10 \(a/x.png, dog\), 2 \(b",
            id="missing",
        ),
    ],
)
def test_what_was_not_asked_is_refused(rows: list[dict[str, Any]], message: str) -> None:
    with pytest.raises(InputError, match=message):
        joined(*rows, queries=ASKED, missing="error")


def expressions(*texts: str) -> tuple[list[Image], Asked]:
    """One images entry per expression, all about one file, as MDETR's files for RefCOCO have it."""
    images = [Image(number, "train/7.jpg", (8, 8), text) for number, text in enumerate(texts)]
    return images, {
        image.id: (Query(f"Locate {image.caption}.", 1, image.caption),) for image in images
    }


def test_expressions_about_one_file_are_told_apart_by_the_question() -> None:
    images, queries = expressions("left man", "red hat", "left man")
    rows = [
        user(f"<image>Locate {text}.") | {"images": ["/d/train/7.jpg"]}
        for text in ("left man", "left man", "red hat")
    ]
    found = joined(*rows, images=images, queries=queries, missing="error")
    assert [(answer.image.id, answer.line) for answer in found.answers] == [(0, 1), (1, 3), (2, 2)]
    with pytest.raises(InputError, match="two for image 0 .*lines 1 and 4"):
        joined(*rows, rows[0], images=images, queries=queries)
    last = joined(*rows, *rows, images=images, queries=queries, duplicates="last")
    assert [(answer.image.id, answer.line) for answer in last.answers] == [(0, 4), (1, 6), (2, 5)]


def test_entries_of_one_file_need_a_protocol_or_an_id() -> None:
    images, _ = expressions("left man", "red hat")
    with pytest.raises(InputError, match=r"got 2 \(train/7.jpg"):
        joined(row(images=["7.jpg"]), images=images)
    assert ids(joined(row(images=["7.jpg"], image_id=1), images=images)) == [1]


def test_every_referring_expression_finds_its_object(shared_data: Path) -> None:
    truths = [
        json.loads(line)
        for line in (shared_data / "refcoco" / "mini.jsonl").read_text().splitlines()
    ]
    images = [Image(n, t["image"], (640, 640), t["expression"]) for n, t in enumerate(truths)]
    queries = {image.id: (Query(f"Locate {image.caption}.", 1, image.caption),) for image in images}
    rows = [user(f"<image>Locate {t['expression']}.") | {"images": [t["image"]]} for t in truths]
    found = joined(*rows[::-1], images=images, queries=queries, missing="error")
    assert len({image.file_name for image in images}) < len(images) == len(found.answers)
    for answer in found.answers:
        asked = rows[len(rows) - answer.line]["messages"][0]["content"]
        assert asked == f"<image>Locate {answer.image.caption}."


def test_two_questions_about_an_image_ask_for_the_protocol() -> None:
    first, second = (
        {**user(f"<image>Locate every {name}."), "image_id": 3} for name in ("cat", "dog")
    )
    with pytest.raises(
        InputError, match=r"'Locate every cat\.' and 'Locate every dog\.'; pass --protocol"
    ):
        joined(first, second)
