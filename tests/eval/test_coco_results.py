"""Answers to COCO results: frame, labels, clipping, scores and the counts."""

from typing import Any

import pytest

from mmdet_eval import Answer, Converted, InputError, to_coco_results
from mmdet_eval.answers.labels import CategoryNames
from mmdet_eval.data.annotations import Image
from swift_plugin_visionr1 import QwenResize, get_format

IMAGE = Image(4, "x.png", (560, 280))  # multiples of 28: processed as it is, so that frames agree
CATEGORIES = {9: "cat", 1: "Dog"}


def entry(*box: float, label: str | None = "cat") -> str:
    name = f', "label": "{label}"' if label is not None else ""
    return f'{{"bbox_2d": {list(box)}{name}}}'


def convert(*texts: str, image: Image = IMAGE, truncated: bool = False, **options: Any) -> Converted:
    answers = [Answer(image, text, truncated, line) for line, text in enumerate(texts, 1)]
    return to_coco_results(answers, get_format("qwen2_5_vl"), QwenResize(), CATEGORIES, len(texts), **options)


def answer(*entries: str) -> str:
    return f"[{', '.join(entries)}]"


def test_a_box_moves_to_the_original_frame_as_xywh() -> None:
    # 100 x 100 is processed as 112 x 112.
    found = convert(answer(entry(28, 0, 56, 112)), image=Image(4, "x.png", (100, 100)))
    assert found.results == [{"image_id": 4, "category_id": 9, "bbox": pytest.approx([25, 0, 25, 100]), "score": 1.0}]


def test_the_order_of_the_answer_is_kept() -> None:
    found = convert(answer(entry(5, 5, 9, 9), entry(1, 1, 300, 200, label="Dog"), entry(0, 0, 3, 3)))
    assert [result["bbox"][0] for result in found.results] == [5, 1, 0]


@pytest.mark.parametrize(
    ("label", "category"), [("cat", 9), ("CAT", 9), (" dog ", 1), ("Dog", 1), ("dogs", None), ("", None)], ids=repr
)
def test_labels(label: str, category: int | None) -> None:
    assert CategoryNames(CATEGORIES).find(label) == category


def test_names_that_differ_in_case_only_need_the_exact_label() -> None:
    names = CategoryNames({1: "A", 2: "a", 3: "b"})
    assert [names.find(label) for label in ("A", "a", " A", "B")] == [1, 2, None, 3]


def test_equal_category_names_are_refused() -> None:
    with pytest.raises(InputError, match="'a' for both 1 and 2"):
        CategoryNames({1: "a", 2: "a"})


def test_unknown_labels_are_counted_and_listed_most_frequent_first() -> None:
    found = convert(
        answer(entry(1, 1, 9, 9, label="cow")), answer(*[entry(1, 1, 9, 9, label="sheep")] * 2, entry(1, 1, 9, 9))
    )
    assert found.unknown_labels == {"sheep": 2, "cow": 1}
    assert (found.counts.boxes_read, found.counts.unknown_labels, found.counts.boxes_kept) == (4, 3, 1)


def test_boxes_without_a_label_are_unknown_labels() -> None:
    assert convert(answer(entry(1, 1, 9, 9, label=None))).unknown_labels == {"": 1}


def test_outside_boxes_are_clipped_counted_and_dropped_when_nothing_is_left() -> None:
    found = convert(answer(entry(-10, 270, 20, 300), entry(600, 0, 700, 50), entry(0, 0, 560, 280)))
    assert [result["bbox"] for result in found.results] == [[0, 270, 20, 10], [0, 0, 560, 280]]
    assert (found.counts.outside, found.counts.nothing_left, found.counts.broken_format) == (2, 1, 1)


@pytest.mark.parametrize("size", [(641, 427), (97, 353), (116, 243)], ids=str)  # 116 comes back as 116.00000000000001
def test_a_box_as_large_as_the_processed_image_is_not_outside(size: tuple[int, int]) -> None:
    processed = QwenResize().processed_size(size)
    found = convert(answer(entry(0, 0, *processed)), image=Image(4, "x.png", size))
    assert found.counts.outside == 0
    assert found.results[0]["bbox"] == pytest.approx([0, 0, *size])


@pytest.mark.parametrize(
    ("text", "unparsed", "broken", "read"),
    [
        pytest.param(answer(entry(1, 1, 9, 9)), 0, 0, 1, id="clean"),
        pytest.param("[]", 0, 0, 0, id="says-nothing"),
        pytest.param("```\n[]\n```", 0, 1, 0, id="says-nothing-in-a-wrong-fence"),
        pytest.param("I see a cat.", 1, 1, 0, id="prose"),
        pytest.param("", 1, 1, 0, id="empty"),
        pytest.param("[" + entry(1, 1, 9, 9), 0, 1, 1, id="half-of-it-readable"),
        pytest.param(answer(entry(9, 9, 1, 1)), 1, 1, 0, id="reversed-corners"),
    ],
)
def test_counts_of_broken_answers(text: str, unparsed: int, broken: int, read: int) -> None:
    counts = convert(text).counts
    assert (counts.unparsed, counts.broken_format, counts.boxes_read) == (unparsed, broken, read)


def test_truncated_answers_are_counted_and_their_boxes_kept() -> None:
    counts = convert("[" + entry(1, 1, 9, 9), truncated=True).counts
    assert (counts.truncated, counts.boxes_kept) == (1, 1)


def test_area_scores_are_shares_of_the_image() -> None:
    found = convert(answer(entry(0, 0, 280, 280), entry(0, 0, 56, 28)), policy="area")
    assert [result["score"] for result in found.results] == [0.5, 0.01]


def test_an_image_that_no_processor_takes_is_named() -> None:
    with pytest.raises(InputError, match=r"image 4 \(x\.png\): .*aspect ratio"):
        convert("[]", image=Image(4, "x.png", (9000, 10)))
