"""What holds for every format: real answers, round trips through the frame, hostile input, other
families' answers."""

import re
import time
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from swift_plugin_visionr1.doctor.checks.prompts import prompt_findings
from swift_plugin_visionr1.doctor.rows import read_row
from swift_plugin_visionr1.formats import FORMATS, Format, Reasoning, get_format
from swift_plugin_visionr1.formats.base import MAX_BOXES
from swift_plugin_visionr1.formats.questions import fill
from swift_plugin_visionr1.geometry.boxes import as_boxes
from swift_plugin_visionr1.geometry.frames import View

from .real_completions import NO_FORMAT, cases

NAMES = sorted(FORMATS)
GRID = {
    "kosmos2": 1 / 32,
    "griffon": 0.001,
    "ovis": 0.001,
}  # a step of the written numbers; 1 for the others

side = st.integers(28, 3000)
fraction = st.floats(0, 1)


@st.composite
def scenes(draw: st.DrawFn) -> tuple[View, list[list[float]]]:
    """An image, and boxes in it that are not smaller than four of the coarsest grid's steps."""
    width, height = draw(side), draw(side)
    view = View((width, height), (draw(side), draw(side)))
    boxes = []
    for _ in range(draw(st.integers(0, 5))):
        x1, x2 = sorted(draw(st.tuples(fraction, fraction)))
        y1, y2 = sorted(draw(st.tuples(fraction, fraction)))
        if min(x2 - x1, y2 - y1) > 4 / 28:
            boxes.append([x1 * width, y1 * height, x2 * width, y2 * height])
    return view, boxes


@pytest.mark.parametrize("name", NAMES)
@given(scene=scenes())
@settings(max_examples=60, deadline=None)
def test_written_boxes_are_read_back_to_half_a_step_of_the_grid(
    name: str, scene: tuple[View, list[list[float]]]
) -> None:
    view, boxes = scene
    format = get_format(name)
    truth, labels = as_boxes(boxes), tuple(f"thing {place}" for place in range(len(boxes)))
    parsed = format.parse(format.write(format.frame.from_image(truth, view), labels))
    assert (parsed.issues, parsed.says_nothing) == ((), not boxes)
    assert format.content_issues(parsed, view) == ()
    assert parsed.labels == labels
    half = GRID.get(name, 1.0) / 2
    # The topmost bin reaches as far below the end as it is wide.
    slack = half if format.frame.top is None else half + 0.5
    step = np.array(view.size * 2) / np.array(format.frame.side(view) * 2)
    assert (
        np.abs(format.frame.to_image(parsed.boxes, view) - truth) <= slack * step * (1 + 1e-9)
    ).all()


CORNERS = as_boxes(
    [[0.125, 0.25, 0.375, 0.5], [0.25, 0.125, 0.875, 0.75], [0.5, 0.5, 0.625, 0.625]]
)
PLAIN = (
    ("qwen2_5_vl", "{'x1': 12, 'y1': 23, 'x2': 345, 'y2': 456, 'label': 'it's'}, " * 2),
    ("qwen2_5_vl", "[{'label': 'cat', 'bbox_2d': {'x1': 12, 'y1': 23, 'x2': 345, 'y2': 456}}]"),
    (
        "qwen2_5_vl",
        '[{"bbox_2d": "[12, 23, 345, 456]", "label": "a"}, {"bbox_2d": (12, 23, 345, 456), '
        '"label": "b"}]',
    ),
    ("qwen2_5_vl", '[{"bbox_2d": [x1: 12, y1: 23, x2: 345, y2: 456], "label": "a"}]'),
    (
        "qwen2_5_vl",
        '[{"bbox_2d": [[12, 23], [345, 456]], "label": "a"}, {"bbox": [[12, 23, 345, 456], [1, 2, '
        "30, 40]]}]",
    ),
    ("gemini", '{"box_2d": {"ymin": 12, "xmin": 23, "ymax": 345, "xmax": 456}, "label": "a"}'),
    ("internvl", "cat[[12, 23, 345, 456], [1, 2, 30, 40]]\ndog[[12, 23, 345, 456]]"),
    ("qwen_vl", "cat(12,23),(345,456)\ndog(1,2),(30,40)"),
    (
        "glm4v",
        "Cats at <|begin_of_box|>[[12,23,345,456],[1,2,30,40]]<|end_of_box|>, "
        "<|begin_of_box|>1,2,30,40<|end_of_box|>",
    ),
    ("cogvlm", "a man [[012,023,345,456]] and cats [[012,023,345,456;001,002,030,040]] on a sofa."),
)


@pytest.mark.parametrize("reasoning", ["none", "think", "think_answer"])
@pytest.mark.parametrize("name", NAMES)
def test_an_answer_that_is_cut_off_has_no_half_boxes(name: str, reasoning: Reasoning) -> None:
    format = get_format(name, reasoning=reasoning)
    units = format.frame.units if isinstance(format.frame.units, float) else 1000
    assert_no_half_boxes(format, format.write(CORNERS * units, ("cat", "dog", "t-shirt (red)")), 3)


@pytest.mark.parametrize(("name", "text"), PLAIN)
def test_an_odd_answer_that_is_cut_off_has_no_half_boxes(name: str, text: str) -> None:
    assert_no_half_boxes(get_format(name), text, 1)


def assert_no_half_boxes(format: Format, text: str, least: int) -> None:
    """Whatever the end of `text` is cut off, the boxes read are the first of those of all of it."""
    whole = format.parse(text).boxes.tolist()
    assert len(whole) >= least
    for cut in range(len(text)):
        boxes = format.parse(text[:cut]).boxes.tolist()
        assert boxes == whole[: len(boxes)], text[:cut]


HOSTILE = {
    "10 MB of letters": "x" * 10_000_000,
    "nesting": "[" * 100_000,
    "braces": "{" * 1_000_000,
    "quotes": '"' * 1_000_000,
    "parentheses": "(" * 1_000_000,
    "angles": "<" * 1_000_000,
    "open tags": "<box>" * 100_000 + "<ref>" * 100_000,
    "special tokens": "<|object_ref_start|>" * 50_000 + "<|box_start|>" * 50_000,
    "brackets in tags": "<box>[[" * 100_000,
    "location tokens": "<loc0001>" * 100_000,
    "bins": "<loc_1>" * 100_000 + "<12>" * 100_000,
    "patches": "<object><patch_index_0001>" * 30_000,
    "dashes and ampersands": "a-[&" * 200_000,
    "commas": ",".join(["1"] * 400_000),
    "digits": "9" * 1_000_000,
    "think": "<think>" * 100_000 + "</think>" * 100_000 + "<answer>" * 100_000,
    "backslashes": '{"label": "' + "\\" * 1_000_000,
    "spaces": '{"bbox_2d": [' + " " * 1_000_000,
    "fences": "```json\n" * 100_000,
    "surrogates": "\ud800\udfff[\x00" * 100_000,
    "quoted keys": "{'a':" * 200_000,
    "phrases": "<phrase>" * 100_000 + "</phrase>" * 100_000,
    "end tokens": "<|im_end|>" * 100_000 + "</s>" * 100_000,
}


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("kind", HOSTILE)
def test_hostile_text_is_read_without_boxes_in_linear_time(name: str, kind: str) -> None:
    format, text = get_format(name), HOSTILE[kind]
    start = time.process_time()
    parsed = format.parse(text)
    spans = format.spans(text)
    assert time.process_time() - start < 20, (
        "about a second is usual, quadratic time would take hours"
    )
    assert len(spans) == len(parsed.boxes) == 0
    assert parsed.issues
    assert not parsed.says_nothing


@pytest.mark.parametrize("name", NAMES)
def test_100_000_boxes_are_read_up_to_the_cap_which_is_said(name: str) -> None:
    format = get_format(name)
    one = format.frame.from_image(as_boxes([[20, 20, 90, 90]]), View((112, 112), (112, 112)))
    text = format.write(np.repeat(one, 100_000, axis=0), ("a",) * 100_000)
    tracemalloc.start()
    parsed = format.parse(text)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert len(parsed.boxes) == MAX_BOXES
    assert {"too_many_boxes", "too_long"} & set(parsed.issues)
    assert peak < 200e6


@pytest.mark.parametrize("name", NAMES)
@given(st.text(max_size=300) | st.text("[](){}<>|,.0123456789-&'\"\n refboxlcth_", max_size=300))
@settings(max_examples=80, deadline=None)
def test_any_text_gives_boxes_with_spans_labels_and_confidences(name: str, text: str) -> None:
    format = get_format(name)
    parsed = format.parse(text)
    count = len(parsed.boxes)
    assert len(parsed.labels) == len(format.spans(text)) == len(format.confidences(text)) == count
    assert not (parsed.says_nothing and count)


def test_real_answers_are_read_as_they_say(shared_data: Path) -> None:
    found = [
        case for case in cases(shared_data / "completions" / "real_completions.jsonl") if case.name
    ]
    assert len(found) >= 50
    assert {
        case.row["id"]: case.found
        for case in found
        if case.expected is not None and not case.right()
    } == {}


def test_answers_that_are_no_boxes_give_none_in_any_format(shared_data: Path) -> None:
    others = [
        case
        for case in cases(shared_data / "completions" / "real_completions.jsonl")
        if not case.name
    ]
    assert len(others) >= len(NO_FORMAT)
    for case in others:
        for name in NAMES:
            assert len(get_format(name).parse(case.row["text"]).boxes) == 0, (case.row["id"], name)


@pytest.mark.parametrize("name", NAMES)
def test_questions_name_what_is_asked_for(name: str) -> None:
    """And ask for no other format's answer than the one that is read."""
    own = get_format(name, reasoning="think").questions
    assert own == FORMATS[name].questions
    for question, names in ((own.detect, ("Kätzchen", "hot {dog}")), (own.locate, ("hot {dog}",))):
        if question is None:
            continue
        asked = fill(question, names)
        assert all(asked.count(one) == 1 for one in names)
        assert not re.search(r"\{(:[^{}]*)?\}", asked)  # a placeholder that was not filled
        assert (
            prompt_findings(
                [read_row({"messages": [{"role": "user", "content": asked}]}, "row 1")], name
            )
            == []
        )
