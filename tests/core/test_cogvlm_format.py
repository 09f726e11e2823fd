"""CogVLM's and CogAgent's boxes in prose and in operations on a screen."""

import pytest

from swift_plugin_visionr1.formats import get_format
from swift_plugin_visionr1.geometry.boxes import as_boxes
from swift_plugin_visionr1.geometry.frames import View

FORMAT = get_format("cogvlm")
A, B = [1, 20, 300, 400], [5, 60, 700, 999]
CLICK = (
    "Status: the inbox [[0, 2, 998, 905]] is open.\nGrounded Operation: "
    "CLICK(box=[[001,020,300,400]], %s)\n<<x>>"
)

CASES = {
    "written as trained": (
        "cat [[001,020,300,400]]\ndog [[005,060,700,999]]",
        [("cat", A), ("dog", B)],
        (),
    ),
    "a box alone": ("[[001, 020, 300, 400]]", [("", A)], ()),
    "without zeros": ("cat [[1, 20, 300, 400]].", [("cat", A)], ()),
    "a caption": (
        "In the photo, there is a man [[001,020,300,400]], and a dog [[005,060,700,999]] on the "
        "grass.",
        [("there is a man", A), ("a dog", B)],
        (),
    ),
    "two things of a label": (
        "dogs [[001,020,300,400;005,060,700,999]]",
        [("dogs", A), ("dogs", B)],
        (),
    ),
    "Chinese": ("图中，一只猫[[001，020，300，400]]和狗。", [("一只猫", A)], ()),
    "an operation": (
        CLICK % "element_type='button', element_info='Don't send, ok'",
        [("Don't send, ok", A)],
        (),
    ),
    "an element without a name": (CLICK % "element_type='button', element_info=''", [("", A)], ()),
    "an operation in words": (
        "Plan: 1. Type.\nGrounded Operation:[combobox] Where to? -> TYPE: Rome at the box "
        "[[001,020,300,400]]",
        [("Where to?", A)],
        (),
    ),
    "an operation without a box": ("Grounded Operation: END()", [], ("no_box",)),
    "a point": ("[[001,020]]", [], ("point",)),
    "a template": ("The box is [[x1, y1, x2, y2]].", [], ("bad_box",)),
    "fractions": ("cat [[1.0,20,300,400]]", [("cat", A)], ("not_integer",)),
    "corner order": ("cat [[300,020,001,400]]", [], ("corner_order",)),
    "cut off": ("cat [[001,020,300,400]]\ndog [[005,060,700,9", [("cat", A)], ("broken_tags",)),
    "none": ("None", [], ()),
    "words": ("There is no cat.", [], ("empty_answer",)),
    "no box": ("A cat.", [], ("no_box",)),
    "JSON": ('[{"bbox_2d": [1, 20, 300, 400], "label": "cat"}]', [], ("no_box",)),
}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_table(case: tuple[str, list[tuple[str, list[int]]], tuple[str, ...]]) -> None:
    text, expected, issues = case
    parsed = FORMAT.parse(text)
    assert list(zip(parsed.labels, parsed.boxes.tolist(), strict=True)) == expected
    assert parsed.issues == issues
    assert parsed.says_nothing == (text in ("None", "There is no cat."))
    for numbers, label, places in zip(
        parsed.boxes.tolist(), parsed.labels, FORMAT.spans(text), strict=True
    ):
        assert [float(text[slice(*place)]) for place in places[:4]] == numbers
        assert [text[slice(*place)] for place in places[4:]] == [label] * bool(label)


def test_written_in_three_digits_that_there_are() -> None:
    assert (
        FORMAT.write(as_boxes([[0, 4.4, 1000, 900], B]), ("cat", ""))
        == "cat [[000,004,999,900]]\n[[005,060,700,999]]"
    )


def test_the_frame_is_thousandths_up_to_999() -> None:
    view = View((2000, 1000), (490, 490))
    assert FORMAT.frame.to_image(as_boxes([A]), view).tolist() == [[2, 20, 600, 400]]
    for last, issues in (("999", ()), ("1000", ("out_of_image",))):
        assert FORMAT.content_issues(FORMAT.parse(f"cat [[001,002,003,{last}]]"), view) == issues
