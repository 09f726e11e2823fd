"""Time from files to numbers on a set of COCO's size: 5,000 images, 36,000 boxes, 80 classes; 8 and
100 boxes an image.

    python benchmarks/evaluator_speed.py              every evaluator, one process each, in turns
    python benchmarks/evaluator_speed.py --rounds 5   medians of five

Each evaluator is a whole process: start, imports, reading both files, the numbers. Boxes are
jittered truths of falling quality plus random ones, with scores (`scored`) and without (`const`,
all 1). First every evaluator's numbers are compared, then the times are taken. Needs the `eval`
extra and faster-coco-eval.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import redirect_stdout
from io import StringIO
from pathlib import Path
from typing import Any

import numpy as np

Numbers = list[float]  # COCO's twelve
IMAGES, TRUTHS, CLASSES = 5_000, 36_000, 80
MAX_DETS = (1, 10, 100)
PLAIN, FAST = "mmdet CocoMetric", "mmdet_eval hotcoco"


def make_files(folder: Path, per_image: int, scored: bool) -> tuple[Path, Path]:
    """Annotations and results; the categories of an image are few, as in photographs."""
    rng = np.random.default_rng(0)
    sizes = rng.integers(400, 641, (IMAGES, 2))
    image, category = np.sort(rng.integers(0, IMAGES, TRUTHS)), rng.integers(0, CLASSES, TRUTHS)
    boxes = random_boxes(rng, sizes[image])
    crowd = rng.random(TRUTHS) < 0.01
    truths = [
        {
            "id": n + 1,
            "image_id": int(i) + 1,
            "category_id": int(c) + 1,
            "bbox": box,
            "area": box[2] * box[3],
            "iscrowd": int(k),
        }
        for n, (i, c, box, k) in enumerate(
            zip(image, category, boxes.round(2).tolist(), crowd, strict=True)
        )
    ]
    results: list[dict[str, Any]] = []
    for number, size in enumerate(sizes):
        own = np.flatnonzero(image == number)[:per_image]
        results += make_results(rng, number + 1, size, boxes[own], category[own], per_image, scored)
    images = [
        {"id": n + 1, "file_name": f"{n}.jpg", "width": int(w), "height": int(h)}
        for n, (w, h) in enumerate(sizes)
    ]
    categories = [{"id": n + 1, "name": f"class {n}"} for n in range(CLASSES)]
    (folder / "ann.json").write_text(
        json.dumps({"images": images, "categories": categories, "annotations": truths})
    )
    (folder / "results.json").write_text(json.dumps(results))
    return folder / "ann.json", folder / "results.json"


def make_results(
    rng: Any, image: int, size: Any, boxes: Any, categories: Any, count: int, scored: bool
) -> list[dict[str, Any]]:
    """`count` results of one image: its boxes, jittered, then random ones."""
    jitter = rng.normal(0, rng.choice([0.02, 0.05, 0.12]), (len(boxes), 4)) * np.tile(
        boxes[:, 2:], 2
    )
    others = count - len(boxes)
    found = np.concatenate([boxes + jitter, random_boxes(rng, np.tile(size, (others, 1)))]).round(2)
    labels = [*categories, *rng.choice(rng.integers(0, CLASSES, 6), others)]
    scores = (
        np.append(rng.uniform(0.3, 1, len(boxes)), rng.uniform(0, 0.7, others))
        if scored
        else np.ones(count)
    )
    return [
        {"image_id": image, "category_id": int(c) + 1, "bbox": box, "score": float(s)}
        for c, box, s in zip(labels, found.tolist(), scores, strict=True)
    ]


def random_boxes(rng: np.random.Generator, sizes: Any) -> Any:
    """(n, 4) xywh boxes within (n, 2) sizes."""
    sides = sizes * rng.uniform(0.03, 0.6, sizes.shape)
    return np.concatenate([rng.uniform(0, 1, sizes.shape) * (sizes - sides), sides], axis=1)


def by_pycocotools(ann: str, results: str) -> Numbers:
    from pycocotools.coco import COCO
    from pycocotools.cocoeval import COCOeval

    return coco_eval(COCO, COCOeval, ann, results)


def by_faster_coco_eval(ann: str, results: str) -> Numbers:
    from faster_coco_eval import COCO, COCOeval_faster

    return coco_eval(COCO, COCOeval_faster, ann, results)


def coco_eval(dataset: Any, evaluator_class: Any, ann: str, results: str) -> Numbers:
    """The script that pycocotools' documentation shows."""
    truth = dataset(ann)
    evaluator = evaluator_class(truth, truth.loadRes(results), "bbox")
    evaluator.evaluate()
    evaluator.accumulate()
    evaluator.summarize()
    return [float(value) for value in evaluator.stats][:12]


def by_mmdet(ann: str, results: str) -> Numbers:
    """CocoMetric as a test loop feeds it: one sample of tensors per image."""
    from mmdet_eval.metrics.mmdet_backend import ITEMS, stub_mmcv_ops

    with stub_mmcv_ops():
        from mmdet.evaluation.metrics import CocoMetric
    import torch

    data = json.loads(Path(ann).read_text())
    by_image: dict[int, list[dict[str, Any]]] = {image["id"]: [] for image in data["images"]}
    for result in json.loads(Path(results).read_text()):
        by_image[result["image_id"]].append(result)
    items = list(ITEMS.values())
    metric = CocoMetric(ann_file=ann, proposal_nums=MAX_DETS, metric_items=items)
    metric.dataset_meta = {"classes": [category["name"] for category in data["categories"]]}
    for image in data["images"]:
        found = by_image[image["id"]]
        boxes = torch.tensor([result["bbox"] for result in found], dtype=torch.float64).reshape(
            -1, 4
        )
        boxes[:, 2:] += boxes[:, :2]
        scores = torch.tensor([result["score"] for result in found], dtype=torch.float64)
        labels = torch.tensor([result["category_id"] - 1 for result in found])
        sample = {"img_id": image["id"], "ori_shape": (image["height"], image["width"])}
        metric.process(
            {},
            [{**sample, "pred_instances": {"bboxes": boxes, "scores": scores, "labels": labels}}],
        )
    found = metric.evaluate(size=len(by_image))
    return [found[f"coco/bbox_{item}"] for item in items]


def ours(engine: str, out: bool = False) -> Callable[[str, str], Numbers]:
    """What `mmdet-eval --ann --pred --engine` does: read, check, measure, cross-check, spread over
    orders, print."""

    def run(ann: str, results: str) -> Numbers:
        from mmdet_eval.cli import parser
        from mmdet_eval.commands.evaluate import evaluate, finish
        from mmdet_eval.gc_pause import garbage_collection_paused

        folder = ["--out", str(Path(ann).parent / "out")] if out else []
        arguments = parser().parse_args(
            ["evaluate", "--ann", ann, "--pred", results, "--engine", engine, *folder]
        )
        with garbage_collection_paused():
            evaluations, left_out = evaluate(arguments)
            finish(evaluations, left_out, arguments)
        return [
            -1.0 if value is None else value for value in evaluations[0].scores.metrics.values()
        ]

    return run


EVALUATORS: dict[str, Callable[[str, str], Numbers]] = {
    "pycocotools": by_pycocotools,
    "faster-coco-eval": by_faster_coco_eval,
    PLAIN: by_mmdet,
    "mmdet_eval mmdet": ours("mmdet"),
    "  with --out": ours("mmdet", out=True),
    FAST: ours("hotcoco"),
}


def timed(name: str, files: tuple[Path, Path]) -> tuple[float, Numbers]:
    """Seconds of the whole process, and its numbers."""
    start = time.perf_counter()
    command = [sys.executable, __file__, "--evaluator", name, *map(str, files)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{name} failed:\n{done.stderr}")
    return time.perf_counter() - start, json.loads(done.stdout.splitlines()[-1])


def check(found: dict[str, Numbers]) -> None:
    """That all evaluators agree: to 1e-6, CocoMetric to its three decimals."""
    for name, numbers in found.items():
        difference = float(np.abs(np.subtract(numbers, found["pycocotools"])).max())
        if not difference <= (5.1e-4 if name == PLAIN else 1e-6):
            raise SystemExit(
                f"expected {name} to find pycocotools' numbers, got a difference of {difference}"
            )


def measure_case(files: tuple[Path, Path], rounds: int) -> dict[str, float]:
    """Median seconds of each evaluator; the first round compares numbers and warms the disk's
    cache."""
    check({name: timed(name, files)[1] for name in EVALUATORS})
    seconds = [{name: timed(name, files)[0] for name in EVALUATORS} for _ in range(rounds)]
    return {name: statistics.median(taken[name] for taken in seconds) for name in EVALUATORS}


def main() -> None:
    """Print a table, one block per case."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--per-image", type=int, nargs="+", default=[8, 100])
    parser.add_argument(
        "--scores", nargs="+", choices=["scored", "const"], default=["scored", "const"]
    )
    parser.add_argument(
        "--evaluator", nargs=3, help=argparse.SUPPRESS, metavar=("NAME", "ANN", "RESULTS")
    )
    arguments = parser.parse_args()
    if arguments.evaluator:
        name, *files = arguments.evaluator
        with redirect_stdout(StringIO()):
            numbers = EVALUATORS[name](*files)
        print(json.dumps(numbers))
        return
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    for per_image in arguments.per_image:
        for scores in arguments.scores:
            with tempfile.TemporaryDirectory() as folder:
                seconds = measure_case(
                    make_files(Path(folder), per_image, scores == "scored"), arguments.rounds
                )
            print(f"\n{IMAGES} images, {TRUTHS} truths, {per_image} boxes an image, {scores}")
            print(f"{'':<20}{'seconds':>10}{'/ plain mmdet':>16}{'x faster':>10}")
            for name, taken in seconds.items():
                print(
                    f"{name:<20}{taken:>10.1f}{taken / seconds[PLAIN]:>15.2f}"
                    f"{seconds[PLAIN] / taken:>11.1f}"
                )


if __name__ == "__main__":
    main()
