"""The doctor tells an engine whose prompts are not the trainer's: transformers' engine on the small
model (vLLM and servers: test_vllm_trust.py)."""

from dataclasses import replace
from pathlib import Path

import pytest

pytest.importorskip("swift", reason="needs the extra `swift`")

import torch
from swift.infer_engine import InferRequest

from swift_plugin_visionr1.doctor.checks.trust import trust_findings
from swift_plugin_visionr1.doctor.rollouts import compare_engines, find_words, pair_up
from swift_plugin_visionr1.doctor.sampling import open_engine
from swift_plugin_visionr1.doctor.server import in_openai_form

from .conftest import Row, free_port
from .trusting import FAULTS, Trainer, open_trainer, with_options


@pytest.fixture(scope="module")
def trainer(checkpoint: Path, rows: list[Row]) -> Trainer:
    return open_trainer(checkpoint, rows)


@pytest.mark.parametrize("code", FAULTS)
def test_what_differs_is_named(trainer: Trainer, code: str) -> None:
    findings, distance = trainer.with_options(**FAULTS[code]).compared_with(trainer.engine)
    assert [one.code for one in findings if one.state == "problem"] == [code]
    assert "2 of 2 prompts" in findings[0].text
    assert distance > 0.001


def test_the_trainers_own_engine_is_trusted(trainer: Trainer) -> None:
    findings, distance = trainer.compared_with(trainer.engine)
    assert [(one.state, one.code) for one in findings] == [("ok", "trust")]
    assert distance < 1e-4


def test_another_dtype_is_no_alarm(trainer: Trainer) -> None:
    recipe = with_options(trainer.recipe, torch_dtype="bfloat16")
    findings, distance = trainer.compared_with(open_engine(recipe, trainer.model, 8))
    assert [one.code for one in findings] == ["trust"]
    assert distance > 1e-4


def test_other_weights_are_named(trainer: Trainer) -> None:
    engine = open_engine(trainer.recipe, trainer.model, 8)
    with torch.no_grad():
        engine.model.model.language_model.layers[0].mlp.down_proj.weight.zero_()
    findings, _ = trainer.compared_with(engine)
    assert [(one.state, one.code) for one in findings] == [("warning", "logprobs")]


def test_an_engine_that_cannot_be_asked_is_not_the_models_fault(trainer: Trainer) -> None:
    address = f"http://127.0.0.1:{free_port()}"
    findings, numbers = compare_engines(
        address, trainer.recipe, trainer.model, trainer.engine, trainer.cases
    )
    assert [(one.state, one.code) for one in findings] == [("problem", "engine_fails")]
    assert address in findings[0].text
    assert numbers == {"engine": address, "logprob_distance": None}


@pytest.mark.parametrize("content", ["", None])
def test_a_server_that_tells_lengths_only_may_answer_nothing(
    trainer: Trainer, content: str | None
) -> None:
    alone = replace(trainer, cases=trainer.cases[:1])
    pairs = pair_up(
        [{"choices": [{"message": {"content": content}}], "usage": {"prompt_tokens": 5}}],
        alone.engine,
        alone.recipe,
        alone.cases,
    )
    findings = trust_findings("it", pairs, find_words(trainer.engine.tokenizer))
    assert [one.code for one in findings] == ["prompt_length", "trust"]


@pytest.mark.parametrize(
    "texts",
    [
        pytest.param(["<image>Where?"], id="first"),
        pytest.param(["Look: <image>\nWhere?"], id="in the middle"),
        pytest.param(["Where?"], id="without a tag"),
        pytest.param(["<image>Where?", "Here.", "And now?"], id="second turn"),
        pytest.param(["Hi", "Hello.", "<image>Where?"], id="in the second turn"),
    ],
)
def test_a_server_is_asked_the_same(trainer: Trainer, rows: list[Row], texts: list[str]) -> None:
    """In OpenAI's form, which every server understands."""
    roles = ["user", "assistant", "user"]
    turns = [{"role": role, "content": text} for role, text in zip(roles, texts, strict=False)]
    messages = [{"role": "system", "content": "Be kind."}, *turns]
    images = list(rows[0]["images"])
    asked = in_openai_form(messages, images)
    assert str(images[0]) not in str(asked)  # but its bytes
    usual, openai = (
        trainer.engine.template.encode(request)
        for request in (InferRequest(messages, images=images), InferRequest(asked))
    )
    assert openai["input_ids"] == usual["input_ids"]
    assert torch.equal(openai["pixel_values"], usual["pixel_values"])
