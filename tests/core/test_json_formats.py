"""Qwen3-VL's, Gemini's and the generic JSON: what is read, and what is written."""

import json
from typing import get_args

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from swift_plugin_visionr1 import get_format
from swift_plugin_visionr1.formats import JsonLayout
from swift_plugin_visionr1.formats.json_layout import Order
from swift_plugin_visionr1.geometry.boxes import as_boxes
from swift_plugin_visionr1.geometry.frames import FRAMES, View

from .json_formats import GEMINI, QWEN3

MOONDREAM = get_format(
    "json", "norm1", layout=JsonLayout(("x_min", "y_min", "x_max", "y_max"), decimals=3)
)


def test_frames_are_the_families_own() -> None:
    assert QWEN3.frame == GEMINI.frame == FRAMES["norm1000"]
    assert get_format("json").frame == FRAMES["processed"]


def test_qwen3_is_written_as_qwen2_5_in_thousandths() -> None:
    text = QWEN3.write(as_boxes([[1, 2, 999.6, 40]]), ["a cat"])
    assert text == '```json\n[\n\t{"bbox_2d": [1, 2, 1000, 40], "label": "a cat"}\n]\n```'
    assert QWEN3.content_issues(QWEN3.parse(text), View((640, 480), (640, 480))) == ()
    beyond = QWEN3.parse('[{"bbox_2d": [1, 2, 1001, 40], "label": "a cat"}]')
    assert QWEN3.content_issues(beyond, View((4000, 4000), (4000, 4000))) == ("out_of_image",)


def test_gemini_is_read_and_written_y_first() -> None:
    text = '```json\n[\n  {"box_2d": [20, 10, 40, 30], "label": "a cat"}\n]\n```'
    assert GEMINI.parse(text).boxes.tolist() == [[10, 20, 30, 40]]
    assert GEMINI.write(as_boxes([[10, 20, 30, 40]]), ["a cat"]) == text
    assert [[text[slice(*span)] for span in spans] for spans in GEMINI.spans(text)] == [
        ["20", "10", "40", "30", "a cat"]
    ]


@pytest.mark.parametrize(
    ("text", "boxes", "issues"),
    [
        pytest.param(
            '[{"box_2d": [20, 10, 40, 30], "mask": "data:,x", "label": "a"}]', 1, (), id="a mask"
        ),
        pytest.param(
            '[{"box_2d": [20, 10, 40, 30], "mask": "data:,x"}]',
            1,
            ("no_label",),
            id="a mask is not a label",
        ),
        pytest.param(
            '[{"box_2d": [], "label": "a"}]', 0, ("empty_answer",), id="an empty list as box"
        ),
        pytest.param('[{"point": [20, 10], "label": "a"}]', 0, ("point",), id="a point"),
        pytest.param(
            '[{"box_3d": [0, 1, 2, 3, 4, 5, 6, 7, 8], "label": "a"}]', 0, ("box_3d",), id="a 3D box"
        ),
        pytest.param(
            '[{"bbox_2d": [10, 20, 30, 40], "label": "a"}]', 0, ("foreign_key",), id="Qwen's key"
        ),
        pytest.param(
            '[{"box_2d": {"ymin": 20, "xmin": 10, "ymax": 40, "xmax": 30}, "label": "a"}]',
            1,
            ("other_key",),
            id="names",
        ),
        pytest.param("[20, 10, 40, 30]", 1, ("not_an_object", "no_label"), id="a bare list"),
    ],
)
def test_gemini_table(text: str, boxes: int, issues: tuple[str, ...]) -> None:
    parsed = GEMINI.parse(text)
    assert parsed.boxes.tolist() == [[10, 20, 30, 40]] * boxes
    assert parsed.issues == issues


def test_moondream_by_settings() -> None:
    text = "{'objects': [{'x_min': 0.25, 'y_min': 0.5, 'x_max': 0.75, 'y_max': 0.625}]}"
    parsed = MOONDREAM.parse(text)
    assert parsed.boxes.tolist() == [[0.25, 0.5, 0.75, 0.625]]
    assert parsed.issues == ("not_json", "no_label")
    assert [text[slice(*span)] for span in MOONDREAM.spans(text)[0]] == [
        "0.25",
        "0.5",
        "0.75",
        "0.625",
    ]
    assert '"x_min": 0.250, "y_min": 0.500,' in MOONDREAM.write(parsed.boxes, ["cat"])


@pytest.mark.parametrize(
    ("number", "issues"),
    [
        ("0.125", ()),
        ("0.1", ()),
        ("0", ()),
        ("0.1251", ("wrong_decimals",)),
        ('"0.125"', ("wrong_decimals",)),
    ],
)
def test_decimals_are_checked(number: str, issues: tuple[str, ...]) -> None:
    format = get_format("json", "norm1", layout=JsonLayout(decimals=3))
    assert (
        format.parse(f'[{{"bbox_2d": [{number}, 0.2, 0.3, 0.4], "label": "a"}}]').issues == issues
    )


@pytest.mark.parametrize(
    ("order", "numbers"),
    [
        ("xyxy", [10, 20, 40, 80]),
        ("yxyx", [20, 10, 80, 40]),
        ("xywh", [10, 20, 30, 60]),
        ("cxcywh", [25, 50, 30, 60]),
    ],
)
def test_orders(order: Order, numbers: list[int]) -> None:
    format = get_format("json", layout=JsonLayout("box", "what", order))
    text = format.write(as_boxes([[10, 20, 40, 80]]), ["cat"])
    assert f'{{"box": {numbers}, "what": "cat"}}' in text
    assert format.parse(text).boxes.tolist() == [[10, 20, 40, 80]]
    assert format.parse(text).issues == ()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"box": ""}, "expected box to be a key"),
        ({"box": ("a", "b", "c", "c")}, "four different keys"),
        ({"box": ("a", "b")}, "four different keys"),
        ({"label": "bbox_2d"}, "a key that the box does not use"),
        ({"order": "xxyy"}, "expected order to be one of xyxy, yxyx, xywh, cxcywh, got 'xxyy'"),
        ({"decimals": -1}, "expected decimals to be an integer from 0"),
        ({"decimals": True}, "expected decimals to be an integer from 0"),
    ],
)
def test_a_layout_that_cannot_be_is_refused(arguments: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        JsonLayout(**arguments)


corner = st.floats(0, 999, width=32)


box = st.tuples(corner, corner, st.floats(2, 500), st.floats(2, 500)).map(
    lambda b: [b[0], b[1], b[0] + b[2], b[1] + b[3]]
)


layouts = st.builds(
    JsonLayout,
    st.sampled_from(["bbox_2d", ("a", "b", "c", "d")]),
    st.just("label"),
    st.sampled_from(["xyxy", "yxyx", "xywh"]),
    st.integers(0, 6),
)


label = st.text(min_size=1).filter(
    lambda text: text.strip() and "<" not in text and "TOOL" not in text
)  # no tags


@given(st.lists(st.tuples(box, label), max_size=6), layouts)
def test_written_answers_are_clean_and_read_back_to_half_a_unit(
    objects: list, layout: JsonLayout
) -> None:
    format = get_format("json", layout=layout)
    boxes, labels = as_boxes([one for one, _ in objects]), tuple(text for _, text in objects)
    parsed = format.parse(format.write(boxes, labels))
    assert parsed.issues == ()
    assert parsed.labels == labels
    assert (np.abs(parsed.boxes - boxes) <= 0.5 * 10.0**-layout.decimals + 1e-9).all()


place, share = st.floats(0, 0.9), st.floats(0.05, 1)


@given(
    st.lists(st.tuples(place, place, share, share), min_size=1, max_size=6),
    st.sampled_from(get_args(Order)),
    st.sampled_from(
        [
            ("norm1", 3),
            ("norm1", 6),
            ("norm100", 1),
            ("norm1000", 0),
            ("processed", 0),
            ("original", 2),
        ]
    ),
)
@example([(0.1, 0.1, 1, 1), (0, 0, 0.5995, 0.9)], "cxcywh", ("norm1", 3))
def test_what_is_written_of_boxes_inside_the_image_is_clean(
    shares: list, order: Order, frame: tuple
) -> None:
    format = get_format("json", frame[0], layout=JsonLayout(order=order, decimals=frame[1]))
    view = View((641, 427), (644, 420))
    shares = [[x, y, min(x + w, 1), min(y + h, 1)] for x, y, w, h in shares]
    boxes = as_boxes(shares) * np.array(format.frame.side(view) * 2)
    parsed = format.parse(format.write(boxes, ["cat"] * len(boxes)))
    assert parsed.issues + format.content_issues(parsed, view) == ()


@pytest.mark.parametrize(
    ("order", "numbers", "issues"),
    [
        pytest.param("cxcywh", [0.65, 0.5, 0.7, 0.5], (), id="centre at the border"),
        pytest.param("cxcywh", [0.651, 0.5, 0.7, 0.5], ("out_of_image",), id="centre beyond"),
        pytest.param("xywh", [0.5, 0.5, 0.501, 0.5], (), id="size, rounded by itself"),
        pytest.param("xywh", [0.5, 0.5, 0.502, 0.5], ("out_of_image",), id="size beyond"),
        pytest.param("xywh", [-0.001, 0.5, 0.5, 0.5], ("out_of_image",), id="corner before"),
        pytest.param("xyxy", [0.5, 0.5, 1.001, 1], ("out_of_image",), id="corners"),
    ],
)
def test_no_more_than_rounding_may_leave_the_image(
    order: Order, numbers: list, issues: tuple[str, ...]
) -> None:
    format = get_format("json", "norm1", layout=JsonLayout(order=order, decimals=3))
    parsed = format.parse(json.dumps([{"bbox_2d": numbers, "label": "a"}]))
    assert parsed.issues == ()
    assert format.content_issues(parsed, View((640, 480), (640, 480))) == issues
