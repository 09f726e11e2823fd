"""Answers in tags: the ones that say nothing is there, spans, labels of neighbours, frames."""

import math

import numpy as np
import pytest

from swift_plugin_visionr1.formats import get_format
from swift_plugin_visionr1.geometry.boxes import as_boxes
from swift_plugin_visionr1.geometry.frames import View

from .tagged import GLM, KOSMOS, REX, A, B

VIEW = View((1000, 500), (1000, 500))


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
    "shared label": (
        "qwen_vl",
        "<ref> cats</ref><box>(1,2),(30,40)</box><box>(5,6),(70,80)</box>",
        CATS,
    ),
    "tags left out": ("internvl", "cats[[1, 2, 30, 40]]", CATS[:1]),
    "bins": ("rex_omni", REX + "<1><2><30><40>", []),
    "patches": ("kosmos2", KOSMOS, [["0048", "0250", "a hat"]]),
    "JSON": ("glm4v", "So: " + GLM % ' [{"label": "cats", "bbox_2d": [1, 2, 30, 40]}]', CATS[:1]),
    "bad ones left out": (
        "internvl",
        "<ref>cat</ref><box>[[1, 2, 30], [5, 6, 70, 80]]</box>",
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
