"""The tolerant reader that all JSON formats share, and its shortcut for clean answers."""

import json
import time
from dataclasses import fields

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from swift_plugin_visionr1 import get_format
from swift_plugin_visionr1.formats.json_boxes import JsonBoxes
from swift_plugin_visionr1.formats.json_reader import MAX_TOKENS, decode, read
from swift_plugin_visionr1.formats.qwen2_5_vl import QWEN2_5_VL

from .json_formats import QWEN3

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
