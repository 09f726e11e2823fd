"""Answers to COCO results: frame, labels, clipping, scores and the counts."""

import json
import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from mmdet_eval import Answer, Converted, InputError, to_coco_results
from mmdet_eval.coco.annotations import Annotations, Image, read_annotations
from mmdet_eval.suites.queries import Query
from swift_plugin_visionr1 import JsonLayout, ModelIO, QwenResize, Settings, get_format, model_io
from swift_plugin_visionr1.formats.json_layout import Order
from swift_plugin_visionr1.geometry.boxes import as_boxes
from swift_plugin_visionr1.geometry.frames import Size
from swift_plugin_visionr1.geometry.frames import convert as move

IMAGE = Image(4, "x.png", (560, 280))  # multiples of 28: processed as it is, so that frames agree
CATEGORIES = {9: "cat", 1: "Dog"}


def entry(*box: float, label: str | None = "cat") -> str:
    name = f', "label": "{label}"' if label is not None else ""
    return f'{{"bbox_2d": {list(box)}{name}}}'


def convert(
    *texts: str, image: Image = IMAGE, truncated: bool = False, **options: Any
) -> Converted:
    answers = [Answer(image, text, truncated, line) for line, text in enumerate(texts, 1)]
    return to_coco_results(answers, model_io(Settings()), CATEGORIES, len(texts), **options)


def answer(*entries: str) -> str:
    return f"[{', '.join(entries)}]"


def test_a_box_moves_to_the_original_frame_as_xywh() -> None:
    # 100 x 100 is processed as 112 x 112.
    found = convert(answer(entry(28, 0, 56, 112)), image=Image(4, "x.png", (100, 100)))
    assert found.results == [
        {"image_id": 4, "category_id": 9, "bbox": pytest.approx([25, 0, 25, 100]), "score": 1.0}
    ]


def test_the_order_of_the_answer_is_kept() -> None:
    found = convert(
        answer(entry(5, 5, 9, 9), entry(1, 1, 300, 200, label="Dog"), entry(0, 0, 3, 3))
    )
    assert [result["bbox"][0] for result in found.results] == [5, 1, 0]


def test_unknown_labels_are_counted_and_listed_most_frequent_first() -> None:
    found = convert(
        answer(entry(1, 1, 9, 9, label="cow")),
        answer(*[entry(1, 1, 9, 9, label="sheep")] * 2, entry(1, 1, 9, 9)),
    )
    assert found.unknown_labels == {"sheep": 2, "cow": 1}
    assert (found.counts.boxes_read, found.counts.unknown_labels, found.counts.boxes_kept) == (
        4,
        3,
        1,
    )


def test_boxes_without_a_label_are_unknown_labels() -> None:
    assert convert(answer(entry(1, 1, 9, 9, label=None))).unknown_labels == {"": 1}


def test_outside_boxes_are_clipped_counted_and_dropped_when_nothing_is_left() -> None:
    found = convert(answer(entry(-10, 270, 20, 300), entry(600, 0, 700, 50), entry(0, 0, 560, 280)))
    assert [result["bbox"] for result in found.results] == [[0, 270, 20, 10], [0, 0, 560, 280]]
    assert (found.counts.outside, found.counts.nothing_left, found.counts.broken_format) == (
        2,
        1,
        1,
    )


@pytest.mark.parametrize(
    "size", [(641, 427), (97, 353), (116, 243)], ids=str
)  # 116 comes back as 116.00000000000001
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


def test_every_answer_is_kept_as_it_was_read() -> None:
    text = answer(entry(0, 0, 560, 280), entry(1, 1, 9, 9, label="cow"), entry(600, 0, 700, 50))
    (read,) = convert(text).answers
    assert read.answer.text == text
    assert (read.view.processed, read.issues, read.categories) == (
        (560, 280),
        ("out_of_image",),
        (9, None, None),
    )
    assert read.boxes.tolist() == [[0, 0, 560, 280], [1, 1, 9, 9], [560, 0, 560, 50]]
    assert read.scores.tolist() == [1, 1, 1]


def asked_for(category: int | None, text: str) -> Converted:
    made = Answer(IMAGE, text, False, 1, Query("Locate every one of them.", category, "dog"))
    return to_coco_results([made], model_io(Settings()), CATEGORIES, 1, labels="query", queries=5)


def test_the_query_names_the_category_where_the_protocol_says_so() -> None:
    found = asked_for(1, answer(entry(1, 1, 9, 9, label="cat"), entry(2, 2, 9, 9, label=None)))
    assert [result["category_id"] for result in found.results] == [1, 1]
    assert (found.unknown_labels, found.counts.unknown_labels) == ({}, 0)
    assert (found.counts.queries, found.counts.missing) == (5, 4)
    assert "the query asked for" in found.label_policy


def test_a_query_for_everything_names_no_category() -> None:
    with pytest.raises(InputError, match="line 1: expected a query for one category"):
        asked_for(None, answer(entry(1, 1, 9, 9)))


def test_the_label_policy_is_stated() -> None:
    assert "casefold" in convert("[]").label_policy


# Frames. The boxes are real ones, written perfectly in one frame and read in another.

STATED = QwenResize()


@pytest.fixture(scope="module")
def coco(shared_data: Path) -> Annotations:
    return read_annotations(shared_data / "coco_val80" / "instances_val80.json")


def perfect(coco: Annotations, frame: Any, record: bool = False) -> list[Answer]:
    """Every annotation but crowds, written in the frame that `frame` gives for an image."""
    answers = []
    for image in sorted(coco.images, key=lambda image: image.id):
        truths = [
            a for a in coco.data["annotations"] if a["image_id"] == image.id and not a["iscrowd"]
        ]
        boxes = as_boxes([truth["bbox"] for truth in truths])
        boxes[:, 2:] += boxes[:, :2]
        size: Size = frame(image.size)
        written = move(boxes, image.size, size).tolist()
        names = [coco.categories[truth["category_id"]] for truth in truths]
        text = json.dumps(
            [{"bbox_2d": box, "label": name} for box, name in zip(written, names, strict=True)]
        )
        answers.append(
            Answer(image, text, False, len(answers) + 1, processed=size if record else None)
        )
    return answers


def read(coco: Annotations, answers: Sequence[Answer], resize: QwenResize = STATED) -> Converted:
    return to_coco_results(
        answers, ModelIO(get_format("qwen2_5_vl"), resize), coco.categories, len(coco.images)
    )


def average_precision(coco: Annotations, found: Converted) -> float:
    from pycocotools.coco import COCO
    from pycocotools.cocoeval import COCOeval

    truth = COCO(str(coco.path))
    run = COCOeval(truth, truth.loadRes(found.results), "bbox")
    run.evaluate()
    run.accumulate()
    run.summarize()
    return float(run.stats[0])


def original(size: Size) -> Size:
    return size


OTHER = QwenResize(max_tokens=64)  # MAX_PIXELS=50176


@pytest.mark.parametrize(
    ("frame", "computed"),
    [
        pytest.param(original, 0.75, id="original pixels"),
        pytest.param(OTHER.processed_size, 0.01, id="MAX_PIXELS"),
    ],
)
def test_the_recorded_size_beats_the_computed_one(
    coco: Annotations, frame: Any, computed: float
) -> None:
    pytest.importorskip("pycocotools", reason="needs the extra `eval`")
    assert average_precision(coco, read(coco, perfect(coco, frame, record=True))) == pytest.approx(
        1, abs=1e-9
    )
    assert average_precision(coco, read(coco, perfect(coco, frame))) < computed


def test_the_wrong_frame_of_640x480_photographs_costs_most_of_the_ap(shared_data: Path) -> None:
    """Perfect boxes in the 644x476 that the model sees, taken for pixels of the original or of a
    far smaller frame."""
    pytest.importorskip("pycocotools", reason="needs the extra `eval`")
    bccd = read_annotations(shared_data / "bccd" / "instances_test.json")
    assert {image.size for image in bccd.images} == {(640, 480)}
    answers = perfect(bccd, STATED.processed_size)
    assert {read_one.view.processed for read_one in read(bccd, answers).answers} == {(644, 476)}
    assert average_precision(bccd, read(bccd, answers)) == pytest.approx(1, abs=1e-9)
    as_original = [replace(one, processed=(640, 480)) for one in answers]
    assert average_precision(bccd, read(bccd, as_original)) < 0.9
    assert average_precision(bccd, read(bccd, answers, QwenResize(max_tokens=64))) < 0.05


@pytest.mark.parametrize(
    ("boxes", "distinct", "warned"),
    [(49, 49, False), (50, 50, True), (400, 1, False)],
    ids=["too few", "enough", "one box, 400 times"],
)
def test_fifty_boxes_near_the_corner_are_a_sign_of_a_smaller_frame(
    boxes: int, distinct: int, warned: bool
) -> None:
    converted = convert(answer(*(entry(1, 1, 50 + n % distinct, 100) for n in range(boxes))))
    assert [text.split(" reach ")[0] for text in converted.warnings] == ["0 of 50 boxes"] * warned


@pytest.mark.parametrize(
    ("frame", "stated", "cause"),
    [
        pytest.param(
            lambda size: (1, 1), STATED, "all .* between 0 and 1: .*fractions", id="fractions"
        ),
        pytest.param(
            lambda size: (1000, 1000), STATED, "fit thousandths.*--frame norm1000", id="thousandths"
        ),
        pytest.param(original, QwenResize(max_tokens=256), "pixels of the original", id="original"),
        pytest.param(
            QwenResize(max_tokens=256).processed_size,
            QwenResize(max_tokens=64),
            "MAX_PIXELS=200704",
            id="MAX_PIXELS",
        ),
        pytest.param(
            OTHER.processed_size,
            STATED,
            "of 804 boxes reach beyond 75% .*=50176",
            id="smaller MAX_PIXELS",
        ),
        pytest.param(lambda size: (5000, 4000), STATED, "none of the usual frames", id="none"),
    ],
)
def test_boxes_that_do_not_fit_the_frame_name_the_likely_cause(
    coco: Annotations, frame: Any, stated: QwenResize, cause: str
) -> None:
    (warning,) = read(coco, perfect(coco, frame), stated).warnings
    assert re.search(cause, warning), warning


def test_the_right_frame_gives_no_warning(coco: Annotations) -> None:
    assert read(coco, perfect(coco, STATED.processed_size)).warnings == ()
    assert convert("none").warnings == ()


def in_fractions(order: Order, *boxes: Sequence[float]) -> Converted:
    """Answers with corners in fractions of the image, read as `order` to three decimals."""
    text = answer(*[entry(*box) for box in boxes])
    io = ModelIO(get_format("json", "norm1", layout=JsonLayout(order=order, decimals=3)), STATED)
    return to_coco_results([Answer(IMAGE, text, False, 1)], io, CATEGORIES, 1)


def test_what_rounding_puts_beyond_the_border_is_inside() -> None:
    found = in_fractions("cxcywh", *[[0.65, 0.5, 0.701, 0.5]] * 9)
    assert (found.counts.outside, found.counts.broken_format, found.warnings) == (0, 0, ())


def test_no_frame_is_suggested_that_the_boxes_hardly_fill() -> None:
    (warning,) = in_fractions("xyxy", [0.1, 0.1, 1.02, 1], [0, 0, 0.5, 0.5]).warnings
    assert warning.endswith("none of the usual frames fits them")


def test_one_box_in_a_hundred_may_leave_the_image() -> None:
    inside, outside = [entry(1, 1, 500, 200)] * 99, [entry(1, 1, 999, 9)]
    assert convert(answer(*inside, *outside)).warnings == ()
    assert (
        convert(answer(*inside, *outside * 2))
        .warnings[0]
        .startswith("2 of 101 boxes (2.0%) extend beyond the image")
    )


def test_the_ground_truth_is_never_asked_about_the_frame(coco: Annotations) -> None:
    """The same boxes in the same frames give the same warning whatever the annotations say."""
    answers = perfect(coco, original)
    known = read(coco, answers, OTHER)
    others = {key: f"{name} elsewhere" for key, name in coco.categories.items()}
    renamed = to_coco_results(
        answers, ModelIO(get_format("qwen2_5_vl"), OTHER), others, len(coco.images)
    )
    assert renamed.results == []
    assert renamed.warnings == known.warnings != ()
