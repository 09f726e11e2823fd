"""The example's small model, trained on the GPU and on the CPU: are the results the same?"""

import json
import time
from pathlib import Path
from statistics import fmean
from typing import Any

from checkpoints import ROOT, from_example
from launching import Launched, swift

from swift_plugin_visionr1.models.model_io import model_io
from swift_plugin_visionr1.models.right_answer import add_answer
from swift_plugin_visionr1.reward.settings import Settings

SHAPES = ROOT / "examples" / "shapes"
SFT_STEPS, GRPO_STEPS, TINY_STEPS = 40, 20, 2
SFT_BATCH, PROMPTS = 32, 8
PLUGINS = (SHAPES / "pruned_template.py", ROOT / "swift_plugin_visionr1" / "plugin.py")
OPTIONS: dict[str, object] = {
    "model": SHAPES / "checkpoint",
    "model_type": "qwen2_5_vl",
    "template": "qwen2_5_vl_pruned",
    "external_plugins": PLUGINS,
    "torch_dtype": "float32",
    "check_model": "false",
    "report_to": "none",
    "save_strategy": "no",
    "add_version": "false",
    "logging_steps": 1,
    "seed": 1,
}
SFT: dict[str, object] = {
    "tuner_type": "full",
    "freeze_vit": "false",
    "freeze_aligner": "false",
    "learning_rate": "1e-4",
    "per_device_train_batch_size": SFT_BATCH,
    "gradient_accumulation_steps": 1,
    "gradient_checkpointing": "false",
    "dataloader_num_workers": 0,
}
TINY: dict[str, object] = {"per_device_train_batch_size": 8, "max_steps": TINY_STEPS}


def start(folder: Path, tiny: bool, cuda: bool) -> dict[str, Launched]:
    """Supervised training and GRPO, on each device, all at once."""
    rows = _rows(folder, tiny)
    devices = ("cuda", "cpu") if cuda else ("cpu", "cpu_again")
    return {
        f"{kind} {device}": swift(
            [*words, "--output_dir", str(folder / f"{kind}_{device}")],
            folder / f"{kind}_{device}.log",
            **({} if device == "cuda" else {"CUDA_VISIBLE_DEVICES": ""}),
        )
        for device in devices
        for kind, words in _commands(rows, tiny).items()
    }


def _commands(rows: dict[str, Path], tiny: bool) -> dict[str, list[str]]:
    sft = OPTIONS | SFT | {"dataset": rows["sft"], "max_steps": SFT_STEPS}
    grpo = OPTIONS | {"dataset": rows["grpo"], "max_steps": GRPO_STEPS}
    if tiny:
        sft, grpo = sft | TINY, grpo | TINY | {"max_completion_length": 32}
    return {
        "sft": ["sft", *_words(sft)],
        "grpo": ["rlhf", str(SHAPES / "grpo.yaml"), *_words(grpo)],
    }


def _words(options: dict[str, object]) -> list[str]:
    """As on a command line."""
    words = []
    for name, value in options.items():
        several = value if isinstance(value, tuple) else (value,)
        words += [f"--{name}", *map(str, several)]
    return words


def _rows(folder: Path, tiny: bool) -> dict[str, Path]:
    """Scenes of the example, for GRPO and with their right answers."""
    steps = TINY_STEPS if tiny else max(GRPO_STEPS * PROMPTS, SFT_STEPS * SFT_BATCH)
    from_example("scenes").write_split(folder, "train", steps * (8 if tiny else 1), seed=5)
    grpo, sft = folder / "train.jsonl", folder / "sft.jsonl"
    rows = [json.loads(line) for line in grpo.read_text().splitlines()]
    io = model_io(Settings(), "qwen2_5_vl")
    for row in rows:
        add_answer(row, io)
    sft.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return {"grpo": grpo, "sft": sft}


def finish(runs: dict[str, Launched], seconds: float) -> dict[str, Any]:
    """Wait for all, then compare what they logged."""
    until = time.monotonic() + seconds
    codes = {name: run.wait(until - time.monotonic()) for name, run in runs.items()}
    failed = [name for name, code in codes.items() if code != 0]
    if failed:
        ended = [name for name in failed if codes[name] is None]
        why = f"{', '.join(ended)} took too long" if ended else runs[failed[0]].text[-3000:]
        return {"status": "failed", "error": why}
    logs = {name: _logged(run) for name, run in runs.items()}
    first, second = (name.removeprefix("sft ") for name in logs if name.startswith("sft"))
    return {
        "status": "measured",
        "devices": [first, second],
        "sft": _same(logs[f"sft {first}"], logs[f"sft {second}"]),
        "grpo": {name: _learnt(logs[f"grpo {name}"]) for name in (first, second)},
    }


def _logged(run: Launched) -> list[dict[str, Any]]:
    file = run.log.with_suffix("") / "logging.jsonl"
    rows = map(json.loads, file.read_text().splitlines())
    return [row for row in rows if "loss" in row]


def _same(a: list[dict[str, Any]], b: list[dict[str, Any]]) -> dict[str, Any]:
    """How far losses and norms of gradients are apart, relative to the first, at most."""
    far = {
        name: max(abs(x[name] - y[name]) / abs(x[name]) for x, y in zip(a, b, strict=True))
        for name in ("loss", "grad_norm")
    }
    return {"steps": len(a), "last_loss": [a[-1]["loss"], b[-1]["loss"]], "apart": far}


def _learnt(rows: list[dict[str, Any]]) -> dict[str, float]:
    """Sampled tokens differ between devices, so means over the halves of the run are shown."""
    half, rewards = len(rows) // 2, [row["reward"] for row in rows]
    return {
        "steps": len(rows),
        "reward_first_half": fmean(rewards[:half]),
        "reward_second_half": fmean(rewards[half:]),
        "kl_last": rows[-1]["kl"],
        "seconds_a_step": fmean(row["step_time"] for row in rows[1:]),
    }
