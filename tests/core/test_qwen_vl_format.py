"""Qwen-VL's tags: a table of what models write, whole, broken and otherwise."""

import pytest

from .tagged import QWEN2, A, B, Case, check

QWEN_VL: dict[str, Case] = {
    "Qwen-VL": ("qwen_vl", "<ref>cat</ref><box>(1,2),(30,40)</box>", [("cat", A)], ()),
    "two boxes of a label": (
        "qwen_vl",
        "<ref> cats</ref><box>(1,2),(30,40)</box><box>(5,6),(70,80)</box>",
        [("cats", A), ("cats", B)],
        (),
    ),
    "a grounded caption": (
        "qwen_vl",
        "<ref> A cat</ref><box>(1,2),(30,40)</box> and<ref> a dog</ref><box>(5,6),(70,80)</box>.",
        [("A cat", A), ("a dog", B)],
        ("text_around",),
    ),
    "a box after text has no label": (
        "qwen_vl",
        "<ref>cat</ref><box>(1,2),(30,40)</box> and <box>(5,6),(70,80)</box>",
        [("cat", A), ("", B)],
        ("text_around", "no_label"),
    ),
    "text between a label and its box": (
        "qwen_vl",
        "<ref>cat</ref>: <box>(1,2),(30,40)</box>",
        [("cat", A)],
        ("text_around",),
    ),
    "spaces are free": (
        "qwen_vl",
        "<ref>cat</ref> <box>( 1, 2 ), (30, 40)</box>\n",
        [("cat", A)],
        (),
    ),
    "four numbers in one bracket": (
        "qwen_vl",
        "<ref>cat</ref><box>(1,2,30,40)</box>",
        [("cat", A)],
        ("bad_layout",),
    ),
    "a label in Chinese": ("qwen_vl", "<ref>击掌</ref><box>(1,2),(30,40)</box>", [("击掌", A)], ()),
    "a label with brackets": (
        "qwen_vl",
        "<ref>cat [2] (big)</ref><box>(1,2),(30,40)</box>",
        [("cat [2] (big)", A)],
        (),
    ),
    "no label": ("qwen_vl", "<box>(1,2),(30,40)</box>", [("", A)], ("no_label",)),
    "a blank label": ("qwen_vl", "<ref> </ref><box>(1,2),(30,40)</box>", [("", A)], ("no_label",)),
    "a label without boxes": (
        "qwen_vl",
        "<ref>cat</ref><ref>dog</ref><box>(1,2),(30,40)</box>",
        [("dog", A)],
        ("no_box",),
    ),
    "a label alone": ("qwen_vl", "<ref>cat</ref>", [], ("no_box",)),
    "a point": ("qwen_vl", "<ref>cat</ref><box>(1,2)</box>", [], ("point",)),
    "four corners": ("qwen_vl", "<ref>cat</ref><box>(1,2),(3,2),(3,4),(1,4)</box>", [], ("quad",)),
    "three corners": ("qwen_vl", "<ref>cat</ref><box>(1,2),(3,2),(3,4)</box>", [], ("polygon",)),
    "Qwen-VL's quad": (
        "qwen_vl",
        "<ref>a</ref><quad>(1,2),(3,2),(3,4),(1,4)</quad>",
        [],
        ("text_around", "no_box", "quad"),
    ),
    "three numbers": ("qwen_vl", "<ref>cat</ref><box>(1,2),(30)</box>", [], ("bad_box",)),
    "letters": (
        "qwen_vl",
        "<ref>cat</ref><box>(x1,y1),(x2,y2)</box>",
        [],
        ("bad_layout", "bad_box"),
    ),
    "nothing between the tags": ("qwen_vl", "<ref>cat</ref><box></box>", [], ("bad_box",)),
    "corners the wrong way round": (
        "qwen_vl",
        "<ref>cat</ref><box>(30,2),(1,40)</box>",
        [],
        ("corner_order",),
    ),
    "fractions": (
        "qwen_vl",
        "<ref>cat</ref><box>(1.0,2),(30,40)</box>",
        [("cat", A)],
        ("not_integer",),
    ),
    "cut in the second box": (
        "qwen_vl",
        "<ref>cat</ref><box>(1,2),(30,40)</box><ref>dog</ref><box>(5,6),(7",
        [("cat", A)],
        ("broken_tags",),
    ),
    "cut before the closing tag": (
        "qwen_vl",
        "<ref>cat</ref><box>(1,2),(30,40)",
        [("cat", A)],
        ("broken_tags",),
    ),
    "a label that is not closed": (
        "qwen_vl",
        "<ref>cat<box>(1,2),(30,40)</box>",
        [("cat", A)],
        ("broken_tags",),
    ),
    "the opening tag is in the prompt": (
        "qwen_vl",
        "(1,2),(30,40)</box>",
        [("", A)],
        ("broken_tags", "no_label"),
    ),
    "a closing tag after text": (
        "qwen_vl",
        "I see (1,2),(30,40)</box>",
        [],
        ("broken_tags", "no_label"),
    ),
    "another format's tags": ("qwen_vl", QWEN2, [], ("no_box",)),
    "tags left out": (
        "qwen_vl",
        "cat(1,2),(30,40)\ndog(5,6),(70,80)",
        [("cat", A), ("dog", B)],
        ("no_tags",),
    ),
    "numbers in prose": ("qwen_vl", "The cat is at (1,2),(30,40) I think.", [], ("no_box",)),
    "far out": ("qwen_vl", "<ref>cat</ref><box>(1,2),(30,9999)</box>", [], ("bad_box",)),
}


@pytest.mark.parametrize("case", QWEN_VL.values(), ids=QWEN_VL)
def test_table(case: Case) -> None:
    check(case)
