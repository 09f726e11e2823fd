"""The doctor tells an engine whose prompts are not the trainer's: ms-swift's engines on the small
model, with faults planted in the engine."""

from collections.abc import Callable
from copy import copy
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("swift", reason="needs the extra `swift`")

import torch
from swift.infer_engine import TransformersEngine

from swift_plugin_visionr1 import PRESETS
from swift_plugin_visionr1.doctor import rollouts
from swift_plugin_visionr1.doctor.cases import Whole, cases_of, chosen_cases, seen_as
from swift_plugin_visionr1.doctor.findings import Finding
from swift_plugin_visionr1.doctor.model import TrainedModel, find_model
from swift_plugin_visionr1.doctor.rollouts import compare_engines
from swift_plugin_visionr1.doctor.rows import read_row
from swift_plugin_visionr1.doctor.sampling import open_engine, open_template
from swift_plugin_visionr1.recipes.training_command import Recipe

from .conftest import Row

FEWER = "9408"  # pixels: 12 visual tokens, where the scenes have 16


@pytest.fixture(scope="module")
def recipe(checkpoint: Path) -> Recipe:
    options = {
        "model": str(checkpoint),
        "model_type": "qwen2_5_vl",
        "template": "qwen2_5_vl_pruned",
        "torch_dtype": "float32",
        "external_plugins": str(checkpoint.parent / "pruned_template.py"),
        "vllm_max_model_len": "1024",
        "vllm_enforce_eager": "true",
        "vllm_gpu_memory_utilization": "0.2",
    }
    return Recipe(None, {name: (value,) for name, value in options.items()}, {}, {})


def with_option(recipe: Recipe, name: str, value: str) -> Recipe:
    return replace(recipe, options={**recipe.options, name: (value,)})


@pytest.fixture(scope="module")
def model(recipe: Recipe) -> TrainedModel:
    return find_model(recipe, PRESETS["paper"])[0]


@pytest.fixture(scope="module")
def trainer(recipe: Recipe, model: TrainedModel) -> Any:
    return open_engine(recipe, model, 8)


@pytest.fixture(scope="module")
def cases(rows: list[Row], model: TrainedModel) -> list[Whole]:
    read = [read_row(row, f"row {number}") for number, row in enumerate(rows, start=1)]
    return chosen_cases(cases_of(read, seen_as(model.io), None), 2)


Compare = Callable[..., tuple[list[Finding], float]]


@pytest.fixture
def compare(
    recipe: Recipe,
    model: TrainedModel,
    trainer: Any,
    cases: list[Whole],
    monkeypatch: pytest.MonkeyPatch,
) -> Compare:
    """`compare(engine)` with an engine of ms-swift, or `compare(name)`."""

    monkeypatch.setattr(rollouts, "TOKENS", 16)  # which take seconds on a CPU

    def run(engine: Any) -> tuple[list[Finding], float]:
        torch.manual_seed(0)
        if isinstance(engine, str):
            findings, numbers = compare_engines(engine, recipe, model, trainer, cases)
        else:
            monkeypatch.setattr(rollouts, "open_sampler", lambda *_: engine)
            findings, numbers = compare_engines("vllm", recipe, model, trainer, cases)
        return findings, numbers["logprob_distance"]

    return run


def planted(template: Any, **changed: Any) -> Any:
    """The template with other parts."""
    template.template_meta = copy(template.template_meta)
    for name, value in changed.items():
        setattr(template.template_meta, name, value)
    return template


def pixels(recipe: Recipe, processor: Any) -> Any:
    return open_template(with_option(recipe, "max_pixels", FEWER), processor)


def system(recipe: Recipe, processor: Any) -> Any:
    return open_template(with_option(recipe, "system", "Answer in JSON."), processor)


def turns(recipe: Recipe, processor: Any) -> Any:
    parts = {"prompt": ["USER: {{QUERY}} ASSISTANT:"], "system_prefix": ["{{SYSTEM}} "]}
    return planted(open_template(recipe, processor), **parts)


def special(recipe: Recipe, processor: Any) -> Any:
    before = ["<|endoftext|><|im_start|>system\n{{SYSTEM}}<|im_end|>\n"]
    return planted(open_template(recipe, processor), system_prefix=before)


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        pytest.param(pixels, "resize", id="another max_pixels"),
        pytest.param(system, "system_prompt", id="another system prompt"),
        pytest.param(turns, "chat_template", id="another template"),
        pytest.param(special, "special_tokens", id="a special token more"),
    ],
)
def test_what_differs_is_named(
    compare: Compare, trainer: Any, recipe: Recipe, fault: Callable, code: str
) -> None:
    template = fault(recipe, trainer.processor)
    findings, distance = compare(
        TransformersEngine(trainer.model, template=template, max_batch_size=8)
    )
    assert [one.code for one in findings if one.state == "problem"] == [code]
    assert "2 of 2 prompts" in findings[0].text
    assert distance > 0.001


def test_the_trainers_own_engine_is_trusted(compare: Compare) -> None:
    findings, distance = compare("transformers")
    assert [(one.state, one.code) for one in findings] == [("ok", "trust")]
    assert distance < 1e-4


def test_another_dtype_is_no_alarm(compare: Compare, recipe: Recipe, model: TrainedModel) -> None:
    engine = open_engine(with_option(recipe, "torch_dtype", "bfloat16"), model, 8)
    findings, distance = compare(engine)
    assert [one.code for one in findings] == ["trust"]
    assert distance > 1e-4


def test_other_weights_are_named(compare: Compare, recipe: Recipe, model: TrainedModel) -> None:
    engine = open_engine(recipe, model, 8)
    with torch.no_grad():
        engine.model.model.language_model.layers[0].mlp.down_proj.weight.zero_()
    findings, _ = compare(engine)
    assert [(one.state, one.code) for one in findings] == [("warning", "logprobs")]
