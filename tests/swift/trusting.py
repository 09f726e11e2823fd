"""The small model as the doctor opens it to train, and what may differ from the engine beside
it."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch

from swift_plugin_visionr1 import PRESETS
from swift_plugin_visionr1.doctor.cases import Whole, cases_of, chosen_cases, seen_as
from swift_plugin_visionr1.doctor.checks.trust import trust_findings
from swift_plugin_visionr1.doctor.findings import Finding
from swift_plugin_visionr1.doctor.model import TrainedModel, find_model
from swift_plugin_visionr1.doctor.rollouts import ask, find_words, mean_distance, pair_up
from swift_plugin_visionr1.doctor.rows import read_row
from swift_plugin_visionr1.doctor.sampling import open_engine
from swift_plugin_visionr1.recipes.training_command import Recipe

FAULTS = {  # options that differ between the two sides, by what the doctor is to call it
    "resize": {"max_pixels": "9408"},  # 12 visual tokens, where the scenes have 16
    "system_prompt": {"system": "Answer in JSON."},
    "chat_template": {"template": "other_turns"},
    "special_tokens": {"template": "one_token_more"},
}


@dataclass(frozen=True)
class Trainer:
    """What `vision-r1 doctor --sample` opens."""

    recipe: Recipe
    model: TrainedModel
    engine: Any
    cases: list[Whole]

    def with_options(self, **options: str) -> "Trainer":
        """The same network, asked otherwise."""
        return replace(self, recipe=with_options(self.recipe, **options))

    def compared_with(self, sampler: Any) -> tuple[list[Finding], float | None]:
        """Findings, and how far the log-probabilities are apart."""
        torch.manual_seed(0)
        answers = ask(sampler, self.cases, 16)  # tokens, which take seconds on a CPU
        pairs = pair_up(answers, self.engine, self.recipe, self.cases)
        findings = trust_findings("it", pairs, find_words(self.engine.tokenizer))
        return findings, mean_distance(pairs)


def small_recipe(checkpoint: Path, **options: str) -> Recipe:
    options = {
        "model": str(checkpoint),
        "model_type": "qwen2_5_vl",
        "template": "qwen2_5_vl_pruned",
        "torch_dtype": "float32",
        "external_plugins": str(checkpoint.parent / "pruned_template.py"),
        "vllm_max_model_len": "1024",
        "vllm_enforce_eager": "true",
        "vllm_gpu_memory_utilization": "0.2",
    } | options
    return Recipe(None, {name: (value,) for name, value in options.items()}, {}, {})


def open_trainer(checkpoint: Path, rows: list[dict], **options: str) -> Trainer:
    recipe = small_recipe(checkpoint, **options)
    model = find_model(recipe, PRESETS["paper"])[0]
    read = [read_row(row, f"row {number}") for number, row in enumerate(rows, start=1)]
    cases = chosen_cases(cases_of(read, seen_as(model.io), None), 2)
    engine = open_engine(recipe, model, 8)
    _register_other_templates()
    return Trainer(recipe, model, engine, cases)


def with_options(recipe: Recipe, **options: str) -> Recipe:
    words = {name: (value,) for name, value in options.items()}
    return replace(recipe, options={**recipe.options, **words})


def _register_other_templates() -> None:
    """Two like the small model's, with other turns and with a special token more."""
    from swift.template import TEMPLATE_MAPPING, register_template

    usual = TEMPLATE_MAPPING["qwen2_5_vl_pruned"]
    changes = {
        "other_turns": {
            "prompt": ["USER: {{QUERY}} ASSISTANT:"],
            "system_prefix": ["{{SYSTEM}} "],
        },
        "one_token_more": {
            "system_prefix": ["<|endoftext|><|im_start|>system\n{{SYSTEM}}<|im_end|>\n"]
        },
    }
    for name, changed in changes.items():
        register_template(replace(usual, template_type=name, **changed), exist_ok=True)
