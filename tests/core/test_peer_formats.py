"""The formats of VisionReasoner and LocateAnything: what they write, and what breaks it."""

import numpy as np
import pytest

from swift_plugin_visionr1 import get_format
from swift_plugin_visionr1.formats.questions import detection_question
from swift_plugin_visionr1.geometry.boxes import as_boxes
from swift_plugin_visionr1.geometry.frames import View

LOCATE = get_format("locate_anything")
REASONER = get_format("vision_reasoner", reasoning="think_answer")
A, B = [1, 2, 30, 40], [5, 6, 70, 80]
CAT = "<ref>cat</ref><box><1><2><30><40></box>"
THOUGHT = "<think>two cats</think>\n<answer>{}</answer>"


@pytest.mark.parametrize(
    ("text", "boxes", "issues"),
    [
        pytest.param(CAT, [("cat", A)], (), id="one box"),
        pytest.param(
            f"{CAT}<box><5><6><70><80></box><ref>dog</ref><box><1><2><30><40></box>",
            [("cat", A), ("cat", B), ("dog", A)],
            (),
            id="several boxes of a label",
        ),
        pytest.param(
            f"{CAT}<ref>dog</ref><box>none</box>", [("cat", A)], (), id="one of two is absent"
        ),
        pytest.param("<ref>cat</ref><box><1><2></box>", [], ("point",), id="a point"),
        pytest.param(
            f"{CAT}<box><5><6><7", [("cat", A)], ("broken_tags",), id="cut off in a number"
        ),
        pytest.param(
            "<ref>cat</ref><box>1,2,30,40</box>", [("cat", A)], ("bad_layout",), id="commas"
        ),
        pytest.param("<box><1><2><30><40></box>", [("", A)], ("no_label",), id="no label"),
    ],
)
def test_locate_anything(
    text: str, boxes: list[tuple[str, list[float]]], issues: tuple[str, ...]
) -> None:
    parsed = LOCATE.parse(text)
    assert list(zip(parsed.labels, parsed.boxes.tolist(), strict=True)) == boxes
    assert parsed.issues == issues


def test_locate_anything_says_that_nothing_is_there() -> None:
    assert LOCATE.write(as_boxes([]), []) == "<box>none</box>"
    for text in ("<box>none</box>", "<ref>cat</ref><box>none</box>"):
        assert (LOCATE.parse(text).says_nothing, LOCATE.parse(text).issues) == (True, ())


def test_locate_anything_is_asked_for_all_categories_at_once() -> None:
    asked = detection_question(["cat", "dog"], LOCATE.questions)
    assert asked.endswith("description: cat</c>dog.")


def test_vision_reasoner_is_asked_for_one_thing_and_needs_no_label() -> None:
    answer = '[{"bbox_2d": [10,100,200,210], "point_2d": [30,110]}]'
    parsed = REASONER.parse(THOUGHT.format(answer))
    assert (parsed.boxes.tolist(), parsed.labels, parsed.issues) == (
        [[10, 100, 200, 210]],
        ("",),
        (),
    )
    asked = detection_question(["cat"], REASONER.questions)
    assert asked.startswith('Please find "cat" with bboxs')
    assert answer[1:-1] in asked


def test_vision_reasoner_sees_a_square_of_840_pixels() -> None:
    view = View((1680, 420), (1680, 420))
    image = REASONER.frame.to_image(as_boxes([[84, 84, 168, 420]]), view)
    np.testing.assert_array_equal(image, [[168, 42, 336, 210]])
    beyond = REASONER.parse(THOUGHT.format('[{"bbox_2d": [10, 100, 841, 210]}]'))
    assert REASONER.content_issues(beyond, view) == ("out_of_image",)


@pytest.mark.parametrize(
    ("answer", "issues"),
    [
        pytest.param('[{"point_2d": [30, 110]}]', ("point",), id="a point alone"),
        pytest.param(
            '[{"bbox": [1, 2, 3, 4], "points_1": [2, 3]}]', ("other_key",), id="Seg-Zero's first"
        ),
        pytest.param(
            '[{"bbox_2d": [1, 2, 3, 4], "label": " "}]', ("no_label",), id="a blank label"
        ),
        pytest.param("[]", (), id="nothing"),
    ],
)
def test_vision_reasoner(answer: str, issues: tuple[str, ...]) -> None:
    assert REASONER.parse(THOUGHT.format(answer)).issues == issues


def test_vision_reasoner_writes_points_and_labels_only_where_there_are_some() -> None:
    inner = get_format("vision_reasoner").write(as_boxes([A, B]), ["", "cat"])
    assert '{"bbox_2d": [1, 2, 30, 40], "point_2d": [16, 21]}' in inner
    assert '"point_2d": [38, 43], "label": "cat"}' in inner
