"""What this room touches inside ms-swift, piece by piece, and what is lost without each.

ms-swift promises none of it to plugins, so a new version may lack a piece. Then a run says so in a
sentence, and does what it can.

    python -m swift_plugin_visionr1.ms_swift.pieces     checks the installed ms-swift
"""

import inspect
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from typing import Any

from ..console import say

CHECKED = "4.6.0"  # the version that the tests run with
GRPO = "swift.rlhf_trainers.grpo_trainer"
MEGATRON = "swift.megatron.trainers.grpo_trainer"
RAY = "swift.ray.megatron.grpo_trainer"
ELSEWHERE = ("swift.megatron", "swift.ray")  # need packages of their own, so only looked at if used


@dataclass(frozen=True)
class SwiftPiece:
    """A piece of ms-swift.

    Attributes:
        module: where it is.
        name: a name in it, `Class.method`, or `function(parameter)`.
        used_by: our file.
        lost: what does not work without it, and what to do.
    """

    module: str
    name: str
    used_by: str
    lost: str

    def is_in(self, module: Any) -> bool:
        """Whether the module has it."""
        path, _, parameter = self.name.removesuffix(")").partition("(")
        place = module
        for part in path.split("."):
            place = getattr(place, part, None)
        if place is None or not parameter:
            return place is not None
        return parameter in inspect.signature(place).parameters


NO_RUN = (
    "rewards cannot see the run that they belong to: its rows are not checked before the first "
    "step, its settings are not kept for `explain`, and the model's type has to be in the settings "
    "(`model_type`)"
)
PIECES = (
    SwiftPiece(
        "swift.rewards.orm",
        "orms",
        "rewards.py",
        "the reward vision_r1 is missing: use a version that docs/ms_swift_versions.md names",
    ),
    SwiftPiece("swift.rewards.orm", "ORM", "rewards.py", "the reward vision_r1 is missing"),
    SwiftPiece(
        "swift.rl_core.grpo_algorithm",
        "compute_rewards_per_func(trainer_state)",
        "rewards.py, run_context.py",
        "rewards are not told the step, so the stage cannot follow it: set `fixed_stage: beginner` "
        "or `advanced` in the settings, or `schedule: adaptive`, which needs no step",
    ),
    SwiftPiece(
        "swift.callbacks.mapping",
        "callbacks_map",
        "callback.py, register.py",
        "the callbacks vision_r1 and vision_r1_eval are missing: leave --callbacks out; rewards "
        "work, but vision_r1/* is not logged, and the run warns of nothing",
    ),
    SwiftPiece(
        "swift.callbacks.base",
        "TrainerCallback",
        "callback.py",
        "the callback vision_r1 is missing: leave --callbacks out",
    ),
    SwiftPiece(GRPO, "GRPOTrainer._prepare_rewards", "hooks.py, run_context.py", NO_RUN),
    SwiftPiece(
        GRPO,
        "GRPOTrainer._log_rollout",
        "hooks.py",
        "completions.jsonl has no column task: name the data set of a mixed run with "
        "`vision-r1 score --dataset`",
    ),
    SwiftPiece(
        GRPO,
        "GRPOTrainer._gather_and_flatten",
        "hooks.py",
        "completions.jsonl has no column task: name the data set of a mixed run with "
        "`vision-r1 score --dataset`",
    ),
    SwiftPiece(
        "swift.arguments.base_args.base_args",
        "BaseArguments.load_dataset",
        "hooks.py",
        "data sets cannot tell that they are for vision_r1: published data sets are not converted, "
        "and rows that ms-swift drops are not named; convert them with `vision-r1 prepare`",
    ),
    SwiftPiece(
        "swift.dataset.loader",
        "DatasetLoader.load",
        "hooks.py, dataset_refusal.py",
        "files that are not data sets are not refused, and rows are not named by their file; run "
        "`vision-r1 doctor` first",
    ),
    SwiftPiece(
        "swift.dataset.preprocessor.core",
        "AutoPreprocessor._get_preprocessor",
        "dataset_hook.py, dropped_rows.py",
        "published data sets are not converted, and rows that ms-swift drops are not named: "
        "convert them with `vision-r1 prepare`, and run `vision-r1 doctor` first",
    ),
    SwiftPiece(
        "swift.dataset.preprocessor.core",
        "MessagesPreprocessor",
        "dataset_hook.py",
        "published data sets are not converted: convert them with `vision-r1 prepare`",
    ),
    SwiftPiece(
        "swift.template.vision_utils",
        "load_image",
        "rollout_pictures.py",
        "no pictures are logged, and the callback does not load: set `pictures: 0` and leave "
        "--callbacks out",
    ),
    SwiftPiece(
        "swift.model",
        "register_model",
        "griffon_g.py",
        "the model type griffon_g is missing; all others work",
    ),
    SwiftPiece(
        "swift.template",
        "register_template",
        "griffon_g.py",
        "the model type griffon_g is missing; all others work",
    ),
    SwiftPiece(
        "swift.utils",
        "import_external_file",
        "plugin.py",
        "--external_plugins does not load plugin.py; the automatic registration still works",
    ),
    SwiftPiece(
        GRPO,
        "GRPOTrainer._generate_completions",
        "during_training/callback.py",
        "the callback vision_r1_eval cannot ask the model: leave it out, and evaluate checkpoints "
        "with `mmdet-eval run`",
    ),
    SwiftPiece(
        GRPO,
        "GRPOTrainer.to_samples",
        "during_training/callback.py",
        "the callback vision_r1_eval cannot ask the model: leave it out, and evaluate checkpoints "
        "with `mmdet-eval run`",
    ),
    SwiftPiece(MEGATRON, "MegatronGRPOTrainer._prepare_rewards", "hooks.py", NO_RUN),
    SwiftPiece(
        MEGATRON,
        "MegatronGRPOTrainer.train",
        "hooks.py",
        "the rows of a Megatron run are not checked before the first step: run `vision-r1 doctor`",
    ),
    SwiftPiece(
        "swift.megatron.callbacks.mapping",
        "megatron_callbacks_map",
        "megatron_callback.py",
        "the callback vision_r1 for Megatron is missing: leave --callbacks out",
    ),
    SwiftPiece(RAY, "GRPOTrainer._prepare_rewards", "hooks.py", NO_RUN),
)


def lacking(
    pieces: Sequence[SwiftPiece] = PIECES, module: str | None = None, load: bool = True
) -> list[SwiftPiece]:
    """The pieces that the installed ms-swift does not have.

    Args:
        pieces: to look for; Megatron's and Ray's only where they are imported already.
        module: only the pieces of this one.
        load: whether modules are imported for it; if not, those that are not imported yet only have
            to exist.
    """
    looked_at = [
        piece
        for piece in pieces
        if module in (None, piece.module)
        and (piece.module in sys.modules or not piece.module.startswith(ELSEWHERE))
    ]
    return [piece for piece in looked_at if not _has(piece, load)]


def _has(piece: SwiftPiece, load: bool) -> bool:
    try:
        if load or piece.module in sys.modules:
            return piece.is_in(import_module(piece.module))
        return find_spec(piece.module) is not None
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] == "swift":
            return False
        raise


def tells_step() -> bool:
    """Whether ms-swift hands rewards the trainer's state."""
    return not lacking([piece for piece in PIECES if "trainer_state" in piece.name], load=False)


def sentence(piece: SwiftPiece) -> str:
    """What is missing, and what that means."""
    return (
        f"Vision-R1: ms-swift {installed()} has no {piece.name} in {piece.module}, which "
        f"{piece.used_by} uses (checked with {CHECKED}): {piece.lost}"
    )


def installed() -> str:
    """The version of ms-swift."""
    try:
        return version("ms-swift")
    except PackageNotFoundError:
        return "(of unknown version)"


def main() -> int:
    """Say what is missing; 1 if something is."""
    missing = lacking()
    for piece in missing:
        say(sentence(piece))
    count = sum(not piece.module.startswith(ELSEWHERE) for piece in PIECES)
    if not missing:
        say(f"ms-swift {installed()} has all {count} pieces that the plugin uses in every run")
    return int(bool(missing))


if __name__ == "__main__":
    sys.exit(main())
