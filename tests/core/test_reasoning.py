"""What stands around an answer: reasoning, answer tags, end tokens, tool calls, and texts that are
too long."""

import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from swift_plugin_visionr1 import get_format
from swift_plugin_visionr1.formats import FORMATS, Reasoning
from swift_plugin_visionr1.formats.reasoning import MAX_CHARACTERS
from swift_plugin_visionr1.geometry.boxes import as_boxes

from .real_completions import cases

ANSWER = '[{"bbox_2d": [1, 2, 30, 40], "label": "cat"}]'
DRAFT = '[{"bbox_2d": [5, 6, 70, 80], "label": "dog"}]'
CALL = (
    '<tool_call>\n{"name": "zoom", "arguments": {"bbox_2d": [5, 6, 70, 80], "label": '
    '"dog"}}\n</tool_call>'
)
THOUGHT = f"<think>I see {DRAFT}.</think>"
AROUND, MISSING, UNCLOSED = ("text_around",), ("no_reasoning",), ("unclosed_reasoning",)


@pytest.mark.parametrize(
    ("text", "none", "think", "think_answer"),
    [
        pytest.param(ANSWER, (), MISSING, MISSING, id="bare"),
        pytest.param(f"{THOUGHT}\n\n{ANSWER}", AROUND, (), MISSING, id="think"),
        pytest.param(f"<think>\n</think>\n\n{ANSWER}", AROUND, (), MISSING, id="empty reasoning"),
        pytest.param(
            f"I see {DRAFT}.\n</think>\n{ANSWER}", AROUND, (), MISSING, id="opened in the prompt"
        ),
        pytest.param(
            f"{THOUGHT}\n<answer>\n{ANSWER}\n</answer>", AROUND, AROUND, (), id="think and answer"
        ),
        pytest.param(f"<answer>{ANSWER}</answer>", AROUND, MISSING, MISSING, id="answer only"),
        pytest.param(f"{THOUGHT}<answer>{ANSWER}", AROUND, AROUND, MISSING, id="answer not closed"),
        pytest.param(
            f"{THOUGHT}{ANSWER}</answer>", AROUND, AROUND, MISSING, id="answer not opened"
        ),
        pytest.param(
            f"{THOUGHT}So: <answer>{ANSWER}</answer>", AROUND, AROUND, AROUND, id="text between"
        ),
        pytest.param(
            f"{THOUGHT}<answer>{ANSWER}</answer>.", AROUND, AROUND, AROUND, id="text after"
        ),
        pytest.param(
            f"Hm. {THOUGHT}<answer>{ANSWER}</answer>", AROUND, AROUND, AROUND, id="text before"
        ),
        pytest.param(
            f"<think>{DRAFT}<answer>{ANSWER}</answer>",
            AROUND,
            MISSING,
            MISSING,
            id="reasoning not closed",
        ),
        pytest.param(
            f"{THOUGHT}<answer>{DRAFT}</answer><answer>{ANSWER}</answer>",
            AROUND,
            AROUND,
            AROUND,
            id="twice",
        ),
        pytest.param(f"{THOUGHT}{THOUGHT}{ANSWER}", AROUND, (), MISSING, id="reasoning twice"),
        pytest.param(
            f"{THOUGHT}{ANSWER}<think>or {DRAFT}",
            UNCLOSED,
            UNCLOSED,
            UNCLOSED,
            id="thinks again, cut off",
        ),
        pytest.param(
            f"<s>{THOUGHT}{ANSWER}<|im_end|>\n<pad><pad>",
            AROUND,
            (),
            MISSING,
            id="tokens at the ends",
        ),
    ],
)
def test_tags(
    text: str, none: tuple[str, ...], think: tuple[str, ...], think_answer: tuple[str, ...]
) -> None:
    for reasoning, issues in (("none", none), ("think", think), ("think_answer", think_answer)):
        format = get_format("qwen2_5_vl", reasoning=reasoning)
        parsed = format.parse(text)
        assert (reasoning, parsed.issues) == (reasoning, issues)
        assert parsed.labels == ("cat",)
        assert [[text[slice(*span)] for span in spans] for spans in format.spans(text)] == [
            ["1", "2", "30", "40", "cat"]
        ]


@pytest.mark.parametrize("reasoning", ["none", "think", "think_answer"])
def test_reasoning_that_is_cut_off_has_no_boxes(reasoning: Reasoning) -> None:
    format = get_format("qwen2_5_vl", reasoning=reasoning)
    text = f"<think>First {DRAFT}, then"
    parsed = format.parse(text)
    assert (len(parsed.boxes), parsed.issues, parsed.says_nothing) == (0, UNCLOSED, False)
    assert format.spans(text) == format.confidences(text) == []


@pytest.mark.parametrize("reasoning", ["none", "think", "think_answer"])
@pytest.mark.parametrize("name", FORMATS)
def test_what_is_written_is_clean(name: str, reasoning: Reasoning) -> None:
    format = get_format(name, reasoning=reasoning)
    assert (format.name, format.frame) == (name, FORMATS[name].frame)
    for count in (0, 2):
        boxes = as_boxes([[0.125, 0.25, 0.75, 0.875]] * count)
        # Numbers that are legal in every frame once they are spread over its units.
        scale = format.frame.units if isinstance(format.frame.units, (int, float)) else 100
        parsed = format.parse(format.write(boxes * scale, ("a", "b")[:count]))
        assert (len(parsed.boxes), parsed.issues, parsed.says_nothing) == (count, (), not count)


@pytest.mark.parametrize(
    "token",
    [
        "<|im_end|>",
        "<|endoftext|>",
        "</s>",
        "<eos>",
        "<end_of_turn>",
        "<｜end▁of▁sentence｜>",
        "<|eot_id|>",
    ],
)
def test_end_tokens_are_no_text(token: str) -> None:
    format = get_format("qwen2_5_vl")
    for text in (
        f"{ANSWER}{token}",
        f"{ANSWER}\n{token}\n<|endoftext|>{token}",
        f"<s>\n{token}{ANSWER}",
    ):
        assert format.parse(text).issues == ()
        assert [text[slice(*spans[-1])] for spans in format.spans(text)] == ["cat"]
    assert format.parse(f"[]{token}").says_nothing


@pytest.mark.parametrize(
    ("text", "labels", "said"),
    [
        pytest.param(CALL, (), True, id="a call"),
        pytest.param(CALL.removesuffix("</tool_call>"), (), True, id="cut off"),
        pytest.param(f"{THOUGHT}{CALL}", (), True, id="after reasoning"),
        pytest.param(f"{CALL}\n{ANSWER}", ("cat",), True, id="then an answer"),
        pytest.param(
            f"{CALL}<tool_response>{DRAFT}</tool_response>{THOUGHT}{ANSWER}",
            ("cat",),
            False,
            id="before the reasoning",
        ),
        pytest.param(
            '[TOOL_CALL] zoom\n{"bbox_2d": [5, 6, 70, 80], "img_idx": 0}',
            (),
            True,
            id="as Qwen-Agent prints it",
        ),
        pytest.param(
            '{"name": "zoom", "arguments": {"bbox_2d": [5, 6, 70, 80]}}',
            (),
            True,
            id="without tags",
        ),
    ],
)
def test_tool_calls_are_no_answer(text: str, labels: tuple[str, ...], said: bool) -> None:
    format = get_format("qwen2_5_vl")
    parsed = format.parse(text)
    assert parsed.labels == labels
    assert ("tool_call" in parsed.issues) is said
    assert [text[slice(*spans[-1])] for spans in format.spans(text)] == list(labels)


def test_real_answers_with_reasoning_are_clean_around_it(shared_data: Path) -> None:
    rows = {
        case.row["id"]: case.row
        for case in cases(shared_data / "completions" / "real_completions.jsonl")
    }
    assert get_format("qwen2_5_vl", reasoning="think").parse(rows["rc045"]["text"]).issues == ()
    for name in ("rc078", "rc079", "rc082"):
        parsed = get_format("qwen2_5_vl", reasoning="think_answer").parse(rows[name]["text"])
        assert len(parsed.boxes) == 1
        assert parsed.issues in (("not_a_list",), ("not_json",)), "one object, or Python's quotes"


def test_a_text_that_is_too_long_is_read_up_to_the_cap() -> None:
    format = get_format("qwen2_5_vl")
    text = f"{ANSWER}{'x' * MAX_CHARACTERS}{DRAFT}"
    assert format.parse(text).issues == ("too_long", "text_around")
    assert format.parse(text).labels == ("cat",)


@pytest.mark.parametrize(
    "piece",
    [
        "<think>",
        "</think>",
        "<answer>",
        "</answer>",
        "<tool_call>",
        "[TOOL_CALL]",
        "</s>",
        "<|im_end|>",
        "<",
        " ",
        "<pad>x",
    ],
)
def test_ten_million_characters_are_read_in_linear_time(piece: str) -> None:
    format = get_format("qwen2_5_vl", reasoning="think_answer")
    start = time.process_time()
    parsed = format.parse(piece * (10_000_000 // len(piece)))
    assert time.process_time() - start < 20, (
        "half a second is usual, quadratic time would take hours"
    )
    assert len(parsed.boxes) == 0
    assert "too_long" in parsed.issues


TAGS = [
    "<think>",
    "</think>",
    "<answer>",
    "</answer>",
    CALL,
    "<tool_call>",
    "[TOOL_CALL]",
    "<|im_end|>",
    ANSWER,
    DRAFT,
    " ",
]


@given(
    st.lists(st.sampled_from(TAGS), max_size=12).map("".join),
    st.sampled_from(["none", "think", "think_answer"]),
)
def test_places_are_those_of_the_whole_text(text: str, reasoning: Reasoning) -> None:
    format = get_format("qwen2_5_vl", reasoning=reasoning)
    parsed, spans = format.parse(text), format.spans(text)
    assert len(spans) == len(format.confidences(text)) == len(parsed.boxes)
    assert tuple(text[slice(*one[-1])] for one in spans) == parsed.labels
    for numbers, places in zip(parsed.boxes.tolist(), spans, strict=True):
        assert [float(text[slice(*place)]) for place in places[:4]] == numbers


@pytest.mark.parametrize("reasoning", ["none", "think", "think_answer"])
def test_tags_in_capitals_are_read_but_not_clean(reasoning: Reasoning) -> None:
    text = f"<THINK>I see {DRAFT}.</Think><ANSWER>{ANSWER}</ANSWER>"
    parsed = get_format("qwen2_5_vl", reasoning=reasoning).parse(text)
    assert (parsed.labels, parsed.issues) == (("cat",), AROUND)
    assert get_format("qwen2_5_vl").parse(f"<TOOL_CALL>{DRAFT}</TOOL_CALL>").labels == ()


def test_gemma_4_thinks_between_tags_of_its_own() -> None:
    text = f"<|channel>thought\nIt may be at {DRAFT}.<channel|>{ANSWER}"
    parsed = get_format("qwen2_5_vl", reasoning="think").parse(text)
    assert (parsed.labels, parsed.issues) == (get_format("qwen2_5_vl").parse(ANSWER).labels, ())
    assert "text_around" in get_format("qwen2_5_vl").parse(text).issues


@pytest.mark.parametrize(
    ("opening", "closing"),
    [
        ("◁think▷", "◁/think▷"),
        ("<thinking>", "</thinking>"),
        ("<think >", "</think >"),
        ("<|think|>", "<|/think|>"),
        ("<|think_start|>", "<|think_end|>"),
        ("[THINK]", "[/THINK]"),
        ("[BEGIN_THINK]", "[END_THINK]"),
        ("<seed:think>", "</seed:think>"),
        ("<longcat_think>", "</longcat_think>"),
        ("<scratchpad>", "</scratchpad>"),
        ("<analysis>", "</analysis>"),
        ("<unused94>thought\n", "<unused95>"),
        ("<|START_THINKING|>", "<|END_THINKING|>"),
        ("<|channel|>analysis<|message|>", "<|end|><|start|>assistant<|channel|>final<|message|>"),
    ],
)
def test_drafts_between_any_familys_marks_are_not_read(opening: str, closing: str) -> None:
    parsed = get_format("qwen3_vl").parse(f"{opening}I see {DRAFT}.{closing}{ANSWER}")
    assert (parsed.labels, parsed.issues) == (("cat",), AROUND)
    cut_off = get_format("qwen3_vl").parse(f"{opening}I see {DRAFT}.")
    assert (cut_off.labels, cut_off.issues) == ((), UNCLOSED)


@pytest.mark.parametrize(
    ("heading", "closing"),
    [
        ("Thinking:\n", "\n\nAnswer:\n"),
        ("Thinking Process:\n1. ", "\n\nFinal answer: "),
        ("**Reasoning:**\n", "\n\n**Answer:**\n"),
        ("**Reasoning**\n", "\n\n**Final Answer**\n"),
        ("### Thought\n", "\n### Result\n"),
        ("Analysis: ", "\nOutput: "),
        ("思考：", "\n\n答案："),
        ("思考过程:\n", "\n最终答案:"),
        ("Reasoning: ", ".\n\n"),
    ],
    ids=repr,
)
def test_drafts_under_a_heading_are_not_read(heading: str, closing: str) -> None:
    for answer in (ANSWER, f"```json\n{ANSWER}\n```"):
        text = f"{heading}I see {DRAFT}{closing}{answer}"
        parsed = get_format("qwen3_vl").parse(text)
        assert (parsed.labels, parsed.issues) == (("cat",), AROUND)
        assert "no_reasoning" in get_format("qwen3_vl", reasoning="think").parse(text).issues


@pytest.mark.parametrize(
    "text",
    [
        "cat: [1, 2, 3, 4]\ndog: [5, 6, 7, 8]",
        "Reasoning: two animals.\ncat: [1, 2, 3, 4]\ndog: [5, 6, 7, 8]",
        "Thinking:\ncat: [1, 2, 3, 4]\ndog: [5, 6, 7, 8]\nThat is all.",
    ],
    ids=["no heading", "one by one", "text after them"],
)
def test_boxes_named_one_by_one_are_all_read(text: str) -> None:
    assert get_format("qwen3_vl").parse(text).labels == ("cat", "dog")


def test_nothing_after_the_heading_of_an_answer() -> None:
    parsed = get_format("qwen3_vl").parse(f"Thinking:\n{DRAFT}\nAnswer:")
    assert (parsed.labels, parsed.issues) == ((), AROUND)
    assert get_format("qwen3_vl").parse("Thinking: no cats.\nAnswer: none").labels == ()
