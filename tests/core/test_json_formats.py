"""Qwen3-VL's, Gemini's and the generic JSON, and the tolerant reader that all JSON formats
share."""

import json
import time
from dataclasses import fields
from typing import get_args

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from swift_plugin_visionr1 import get_format
from swift_plugin_visionr1.formats import JsonLayout
from swift_plugin_visionr1.formats.json_boxes import JsonBoxes
from swift_plugin_visionr1.formats.json_layout import Order
from swift_plugin_visionr1.formats.json_reader import MAX_TOKENS, decode, read
from swift_plugin_visionr1.formats.qwen2_5_vl import QWEN2_5_VL
from swift_plugin_visionr1.geometry.boxes import as_boxes
from swift_plugin_visionr1.geometry.frames import FRAMES, View

GEMINI, QWEN3 = get_format("gemini"), get_format("qwen3_vl")
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


scalars = (
    st.none()
    | st.booleans()
    | st.integers(-(10**9), 10**9)
    | st.floats(allow_nan=False, allow_infinity=False)
)
values = st.recursive(
    scalars | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)


@given(
    st.lists(values) | st.dictionaries(st.text(), values),
    st.booleans(),
    st.sampled_from([None, 0, "\t"]),
)
@example({"\\'": -(10**18)}, False, None)
def test_the_tolerant_reader_reads_json_as_json_does(
    value: object, ascii: bool, indent: int | str | None
) -> None:
    text = json.dumps(value, ensure_ascii=ascii, indent=indent)
    tops, complete = read(text)
    assert complete
    assert [top.value for top in tops] == [json.loads(text)]
    assert (tops[0].start, tops[0].end) == (0, len(text))


printable = st.text(st.characters(codec="utf-8", exclude_categories=("C", "Z")))


@given(
    st.lists(
        st.lists(scalars | printable, max_size=3)
        | st.dictionaries(printable, scalars | printable, max_size=3)
    )
)
@example([['\\"']])
def test_the_tolerant_reader_reads_python_s_repr(value: list) -> None:
    assert [top.value for top in read(repr(value))[0]] == [value]


@given(
    st.dictionaries(st.text(), st.lists(scalars | st.text()) | scalars | st.text()),
    st.text("] }x\n"),
)
def test_places_are_where_the_values_stand(record: dict, around: str) -> None:
    text = f"{around}{json.dumps(record)}{around}"
    found = next(top.value for top in read(text)[0] if top.value == record)
    for key, value in record.items():
        parts = value if isinstance(value, list) else [value]
        for part, (start, end) in zip(parts, found.places[key], strict=True):
            quote = int(isinstance(part, str))  # the place of a text is without its quotes
            assert text[start - quote : end + quote] == json.dumps(part)


PIECES = (
    '{"bbox_2d": [1, 2, 3, 4], "label": "a"}',
    "{'a': [",
    "]}",
    '"',
    "'",
    "\\",
    "\n",
    "```json\n",
    ",",
    ":",
    "NaN",
    "9",
)


@given(st.lists(st.sampled_from(PIECES), max_size=30).map("".join))
def test_what_is_json_is_read_alike_with_places_and_without(text: str) -> None:
    format = get_format("qwen2_5_vl")
    parsed, spans = format.parse(text), format.spans(text)
    assert len(spans) == len(parsed.boxes)
    for numbers, (x1, y1, x2, y2, *_) in zip(parsed.boxes.tolist(), spans, strict=True):
        assert [float(text[slice(*span)]) for span in (x1, y1, x2, y2)] == numbers


def test_no_box_is_made_of_a_list_that_is_cut_off() -> None:
    whole = (
        '[{"bbox_2d": [10, 20, 300, 400], "label": "a"}, {"bbox_2d": [10, 20, 300, 400], '
        '"label": "b"}]'
    )
    for cut in range(len(whole)):
        boxes = get_format("qwen2_5_vl").parse(whole[:cut]).boxes.tolist()
        assert boxes == [[10, 20, 300, 400]] * whole[:cut].count("400]")


def test_broken_json_is_read_up_to_a_cap_which_is_said() -> None:
    text = "[1, " * MAX_TOKENS + '{"bbox_2d": [1, 2, 3, 4]}'
    assert read(text)[1] is False
    assert "too_many_boxes" in QWEN3.parse(text).issues


NASTY = {
    "braces": "{",
    "brackets": "[",
    "objects cut off": '{"a":',
    "lists in objects": '{"a":[',
    "short boxes": '{"bbox_2d": [1, 2, 3]},',
    "boxes without labels": '{"bbox_2d": [1, 2, 3, 4]}',
    "texts": '"a" ',
    "quotes": '"',
    "quotes and spaces": '"    ',
    "quotes and backslashes": '"\\',
    "escaped quotes": '{"a": "\\"',
    "apostrophes": "it's [",
    "words": "[a b c ",
    "digits": "9",
    "numbers": "[1,2,3,4],",
    "not numbers": "NaN,[-Infinity,",
    "surrogates": "\ud800[",
    "empty fences": "```json\n[]\n```\n",
}


@pytest.mark.parametrize("before", ["", '[{"bbox_2d": ['], ids=["alone", "in a box"])
@pytest.mark.parametrize("piece", NASTY.values(), ids=NASTY.keys())
def test_a_million_nasty_characters_are_read_in_linear_time(piece: str, before: str) -> None:
    text = (before + piece * 1_000_000)[:1_000_000]
    start = time.process_time()
    QWEN3.parse(text)
    assert time.process_time() - start < 20, (
        "about a second is usual, quadratic time would take hours"
    )


def test_deeply_nested_json_is_no_error() -> None:
    for depth in (9, 60, 900, 100_000):
        text = "[" * depth + '{"bbox_2d": [1, 2, 3, 4], "label": "a"}' + "]" * depth
        parsed = QWEN3.parse(text)
        assert "not_an_object" in parsed.issues or "not_json" in parsed.issues
        assert len(QWEN3.spans(text)) in (0, len(parsed.boxes))
    assert decode("[" * 100_000) is decode("")


@pytest.mark.parametrize("key", ["labels", "bboxes_labels"])
def test_florence_s_lists_side_by_side_are_read(key: str) -> None:
    # ms-swift hands on what transformers' post-processor makes of the location tokens.
    text = f'{{"<OD>": {{"bboxes": [[34.2, 160.1, 597.4, 371.9], [1, 2, 30, 40]], "{key}": ["car", "wheel"]}}}}'
    format = get_format("json", frame="original")
    parsed = format.parse(text)
    assert parsed.boxes.tolist() == [[34.2, 160.1, 597.4, 371.9], [1, 2, 30, 40]]
    assert parsed.labels == ("car", "wheel")
    assert {"not_a_list", "other_key"} <= set(parsed.issues)
    assert [text[slice(*span)] for span in format.spans(text)[1]] == ["1", "2", "30", "40"]


class WithoutShortcut(JsonBoxes):
    """Every answer by the general path."""

    def _of_clean(self, data: object) -> None:
        return None


coordinates = st.one_of(
    st.integers(-5, 700),
    st.integers(-(10**12), 10**12),
    st.floats(-5, 700, allow_nan=False),
    st.booleans(),
    st.text(max_size=3),
    st.none(),
)
entries = st.fixed_dictionaries(
    {},
    optional={
        "bbox_2d": st.lists(st.integers(0, 600), min_size=4, max_size=4)
        | st.lists(coordinates, max_size=5)
        | st.none(),
        "label": st.text(max_size=4) | st.integers(0, 9) | st.none(),
        "score": st.floats(0, 1),
    },
)


@given(st.lists(entries | st.integers(0, 9), max_size=6))
def test_the_shortcut_for_clean_answers_reads_what_the_general_path_reads(
    answer: list[object],
) -> None:
    general = WithoutShortcut(
        **{field.name: getattr(QWEN2_5_VL, field.name) for field in fields(QWEN2_5_VL)}
    )
    text = json.dumps(answer)
    quick, slow = QWEN2_5_VL.parse(text), general.parse(text)
    assert np.array_equal(quick.boxes, slow.boxes)
    assert (quick.labels, quick.issues, quick.says_nothing) == (
        slow.labels,
        slow.issues,
        slow.says_nothing,
    )
