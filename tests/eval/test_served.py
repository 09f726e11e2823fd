"""Answers of inference servers with a reasoning parser, through the whole reading."""

from typing import Any

import pytest

from mmdet_eval.answers.answer import Answer
from mmdet_eval.answers.coco_results import Converted, to_coco_results
from mmdet_eval.coco.annotations import Image
from swift_plugin_visionr1 import Settings, model_io
from swift_plugin_visionr1.models.chat import ChatOptions

JSON = '[{"bbox_2d": [100, 200, 500, 700], "label": "cat"}]'
TAGGED = f"<|begin_of_box|>{JSON}<|end_of_box|>"
THINKING = ChatOptions(enable_thinking=True)


def read(text: str, model_type: str, **more: Any) -> Converted:
    answer = Answer(Image(1, "1.jpg", (640, 480)), text, line=1, **{"truncated": False, **more})
    io = model_io(Settings(), model_type, chat=THINKING)
    return to_coco_results([answer], io, {1: "cat"}, 1)


@pytest.mark.parametrize(
    ("text", "model_type"),
    [
        pytest.param(JSON, "qwen3_vl", id="no reasoning"),
        pytest.param(f"\n\n{JSON}", "qwen3_5", id="space that the parser left"),
        pytest.param(f"<think>So.</think>{JSON}", "qwen3_vl", id="a server without parser"),
        pytest.param(f"So.</think>{JSON}", "qwen3_vl", id="begun in the prompt"),
        pytest.param(TAGGED, "glm4v_moe", id="GLM's tags"),
        pytest.param(JSON, "glm4v_moe", id="GLM's tags taken out as special tokens"),
        pytest.param(f"<answer>{TAGGED}</answer>", "glm4v", id="GLM-4.1V's answer tags"),
        pytest.param(TAGGED, "glm4v", id="GLM-4.1V's answer tags taken out"),
    ],
)
def test_what_a_server_takes_out_is_not_missed(text: str, model_type: str) -> None:
    found = read(text, model_type, served=True)
    assert (found.counts.boxes_kept, found.counts.broken_format, found.warnings) == (1, 0, ())


@pytest.mark.parametrize("nothing", ["[]", "<|begin_of_box|>[]<|end_of_box|>"])
def test_glms_empty_answer_from_a_server(nothing: str) -> None:
    found = read(nothing, "glm4v_moe", served=True)
    assert (found.counts.broken_format, found.counts.unparsed) == (0, 0)


def test_what_ms_swift_hands_on_is_whole_so_what_lacks_is_missed() -> None:
    assert read(JSON, "qwen3_vl").answers[0].issues == ("no_reasoning",)
    assert "no_tags" in read(JSON, "glm4v_moe").answers[0].issues


@pytest.mark.parametrize(
    ("reasoning", "truncated", "boxes"),
    [
        pytest.param(JSON, False, 1, id="the answer itself"),
        pytest.param(f"It sits left.</think>\n{JSON}", False, 1, id="with reasoning before it"),
        pytest.param("[]", False, 0, id="that there is nothing"),
    ],
)
def test_an_answer_in_the_field_of_reasoning_is_read_and_told(
    reasoning: str, truncated: bool, boxes: int
) -> None:
    found = read(" ", "qwen3_vl", reasoning=reasoning, truncated=truncated, served=True)
    assert (found.counts.boxes_kept, found.counts.broken_format) == (boxes, 0)
    assert found.answers[0].answer.text == reasoning
    assert len(found.warnings) == 1


@pytest.mark.parametrize(
    ("reasoning", "truncated"),
    [
        pytest.param(f"Perhaps {JSON}, or lower?", False, id="drafts"),
        pytest.param(JSON, True, id="cut off"),
    ],
)
def test_reasoning_is_not_read_and_said_to_be_there(reasoning: str, truncated: bool) -> None:
    found = read("", "qwen3_vl", reasoning=reasoning, truncated=truncated, served=True)
    assert (found.counts.boxes_read, found.counts.unparsed) == (0, 1)
    assert any("reasoning field" in warning for warning in found.warnings)


def test_an_answer_with_content_keeps_it() -> None:
    found = read("[]", "qwen3_vl", reasoning=JSON, served=True)
    assert (found.counts.boxes_read, found.warnings) == (0, ())


def test_answers_without_any_text_are_told() -> None:
    (warning,) = read(" ", "qwen3_vl", served=True).warnings
    assert "1 of 1 (100%) answers are empty" in warning
    assert read("There is no cat.", "qwen3_vl", served=True).warnings == ()
