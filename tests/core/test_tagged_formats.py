"""Formats of tagged labels and coordinates: tables of what models write, whole, broken and
otherwise."""

import math

import numpy as np
import pytest

from swift_plugin_visionr1.formats import get_format
from swift_plugin_visionr1.geometry.boxes import as_boxes
from swift_plugin_visionr1.geometry.frames import View

VIEW = View((1000, 500), (1000, 500))
A, B = [1, 2, 30, 40], [5, 6, 70, 80]
Case = tuple[
    str, str, list[tuple[str, list[float]]], tuple[str, ...]
]  # format, text, (label, box) pairs, issues

QWEN2 = "<|object_ref_start|>cat<|object_ref_end|><|box_start|>(1,2),(30,40)<|box_end|>"
DEEP = "<|ref|>cat<|/ref|><|det|>[[1, 2, 30, 40]]<|/det|>"
REX = "<|object_ref_start|>cat<|object_ref_end|><|box_start|>"
KOSMOS = "<phrase> a hat</phrase><object><patch_index_0048><patch_index_0250></object>"
AND = "</delimiter_of_multi_objects/>"
HAT = ("a hat", [16.5 / 32, 1.5 / 32, 26.5 / 32, 7.5 / 32])
GLM = "<|begin_of_box|>%s<|end_of_box|>"
BIRDS = (
    "<ref>birds</ref>[\n  <box>(0.401,0.526),(0.430,0.557)</box>,\n  "
    "<box>(0.489,0.494),(0.516,0.526)</box>\n]"
)
FLOCK = [("birds", [0.401, 0.526, 0.430, 0.557]), ("birds", [0.489, 0.494, 0.516, 0.526])]

CASES: dict[str, Case] = {
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
    "Qwen2-VL": ("qwen2_vl", QWEN2, [("cat", A)], ()),
    "one a line": (
        "qwen2_vl",
        QWEN2 + "\n" + QWEN2.replace("cat", "dog"),
        [("cat", A), ("dog", A)],
        (),
    ),
    "several a line": ("qwen2_vl", QWEN2 + QWEN2, [("cat", A), ("cat", A)], ()),
    "InternVL": ("internvl", "<ref>cat</ref><box>[[1, 2, 30, 40]]</box>", [("cat", A)], ()),
    "commas between the pieces": (
        "internvl",
        "<ref>cat</ref><box>[[1, 2, 30, 40]]</box>, <ref>dog</ref><box>[[5, 6, 70, 80]]</box>",
        [("cat", A), ("dog", B)],
        (),
    ),
    "commas between the boxes of a label": (
        "qwen_vl",
        "<ref>cat</ref><box>(1,2),(30,40)</box>, <box>(5,6),(70,80)</box>",
        [("cat", A), ("cat", B)],
        (),
    ),
    "DeepSeek-VL2 with commas": ("deepseek_vl2", f"{DEEP},\n{DEEP}", [("cat", A), ("cat", A)], ()),
    "Qwen2-VL with commas": ("qwen2_vl", f"{QWEN2}, {QWEN2}", [("cat", A), ("cat", A)], ()),
    "MiniCPM-V with a comma between": (
        "minicpm_v",
        "<ref>cat</ref><box>1 2 30 40</box>, <ref>dog</ref><box>5 6 70 80</box>",
        [("cat", A), ("dog", B)],
        (),
    ),
    "a word beside the comma": (
        "internvl",
        "<ref>cat</ref><box>[[1, 2, 30, 40]]</box>, and <ref>dog</ref><box>[[5, 6, 70, 80]]</box>",
        [("cat", A), ("dog", B)],
        ("text_around",),
    ),
    "a list of two": (
        "internvl",
        "<ref>cat</ref><box>[[1,2,30,40],[5,6,70,80]]</box>",
        [("cat", A), ("cat", B)],
        (),
    ),
    "a list without its brackets": (
        "internvl",
        "<ref>cat</ref><box>[1, 2, 30, 40]</box>",
        [("cat", A)],
        ("bad_layout",),
    ),
    "a list cut off": (
        "internvl",
        "<ref>cat</ref><box>[[1, 2, 30, 40], [5, 6, 7",
        [("cat", A)],
        ("broken_tags",),
    ),
    "lists of points": ("internvl", "<ref>cat</ref><box>[[1, 2], [30, 40]]</box>", [], ("point",)),
    "one bad, one good": (
        "internvl",
        "<ref>cat</ref><box>[[1, 2, 30], [5, 6, 70, 80]]</box>",
        [("cat", B)],
        ("bad_box",),
    ),
    "InternVL, tags left out": (
        "internvl",
        "car[[1, 2, 30, 40], [5, 6, 70, 80]]\nred bus[[1, 2, 30, 40]]\nvan[[0, 1000, 999, 998]]",
        [("car", A), ("car", B), ("red bus", A)],
        ("no_tags", "corner_order"),
    ),
    "InternVL, an echo of the prompt first": (
        "internvl",
        "User: Find <ref>car</ref>.\nAssistant: car[[1, 2, 30, 40]]",
        [("car", A)],
        ("text_around", "no_box", "no_tags"),
    ),
    "InternVL, the box alone": ("internvl", "[[1, 2, 30, 40]]", [("", A)], ("no_tags", "no_label")),
    "a box in prose": ("internvl", "Type it at the box [[1,2,30,40]]", [], ("no_box",)),
    "the prompt echoed": ("internvl", "The coordinates are [x1, y1, x2, y2].", [], ("no_box",)),
    "the boxes of a relation": (
        "internvl",
        "A <ref>bus</ref><box>[[1, 2, 30, 40]]</box> is <pred>on</pred><box>[[1, 2, 30, 40]]</box>"
        "<box>[[5, 6, 70, 80]]</box> a <ref>road</ref><box>[[5, 6, 70, 80]]</box>",
        [("bus", A), ("road", B)],
        ("text_around",),
    ),
    "full-width brackets": (
        "qwen_vl",
        "<ref>猫，狗</ref><box>（1，2），（30，40）</box>",
        [("猫，狗", A)],
        ("bad_layout",),
    ),
    "full-width commas": (
        "internvl",
        "<ref>猫</ref><box>[[1，2，30，40]]</box>",
        [("猫", A)],
        ("bad_layout",),
    ),
    "cut in the closing tag": (
        "qwen2_vl",
        QWEN2.removesuffix("_end|>"),
        [("cat", A)],
        ("broken_tags",),
    ),
    "a label begins where a list is": (
        "deepseek_vl2",
        "<|ref|>van<|/ref|><|det|>[[220, " + DEEP,
        [("cat", A)],
        ("broken_tags",),
    ),
    "an empty list in tags": ("internvl", "<ref>cat</ref><box>[]</box>", [], ("empty_answer",)),
    "DeepSeek-VL2": (
        "deepseek_vl2",
        DEEP + DEEP.replace("cat", "dog"),
        [("cat", A), ("dog", A)],
        (),
    ),
    "a run of digits": (
        "deepseek_vl2",
        f"{DEEP}<|ref|>dog<|/ref|><|det|>[[0, 5, {'9' * 5000}",
        [("cat", A)],
        ("broken_tags",),
    ),
    "lists in a list": (
        "deepseek_vl2",
        "<|ref|>cat<|/ref|><|det|>[245,[1,2,30,40]]<|/det|>",
        [("cat", A)],
        ("bad_layout",),
    ),
    "MiniCPM-V": ("minicpm_v", "<ref>cat</ref><box>1 2 30 40</box>", [("cat", A)], ()),
    "MiniCPM-V, the box alone": ("minicpm_v", "<box>1 2 30 40</box>", [("", A)], ()),
    "MiniCPM-V with commas": ("minicpm_v", "<box>1, 2, 30, 40</box>", [("", A)], ("bad_layout",)),
    "a last number that may be cut": (
        "minicpm_v",
        "<ref>cat</ref><box>1 2 30 4",
        [],
        ("broken_tags",),
    ),
    "a box closed by the next label": (
        "minicpm_v",
        "<box>1 2 30 40<ref>dog</ref><box>5 6 70 80</box>",
        [("", A), ("dog", B)],
        ("broken_tags",),
    ),
    "bare numbers": ("minicpm_v", "1 2 30 40", [], ("no_box",)),
    "Ovis in a sentence": ("ovis", f"A scene with {BIRDS} in flight.", FLOCK, ("text_around",)),
    "Ovis alone": ("ovis", BIRDS, FLOCK, ()),
    "Ovis, the boxes alone": (
        "ovis",
        BIRDS.removeprefix("<ref>birds</ref>"),
        [("", box) for _, box in FLOCK],
        (),
    ),
    "Ovis with two decimals": (
        "ovis",
        "<ref>cat</ref><box>(0.1,0.2),(0.30,0.40)</box>",
        [("cat", [0.1, 0.2, 0.3, 0.4])],
        ("wrong_decimals",),
    ),
    "an Ovis point": (
        "ovis",
        "<ref>cat</ref><point>(0.401,0.526)</point>",
        [],
        ("text_around", "no_box", "point"),
    ),
    "Rex-Omni": (
        "rex_omni",
        REX + "<1><2><30><40>, <5><6><70><80><|box_end|>",
        [("cat", A), ("cat", B)],
        (),
    ),
    "one present, one not": (
        "rex_omni",
        REX + "<1><2><30><40><|box_end|>, " + REX + "None<|box_end|>",
        [("cat", A)],
        (),
    ),
    "none present": ("rex_omni", REX + "None<|box_end|>", [], ()),
    "Rex-Omni points": ("rex_omni", REX + "<1><2>,<30><40><|box_end|>", [], ("point",)),
    "Rex-Omni text": ("rex_omni", REX + "<1><2><30><2><30><40><1><40><|box_end|>", [], ("quad",)),
    "Rex-Omni keypoints": (
        "rex_omni",
        '```json\n{"cat1": {"bbox": " <1> <2> <30> <40> ", "keypoints": {"nose": " <5> <6> '
        '"}}}\n```',
        [("cat", A)],
        ("keypoints",),
    ),
    "a polygon that is cut after two corners": (
        "rex_omni",
        REX + "<1><2><30><40>,<5><6><70><80>",
        [("cat", A)],
        ("broken_tags",),
    ),
    "Kosmos-2": ("kosmos2", KOSMOS, [HAT], ()),
    "Kosmos-2 in a caption": (
        "kosmos2",
        f"<grounding> He is wearing{KOSMOS}, and smiles.",
        [HAT],
        (),
    ),
    "two boxes of a phrase": (
        "kosmos2",
        KOSMOS.replace("</object>", f"{AND}<patch_index_0000><patch_index_1023></object>"),
        [HAT, ("a hat", [0.5 / 32, 0.5 / 32, 31.5 / 32, 31.5 / 32])],
        (),
    ),
    "tokens with spaces between": (
        "kosmos2",
        "<phrase> a hat </phrase> <object> <patch_index_0048> <patch_index_0250> </object>",
        [HAT],
        (),
    ),
    "the phrase is in the prompt": (
        "kosmos2",
        KOSMOS.partition("</phrase>")[2],
        [("", HAT[1])],
        (),
    ),
    "one index": ("kosmos2", "<object><patch_index_0048></object>", [], ("bad_box",)),
    "an index beyond the patches": (
        "kosmos2",
        "<object><patch_index_0048><patch_index_1024></object>",
        [],
        ("bad_box",),
    ),
    "patches the wrong way round": (
        "kosmos2",
        "<object><patch_index_0250><patch_index_0048></object>",
        [],
        ("corner_order",),
    ),
    "an index that is cut": (
        "kosmos2",
        KOSMOS + "<object><patch_index_0048><patch_in",
        [HAT],
        ("broken_tags",),
    ),
    "a caption without objects": ("kosmos2", "<grounding> An empty street.", [], ("no_box",)),
    "GLM": ("glm4v", GLM % "[[1,2,30,40],[5,6,70,80]]", [("", A), ("", B)], ()),
    "GLM in a sentence": ("glm4v", f"The cat is at {GLM % '[1, 2, 30, 40]'}.", [("", A)], ()),
    "GLM with parentheses": ("glm4v", GLM % "(1,2,30,40)", [("", A)], ()),
    "GLM with angles": ("glm4v", GLM % "<1,2,30,40>", [("", A)], ()),
    "GLM without brackets": ("glm4v", GLM % "1,2,30,40", [("", A)], ()),
    "GLM, the template echoed": ("glm4v", GLM % "[[x1,y1,x2,y2]]", [], ("bad_layout", "bad_box")),
    "GLM in JSON": (
        "glm4v",
        GLM % '[{"label": "cat", "bbox_2d": [1, 2, 30, 40]}]',
        [("cat", A)],
        (),
    ),
    "GLM in a fence": (
        "glm4v",
        GLM % '\n```json\n[{"bbox_2d": [1, 2, 30, 40], "label": "cat"}]\n```\n',
        [("cat", A)],
        (),
    ),
    "GLM in JSON without tokens": (
        "glm4v",
        '[{"label": "cat", "bbox_2d": [1, 2, 30, 40]}]',
        [("cat", A)],
        ("no_tags",),
    ),
    "GLM lists without tokens": ("glm4v", "[[1,2,30,40]]", [("", A)], ("no_tags",)),
    "a word between GLM's tokens": ("glm4v", GLM % "Beijing", [], ("bad_box",)),
    "a GLM list cut off": (
        "glm4v",
        "<|begin_of_box|>[[1,2,30,40],[5,6,7",
        [("", A)],
        ("broken_tags",),
    ),
}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_table(case: Case) -> None:
    name, text, expected, issues = case
    parsed = get_format(name).parse(text)
    assert list(zip(parsed.labels, parsed.boxes.tolist(), strict=True)) == expected
    assert parsed.issues == issues


@pytest.mark.parametrize(
    "name", ["qwen_vl", "qwen2_vl", "internvl", "deepseek_vl2", "minicpm_v", "ovis", "kosmos2"]
)
@pytest.mark.parametrize(
    ("text", "issues"),
    [
        ("None", ()),
        (" None\n", ()),
        ("none.", ("empty_answer",)),
        ("[]", ("empty_answer",)),
        ("No objects found.", ("empty_answer",)),
    ],
)
def test_empty_answers(name: str, text: str, issues: tuple[str, ...]) -> None:
    parsed = get_format(name).parse(text)
    assert (parsed.says_nothing, parsed.issues) == (True, issues)


@pytest.mark.parametrize(
    "text",
    ["", "There is a cat.", "One of the cats is here.", "<box>None</box> <box>(1,2)</box>x"],
)
def test_other_words_are_no_empty_answer(text: str) -> None:
    parsed = get_format("qwen2_vl").parse(text)
    assert (parsed.says_nothing, parsed.issues) == (False, ("no_box",))


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("rex_omni", REX + "None<|box_end|>"),
        ("rex_omni", REX + "None<|box_end|>, " + REX + "None<|box_end|>"),
        ("glm4v", "<|begin_of_box|>[]<|end_of_box|>"),
        ("glm4v", "There are none: <|begin_of_box|>None<|end_of_box|>"),
    ],
)
def test_empty_answers_between_tags(name: str, text: str) -> None:
    parsed = get_format(name).parse(text)
    assert (parsed.says_nothing, parsed.issues) == (True, ())


def test_none_beside_something_else_is_no_empty_answer() -> None:
    for other in ("<1><2>", "<1><2><3>", "<30><2><1><40>"):
        assert (
            not get_format("rex_omni")
            .parse(f"{REX}None<|box_end|>, {REX}{other}<|box_end|>")
            .says_nothing
        )
    fenced = GLM % "```json\n[]\n```"
    assert get_format("glm4v").parse(fenced).says_nothing
    assert not get_format("glm4v").parse(fenced + GLM % "[[1,2,30,40]]").says_nothing


CAT_CAT_DOG = {
    "qwen_vl": "<ref>cat</ref><box>(1,2),(30,40)</box><box>(5,6),(70,80)</box><ref>dog</ref><box>(1,2),(30,40)</box>",
    "internvl": "<ref>cat</ref><box>[[1, 2, 30, 40], [5, 6, 70, 80]]</box><ref>dog</ref><box>[[1, "
    "2, 30, 40]]</box>",
    "minicpm_v": "<ref>cat</ref><box>1 2 30 40</box><box>5 6 70 80</box><ref>dog</ref><box>1 2 30 "
    "40</box>",
    "rex_omni": f"{REX}<1><2><30><40>,<5><6><70><80><|box_end|>, {REX}<1><2><30><40><|box_end|>".replace(
        f", {REX}", f", {REX}".replace("cat", "dog")
    ),
    "glm4v": GLM
    % '[{"label": "cat", "bbox_2d": [1, 2, 30, 40]}, {"label": "cat", "bbox_2d": [5, 6, 70, 80]}, '
    '{"label": "dog", "bbox_2d": [1, 2, 30, 40]}]',
}


@pytest.mark.parametrize(("name", "text"), CAT_CAT_DOG.items(), ids=CAT_CAT_DOG)
def test_neighbours_of_one_label_share_it_where_the_family_does(name: str, text: str) -> None:
    assert get_format(name).write(as_boxes([A, B, A]), ("cat", "cat", "dog")) == text


def test_written_bins_are_ones_that_there_are() -> None:
    outside = as_boxes([[-3, 4, 1203, 900]])
    assert "<0><4><999><900>" in get_format("rex_omni").write(outside, ("a",))
    kosmos = get_format("kosmos2").write(as_boxes([[-0.1, 0.0, 1.2, 1.0]]), ("a",))
    assert "<patch_index_0000><patch_index_1023>" in kosmos


def test_a_glm_answer_without_labels_is_lists() -> None:
    assert get_format("glm4v").write(as_boxes([A]), ("",)) == GLM % "[[1, 2, 30, 40]]"


CATS = [["1", "2", "30", "40", "cats"], ["5", "6", "70", "80", "cats"]]
SPANS = {
    "shared label": ("qwen_vl", CASES["two boxes of a label"][1], CATS),
    "tags left out": ("internvl", "cats[[1, 2, 30, 40]]", CATS[:1]),
    "bins": ("rex_omni", REX + "<1><2><30><40>", []),
    "patches": ("kosmos2", KOSMOS, [["0048", "0250", "a hat"]]),
    "JSON": ("glm4v", "So: " + GLM % ' [{"label": "cats", "bbox_2d": [1, 2, 30, 40]}]', CATS[:1]),
    "bad ones left out": (
        "internvl",
        CASES["one bad, one good"][1],
        [["5", "6", "70", "80", "cat"]],
    ),
}


@pytest.mark.parametrize("case", SPANS.values(), ids=SPANS)
def test_spans_are_where_the_boxes_are_written(case: tuple[str, str, list[list[str]]]) -> None:
    name, text, expected = case
    format = get_format(name)
    assert [[text[start:end] for start, end in spans] for spans in format.spans(text)] == expected
    assert all(math.isnan(confidence) for confidence in format.confidences(text))


@pytest.mark.parametrize(
    ("name", "written", "outside"),
    [
        ("qwen_vl", 1000, False),
        ("qwen_vl", 1001, True),
        ("deepseek_vl2", 999, False),
        ("deepseek_vl2", 1000, True),
    ],
)
def test_the_frame_ends_where_the_family_says(name: str, written: int, outside: bool) -> None:
    format = get_format(name)
    parsed = format.parse(format.write(as_boxes([[0, 0, written, 9]]), ("cat",)))
    assert parsed.boxes.tolist() == [[0, 0, written, 9]]
    assert format.content_issues(parsed, VIEW) == (("out_of_image",) if outside else ())


def test_pixels_of_a_model_that_was_trained_on_them_are_read() -> None:
    format = get_format("qwen2_vl", frame="original")
    box = as_boxes([[10, 20, 7000, 6500]])
    assert np.array_equal(format.parse(format.write(box, ("cat",))).boxes, box)
