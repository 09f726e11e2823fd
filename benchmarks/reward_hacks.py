"""What scripted policies earn under each preset, on generated scenes: `make reward-hacks`.

A policy is told what is in the image and answers by a fixed rule, good or bad. A bad one that earns
much is what a model may learn instead of finding objects. Numbers are shares of the greatest reward
of the preset, in percent, at its first stage; the same seed gives the same table on any machine.

    python benchmarks/reward_hacks.py             both tables
    python benchmarks/reward_hacks.py --scenes N  on another number of scenes
"""

import argparse
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from swift_plugin_visionr1 import PRESETS, GroundTruth, Scorer, get_format, model_io
from swift_plugin_visionr1.geometry.boxes import as_boxes, iou

SCENES, SEED, NEGATIVES = 50, 7, 0.2
SIZE = (560, 420)  # which Qwen2.5-VL's processor keeps
LABELS = ("cat", "dog", "bird", "bus")
MOST = 6  # objects of a scene
LEFT_OUT = ("official-adaptive",)  # at its first stage nearly as `official`
FORMAT = get_format("qwen2_5_vl")
Answer = tuple[np.ndarray, list[str]]
Policy = Callable[[GroundTruth, np.random.Generator], Answer | str]


def random_boxes(rng: np.random.Generator, count: int) -> np.ndarray:
    """(count, 4) xyxy whole pixels, sides of 30 to 200."""
    sides = rng.integers(30, 200, (count, 2))
    corners = rng.integers(0, np.array(SIZE) - sides)
    return np.concatenate([corners, corners + sides], axis=1).astype(float)


def make_scenes(number: int) -> list[GroundTruth]:
    """Scenes with 1 to MOST objects that overlap little, and some with none."""
    rng, scenes = np.random.default_rng(SEED), []
    for place in range(number):
        wanted = 0 if place < NEGATIVES * number else int(rng.integers(1, MOST + 1))
        boxes = as_boxes([])
        while len(boxes) < wanted:
            one = random_boxes(rng, 1)
            if not len(boxes) or iou(one, boxes).max() < 0.2:
                boxes = np.concatenate([boxes, one])
        labels = tuple(LABELS[i] for i in rng.integers(0, len(LABELS), wanted))
        scenes.append(GroundTruth(SIZE, boxes, labels))
    return scenes


def right(truth: GroundTruth, rng: np.random.Generator) -> Answer:
    return truth.boxes, list(truth.labels)


def jittered(truth: GroundTruth, rng: np.random.Generator) -> Answer:
    sides = np.tile(truth.boxes[:, 2:] - truth.boxes[:, :2], 2)
    moved = truth.boxes + rng.normal(0, 0.06, truth.boxes.shape) * sides
    return np.clip(moved, 0, [*SIZE, *SIZE]).round(), list(truth.labels)


def first_only(truth: GroundTruth, rng: np.random.Generator) -> Answer:
    return truth.boxes[:1], list(truth.labels[:1])


def half(truth: GroundTruth, rng: np.random.Generator) -> Answer:
    kept = (len(truth.boxes) + 1) // 2
    return truth.boxes[:kept], list(truth.labels[:kept])


def repeated(times: int) -> Policy:
    def answer(truth: GroundTruth, rng: np.random.Generator) -> Answer:
        return np.tile(truth.boxes, (times, 1)), list(truth.labels) * times

    return answer


def twice_moved(truth: GroundTruth, rng: np.random.Generator) -> Answer:
    """Boxes that are not equal, so that dropping repeated ones does not help."""
    moved = truth.boxes + np.array([1, 0, 0, 0])
    return np.concatenate([truth.boxes, moved]), list(truth.labels) * 2


def then_random(truth: GroundTruth, rng: np.random.Generator) -> Answer:
    return (
        np.concatenate([truth.boxes, random_boxes(rng, 10)]),
        [*truth.labels, *_any_labels(rng, 10)],
    )


def after_random(truth: GroundTruth, rng: np.random.Generator) -> Answer:
    return (
        np.concatenate([random_boxes(rng, 10), truth.boxes]),
        [*_any_labels(rng, 10), *truth.labels],
    )


def wrong_labels(truth: GroundTruth, rng: np.random.Generator) -> Answer:
    return truth.boxes, [LABELS[(LABELS.index(name) + 1) % len(LABELS)] for name in truth.labels]


def random_labels(truth: GroundTruth, rng: np.random.Generator) -> Answer:
    return truth.boxes, _any_labels(rng, len(truth.boxes))


def every_label(truth: GroundTruth, rng: np.random.Generator) -> Answer:
    return np.repeat(truth.boxes, len(LABELS), axis=0), list(LABELS) * len(truth.boxes)


def foreign_labels(truth: GroundTruth, rng: np.random.Generator) -> Answer:
    extra = random_boxes(rng, 10)
    return np.concatenate([extra, truth.boxes]), ["zebra"] * 10 + list(truth.labels)


def whole_image(truth: GroundTruth, rng: np.random.Generator) -> Answer:
    return as_boxes([[0, 0, *SIZE]]), ["cat"]


def middle(truth: GroundTruth, rng: np.random.Generator) -> Answer:
    return as_boxes([[210, 140, 350, 280]]), ["cat"]


def grid(truth: GroundTruth, rng: np.random.Generator) -> Answer:
    corners = np.array([[x, y] for y in range(0, 420, 70) for x in range(0, 560, 70)], float)
    return np.concatenate([corners, corners + 70], axis=1), _any_labels(rng, len(corners))


def right_number(truth: GroundTruth, rng: np.random.Generator) -> Answer:
    return random_boxes(rng, len(truth.boxes)), _any_labels(rng, len(truth.boxes))


def doubted(truth: GroundTruth, rng: np.random.Generator) -> str:
    boxes = random_boxes(rng, 10).astype(int).tolist()
    items = [{"bbox_2d": box, "label": "cat", "confidence": 0.0} for box in boxes]
    return f"```json\n{json.dumps(items)}\n```"


def nothing(truth: GroundTruth, rng: np.random.Generator) -> Answer:
    return as_boxes([]), []


def prose(truth: GroundTruth, rng: np.random.Generator) -> str:
    return "I look at the image."


def _any_labels(rng: np.random.Generator, count: int) -> list[str]:
    return [LABELS[i] for i in rng.integers(0, len(LABELS), count)]


RIGHT, MANY, FEW, LABELLED, WRONG = "", "too many boxes", "too few", "wrong labels", "none right"
POLICIES: dict[str, tuple[str, Policy]] = {  # what is wrong with it, and the rule
    "everything right": (RIGHT, right),
    "boxes jittered by 6% of their sides": (RIGHT, jittered),
    "the first box only": (FEW, first_only),
    "half of the boxes": (FEW, half),
    "all boxes twice": (MANY, repeated(2)),
    "all boxes five times": (MANY, repeated(5)),
    "all boxes twice, a pixel off": (MANY, twice_moved),
    "right boxes, then 10 random ones": (MANY, then_random),
    "10 random boxes, then the right ones": (MANY, after_random),
    "10 random boxes of a foreign label, then the right ones": (MANY, foreign_labels),
    "right boxes, wrong labels": (LABELLED, wrong_labels),
    "right boxes, random labels": (LABELLED, random_labels),
    "right boxes, each under every label": (LABELLED, every_label),
    "the right number of random boxes": (WRONG, right_number),
    "a box as large as the image": (WRONG, whole_image),
    "a box in the middle": (WRONG, middle),
    "a grid of 48 boxes": (WRONG, grid),
    "10 random boxes, said to be uncertain": (WRONG, doubted),
    "always the empty answer": (WRONG, nothing),
    "prose without a box": (WRONG, prose),
}
# What tells presets apart where nothing is annotated; the others answer nothing or boxes there.
ON_NEGATIVES = (
    "always the empty answer",
    "a box in the middle",
    "10 random boxes, said to be uncertain",
    "prose without a box",
)


@dataclass(frozen=True, eq=False)
class Earned:
    """(policies, presets) what each policy earns on average, as a share of what each preset pays at
    most: where something is annotated, and where nothing is."""

    presets: tuple[str, ...]
    objects: np.ndarray
    negatives: np.ndarray


def earn(number: int = SCENES) -> Earned:
    """Let every policy answer on every scene, and score it under every preset."""
    scenes = make_scenes(number)
    presets = tuple(name for name in PRESETS if name not in LEFT_OUT)
    empty = np.array([not len(scene.boxes) for scene in scenes])
    shares = []
    for _, policy in POLICIES.values():
        rng = np.random.default_rng(SEED)
        answers = [policy(scene, rng) for scene in scenes]
        texts = [one if isinstance(one, str) else FORMAT.write(*one) for one in answers]
        shares.append([_shares(name, texts, scenes) for name in presets])
    values = np.array(shares)
    return Earned(presets, values[..., ~empty].mean(axis=2), values[..., empty].mean(axis=2))


def _shares(preset: str, texts: Sequence[str], scenes: Sequence[GroundTruth]) -> np.ndarray:
    settings = PRESETS[preset]
    scorer = Scorer(settings, model_io(settings))
    stage = scorer.schedule.names[0]
    totals = [one.total for one in scorer.score_all(texts, scenes, (stage,))[stage]]
    return np.array(totals) / settings.highest


def table(shares: np.ndarray, presets: Sequence[str], shown: Sequence[str] = ()) -> str:
    """A row for each policy, or for those shown; a column for each preset, in percent."""
    lines = ["| answer | " + " | ".join(f"`{name}`" for name in presets) + " |"]
    lines.append("|---|" + "---:|" * len(presets))
    for name, row in zip(POLICIES, shares, strict=True):
        if name in (shown or POLICIES):
            lines.append(f"| {name} | " + " | ".join(f"{100 * value:.0f}" for value in row) + " |")
    return "\n".join(lines)


def worst(earned: Earned, preset: str, kind: str) -> tuple[str, float]:
    """The bad policy of a kind that earns most where objects are annotated, with its share."""
    column = earned.objects[:, earned.presets.index(preset)]
    pairs = zip(POLICIES.items(), column, strict=True)
    shares = {name: share for (name, (its, _)), share in pairs if its == kind}
    return max(shares.items(), key=lambda pair: round(pair[1], 9))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--scenes", type=int, default=SCENES)
    number = parser.parse_args().scenes
    earned = earn(number)
    print(f"Objects annotated, {number - round(NEGATIVES * number)} scenes, % of the most:\n")
    print(table(earned.objects, earned.presets))
    print(f"\nNothing annotated, {round(NEGATIVES * number)} scenes:\n")
    print(table(earned.negatives, earned.presets, ON_NEGATIVES))


if __name__ == "__main__":
    main()
