"""Make the example's checkpoint: a small Qwen2.5-VL trained from nothing to list the shapes in a
scene.

Four stages, all on scenes drawn on the fly (none is ever seen twice):

  vision  each merged visual token says, through linear heads, which object has its centre in the
          token's cell
  one     supervised fine-tuning on answers with at most one object
  many    the same on whole scenes, with exact annotations
  loose   the same with annotations as a large web crawl has them: edges off by up to 20%, one
          object in four missing. It leaves the model as GRPO finds a general VLM: it knows where
          things are, but its boxes are loose and its lists are short.

    python examples/shapes/warm_start.py --out examples/shapes/checkpoint 2>&1 | tee warm_start.log
"""

import argparse
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from scenes import CLASSES, PROCESSED_SIDE, PROMPT, Scene, answer, random_scene
from tiny_model import build, save
from torch import nn
from transformers import AutoProcessor, Qwen2_5_VLForConditionalGeneration

from swift_plugin_visionr1 import get_format
from swift_plugin_visionr1.geometry.boxes import iou

SYSTEM = "You are a helpful assistant."  # ms-swift's default for qwen2_5_vl
GRID = PROCESSED_SIDE // 28  # merged visual tokens along one side
CELL = PROCESSED_SIDE // GRID
BATCH = 64


@dataclass(frozen=True)
class Stage:
    """One supervised stage: its number of steps, peak learning rate and what its scenes and labels
    are like."""

    name: str
    steps: int
    lr: float
    max_objects: int | None = None
    edge_noise: float = 0.0
    missing: float = 0.0


STAGES = (
    Stage("one", 900, 2e-3, max_objects=1),
    Stage("many", 2600, 1.5e-3),
    Stage("loose", 300, 5e-4, edge_noise=0.2, missing=0.25),
)


def vocabulary_texts() -> list[str]:
    """Everything that has to be tokenised as the full Qwen tokenizer would: prompts, answers, every
    number."""
    boxes = np.zeros((len(CLASSES), 4))
    fenced = (
        '```json\n[\n\t{"bbox_2d": [1, 2, 3, 4], "label": "x"},\n\t{"bbox_2d": [1, 2, 3, 4], '
        '"label": "x"}\n]\n```'
    )
    chat = (
        f"<|im_start|>system\n{SYSTEM}<|im_end|>\n"
        f"<|im_start|>user\n{PROMPT}<|im_end|>\n<|im_start|>assistant\n"
    )
    return [
        chat,
        "0123456789 0.5",
        fenced,
        answer(boxes, CLASSES),
        "[]",
        "Locate every red circle in the image",
    ]


def processed_boxes(scene: Scene) -> np.ndarray:
    """The scene's boxes (n, 4) in pixels of the processed 112 x 112 image."""
    width, height = scene.image.size
    return scene.boxes * (PROCESSED_SIDE / np.array([width, height, width, height]))


class Batcher:
    """Scenes to model inputs, laid out exactly as ms-swift's template lays them out."""

    def __init__(self, processor, image_token_id: int, prompt: str = PROMPT) -> None:
        self.processor, self.image_token_id = processor, image_token_id
        tokenizer = processor.tokenizer
        head = f"<|im_start|>system\n{SYSTEM}<|im_end|>\n<|im_start|>user\n<|vision_start|>"
        tail = f"<|vision_end|>{prompt}<|im_end|>\n<|im_start|>assistant\n"
        self.prompt = tokenizer.encode(head) + [image_token_id] * GRID**2 + tokenizer.encode(tail)
        self.end = tokenizer.convert_tokens_to_ids("<|im_end|>")
        self.pad = tokenizer.pad_token_id

    def images(self, scenes: list[Scene]) -> dict[str, torch.Tensor]:
        size = (PROCESSED_SIDE, PROCESSED_SIDE)
        images = [scene.image.resize(size) for scene in scenes]
        return dict(self.processor.image_processor(images, return_tensors="pt", do_resize=False))

    def __call__(self, scenes: list[Scene], answers: list[str] | None) -> dict[str, torch.Tensor]:
        texts = (
            [[*self.processor.tokenizer.encode(a), self.end] for a in answers]
            if answers
            else [[]] * len(scenes)
        )
        length = len(self.prompt) + max(map(len, texts))
        ids = torch.full((len(scenes), length), self.pad)
        labels = torch.full_like(ids, -100)
        for row, text in enumerate(texts):
            sequence = torch.tensor(self.prompt + text)
            ids[row, : len(sequence)] = sequence
            labels[row, len(self.prompt) : len(sequence)] = sequence[len(self.prompt) :]
        used = torch.tensor([len(self.prompt) + len(text) for text in texts])
        mask = (torch.arange(length)[None] < used[:, None]).long()
        types = (ids == self.image_token_id).int()
        batch = {
            "input_ids": ids,
            "attention_mask": mask,
            "mm_token_type_ids": types,
            **self.images(scenes),
        }
        return batch | ({"labels": labels} if answers else {})


def stage_answer(scene: Scene, stage: Stage, rng: np.random.Generator) -> str:
    """The target text: exact boxes, or loose ones with objects missing (`Stage.edge_noise`,
    `Stage.missing`)."""
    boxes, labels = processed_boxes(scene), scene.labels
    kept = [i for i in range(len(labels)) if rng.random() >= stage.missing]
    boxes = boxes[kept]
    sides = np.tile(boxes[:, 2:] - boxes[:, :2], 2)
    boxes = boxes + rng.uniform(-stage.edge_noise, stage.edge_noise, boxes.shape) * sides
    return answer(boxes.round().clip(0, PROCESSED_SIDE), tuple(labels[i] for i in kept))


def stage_scenes(stage: Stage, rng: np.random.Generator) -> list[Scene]:
    if stage.max_objects is None:
        return [random_scene(rng) for _ in range(BATCH)]
    return [random_scene(rng, int(rng.random() > 0.05) * stage.max_objects) for _ in range(BATCH)]


class Optimiser:
    """AdamW with warm-up, cosine decay and gradient clipping."""

    def __init__(self, parameters: list, steps: int, lr: float) -> None:
        self.parameters = parameters
        self.adamw = torch.optim.AdamW(parameters, lr=lr, betas=(0.9, 0.98), weight_decay=0.01)
        self.schedule = torch.optim.lr_scheduler.OneCycleLR(self.adamw, lr, steps, pct_start=0.05)

    def step(self, loss: torch.Tensor) -> None:
        loss.backward()
        self.update()

    def update(self) -> None:
        """Apply the gradients collected since the last update."""
        nn.utils.clip_grad_norm_(self.parameters, 1.0)
        self.adamw.step()
        self.adamw.zero_grad()
        self.schedule.step()


def cell_targets(
    scenes: list[Scene], names: tuple[str, ...]
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Per cell: is there a centre (b, 16), centre and size in cells (b, 16, 4), index of the class
    in `names` (b, 16)."""
    found = torch.zeros(len(scenes), GRID * GRID)
    geometry = torch.zeros(len(scenes), GRID * GRID, 4)
    classes = torch.zeros(len(scenes), GRID * GRID, dtype=torch.long)
    for row, scene in enumerate(scenes):
        for (x1, y1, x2, y2), label in zip(
            processed_boxes(scene) / CELL, scene.labels, strict=True
        ):
            cx, cy = (x1 + x2) / 2, (y1 + y2) / 2
            cell = int(cy) * GRID + int(cx)
            found[row, cell] = 1
            geometry[row, cell] = torch.tensor([cx - int(cx), cy - int(cy), x2 - x1, y2 - y1])
            classes[row, cell] = names.index(label)
    return found, geometry, classes


def train_vision(
    model,
    batcher: Batcher,
    steps: int,
    rng: np.random.Generator,
    draw: Callable[[np.random.Generator], Scene] = random_scene,
    names: tuple[str, ...] = CLASSES,
) -> None:
    heads = nn.Linear(model.config.text_config.hidden_size, 1 + 4 + len(names))
    parameters = [*model.model.visual.parameters(), *heads.parameters()]
    optimiser = Optimiser(parameters, steps, 2e-3)
    for step in range(1, steps + 1):
        scenes = [draw(rng) for _ in range(BATCH)]
        inputs = batcher.images(scenes)
        tokens = model.model.visual(
            inputs["pixel_values"], grid_thw=inputs["image_grid_thw"]
        ).pooler_output
        out = heads(tokens.view(BATCH, GRID * GRID, -1))
        found, geometry, classes = cell_targets(scenes, names)
        on = found.bool()
        loss_found = F.binary_cross_entropy_with_logits(out[..., 0], found)
        loss_box = F.l1_loss(out[..., 1:5][on], geometry[on])
        loss_class = F.cross_entropy(out[..., 5:][on], classes[on])
        optimiser.step(loss_found + 4 * loss_box + loss_class)
        if step % 50 == 0 or step == 1:
            pixels = loss_box.item() * CELL
            say(
                f"vision {step}: found {loss_found:.4f}, box {pixels:.2f} pixels, class "
                f"{loss_class:.4f}"
            )


def train_text(model, batcher: Batcher, stage: Stage, rng: np.random.Generator) -> None:
    model.train()
    losses: list[float] = []
    optimiser = Optimiser(list(model.parameters()), stage.steps, stage.lr)
    for step in range(1, stage.steps + 1):
        scenes = stage_scenes(stage, rng)
        batch = batcher(scenes, [stage_answer(scene, stage, rng) for scene in scenes])
        loss = model(**batch).loss
        optimiser.step(loss)
        losses.append(loss.item())
        if step % 50 == 0:
            say(f"{stage.name} {step}: token loss {np.mean(losses[-50:]):.4f}")
        if step % 500 == 0 or step == stage.steps:
            say(f"{stage.name} {step}: {quick_look(model, batcher)}")


@torch.no_grad()
def quick_look(
    model,
    batcher: Batcher,
    count: int = 128,
    draw: Callable[[np.random.Generator], Scene] = random_scene,
) -> str:
    """Greedy answers on fixed scenes: objects listed per object there, and the share found at IoU
    .5 and .75."""
    model.eval()
    rng = np.random.default_rng(7)
    scenes = [draw(rng) for _ in range(count)]
    inputs = batcher(scenes, None)
    out = model.generate(**inputs, max_new_tokens=320, do_sample=False)
    texts = batcher.processor.tokenizer.batch_decode(
        out[:, inputs["input_ids"].shape[1] :], skip_special_tokens=True
    )
    model.train()
    listed, found, total = 0, np.zeros(2), 0
    for scene, text in zip(scenes, texts, strict=True):
        truth, predicted = processed_boxes(scene), get_format("qwen2_5_vl").parse(text).boxes
        listed, total = listed + len(predicted), total + len(truth)
        if len(truth) and len(predicted):
            best = iou(truth, predicted).max(axis=1)
            found += [(best >= 0.5).sum(), (best >= 0.75).sum()]
    return (
        f"listed {listed / total:.3f}, found@.5 {found[0] / total:.3f}, found@.75 "
        f"{found[1] / total:.3f}; {texts[0]}"
    )


def say(text: str, start: float = time.time()) -> None:
    print(f"{(time.time() - start) / 60:5.1f} min  {text}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, required=True, help="folder of the checkpoint")
    parser.add_argument(
        "--start", type=Path, help="go on from this checkpoint; default: from nothing"
    )
    parser.add_argument(
        "--stages", nargs="+", default=["vision", *(stage.name for stage in STAGES)]
    )
    parser.add_argument("--vision-steps", type=int, default=700)
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    torch.manual_seed(args.seed)
    rng = np.random.default_rng(args.seed)
    if args.start:
        model = Qwen2_5_VLForConditionalGeneration.from_pretrained(args.start, dtype=torch.float32)
        processor = AutoProcessor.from_pretrained(args.start)
    else:
        model, processor = build(vocabulary_texts(), hidden=128, text_layers=2, vision_layers=3)
    say(
        f"{sum(p.numel() for p in model.parameters()):,} parameters, {len(processor.tokenizer)} "
        "tokens"
    )
    batcher = Batcher(processor, model.config.image_token_id)
    if "vision" in args.stages:
        train_vision(model, batcher, args.vision_steps, rng)
    for stage in (stage for stage in STAGES if stage.name in args.stages):
        say(f"{stage}")
        train_text(model, batcher, stage, rng)
        save(model, processor, args.out)


if __name__ == "__main__":
    main()
