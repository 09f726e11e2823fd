"""For `--external_plugins`: random weights made on the device, and measurements inside the training
process. `measure.py` starts it.

A model of random weights writes noise to the greatest length, which costs what an answer of that
length costs. The rewards would have nothing to read in it, so they get the row's `likely` answers.
"""

import json
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from swift.callbacks.base import TrainerCallback
from swift.callbacks.mapping import callbacks_map
from swift.rewards.orm import orms
from transformers import PreTrainedModel

OUT, GO, LIMIT = (os.environ.get(f"VISION_R1_GPU_{name}") for name in ("OUT", "GO", "LIMIT_GIB"))
FIRST_SPECIAL = 151643  # from here on tokens are special: image, end
CUDA = torch.cuda.is_available()


def wait_for_go() -> None:
    """The next part's process is started while a part is measured, and waits here."""
    while GO and not Path(GO).exists():
        time.sleep(0.05)


def limit_memory() -> None:
    """Stop where a smaller card would be out of memory."""
    if CUDA and LIMIT:
        total = torch.cuda.get_device_properties(0).total_memory
        torch.cuda.set_per_process_memory_fraction(min(1.0, float(LIMIT) * 2**30 / total))


def random_weights(
    cls: Any, *args: Any, config: Any, dtype: torch.dtype, **kwargs: Any
) -> PreTrainedModel:
    """In the place of from_pretrained: the same weights each time, in no time on a GPU.

    Special tokens are never written: an end would make answers short, and an image token of the
    model's own stops ms-swift.
    """
    torch.manual_seed(0)
    with torch.device("cuda" if CUDA else "cpu"):
        model = cls._from_config(config, dtype=dtype)
    with torch.no_grad():
        model.get_output_embeddings().weight[FIRST_SPECIAL:] = 0
    return model.eval()


def likely_answers(score: Callable[..., list[float]]) -> Callable[..., list[float]]:
    """The reward, of the rows' `likely` answers in the place of the completions."""

    def call(reward: Any, completions: list[str], **columns: Any) -> list[float]:
        likely = [json.loads(texts) for texts in columns["likely"]]
        return score(reward, [t[n % len(t)] for n, t in enumerate(likely)], **columns)

    return call


def now() -> float:
    """Seconds, once the GPU has done what it was told."""
    if CUDA:
        torch.cuda.synchronize()
    return time.perf_counter()


def peak() -> int:
    """Most bytes held by tensors since the last call."""
    if not CUDA:
        return 0
    most = torch.cuda.max_memory_allocated()
    torch.cuda.reset_peak_memory_stats()
    return most


def tokens_written(sample: Any) -> int:
    """Of a completion; ms-swift keeps them as numbers or, for each turn, as a list of numbers."""
    turns = sample.response_token_ids
    return sum(len(turn) if isinstance(turn, list) else 1 for turn in turns)


class GpuProbe(TrainerCallback):  # type: ignore[misc]
    """`gpu_probe`: times sampling, rewards and learning of each step, and reads the peaks."""

    def __init__(self, args: Any, trainer: Any) -> None:
        super().__init__(args, trainer)
        self.steps: list[dict[str, float]] = []
        self.peaks = {"sampling": 0, "learning": 0}
        self.reserved = 0

    def on_train_begin(self, *args: Any, **kwargs: Any) -> None:
        """Begin to listen."""
        trainer = self.trainer
        trainer._rollout_samples = self._timed("sampling_seconds", trainer._rollout_samples)
        trainer._compute_rewards_per_func = self._timed(
            "reward_seconds", trainer._compute_rewards_per_func
        )
        trainer.compute_loss = self._counted(trainer.compute_loss)

    def _timed(self, name: str, method: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: Any, **kwargs: Any) -> Any:
            self._keep_peak("learning")
            start = now()
            value = method(*args, **kwargs)
            self.steps[-1][name] += now() - start
            self._keep_peak("sampling")
            if name == "sampling_seconds":
                self.steps[-1]["tokens_written"] += sum(map(tokens_written, value))
                self.steps[-1]["completions"] += len(value)
            return value

        return call

    def _counted(self, compute_loss: Callable[..., Any]) -> Callable[..., Any]:
        def call(model: Any, inputs: Any, *args: Any, **kwargs: Any) -> Any:
            batch = inputs[0] if isinstance(inputs, list) else inputs
            self.steps[-1]["tokens_learnt"] += batch["model_inputs"]["input_ids"].numel()
            return compute_loss(model, inputs, *args, **kwargs)

        return call

    def _keep_peak(self, phase: str) -> None:
        self.reserved = max(self.reserved, torch.cuda.max_memory_reserved() if CUDA else 0)
        self.peaks[phase] = max(self.peaks[phase], peak())

    def on_step_begin(self, *args: Any, **kwargs: Any) -> None:
        """A new step."""
        names = ("sampling_seconds", "reward_seconds", "tokens_written", "tokens_learnt")
        self.steps.append(dict.fromkeys((*names, "completions"), 0) | {"seconds": now()})

    def on_step_end(self, *args: Any, **kwargs: Any) -> None:
        """The step is done."""
        self.steps[-1]["seconds"] = now() - self.steps[-1]["seconds"]
        self._keep_peak("learning")

    def on_train_end(self, *args: Any, **kwargs: Any) -> None:
        """Write what was seen."""
        free = torch.cuda.mem_get_info() if CUDA else (0, 0)
        seen = {
            "parameters": sum(p.numel() for p in self.trainer.model.parameters()),
            "trained": sum(p.numel() for p in self.trainer.model.parameters() if p.requires_grad),
            "peak_allocated_gib": max(self.peaks.values()) / 2**30,
            "peak_reserved_gib": self.reserved / 2**30,
            "peak_sampling_gib": self.peaks["sampling"] / 2**30,
            "peak_learning_gib": self.peaks["learning"] / 2**30,
            "card_used_gib": (free[1] - free[0]) / 2**30,
            "steps": self.steps,
        }
        Path(OUT or "").write_text(json.dumps(seen))


if OUT and "gpu_probe" not in callbacks_map:
    wait_for_go()
    limit_memory()
    PreTrainedModel.from_pretrained = classmethod(random_weights)
    reward = orms["vision_r1"]
    reward.__call__ = likely_answers(reward.__call__)
    callbacks_map["gpu_probe"] = GpuProbe
