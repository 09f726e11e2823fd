"""Answers of OpenAI-style servers: every shape, log-probabilities, reasoning."""

from typing import Any

import pytest

from mmdet_eval import (
    Annotations,
    Converted,
    InputError,
    read_predictions,
    read_rows,
)

from .readers import Write

CHAT = {"index": 0, "message": {"role": "assistant", "content": "[]"}, "finish_reason": "length"}


@pytest.mark.parametrize(
    ("data", "text", "request_id"),
    [
        pytest.param({"id": "chatcmpl-1", "choices": [CHAT]}, "[]", "chatcmpl-1", id="chat"),
        pytest.param(
            {"id": 7, "choices": [{"text": "[]", "finish_reason": "length"}]},
            "[]",
            "7",
            id="completion",
        ),
        pytest.param({"image_id": 3, "choices": [CHAT]}, "[]", None, id="image_id"),
        pytest.param(
            {
                "id": "vllm-1",
                "custom_id": "3",
                "error": None,
                "response": {"status_code": 200, "body": {"id": "chatcmpl-1", "choices": [CHAT]}},
            },
            "[]",
            "3",
            id="batch",
        ),
        pytest.param(
            {
                "choices": [
                    {
                        "message": {
                            "content": [
                                {"type": "text", "text": "["},
                                {"type": "text", "text": "]"},
                            ]
                        },
                        "finish_reason": "length",
                    }
                ]
            },
            "[]",
            None,
            id="parts",
        ),
        pytest.param(
            {"choices": [{"message": {"content": None}, "finish_reason": "length"}]},
            "",
            None,
            id="null",
        ),
    ],
)
def test_openai(write: Write, data: dict[str, Any], text: str, request_id: str | None) -> None:
    (row,) = read_rows(write("answers.jsonl", [data]))
    assert (row.text, row.request, row.truncated) == (text, request_id, True)


@pytest.mark.parametrize(
    "logprobs",
    [
        pytest.param(
            {"content": [{"token": "a", "logprob": -1.0}, {"token": "b", "logprob": -2}]}, id="chat"
        ),
        pytest.param(
            {"tokens": ["a", "b"], "token_logprobs": [-1.0, -2.0], "text_offset": [0, 1]},
            id="completion",
        ),
    ],
)
def test_openai_logprobs(write: Write, logprobs: dict[str, Any]) -> None:
    (row,) = read_rows(write("answers.jsonl", [{"choices": [CHAT | {"logprobs": logprobs}]}]))
    assert [(token.text, token.logprob) for token in row.tokens or ()] == [("a", -1.0), ("b", -2.0)]


@pytest.mark.parametrize(
    ("data", "message"),
    [
        pytest.param({"choices": []}, 'exactly one answer in "choices", got 0 of them', id="none"),
        pytest.param({"choices": [CHAT, CHAT]}, "got 2 of them: ask again with n=1", id="two"),
        pytest.param({"choices": [{"finish_reason": "stop"}]}, "message.content", id="no-text"),
        pytest.param(
            {"custom_id": "3", "response": None, "error": {"message": "too long"}},
            "too long",
            id="failed",
        ),
        pytest.param(
            {
                "custom_id": "3",
                "response": {"status_code": 500, "body": {"error": {"message": "oops"}}},
            },
            "oops",
            id="500",
        ),
        pytest.param({"custom_id": "3", "candidates": []}, "got only candidates", id="Gemini's"),
        pytest.param({"images": ["3.jpg"], "response": None}, '"response", got null', id="null"),
    ],
)
def test_openai_rows_without_one_answer_are_refused(
    write: Write, data: dict[str, Any], message: str
) -> None:
    with pytest.raises(InputError, match=f"line 1.*{message}"):
        read_rows(write("answers.jsonl", [data]))


THOUGHTS = "Two cats?"


TYPED = [{"type": "thinking", "thinking": [{"type": "text", "text": THOUGHTS}]}]


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(
            {"choices": [{"message": {"content": "[]", "reasoning_content": THOUGHTS}}]},
            id="vLLM, SGLang, DeepSeek",
        ),
        pytest.param(
            {
                "choices": [
                    {
                        "message": {
                            "content": "[]",
                            "reasoning_content": THOUGHTS,
                            "reasoning": THOUGHTS,
                        }
                    }
                ]
            },
            id="both names of newer vLLM",
        ),
        pytest.param(
            {
                "custom_id": "3",
                "response": {
                    "body": {
                        "choices": [
                            {"message": {"content": [*TYPED, {"type": "text", "text": "[]"}]}}
                        ]
                    }
                },
            },
            id="typed parts in a batch",
        ),
        pytest.param(
            {
                "choices": [
                    {
                        "message": {
                            "content": [
                                {"type": "reasoning", "text": THOUGHTS},
                                {"type": "text", "text": "[]"},
                            ]
                        }
                    }
                ]
            },
            id="a part of reasoning with text",
        ),
        pytest.param(
            {
                "object": "response",
                "status": "completed",
                "reasoning": {"effort": "high", "summary": "detailed"},
                "output": [
                    {"type": "reasoning", "summary": [{"type": "summary_text", "text": THOUGHTS}]},
                    {"type": "message", "content": [{"type": "output_text", "text": "[]"}]},
                ],
            },
            id="responses API",
        ),
        pytest.param(
            {
                "message": {"role": "assistant", "content": "[]", "thinking": THOUGHTS},
                "done_reason": "stop",
            },
            id="Ollama's chat",
        ),
        pytest.param(
            {"response": "[]", "thinking": THOUGHTS, "done_reason": "stop"}, id="Ollama's generate"
        ),
        pytest.param({"response": "[]", "reasoning_content": THOUGHTS}, id="a row of one's own"),
    ],
)
@pytest.mark.parametrize("kind", ["answers.jsonl", "answers.json"])
def test_reasoning_of_a_server_is_no_part_of_the_answer(
    write: Write, annotations: Annotations, kind: str, data: dict[str, Any]
) -> None:
    content: Any = [data] if kind.endswith("l") else [data, data]
    rows = read_predictions(write(kind, content), annotations)
    assert not isinstance(rows, Converted)
    row = rows[0]
    assert (row.text, row.reasoning, row.served, row.truncated) == ("[]", THOUGHTS, True, False)


@pytest.mark.parametrize(
    "data",
    [
        pytest.param({"message": {"content": "["}, "done_reason": "length"}, id="Ollama's chat"),
        pytest.param({"response": "[", "done_reason": "length"}, id="Ollama's generate"),
        pytest.param(
            {
                "output": [{"type": "message", "content": [{"type": "output_text", "text": "["}]}],
                "incomplete_details": {"reason": "max_output_tokens"},
            },
            id="responses API",
        ),
    ],
)
def test_an_answer_that_a_server_cut_off(write: Write, data: dict[str, Any]) -> None:
    (row,) = read_rows(write("answers.jsonl", [data]))
    assert (row.text, row.truncated) == ("[", True)


def test_probabilities_of_the_responses_api(write: Write) -> None:
    part = {
        "type": "output_text",
        "text": "[]",
        "logprobs": [{"token": "[", "logprob": -1.0}, {"token": "]", "logprob": -2.0}],
    }
    output = [{"type": "reasoning"}, {"type": "message", "content": [part]}]
    (row,) = read_rows(write("answers.jsonl", [{"output": output}]))
    assert [(token.text, token.logprob) for token in row.tokens or ()] == [("[", -1.0), ("]", -2.0)]
