"""The Qwen2.5-VL format: what real models wrote, a table of oddities, round trips and adversarial input."""

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from swift_plugin_visionr1 import get_format
from swift_plugin_visionr1.boxes import as_boxes
from swift_plugin_visionr1.formats.base import MAX_BOXES

FORMAT = get_format("qwen2_5_vl")
CAT = '{"bbox_2d": [1, 2, 30, 40], "label": "cat"}'
DOG = '{"bbox_2d": [5, 6, 70, 80], "label": "dog"}'


def real_answers(shared_data: Path) -> list[dict]:
    lines = (shared_data / "completions" / "real_completions.jsonl").read_text().splitlines()
    rows = [json.loads(line) for line in lines]
    return [row for row in rows if "qwen2.5-vl json" in row["format"] or "qwen2.5-vl object" in row["format"]]


def test_real_answers_are_read_to_the_last_box(shared_data: Path) -> None:
    rows = real_answers(shared_data)
    assert len(rows) >= 6
    for row in rows:
        expected = [box["box"] for box in row["expected_boxes_if_evident"]]
        assert FORMAT.parse(row["text"]).boxes.tolist() == expected, row["id"]


def test_answers_without_boxes_yield_none(shared_data: Path) -> None:
    lines = (shared_data / "completions" / "real_completions.jsonl").read_text().splitlines()
    others = [row for row in map(json.loads, lines) if row["coords"] in ("none", "unknown", "percent_point")]
    assert others
    for row in others:
        assert len(FORMAT.parse(row["text"]).boxes) == 0, row["id"]


@pytest.mark.parametrize(
    ("text", "boxes", "issues"),
    [
        pytest.param(f"[{CAT}, {DOG}]", 2, (), id="bare list"),
        pytest.param(f"```json\n[\n\t{CAT},\n\t{DOG}\n]\n```", 2, (), id="fenced list"),
        pytest.param("[]", 0, (), id="empty list"),
        pytest.param(CAT, 1, ("not_a_list",), id="one object"),
        pytest.param(f"```\n[{CAT}]\n```", 1, ("text_around",), id="fence of no language"),
        pytest.param(f"Sure:\n```json\n[{CAT}]\n```", 1, ("text_around",), id="text before"),
        pytest.param(f"[{CAT}]\nThat is all.", 1, ("text_around",), id="text after"),
        pytest.param(f"[{CAT}, {DOG[:25]}", 1, ("not_json",), id="cut in the second object"),
        pytest.param(f"[{CAT}, {DOG},]", 2, ("not_json",), id="trailing comma"),
        pytest.param(f"[{CAT}]".replace('"', "'"), 1, ("not_json",), id="single quotes"),
        pytest.param(f"<think>[1, 2]</think><answer>{CAT}</answer>", 1, ("not_json",), id="think and answer"),
        pytest.param('[{"bbox_2d": ["1", "2", "30", "40"], "label": "a"}]', 1, ("not_integer",), id="numbers as text"),
        pytest.param('[{"bbox_2d": [1.5, 2, 30, 40], "label": "a"}]', 1, ("not_integer",), id="fraction"),
        pytest.param('[{"bbox_2d": [true, 2, 30, 40], "label": "a"}]', 0, ("bad_box",), id="boolean"),
        pytest.param('[{"bbox_2d": [NaN, 2, 30, 40], "label": "a"}]', 0, ("bad_box",), id="NaN"),
        pytest.param('[{"bbox_2d": [1, 2, 30, Infinity], "label": "a"}]', 0, ("bad_box",), id="Infinity"),
        pytest.param('[{"bbox_2d": [1, 2, 30], "label": "a"}]', 0, ("bad_box",), id="three numbers"),
        pytest.param('[{"bbox_2d": [[1, 2, 30, 40]], "label": "a"}]', 0, ("bad_box",), id="nested box"),
        pytest.param('[{"point_2d": [1, 2], "label": "a"}]', 0, ("bad_box",), id="a point"),
        pytest.param('[{"bbox_2d": [30, 2, 1, 40], "label": "a"}]', 0, ("corner_order",), id="reversed"),
        pytest.param('[{"bbox_2d": [1, 2, 1, 40], "label": "a"}]', 0, ("corner_order",), id="no area"),
        pytest.param('[{"bbox_2d": [1, 2, 30, 40], "label": null}]', 1, ("no_label",), id="null label"),
        pytest.param('[{"bbox_2d": [1, 2, 30, 40], "label": 7}]', 1, ("no_label",), id="number as label"),
        pytest.param('[{"bbox_2d": [1, 2, 30, 40], "label": " "}]', 1, ("no_label",), id="blank label"),
        pytest.param(f'{{"objects": [{CAT}, {DOG}]}}', 2, ("not_a_list",), id="list inside an object"),
        pytest.param(f"[[{CAT}]]", 1, ("not_an_object",), id="list inside a list"),
        pytest.param("[1, 2, 3]", 0, ("not_an_object",), id="list of numbers"),
        pytest.param('"hello"', 0, ("not_a_list",), id="a JSON string"),
        pytest.param("", 0, ("not_json",), id="nothing"),
        pytest.param("There is no cat.", 0, ("not_json",), id="prose"),
        pytest.param('[{"bbox_2d": [x1, y1, x2, y2], "label": "a"}]', 0, ("not_json",), id="the template echoed"),
    ],
)
def test_table(text: str, boxes: int, issues: tuple[str, ...]) -> None:
    parsed = FORMAT.parse(text)
    assert (len(parsed.boxes), parsed.issues) == (boxes, issues)
    assert len(parsed.labels) == boxes


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("[]", True),
        ("```json\n[]\n```", True),
        ("```\n[]\n```", True),
        ("", False),
        ("none", False),
        (f"[{CAT}]", False),
    ],
)
def test_only_the_empty_list_says_nothing(text: str, expected: bool) -> None:
    assert FORMAT.parse(text).says_nothing == expected


def test_labels_survive_a_broken_answer() -> None:
    assert FORMAT.parse('[{"bbox_2d": [1, 2, 3, 4], "label": "caf\\u00e9"}').labels == ("café",)
    assert FORMAT.parse(f"[{CAT}, {DOG}, oops").labels == ("cat", "dog")


def test_a_label_that_is_a_number_is_read_as_its_text() -> None:
    text = '[{"bbox_2d": [1, 2, 30, 40], "label": 17}, {"bbox_2d": [1, 2, 30, 40], "label": true}]'
    assert FORMAT.parse(text).labels == ("17", "")
    assert [[text[start:end] for start, end in spans[4:]] for spans in FORMAT.spans(text)] == [["17"], []]


def test_more_boxes_than_the_cap_are_said() -> None:
    for text in (f"[{','.join([CAT] * 1500)}]", f"[{','.join([CAT] * 1500)}"):
        parsed = FORMAT.parse(text)
        assert len(parsed.boxes) == MAX_BOXES
        assert "too_many_boxes" in parsed.issues


coordinate = st.integers(0, 1000)
clean_box = st.tuples(coordinate, coordinate, st.integers(1, 500), st.integers(1, 500)).map(
    lambda b: [b[0], b[1], b[0] + b[2], b[1] + b[3]]
)
label = st.text(min_size=1, max_size=12).filter(str.strip)


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
        pytest.param(f'[{{"bbox_2d": [1, 2, 3, {"9" * 400}], "label": "a"}}]', id="an integer beyond float64"),
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


OBJECTS = [
    pytest.param(f"[{CAT}, {DOG}]", id="clean"),
    pytest.param(f"```json\n[\n\t{CAT},\n\t{DOG}\n]\n```", id="fenced"),
    pytest.param(f"I see:\n```json\n[{CAT}, {DOG}]\n```\nThat is all [of it].", id="chatty"),
    pytest.param(f"[{CAT}, {DOG}, {CAT[:20]}", id="cut in the third object"),
    pytest.param(f"[{CAT}, {DOG},]".replace('"', "'"), id="single quotes"),
    pytest.param(f'{{"objects": [{CAT}, {DOG}]}}', id="inside an object"),
    pytest.param(
        f'[7, {{"bbox_2d": [9, 9, 1, 1], "label": "x"}}, {CAT}, {{"bbox_2d": [1]}}, {DOG}]', id="bad ones left out"
    ),
    pytest.param(
        '[{"bbox_2d": [7], "label": "a {\\"bbox_2d\\": [", ' + f"{CAT[1:]}, {DOG}]", id="keys twice, braces in text"
    ),
]


@pytest.mark.parametrize("text", OBJECTS)
def test_spans_are_where_the_boxes_are_written(text: str) -> None:
    written = [[text[start:end] for start, end in spans] for spans in FORMAT.spans(text)]
    assert written == [["1", "2", "30", "40", "cat"], ["5", "6", "70", "80", "dog"]]


wild_box = st.tuples(coordinate, coordinate, coordinate, coordinate).map(list) | st.just([1, 2, 3]) | st.none()
wild_label = label | st.sampled_from(['{"bbox_2d": [1, 2, 3, 4]}', "]", "é\u2028", " "]) | st.none() | st.integers()
entries = st.lists(
    st.fixed_dictionaries({"bbox_2d": wild_box}, optional={"label": wild_label}) | st.integers(), max_size=6
)
wrappers = st.sampled_from(
    ["%s", "```json\n%s\n```", "```\n%s\n```", "Here [it] is: %s", "%s done.", '{"a": %s}', " \n%s\t"]
)


@given(entries, wrappers, st.booleans(), st.none() | st.integers(0, 400))
def test_spans_and_confidences_go_with_the_boxes(objects: list, wrapper: str, ascii: bool, cut: int | None) -> None:
    text = (wrapper % json.dumps(objects, ensure_ascii=ascii))[:cut]
    parsed, spans = FORMAT.parse(text), FORMAT.spans(text)
    assert len(spans) == len(parsed.boxes) == len(FORMAT.confidences(text))
    for box, name, (x1, y1, x2, y2, *rest) in zip(parsed.boxes, parsed.labels, spans, strict=True):
        assert [float(text[slice(*span)]) for span in (x1, y1, x2, y2)] == box.tolist()
        if name:
            assert json.loads(f'"{text[slice(*rest[0])]}"', strict=False) == name


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param(f"[{CAT[:-1]}, \"confidence\": 0.25}}, {DOG[:-1]}, \"score\": \"0.5\"}}]", [0.25, 0.5], id="JSON"),
        pytest.param(f"[{CAT[:-1]}, \"confidence\": 0.25}}, {DOG[:-1]}, \"score\": 0.5}}", [0.25, 0.5], id="broken"),
        pytest.param(f"[{CAT[:-1]}, \"score\": 1, \"confidence\": 0}}]", [0], id="confidence before score"),
        pytest.param(f"[{CAT}, {DOG[:-1]}, \"score\": \"high\"}}]", [np.nan, np.nan], id="none"),
    ],
)  # fmt: skip
def test_confidences(text: str, expected: list[float]) -> None:
    assert np.array_equal(FORMAT.confidences(text), expected, equal_nan=True)


def test_spans_of_adversarial_text_are_none() -> None:
    for text in ("[" * 100_000, '{"a":' * 50_000, '{"bbox_2d": [' + " " * 100_000, "\ud800[\x00", "42", ""):
        assert FORMAT.spans(text) == []


def test_spans_stop_at_the_cap() -> None:
    for text in (f"[{','.join([CAT] * 1500)}]", f"[{','.join([CAT] * 1500)}"):
        assert len(FORMAT.spans(text)) == MAX_BOXES
