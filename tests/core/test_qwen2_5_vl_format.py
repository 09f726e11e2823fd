"""The Qwen2.5-VL format: what real models wrote, and a table of oddities."""

import json
from pathlib import Path

import pytest

from .qwen2_5_vl import CAT, DOG, FORMAT


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
