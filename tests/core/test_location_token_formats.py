"""PaliGemma's and Florence-2's location tokens and Griffon's plain text: what models write, whole
and broken."""

import math

import numpy as np
import pytest

from swift_plugin_visionr1.formats import get_format
from swift_plugin_visionr1.geometry.boxes import as_boxes
from swift_plugin_visionr1.geometry.frames import View

Case = tuple[
    str, list[tuple[str, list[float]]], tuple[str, ...]
]  # text, (label, box) pairs, issues

A, B = [1, 2, 30, 40], [5, 6, 70, 80]
PA, PB = "<loc0002><loc0001><loc0040><loc0030>", "<loc0006><loc0005><loc0080><loc0070>"
FA, FB = "<loc_1><loc_2><loc_30><loc_40>", "<loc_5><loc_6><loc_70><loc_80>"
MASK = "".join(f"<seg{place:03}>" for place in range(16))
QUAD = "<loc_98><loc_139><loc_397><loc_140><loc_396><loc_191><loc_97><loc_189>"

PALIGEMMA: dict[str, Case] = {
    "one": (f"{PA} cat", [("cat", A)], ()),
    "two": (f"{PA} 6 of clubs ; {PB} dog", [("6 of clubs", A), ("dog", B)], ()),
    "separator at the end": (f"{PA} cat ; ", [("cat", A)], ()),
    "no spaces": (f"{PA}cat;{PB}dog", [("cat", A), ("dog", B)], ()),
    "no separator": (f"{PA} cat{PB} dog", [("cat", A), ("dog", B)], ("bad_layout",)),
    "no label": (PA, [("", A)], ("no_label",)),
    "text before": (f"Here: {PA} cat", [("cat", A)], ("text_around",)),
    "text in place of a box": (
        f"{PA} cat ; dog ; {PB} dog",
        [("cat", A), ("dog", B)],
        ("text_around",),
    ),
    "cut after a box": (f"{PA} cat ; <loc0492><loc0372><loc08", [("cat", A)], ("broken_tags",)),
    "cut within a token": (
        f"{PA} cat ; {PB} dog ; <loc",
        [("cat", A), ("dog", B)],
        ("broken_tags",),
    ),
    "a mask": (f"{PA}{MASK} cat ; {PB} dog", [("cat", A), ("dog", B)], ("mask",)),
    "a point": ("<loc0001><loc0002> cat", [], ("point",)),
    "a quad": (f"{PA}{PB} cat", [], ("quad",)),
    "three tokens": ("<loc0001><loc0002><loc0003> cat", [], ("bad_box",)),
    "corner order": ("<loc0040><loc0001><loc0002><loc0030> cat", [], ("corner_order",)),
    "three digits": ("<loc001><loc002><loc040><loc030> cat", [], ("no_box",)),
    "beyond the tokens": (
        "<loc0002><loc0001><loc0040><loc1024> cat",
        [("cat", [1, 2, 1024, 40])],
        (),
    ),
    "Florence-2's": (f"cat{FA}", [], ("no_box",)),
    "empty": ("", [], ()),
    "none": ("None", [], ("empty_answer",)),
    "words": ("There is no cat.", [], ("empty_answer",)),
    "prose": ("A cat is here.", [], ("no_box",)),
}
FLORENCE: dict[str, Case] = {
    "one": (f"cat{FA}", [("cat", A)], ()),
    "two labels": (f"cat{FA}dog{FB}", [("cat", A), ("dog", B)], ()),
    "two boxes of a label": (f"cat{FA}{FB}", [("cat", A), ("cat", B)], ()),
    "region proposals": (f"{FA}{FB}", [("", A), ("", B)], ()),
    "a label is missing": (f"{FA}{FB}dog{FA}", [("", A), ("", B), ("dog", A)], ("no_label",)),
    "text with regions": (f"BORCELE{QUAD}MENU{QUAD}", [], ("quad",)),
    "lines of text with regions": (f"BORCELE{QUAD}\nMENU{QUAD}", [], ("quad",)),
    "a polygon": ("<loc_279><loc_379><loc_282><loc_379><loc_290><loc_372>", [], ("polygon",)),
    "a polygon of eight corners": (f"{QUAD}{QUAD}", [], ("polygon",)),
    "a polygon with its tokens": (f"cat<poly>{FA}</poly>", [], ("polygon", "text_around")),
    "a point": ("<loc_1><loc_2>", [], ("point",)),
    "five tokens": (f"cat{FA}<loc_5>", [], ("bad_box",)),
    "corner order": ("cat<loc_30><loc_2><loc_1><loc_40>", [], ("corner_order",)),
    "text after": (f"cat{FA} and more", [("cat", A)], ("text_around",)),
    "cut within a token": (f"cat{FA}dog<loc", [("cat", A)], ("broken_tags",)),
    "cut within the fifth token of a run": (f"cat{FA}<loc_5", [("cat", A)], ("broken_tags",)),
    "document tags": (f"<text>{FA}Q 4. a)</text>", [], ("text_around",)),
    "special tokens around": (f"</s><s>cat{FA}</s><pad><pad>", [("cat", A)], ()),
    "a label in Chinese": (f" 公交车 {FA}", [("公交车", A)], ()),
    "PaliGemma's": (f"{PA} cat", [], ("no_box",)),
    "empty": ("", [], ()),
    "prose": ("A cat.", [], ("no_box",)),
}
GA, GB = "[0.100,0.200,0.300,0.400]", "[0.500,0.600,0.700,1.000]"
ga, gb = [0.1, 0.2, 0.3, 0.4], [0.5, 0.6, 0.7, 1.0]
GRIFFON: dict[str, Case] = {
    "one": (f"person-{GA}", [("person", ga)], ()),
    "two": (f"person-{GA}&dog-{GB}", [("person", ga), ("dog", gb)], ()),
    "a label with a dash": (f"t-shirt-{GA}&t-shirt-{GB}", [("t-shirt", ga), ("t-shirt", gb)], ()),
    "a label with an ampersand": (
        f"salt & pepper-{GA}&x-{GB}",
        [("salt & pepper", ga), ("x", gb)],
        (),
    ),
    "no label": (GA, [("target", ga)], ()),
    "two without label": (f"{GA}&{GB}", [("target", ga), ("target", gb)], ()),
    "spaces": ("dog-[0.100, 0.200, 0.300, 0.400]", [("dog", ga)], ("bad_layout",)),
    "spaces around": (f"dog-{GA} & cat-{GB}", [("dog", ga), ("cat", gb)], ("bad_layout",)),
    "no ampersand": (f"dog-{GA}cat-{GB}", [("dog", ga), ("cat", gb)], ("bad_layout",)),
    "commas": (f"dog-{GA},{GB}", [("dog", ga), ("target", gb)], ("bad_layout",)),
    "two decimals": ("dog-[0.10,0.20,0.30,0.40]", [("dog", ga)], ("wrong_decimals",)),
    "integers": ("dog-[1,2,30,40]", [("dog", A)], ("wrong_decimals",)),
    "cut off": (f"person-{GA}&dog-[0.500,0.6", [("person", ga)], ("text_around",)),
    "text after": (f"person-{GA}.", [("person", ga)], ("text_around",)),
    "a line before": (f"Sure:\nperson-{GA}", [("person", ga)], ("text_around",)),
    "corner order": ("dog-[0.300,0.200,0.100,0.400]", [], ("corner_order",)),
    "a point": ("dog-[0.300,0.200]", [], ("point",)),
    "a quad": ("dog-[0.1,0.2,0.3,0.2,0.3,0.4,0.1,0.4]", [], ("quad",)),
    "three numbers": ("dog-[0.300,0.200,0.100]", [], ("bad_box",)),
    "letters": ("dog-[x1,y1,x2,y2]", [], ("bad_box",)),
    "prose": (f"The dog is at {GA}, I think.", [], ("no_box",)),
    "full-width": ("狗－［0.100，0.200，0.300，0.400］", [("狗", ga)], ("bad_layout",)),
    "nested brackets": ("CLICK(box=[[0.1,0.2,0.3,0.4]])", [], ("no_box",)),
    "JSON": ('{"bbox_2d": [1, 2, 30, 40], "label": "dog"}', [], ("no_box",)),
    "none": ("None", [], ()),
    "none with a stop": ("None.", [], ("empty_answer",)),
    "empty": ("", [], ("no_box",)),
}
TABLES = {"paligemma": PALIGEMMA, "florence2": FLORENCE, "griffon": GRIFFON}


@pytest.mark.parametrize(
    ("name", "case"),
    [
        pytest.param(name, case, id=f"{name}: {what}")
        for name, table in TABLES.items()
        for what, case in table.items()
    ],
)
def test_table(name: str, case: Case) -> None:
    text, expected, issues = case
    parsed = get_format(name).parse(text)
    assert list(zip(parsed.labels, parsed.boxes.tolist(), strict=True)) == expected
    assert parsed.issues == issues
    assert parsed.says_nothing == (not expected and set(issues) <= {"empty_answer"})


@pytest.mark.parametrize(
    ("name", "boxes", "text"),
    [
        ("paligemma", [A, B], f"{PA} cat ; {PB} dog"),
        ("florence2", [A, B], f"cat{FA}dog{FB}"),
        ("griffon", [ga, gb], f"cat-{GA}&dog-{GB}"),
    ],
)
def test_written_as_the_family_does(name: str, boxes: list[list[float]], text: str) -> None:
    format = get_format(name)
    assert format.write(as_boxes(boxes), ("cat", "dog")) == text
    assert format.write(as_boxes([]), ()) == ("None" if name == "griffon" else "")


def test_written_tokens_are_ones_that_there_are() -> None:
    outside = as_boxes([[-3, 4, 1203, 900]])
    assert (
        get_format("paligemma").write(outside, ("a",)) == "<loc0004><loc0000><loc0900><loc1023> a"
    )
    assert get_format("florence2").write(outside, ("a",)) == "a<loc_0><loc_4><loc_999><loc_900>"


@pytest.mark.parametrize(
    ("name", "text", "places"),
    [
        (
            "paligemma",
            f"{PA} cat ; {PB}",
            [["0001", "0002", "0030", "0040", "cat"], ["0005", "0006", "0070", "0080"]],
        ),
        (
            "florence2",
            f"cat{FA}{FB}",
            [["1", "2", "30", "40", "cat"], ["5", "6", "70", "80", "cat"]],
        ),
        ("griffon", f"t-shirt-{GA}&{GB}", [[*GA[1:-1].split(","), "t-shirt"], GB[1:-1].split(",")]),
    ],
    ids=list(TABLES),
)
def test_spans_are_where_the_boxes_are_written(
    name: str, text: str, places: list[list[str]]
) -> None:
    format = get_format(name)
    assert [[text[start:end] for start, end in spans] for spans in format.spans(text)] == places
    assert all(math.isnan(confidence) for confidence in format.confidences(text))


@pytest.mark.parametrize(
    ("name", "text", "outside"),
    [
        ("paligemma", "<loc0000><loc0000><loc1023><loc1023> cat", False),
        ("paligemma", "<loc0000><loc0000><loc1023><loc1024> cat", True),
        ("florence2", "cat<loc_0><loc_0><loc_999><loc_999>", False),
        ("florence2", "cat<loc_0><loc_0><loc_999><loc_1000>", True),
        ("griffon", "cat-[0.000,0.000,1.000,1.000]", False),
        ("griffon", "cat-[0.000,0.000,1.000,1.001]", True),
    ],
)
def test_the_frame_ends_where_the_family_says(name: str, text: str, outside: bool) -> None:
    format = get_format(name)
    parsed = format.parse(text)
    assert len(parsed.boxes) == 1
    assert format.content_issues(parsed, View((640, 480), (640, 480))) == (
        ("out_of_image",) if outside else ()
    )


def test_the_whole_image_in_pixels() -> None:
    view = View((2046, 1023), (224, 224))
    paligemma, florence = get_format("paligemma"), get_format("florence2")
    whole = paligemma.parse("<loc0000><loc0000><loc1023><loc1023> cat").boxes
    assert paligemma.frame.to_image(whole, view).tolist() == [[0, 0, 2046, 1023]]
    middle = florence.frame.to_image(
        florence.parse("cat<loc_0><loc_0><loc_999><loc_999>").boxes, view
    )
    assert np.allclose(middle, [[1.023, 0.5115, 2046 - 1.023, 1023 - 0.5115]])
