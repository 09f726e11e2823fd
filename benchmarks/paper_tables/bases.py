"""Makes the two base checkpoints that every run of the tables starts from.

strong  goes on from the demo's checkpoint with exact annotations of the testbed's scenes, to the
        end of its schedule
weak    goes on from the strong one with a short stage of loose annotations: every edge up to 30%
        of the side too far out, one object in four missing. The model knows more than it says.

photos  goes on from the strong one with crops of photographs, which are in a folder of yours: first
        the vision tower alone, as in the demo, then exact annotations

  python benchmarks/paper_tables/bases.py --out benchmarks/paper_tables/checkpoints
  python benchmarks/paper_tables/bases.py --out benchmarks/paper_tables/checkpoints --only weak
  python benchmarks/paper_tables/bases.py --out runs/photographs/bases --photographs FOLDER
"""

import argparse
import sys
from collections.abc import Iterator
from copy import deepcopy
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from photographs import read_testbed
from testbed import SCENES, Drawer
from transformers import AutoProcessor, Qwen2_5_VLForConditionalGeneration

sys.path.insert(0, str(Path(__file__).parents[2] / "examples" / "shapes"))
from scenes import PROCESSED_SIDE, Scene, answer, prompt_for
from tiny_model import save
from warm_start import Batcher, Optimiser, Stage, processed_boxes, quick_look, say, train_vision

from swift_plugin_visionr1.console import exit_code
from swift_plugin_visionr1.errors import InputError

DEMO = Path(__file__).parents[2] / "examples" / "shapes" / "checkpoint"
CHECKPOINTS = Path(__file__).parent / "checkpoints"
STRONG = Stage("strong", 700, 1e-3)
WEAK = Stage("weak", 100, 4e-4, edge_noise=0.3, missing=0.25)
PHOTOS = Stage("photos", 900, 2e-3)
VISION_STEPS = 350  # on photographs, before the text: SFT alone does not learn to see
BATCH = 40  # scenes a step
PART = 10  # scenes of similar length that are computed together


def loose_answer(scene: Scene, stage: Stage, rng: np.random.Generator) -> str:
    """The text to learn: boxes with each edge up to `edge_noise` of the side too far out, and
    objects left out with the probability `missing`."""
    kept = [i for i in range(len(scene.labels)) if rng.random() >= stage.missing]
    boxes_xyxy = processed_boxes(scene)[kept]
    sides = np.tile(boxes_xyxy[:, 2:] - boxes_xyxy[:, :2], 2)
    outwards = rng.uniform(0, stage.edge_noise, boxes_xyxy.shape) * [-1, -1, 1, 1]
    boxes_xyxy = (boxes_xyxy + outwards * sides).round().clip(0, PROCESSED_SIDE)
    return answer(boxes_xyxy, tuple(scene.labels[i] for i in kept))


def draw_batch(
    stage: Stage, rng: np.random.Generator, draw: Drawer
) -> Iterator[tuple[list[Scene], list[str]]]:
    """Scenes and answers of one step in parts of similar length, so that little is padded."""
    scenes = [draw(rng) for _ in range(BATCH)]
    pairs = [(scene, loose_answer(scene, stage, rng)) for scene in scenes]
    pairs.sort(key=lambda pair: len(pair[1]))
    for start in range(0, BATCH, PART):
        part = pairs[start : start + PART]
        yield [scene for scene, _ in part], [text for _, text in part]


def train(model, batcher: Batcher, stage: Stage, seed: int, draw: Drawer) -> None:
    rng = np.random.default_rng(seed)
    model.train()
    optimiser = Optimiser(list(model.parameters()), stage.steps, stage.lr)
    losses: list[float] = []
    for step in range(1, stage.steps + 1):
        batches = [batcher(scenes, answers) for scenes, answers in draw_batch(stage, rng, draw)]
        tokens = [int((batch["labels"] >= 0).sum()) for batch in batches]
        losses.append(0.0)
        for batch, count in zip(batches, tokens, strict=True):
            loss = model(**batch).loss * count / sum(tokens)
            losses[-1] += loss.item()
            loss.backward()
        optimiser.update()
        if step % 20 == 0:
            say(f"{stage.name} {step}: token loss {np.mean(losses[-20:]):.4f}")
    say(f"{stage.name}: {quick_look(model, batcher, draw=draw)}")


def halved(model) -> Qwen2_5_VLForConditionalGeneration:
    """A copy in float16, which takes half the space; runs load it as float32."""
    return deepcopy(model).half()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--only", choices=["weak"], help="keep the strong base that is there")
    parser.add_argument("--photographs", type=Path, help="make the base photos instead")
    parser.add_argument("--shorter", type=int, default=1, help="divide all steps, to try it")
    args = parser.parse_args()
    if args.photographs:
        testbed, stages, start = read_testbed(args.photographs), (PHOTOS,), CHECKPOINTS / "strong"
    else:
        testbed, stages = SCENES, (STRONG, WEAK)
        start = args.out / STRONG.name if args.only else DEMO
    model = Qwen2_5_VLForConditionalGeneration.from_pretrained(start, dtype=torch.float32)
    processor = AutoProcessor.from_pretrained(start)
    batcher = Batcher(processor, model.config.image_token_id, prompt_for(testbed.classes))
    if args.photographs:
        torch.manual_seed(0)  # of the heads
        steps, rng = VISION_STEPS // args.shorter, np.random.default_rng(0)
        train_vision(model, batcher, steps, rng, testbed.train, testbed.classes)
    for number, stage in enumerate(stages):
        if args.only in (None, stage.name):
            shorter = replace(stage, steps=stage.steps // args.shorter)
            train(model, batcher, shorter, number, testbed.train)
            save(halved(model), processor, args.out / stage.name)
    return 0


if __name__ == "__main__":
    sys.exit(exit_code("bases", main, (InputError, OSError)))
