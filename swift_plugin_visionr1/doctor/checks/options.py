"""Names of options: ms-swift stops at an unknown one, which the doctor would otherwise ignore.

Only ms-swift itself has the full list of names, and importing it takes long. So a name counts as
misspelt if it is nearly one of those that matter here.
"""

import difflib

from ...recipes.training_command import Recipe
from ..findings import Finding, problem

NEAR = 0.85  # of difflib's ratio
NAMES = (
    "adapters",
    "beta",
    "callbacks",
    "columns",
    "dataset",
    "deepspeed",
    "enable_thinking",
    "eval_dataset",
    "external_plugins",
    "freeze_vit",
    "gradient_accumulation_steps",
    "learning_rate",
    "log_completions",
    "logging_steps",
    "lr_scheduler_type",
    "max_completion_length",
    "max_length",
    "max_pixels",
    "max_steps",
    "model",
    "model_kwargs",
    "model_type",
    "num_generations",
    "num_generations_eval",
    "num_train_epochs",
    "output_dir",
    "per_device_eval_batch_size",
    "per_device_train_batch_size",
    "repetition_max_penalty",
    "repetition_penalty",
    "response_prefix",
    "reward_funcs",
    "reward_weights",
    "rlhf_type",
    "save_steps",
    "strict",
    "system",
    "temperature",
    "template",
    "top_k",
    "top_p",
    "torch_dtype",
    "tuner_type",
    "use_hf",
    "use_vllm",
    "val_dataset",
    "vllm_mode",
    "warmup_ratio",
)


def option_findings(recipe: Recipe) -> list[Finding]:
    """Options whose names are nearly, but not quite, those of options that matter."""
    findings = []
    for name in recipe.options:
        near = difflib.get_close_matches(name, NAMES, n=1, cutoff=NEAR)
        if name not in NAMES and near:
            findings.append(
                problem("unknown_option", f"unknown option {name!r}; did you mean {near[0]!r}?")
            )
    return findings
