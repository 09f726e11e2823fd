"""Warm the vision tower of a small Griffon-G, as `swift sft` cannot from random weights.

The teacher is the Qwen2.5-VL of examples/shapes. The new tower and projector learn to make, of the
same scenes, the visual tokens that the teacher's vision tower makes, and to tell each object's
centre, size and class from them (as in examples/shapes/warm_start.py). The language model is the
teacher's, which does not know Griffon's answers yet: those come with `swift sft`.

    python examples/griffon_g/warm_start.py --out runs/griffon_g/start
"""

import argparse
import importlib.util
import time
from pathlib import Path

import numpy as np
import tiny_griffon
import torch
import torch.nn.functional as F
from scenes import CLASSES, PROCESSED_SIDE, Scene, random_scene
from torch import nn
from transformers import AutoProcessor, Qwen2_5_VLForConditionalGeneration

TEACHER = tiny_griffon.SHAPES / "checkpoint"
SPEC = importlib.util.spec_from_file_location("shapes", tiny_griffon.SHAPES / "warm_start.py")
shapes = importlib.util.module_from_spec(SPEC)  # the other example's warm_start.py
SPEC.loader.exec_module(shapes)


def say(text: str, start: float = time.time()) -> None:
    print(f"[{time.time() - start:5.0f} s] {text}", flush=True)


def detection_loss(out: torch.Tensor, scenes: list[Scene]) -> torch.Tensor:
    """Of linear heads on each visual token: is there a centre, where, how large, of which class."""
    centres, geometry, classes = shapes.cell_targets(scenes)
    on = centres.bool()
    return (
        F.binary_cross_entropy_with_logits(out[..., 0], centres)
        + 4 * F.l1_loss(out[..., 1:5][on], geometry[on])
        + F.cross_entropy(out[..., 5:][on], classes[on])
    )


def teach(model, images, teacher, teacher_images, steps: int, rng: np.random.Generator) -> None:
    """Train tower and projector to imitate the teacher's visual tokens."""
    heads = nn.Linear(model.config.text_config.hidden_size, 5 + len(CLASSES))
    trained = [model.model.vision_tower, model.model.multi_modal_projector, heads]
    parameters = [p for module in trained for p in module.parameters()]
    optimiser = shapes.Optimiser(parameters, steps, 2e-3)
    for step in range(1, steps + 1):
        scenes = [random_scene(rng) for _ in range(shapes.BATCH)]
        pictures = [scene.image.resize((PROCESSED_SIDE, PROCESSED_SIDE)) for scene in scenes]
        inputs = teacher_images(pictures, return_tensors="pt", do_resize=False)
        with torch.no_grad():
            wanted = teacher.model.visual(
                inputs["pixel_values"], grid_thw=inputs["image_grid_thw"]
            ).pooler_output.view(shapes.BATCH, -1, heads.in_features)
        pixels = images([scene.image for scene in scenes], return_tensors="pt")["pixel_values"]
        tokens = model.get_image_features(pixels).pooler_output
        imitation = F.mse_loss(tokens, wanted) / wanted.var()
        objects = detection_loss(heads(tokens), scenes)
        optimiser.step(imitation + 0.3 * objects)
        if step % 50 == 0 or step == 1:
            say(f"step {step:5}  imitation {imitation:.3f}  objects {objects:.3f}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, required=True, help="folder of the checkpoint")
    parser.add_argument("--steps", type=int, default=1500)
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    torch.manual_seed(args.seed)
    teacher = Qwen2_5_VLForConditionalGeneration.from_pretrained(TEACHER, dtype=torch.float32)
    old = AutoProcessor.from_pretrained(TEACHER)
    model, processor = tiny_griffon.build(teacher.eval(), old.tokenizer)
    say(f"{sum(p.numel() for p in model.parameters()):,} parameters")
    rng = np.random.default_rng(args.seed)
    teach(model, processor.image_processor, teacher, old.image_processor, args.steps, rng)
    tiny_griffon.save(model, processor, args.out)


if __name__ == "__main__":
    main()
