"""Whether a run that resumes from a checkpoint has its weights."""

from pathlib import Path
from typing import Any

from ..errors import SettingsError


def check_resumed(trainer: Any) -> None:
    """Refuse to resume from a checkpoint whose weights the trainer has skipped.

    Several models (Qwen2-VL and Qwen2.5-VL among them) are saved under the names of their published
    form, which are not those in memory. `transformers.Trainer._load_from_checkpoint` loads by name
    and passes over what it does not know, so that the weights stay the base model's and only step
    and optimizer are the checkpoint's. DeepSpeed, FSDP and adapters have files of their own; a
    model that is itself loaded from the checkpoint has its names translated.

    Args:
        trainer: ms-swift's, of the transformers kind, when training begins.

    Raises:
        SettingsError: the checkpoint has weights under names that the model does not know.
    """
    folder = trainer.args.resume_from_checkpoint
    if not folder or trainer.is_deepspeed_enabled or trainer.is_fsdp_enabled:
        return
    if Path(trainer.model.model_dir).resolve() == Path(folder).resolve():
        return
    unknown = _weight_names(Path(folder)) - trainer.model.state_dict().keys()
    if unknown:
        raise SettingsError(
            f"expected {folder} to hold weights under the model's own names, got {min(unknown)} "
            f"and {len(unknown) - 1} more that transformers' Trainer skips, so that training would "
            f"go on from the base model's: add --model {folder} "
            f"--ref_model {trainer.model.model_dir} to --resume_from_checkpoint"
        )


def _weight_names(folder: Path) -> set[str]:
    """The names of the tensors in model.safetensors or its shards; empty for an adapter's
    checkpoint."""
    from safetensors import safe_open

    names: set[str] = set()
    for file in folder.glob("model*.safetensors"):
        with safe_open(file, "numpy") as tensors:
            names |= set(tensors.keys())
    return names
