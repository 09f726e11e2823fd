"""Where an answer in the Qwen2.5-VL format writes its boxes, and how sure of them it says it is."""

import json

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from swift_plugin_visionr1.formats.base import MAX_BOXES

from .qwen2_5_vl import CAT, DOG, FORMAT, coordinate, label

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
