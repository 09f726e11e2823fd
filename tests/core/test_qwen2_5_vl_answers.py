"""Answers in the Qwen2.5-VL format: labels, round trips and adversarial input."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from swift_plugin_visionr1.formats.base import MAX_BOXES
from swift_plugin_visionr1.geometry.boxes import as_boxes

from .qwen2_5_vl import CAT, DOG, FORMAT, coordinate, label


def test_labels_survive_a_broken_answer() -> None:
    assert FORMAT.parse('[{"bbox_2d": [1, 2, 3, 4], "label": "caf\\u00e9"}').labels == ("café",)
    assert FORMAT.parse(f"[{CAT}, {DOG}, oops").labels == ("cat", "dog")


@pytest.mark.parametrize(
    ("members", "label"),
    [
        pytest.param('"text_content": "TAX INVOICE"', "TAX INVOICE", id="text"),
        pytest.param('"name_zh": "米饭", "name_en": "Rice"', "Rice", id="two languages"),
        pytest.param(
            '"sub_label": "no helmet", "label": "rider"', "rider", id="label before others"
        ),
        pytest.param('"plate": "AB 123"', "AB 123", id="the only text"),
        pytest.param('"plate": "AB 123", "colour": "red"', "", id="two texts of no known meaning"),
        pytest.param('"label": null, "name": "cat"', "", id="a label that is null"),
        pytest.param('"category": 3', "3", id="a number"),
        pytest.param('"label": ["cat"]', "cat", id="a list of one"),
        pytest.param('"label": "the "big" cat"', 'the "big" cat', id="quotes inside"),
        pytest.param(
            '"label": "the (so-called "big") cat"',
            'the (so-called "big") cat',
            id="quotes in parentheses",
        ),
        pytest.param(
            '"label": "写着"福"，红色"', '写着"福"，红色', id="quotes before a full-width comma"
        ),
        pytest.param("'label': 'the cat's bed'", "the cat's bed", id="an apostrophe inside"),
        pytest.param("'label': 'the cat\\'s bed'", "the cat's bed", id="an escaped apostrophe"),
        pytest.param('"label": "a {b} [c], d: e"', "a {b} [c], d: e", id="brackets inside"),
        pytest.param(
            '"label": "a {b} [c], \\"d\\": e", bad',
            'a {b} [c], "d": e',
            id="brackets inside, broken",
        ),
    ],
)
def test_labels_under_other_keys_and_in_broken_texts(members: str, label: str) -> None:
    text = f'[{{"bbox_2d": [1, 2, 30, 40], {members}}}]'
    assert FORMAT.parse(text).labels == (label,)
    assert FORMAT.parse(text).boxes.tolist() == [[1, 2, 30, 40]]


def test_labels_beside_a_list_of_boxes() -> None:
    text = (
        '[{"bbox_2d": [[1, 2, 30, 40], [5, 6, 70, 80]], "label": ["cat", "dog"], "title": "pets"}]'
    )
    assert FORMAT.parse(text).labels == ("cat", "dog")
    assert [len(spans) for spans in FORMAT.spans(text)] == [4, 4], "no place of a label"


def test_a_label_in_full_width_json_is_read_with_its_object() -> None:
    text = (
        '[{"bbox_2d"：[1, 2, 30, '
        '40]，"label"："猫"}，{"bbox_2d"：[x1：5，y1：6，x2：70，y2：80]，"label"："狗"}]'
    )
    assert FORMAT.parse(text).labels == ("猫", "狗")
    assert FORMAT.parse(text).boxes.tolist() == [[1, 2, 30, 40], [5, 6, 70, 80]]


def test_an_object_with_a_key_twice_is_several() -> None:
    members = '"object": "cup", "bbox": [1, 2, 30, 40], "object": "pen", "bbox": [5, 6, 70, 80]'
    for text in (
        f"{{{members}}}",
        f"[{{{members}}}]",
        f'{{{members}, "object": "jar", "bbox": [8, 9, 9',
    ):
        parsed = FORMAT.parse(text)
        assert parsed.labels == ("cup", "pen")
        assert parsed.boxes.tolist() == [[1, 2, 30, 40], [5, 6, 70, 80]]
        assert "repeated_key" in parsed.issues
        assert [[text[slice(*span)] for span in spans][-1] for spans in FORMAT.spans(text)] == [
            "cup",
            "pen",
        ]


def test_a_label_that_is_a_number_is_read_as_its_text() -> None:
    text = '[{"bbox_2d": [1, 2, 30, 40], "label": 17}, {"bbox_2d": [1, 2, 30, 40], "label": true}]'
    assert FORMAT.parse(text).labels == ("17", "")
    assert [[text[start:end] for start, end in spans[4:]] for spans in FORMAT.spans(text)] == [
        ["17"],
        [],
    ]


def test_more_boxes_than_the_cap_are_said() -> None:
    for text in (f"[{','.join([CAT] * 1500)}]", f"[{','.join([CAT] * 1500)}"):
        parsed = FORMAT.parse(text)
        assert len(parsed.boxes) == MAX_BOXES
        assert "too_many_boxes" in parsed.issues


clean_box = st.tuples(coordinate, coordinate, st.integers(1, 500), st.integers(1, 500)).map(
    lambda b: [b[0], b[1], b[0] + b[2], b[1] + b[3]]
)


@given(st.lists(st.tuples(clean_box, label), max_size=8))
def test_written_answers_are_clean_and_read_back(objects: list[tuple[list[int], str]]) -> None:
    boxes, labels = as_boxes([box for box, _ in objects]), tuple(text for _, text in objects)
    parsed = FORMAT.parse(FORMAT.write(boxes, labels))
    assert parsed.issues == ()
    assert np.array_equal(parsed.boxes, boxes)
    assert parsed.labels == labels
    assert parsed.says_nothing == (not objects)


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("[" * 100_000, id="nesting"),
        pytest.param("{" * 200_000, id="braces"),
        pytest.param('{"a":' * 50_000, id="nested objects"),
        pytest.param(f'[{{"bbox_2d": [1, 2, 3, {"9" * 5000}], "label": "a"}}]', id="5,000 digits"),
        pytest.param('[{"bbox_2d": [1, 2, 3, 1e999], "label": "a"}]', id="1e999"),
        pytest.param(
            f'[{{"bbox_2d": [1, 2, 3, {"9" * 400}], "label": "a"}}]', id="an integer beyond float64"
        ),
        pytest.param("\ud800\udfff[\x00", id="surrogates and zeros"),
        pytest.param('{"bbox_2d": [' + " " * 100_000, id="spaces where a number should be"),
        pytest.param('"label": "' + "\\" * 100_001, id="backslashes"),
        pytest.param("```json\n" * 20_000, id="fences"),
        pytest.param("x" * 2_000_000, id="two million letters"),
    ],
)
def test_adversarial_text_is_a_result_without_boxes(text: str) -> None:
    parsed = FORMAT.parse(text)
    assert len(parsed.boxes) == 0
    assert parsed.issues
