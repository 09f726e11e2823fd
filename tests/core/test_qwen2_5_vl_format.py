"""The Qwen2.5-VL format: what real models wrote, a table of oddities, round trips and adversarial
input."""

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from swift_plugin_visionr1 import get_format
from swift_plugin_visionr1.formats.base import MAX_BOXES
from swift_plugin_visionr1.geometry.boxes import as_boxes

FORMAT = get_format("qwen2_5_vl")
CAT = '{"bbox_2d": [1, 2, 30, 40], "label": "cat"}'
DOG = '{"bbox_2d": [5, 6, 70, 80], "label": "dog"}'


def real_answers(shared_data: Path) -> list[dict]:
    lines = (shared_data / "completions" / "real_completions.jsonl").read_text().splitlines()
    rows = [json.loads(line) for line in lines]
    return [
        row
        for row in rows
        if "qwen2.5-vl json" in row["format"] or "qwen2.5-vl object" in row["format"]
    ]


def test_real_answers_are_read_to_the_last_box(shared_data: Path) -> None:
    rows = real_answers(shared_data)
    assert len(rows) >= 6
    for row in rows:
        expected = [box["box"] for box in row["expected_boxes_if_evident"]]
        assert FORMAT.parse(row["text"]).boxes.tolist() == expected, row["id"]


def test_answers_without_boxes_yield_none(shared_data: Path) -> None:
    lines = (shared_data / "completions" / "real_completions.jsonl").read_text().splitlines()
    others = [
        row
        for row in map(json.loads, lines)
        if row["coords"] in ("none", "unknown", "percent_point")
    ]
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
        pytest.param(
            f"<think>[1, 2]</think><answer>[{CAT}]</answer>",
            1,
            ("text_around",),
            id="think and answer",
        ),
        pytest.param(
            '[{"bbox_2d": ["1", "2", "30", "40"], "label": "a"}]',
            1,
            ("not_integer",),
            id="numbers as text",
        ),
        pytest.param(
            '[{"bbox_2d": [1.5, 2, 30, 40], "label": "a"}]', 1, ("not_integer",), id="fraction"
        ),
        pytest.param(
            '[{"bbox_2d": [true, 2, 30, 40], "label": "a"}]', 0, ("bad_box",), id="boolean"
        ),
        pytest.param('[{"bbox_2d": [NaN, 2, 30, 40], "label": "a"}]', 0, ("bad_box",), id="NaN"),
        pytest.param(
            '[{"bbox_2d": [1, 2, 30, Infinity], "label": "a"}]', 0, ("bad_box",), id="Infinity"
        ),
        pytest.param(
            '[{"bbox_2d": [1, 2, 30], "label": "a"}]', 0, ("bad_box",), id="three numbers"
        ),
        pytest.param(
            '[{"bbox_2d": [[1, 2, 30, 40]], "label": "a"}]', 1, ("other_key",), id="nested box"
        ),
        pytest.param(
            '[{"bbox_2d": [[1, 2, 30, 40], [5, 6, 70, 80]], "label": "a"}]',
            2,
            ("other_key",),
            id="two in one",
        ),
        pytest.param(
            '[{"bbox_2d": [[1, 2], [30, 40]], "label": "a"}]',
            1,
            ("other_key",),
            id="corners as points",
        ),
        pytest.param(
            '[{"bbox_2d": [245, [234, 543, 542, 244]], "label": "a"}]',
            0,
            ("bad_box",),
            id="a list inside",
        ),
        pytest.param(
            '[{"bbox_2d": {"x1": 1, "y1": 2, "x2": 3, "y2": 4}, "label": "a"}]',
            1,
            ("other_key",),
            id="x1, y1",
        ),
        pytest.param(
            '[{"x1": 1, "y1": 2, "x2": 3, "y2": 4, "label": "a"}]',
            1,
            ("other_key",),
            id="x1 beside the label",
        ),
        pytest.param(
            '[{"bbox": [1, 2, 30, 40], "label": "a"}]', 1, ("other_key",), id="another key"
        ),
        pytest.param(
            '[{"Position": [1, 2, 30, 40], "Confidence": 1}]',
            1,
            ("other_key", "no_label"),
            id="Visual-RFT",
        ),
        pytest.param(
            '[{"box_2d": [1, 2, 30, 40], "label": "a"}]', 0, ("foreign_key",), id="Gemini's key"
        ),
        pytest.param(
            f'[{{"point_2d": [1, 2], "label": "a"}}, {CAT}]', 1, ("point",), id="a point and a box"
        ),
        pytest.param('[{"bbox_2d": [1, 2], "label": "a"}]', 0, ("point",), id="a point as box"),
        pytest.param(
            '[{"bbox_2d": [1, 2, 30, 40], "point_2d": [9, 9], "label": "a"}]',
            1,
            (),
            id="a box with its point",
        ),
        pytest.param(
            '[{"bbox_2d": [1, 2, 3, 4, 5, 6, 7, 8], "label": "a"}]', 0, ("quad",), id="a quad"
        ),
        pytest.param(
            '[{"bbox_2d": [[1, 2], [3, 4], [5, 6], [7, 8]], "label": "a"}]',
            0,
            ("quad",),
            id="four points",
        ),
        pytest.param(
            '[{"bbox_2d": [1, 2, 3, 4, 5, 6], "label": "a"}]', 0, ("polygon",), id="a triangle"
        ),
        pytest.param('[{"polygon": [1, 2, 3, 4], "label": "a"}]', 0, ("polygon",), id="a polygon"),
        pytest.param(
            '[{"bbox_3d": [1, 2, 3, 4, 5, 6, 7, 8, 9], "label": "a"}]',
            0,
            ("box_3d",),
            id="a 3D box",
        ),
        pytest.param(
            f'[{{"name": "zoom", "arguments": {CAT}}}, {DOG}]',
            1,
            ("tool_call",),
            id="a tool call in the list",
        ),
        pytest.param(
            f'{{"name": "zoom", "arguments": {CAT}}}',
            0,
            ("not_a_list", "tool_call"),
            id="a tool call",
        ),
        pytest.param(
            f'{CAT}\n{{"name": "zoom", "arguments": {DOG}}}',
            0,
            ("not_json", "tool_call"),
            id="then a tool call",
        ),
        pytest.param(
            '[{"bbox_2d": [30, 2, 1, 40], "label": "a"}]', 0, ("corner_order",), id="reversed"
        ),
        pytest.param(
            '[{"bbox_2d": [1, 2, 1, 40], "label": "a"}]', 0, ("corner_order",), id="no area"
        ),
        pytest.param(
            '[{"bbox_2d": [1, 2, 30, 40], "label": null}]', 1, ("no_label",), id="null label"
        ),
        pytest.param(
            '[{"bbox_2d": [1, 2, 30, 40], "label": 7}]', 1, ("no_label",), id="number as label"
        ),
        pytest.param(
            '[{"bbox_2d": [1, 2, 30, 40], "label": " "}]', 1, ("no_label",), id="blank label"
        ),
        pytest.param(
            f'{{"objects": [{CAT}, {DOG}]}}', 2, ("not_a_list",), id="list inside an object"
        ),
        pytest.param(f"[[{CAT}]]", 1, ("not_an_object",), id="list inside a list"),
        pytest.param("[1, 2, 3]", 0, ("not_an_object",), id="list of numbers"),
        pytest.param(
            "[1, 2, 30, 40]", 1, ("not_an_object", "no_label"), id="a box and nothing else"
        ),
        pytest.param(
            "[[1, 2, 30, 40], [5, 6, 70, 80]]",
            2,
            ("not_an_object", "other_key", "no_label"),
            id="bare boxes",
        ),
        pytest.param("[[1, 2], [30, 40]]", 0, ("point",), id="bare points"),
        pytest.param("The cat is at [1, 2, 30, 40].", 0, ("not_json",), id="numbers in prose"),
        pytest.param(f"[{CAT}, 7, {DOG}]", 2, ("not_an_object",), id="a number among objects"),
        pytest.param(f"{CAT}\n{DOG}", 2, ("not_json",), id="an object a line"),
        pytest.param(
            f"It's [one]: {CAT}. It's [two]: {DOG}", 2, ("not_json",), id="objects in prose"
        ),
        pytest.param(f"[{{{CAT}}}]", 1, ("not_json",), id="double braces"),
        pytest.param(f"[{CAT}}}, {DOG}]", 2, ("not_json",), id="a brace too many"),
        pytest.param(f"[{CAT[:-1]}, {DOG}]", 2, ("not_json",), id="a brace too few"),
        pytest.param(f"[{CAT.replace(']', '')}, {DOG}]", 2, ("not_json",), id="a bracket too few"),
        pytest.param(
            "[{bbox_2d: [1, 2, 30, 40], label: 'cat'}]", 1, ("not_json",), id="keys without quotes"
        ),
        pytest.param(f"[{CAT}  // the tabby\n, {DOG}]", 2, ("not_json",), id="comments"),
        pytest.param(
            f"[{CAT}  // note: the tabby\n, {DOG}]", 2, ("not_json",), id="comments with a colon"
        ),
        pytest.param(
            f"[{CAT[1:-1]}, {DOG[1:-1]}]", 2, ("not_json", "repeated_key"), id="no braces"
        ),
        pytest.param(
            '[{"bbox_2d": "[1, 2, 30, 40]", "label": "a"}]',
            1,
            ("not_integer",),
            id="a list as text",
        ),
        pytest.param(
            '[{"bbox_2d": "1 2 30 40", "label": "a"}]',
            1,
            ("not_integer",),
            id="numbers in one text",
        ),
        pytest.param(
            '[{"bbox_2d": "1, 2, 30", "label": "a"}]',
            0,
            ("bad_box",),
            id="three numbers in one text",
        ),
        pytest.param('[{"bbox_2d": (1, 2, 30, 40), "label": "a"}]', 1, ("not_json",), id="a tuple"),
        pytest.param(
            '[{"bbox_2d": [(1, 2), (30, 40)], "label": "a"}]',
            1,
            ("not_json", "other_key"),
            id="two tuples",
        ),
        pytest.param(
            '[{"bbox_2d": [x1: 1, y1: 2, x2: 30, y2: 40], "label": "a"}]',
            1,
            ("not_json", "other_key"),
            id="named",
        ),
        pytest.param(
            '[{"bbox_2d": [{"x1": 1, "y1": 2, "x2": 30, "y2": 40}], "label": "a"}]',
            1,
            ("other_key",),
            id="an object",
        ),
        pytest.param(
            '[{"bbox_2d": [1, 2, 30, 40], "label": "a", "label": "b"}]',
            1,
            ("repeated_key",),
            id="two labels",
        ),
        pytest.param(
            '[{"bbox_2d": [], "label": "a"}]', 0, ("empty_answer",), id="an empty list as box"
        ),
        pytest.param(
            '[{"bbox_2d": [1, 2, 1,234, 40], "label": "a"}]',
            0,
            ("bad_box",),
            id="a thousands separator",
        ),
        pytest.param(
            '[{"bbox_2d": [+1, 02, 3e1, 40], "label": "a"}]',
            1,
            ("not_json", "not_integer"),
            id="odd numbers",
        ),
        pytest.param(
            '［{"bbox_2d"：［1，2，30，40］，"label"："猫"}］', 1, ("not_json",), id="full-width"
        ),
        pytest.param(
            '{"x1": 1, "y1": 2, "x2": 30, "y2": 4',
            0,
            ("not_json",),
            id="cut in the last of four keys",
        ),
        pytest.param(f"```json\r\n[{CAT}]\r\n```", 1, ("text_around",), id="line ends of Windows"),
        pytest.param('{"bbox_2d": [1, 2, 30, 4', 0, ("not_json",), id="cut in the last number"),
        pytest.param(
            '{"bbox_2d": [1, 2, 30, 40], "lab', 1, ("not_json", "no_label"), id="cut after the box"
        ),
        pytest.param(
            '{"objects": []}', 0, ("not_a_list", "empty_answer"), id="an object with an empty list"
        ),
        pytest.param('"hello"', 0, ("not_a_list",), id="a JSON string"),
        pytest.param("", 0, ("not_json",), id="nothing"),
        pytest.param("There is no cat.", 0, ("empty_answer",), id="a denial in words"),
        pytest.param("A cat.", 0, ("not_json",), id="prose"),
        pytest.param("None", 0, ("empty_answer",), id="VLM-R1's way to say nothing"),
        pytest.param(
            '[{"bbox_2d": [x1, y1, x2, y2], "label": "a"}]',
            0,
            ("not_json", "bad_box"),
            id="template",
        ),
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
        ("There is no cat.\n```json\n[]\n```", True),
        ('{"objects": []}', True),
        ("There is no cat [].", True),
        (f"```json\n[]\n```\n{CAT}", False),
        ("", False),
        ("none", True),
        ("```json\nNone\n```", True),
        ("No objects found.", True),
        ("None of them is here.", True),
        ('{"<OD>": {"bboxes": [], "labels": []}}', True),
        ("{}", True),
        (f"[{CAT}]", False),
    ],
)
def test_the_empty_list_and_words_for_it_say_nothing(text: str, expected: bool) -> None:
    assert FORMAT.parse(text).says_nothing == expected


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


coordinate = st.integers(0, 1000)
clean_box = st.tuples(coordinate, coordinate, st.integers(1, 500), st.integers(1, 500)).map(
    lambda b: [b[0], b[1], b[0] + b[2], b[1] + b[3]]
)
# No tags of an answer or of a tool call, which Hypothesis finds in the code: nothing tells them
# from the real ones.
label = st.text(min_size=1, max_size=12).filter(
    lambda text: text.strip() and "<" not in text and "TOOL" not in text
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


OBJECTS = [
    pytest.param(f"[{CAT}, {DOG}]", id="clean"),
    pytest.param(f"```json\n[\n\t{CAT},\n\t{DOG}\n]\n```", id="fenced"),
    pytest.param(f"I see:\n```json\n[{CAT}, {DOG}]\n```\nThat is all [of it].", id="chatty"),
    pytest.param(f"[{CAT}, {DOG}, {CAT[:20]}", id="cut in the third object"),
    pytest.param(f"[{CAT}, {DOG},]".replace('"', "'"), id="single quotes"),
    pytest.param(f'{{"objects": [{CAT}, {DOG}]}}', id="inside an object"),
    pytest.param(
        f"[{CAT}, {DOG}]".replace("[1, 2, 30, 40]", '"[1, 2, 30, 40]"'), id="a list as text"
    ),
    pytest.param(f"[{CAT}, {DOG}]".replace("[1, 2, 30, 40]", "(1, 2, 30, 40)"), id="a tuple"),
    pytest.param(
        f'[7, {{"bbox_2d": [9, 9, 1, 1], "label": "x"}}, {CAT}, {{"bbox_2d": [1]}}, {DOG}]',
        id="bad ones left out",
    ),
    pytest.param(
        '[{"bbox_2d": [7], "label": "a {\\"bbox_2d\\": [", ' + f"{CAT[1:]}, {DOG}]",
        id="keys twice, braces in text",
    ),
]


@pytest.mark.parametrize("text", OBJECTS)
def test_spans_are_where_the_boxes_are_written(text: str) -> None:
    written = [[text[start:end] for start, end in spans] for spans in FORMAT.spans(text)]
    assert written == [["1", "2", "30", "40", "cat"], ["5", "6", "70", "80", "dog"]]


wild_box = (
    st.tuples(coordinate, coordinate, coordinate, coordinate).map(list)
    | st.just([1, 2, 3])
    | st.none()
)
wild_label = (
    label
    | st.sampled_from(['{"bbox_2d": [1, 2, 3, 4]}', "]", "é\u2028", " "])
    | st.none()
    | st.integers()
)
entries = st.lists(
    st.fixed_dictionaries({"bbox_2d": wild_box}, optional={"label": wild_label}) | st.integers(),
    max_size=6,
)
wrappers = st.sampled_from(
    [
        "%s",
        "```json\n%s\n```",
        "```\n%s\n```",
        "Here [it] is: %s",
        "%s done.",
        '{"a": %s}',
        " \n%s\t",
    ]
)


@given(entries, wrappers, st.booleans(), st.none() | st.integers(0, 400))
@example([{"bbox_2d": [0, 0, 1, 1], "label": -(10**18)}], "%s", False, None)
def test_spans_and_confidences_go_with_the_boxes(
    objects: list, wrapper: str, ascii: bool, cut: int | None
) -> None:
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
        pytest.param(
            f'[{CAT[:-1]}, "confidence": 0.25}}, {DOG[:-1]}, "score": "0.5"}}]',
            [0.25, 0.5],
            id="JSON",
        ),
        pytest.param(
            f'[{CAT[:-1]}, "confidence": 0.25}}, {DOG[:-1]}, "score": 0.5}}',
            [0.25, 0.5],
            id="broken",
        ),
        pytest.param(
            f'[{CAT[:-1]}, "score": 1, "confidence": 0}}]', [0], id="confidence before score"
        ),
        pytest.param(f'[{CAT}, {DOG[:-1]}, "score": "high"}}]', [np.nan, np.nan], id="none"),
    ],
)
def test_confidences(text: str, expected: list[float]) -> None:
    assert np.array_equal(FORMAT.confidences(text), expected, equal_nan=True)


def test_spans_of_adversarial_text_are_none() -> None:
    for text in (
        "[" * 100_000,
        '{"a":' * 50_000,
        '{"bbox_2d": [' + " " * 100_000,
        "\ud800[\x00",
        "42",
        "",
    ):
        assert FORMAT.spans(text) == []


def test_spans_stop_at_the_cap() -> None:
    for text in (f"[{','.join([CAT] * 1500)}]", f"[{','.join([CAT] * 1500)}"):
        assert len(FORMAT.spans(text)) == MAX_BOXES
