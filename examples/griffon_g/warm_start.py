"""Warm the vision tower of a small Griffon-G: from random weights, `swift sft` would take long.

Tower and projector learn to tell the object's class and box from each visual token, by linear heads
that are thrown away afterwards. The language model stays random: it learns to read these tokens and
to write Griffon-G's answers in `swift sft`.

    python examples/griffon_g/warm_start.py --out runs/griffon_g/start
"""

import argparse
import time
from pathlib import Path

import numpy as np
import tiny_griffon
import torch
import torch.nn.functional as F
from scenes import Scene
from torch import nn

BATCH = 32
DIGITS = 2  # of each coordinate, a fraction of the image's side


def say(text: str, start: float = time.time()) -> None:
    print(f"[{time.time() - start:5.0f} s] {text}", flush=True)


def targets(scenes: list[Scene]) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Boxes in fractions (b, 4), their decimals (b, 4, `DIGITS`) and the classes (b,)."""
    boxes = np.array([scene.boxes[0] / np.tile(scene.image.size, 2) for scene in scenes])
    decimals = [(boxes * 10**place).astype(int) % 10 for place in range(1, DIGITS + 1)]
    classes = [tiny_griffon.NAMES.index(scene.labels[0]) for scene in scenes]
    return (
        torch.tensor(boxes, dtype=torch.float32),
        torch.tensor(np.stack(decimals, axis=-1)),
        torch.tensor(classes),
    )


def losses(out: torch.Tensor, scenes: list[Scene]) -> tuple[torch.Tensor, ...]:
    """Of box, decimals and class; `out` (b, tokens, heads) is what each visual token tells."""
    boxes, decimals, classes = targets(scenes)
    tokens = out.shape[1]
    logits = out[..., 4 : 4 + 40 * DIGITS].reshape(-1, 10)
    wanted = decimals[:, None].expand(-1, tokens, -1, -1).reshape(-1)
    return (
        F.l1_loss(out[..., :4], boxes[:, None].expand(-1, tokens, -1)),
        F.cross_entropy(logits, wanted),
        F.cross_entropy(
            out[..., 4 + 40 * DIGITS :].reshape(-1, len(tiny_griffon.NAMES)),
            classes[:, None].expand(-1, tokens).reshape(-1),
        ),
    )


def warm(model, images, steps: int, rng: np.random.Generator) -> None:
    """Train tower and projector in place."""
    heads = nn.Linear(model.config.text_config.hidden_size, 4 + 40 * DIGITS + 2)
    trained = [model.model.vision_tower, model.model.multi_modal_projector, heads]
    parameters = [p for module in trained for p in module.parameters()]
    optimiser = torch.optim.AdamW(parameters, lr=1e-3, weight_decay=0.01)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, 1e-3, steps, pct_start=0.05)
    for step in range(1, steps + 1):
        scenes = [tiny_griffon.one_object(rng) for _ in range(BATCH)]
        pixels = images([scene.image for scene in scenes], return_tensors="pt")["pixel_values"]
        box, decimals, name = losses(heads(model.get_image_features(pixels).pooler_output), scenes)
        (10 * box + decimals + name).backward()
        nn.utils.clip_grad_norm_(parameters, 1.0)
        optimiser.step()
        optimiser.zero_grad()
        schedule.step()
        if step % 25 == 0 or step == 1:
            say(f"step {step:4}  box {box:.4f}  decimals {decimals:.3f}  class {name:.4f}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, required=True, help="folder of the checkpoint")
    parser.add_argument("--steps", type=int, default=600)
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    torch.manual_seed(args.seed)
    model, processor = tiny_griffon.build()
    say(f"{sum(p.numel() for p in model.parameters()):,} parameters")
    warm(model, processor.image_processor, args.steps, np.random.default_rng(args.seed))
    tiny_griffon.save(model, processor, args.out)


if __name__ == "__main__":
    main()
