"""Time, processor time and memory from files to numbers.

    python benchmarks/evaluator_speed.py                     a set of COCO's size, every evaluator
    python benchmarks/evaluator_speed.py --fast              without those that take a minute
    python benchmarks/evaluator_speed.py --size lvis --fast  20,000 images, 1,203 classes
    python benchmarks/evaluator_speed.py --size rf100_vl --fast  the layout of RF100-VL: 100 sets
    python benchmarks/evaluator_speed.py --rounds 5          the least of five
    python benchmarks/evaluator_speed.py --store --fast      and keep the figures for the docs

Each evaluator is a whole process: start, imports, reading both files, the numbers. Boxes are
jittered truths of falling quality plus random ones, with scores (`scored`) and without (`const`,
all 1). The numbers of all evaluators are compared. The ratio is to hotcoco alone in a process that
also reads both files in Python. Needs the `eval` extra and faster-coco-eval.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from contextlib import redirect_stdout
from dataclasses import astuple, dataclass
from io import StringIO
from itertools import product
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
from evaluator_tables import store

Numbers = list[float]  # COCO's twelve
# Images, truths, classes. RF100-VL's are those of one of its 100 sets: 1.36 million boxes of 564
# classes in 164,000 images, of which about a tenth are for tests.
SIZES = {
    "coco": (5_000, 36_000, 80),
    "lvis": (19_809, 244_707, 1_203),
    "rf100_vl": (160, 1_320, 6),
}
SUITE = "rf100_vl"
MAX_DETS = (1, 10, 100)
PLAIN, ALONE, BASE = "mmdet CocoMetric", "hotcoco alone", "hotcoco and json.loads"


def make_files(folder: Path, per_image: int, scored: bool, size: str = "coco") -> tuple[Path, Path]:
    """Annotations and results; the categories of an image are few, as in photographs."""
    images, truths, classes = SIZES[size]
    rng = np.random.default_rng(0)
    sizes = rng.integers(400, 641, (images, 2))
    image, category = np.sort(rng.integers(0, images, truths)), rng.integers(0, classes, truths)
    boxes = random_boxes(rng, sizes[image])
    crowd = rng.random(truths) < 0.01
    records = [
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
    bounds = np.searchsorted(image, np.arange(images + 1))
    for number, side in enumerate(sizes):
        there = slice(bounds[number], min(bounds[number + 1], bounds[number] + per_image))
        made = make_boxes(rng, side, boxes[there], category[there], per_image, classes, scored)
        results += [{"image_id": number + 1, **one} for one in made]
    data = {
        "images": [
            {"id": n + 1, "file_name": f"{n}.jpg", "width": int(w), "height": int(h)}
            for n, (w, h) in enumerate(sizes)
        ],
        "categories": [{"id": n + 1, "name": f"class {n}"} for n in range(classes)],
        "annotations": records,
    }
    (folder / "ann.json").write_text(json.dumps(data))
    (folder / "results.json").write_text(json.dumps(results))
    return folder / "ann.json", folder / "results.json"


def make_root(folder: Path, per_image: int, scored: bool) -> tuple[Path, Path]:
    """The annotations of every set of RF100-VL in its layout, without images, and a file of results
    for each."""
    from mmdet_eval.suites.files import read_suite

    root, results = folder / "root", folder / "results"
    results.mkdir()
    for spec in read_suite(SUITE, root).datasets:
        spec.ann.parent.mkdir(parents=True)
        ann, boxes = make_files(spec.ann.parent, per_image, scored, SUITE)
        ann.rename(spec.ann)
        boxes.rename(results / f"{spec.name}.json")
    return root, results


def make_inputs(folder: Path, per_image: int, scored: bool, size: str) -> tuple[Path, Path]:
    """`make_root` for a suite, `make_files` otherwise."""
    if size == SUITE:
        return make_root(folder, per_image, scored)
    return make_files(folder, per_image, scored, size)


def make_boxes(
    rng: Any, size: Any, boxes: Any, categories: Any, count: int, classes: int, scored: bool
) -> list[dict[str, Any]]:
    """`count` results of one image: its boxes, jittered, then random ones."""
    jitter = rng.normal(0, rng.choice([0.02, 0.05, 0.12]), (len(boxes), 4)) * np.tile(
        boxes[:, 2:], 2
    )
    others = count - len(boxes)
    drawn = np.concatenate([boxes + jitter, random_boxes(rng, np.tile(size, (others, 1)))]).round(2)
    labels = [*categories, *rng.choice(rng.integers(0, classes, 6), others)]
    scores = (
        np.append(rng.uniform(0.3, 1, len(boxes)), rng.uniform(0, 0.7, others))
        if scored
        else np.ones(count)
    )
    return [
        {"category_id": int(c) + 1, "bbox": box, "score": float(s)}
        for c, box, s in zip(labels, drawn.tolist(), scores, strict=True)
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
        given = by_image[image["id"]]
        boxes = torch.tensor([result["bbox"] for result in given], dtype=torch.float64).reshape(
            -1, 4
        )
        boxes[:, 2:] += boxes[:, :2]
        scores = torch.tensor([result["score"] for result in given], dtype=torch.float64)
        labels = torch.tensor([result["category_id"] - 1 for result in given])
        sample = {"img_id": image["id"], "ori_shape": (image["height"], image["width"])}
        metric.process(
            {},
            [{**sample, "pred_instances": {"bboxes": boxes, "scores": scores, "labels": labels}}],
        )
    numbers = metric.evaluate(size=len(by_image))
    return [numbers[f"coco/bbox_{item}"] for item in items]


def ours(engine: str, out: bool = False) -> Callable[[str, str], Numbers]:
    """What `mmdet-eval --ann --pred --engine` does: read, check, measure, cross-check, spread over
    orders, print."""

    def run(ann: str, results: str) -> Numbers:
        from mmdet_eval.cli import parser
        from mmdet_eval.commands.evaluate import evaluate, finish
        from mmdet_eval.gc_pause import garbage_collection_paused
        from mmdet_eval.reports.phrases import average

        folder = ["--out", str(Path(ann).parent / "out")] if out else []
        place = ["--suite", SUITE, "--root", ann] if Path(ann).is_dir() else ["--ann", ann]
        arguments = parser().parse_args(
            ["evaluate", *place, "--pred", results, "--engine", engine, *folder]
        )
        with garbage_collection_paused():
            evaluations, left_out = evaluate(arguments)
            finish(evaluations, left_out, arguments)
        metrics = average(evaluations) or evaluations[0].scores.metrics
        return [-1.0 if value is None else value for value in metrics.values()]

    return run


def by_hotcoco(ann: str, results: str) -> Numbers:
    """hotcoco as its documentation shows, with its own reader of files."""
    import hotcoco

    truth = hotcoco.COCO(ann)
    evaluator = hotcoco.COCOeval(truth, truth.load_res(results), "bbox")
    evaluator.run()
    return [float(value) for value in evaluator.stats][:12]


def by_hotcoco_after_reading(ann: str, results: str) -> Numbers:
    """Also reads both files in Python, as any program does that looks at them."""
    for path in (ann, results):
        json.loads(Path(path).read_text())
    return by_hotcoco(ann, results)


def in_turn(evaluator: Callable[[str, str], Numbers]) -> Callable[[str, str], Numbers]:
    """An evaluator of one set for a root of many: one after the other in one process, and the means
    of their numbers."""

    def run(ann: str, results: str) -> Numbers:
        if not Path(ann).is_dir():
            return evaluator(ann, results)
        files = sorted(Path(results).iterdir())
        sets = [Path(ann) / file.stem / "test" / "_annotations.coco.json" for file in files]
        pairs = zip(sets, files, strict=True)
        numbers = [evaluator(str(one), str(file)) for one, file in pairs]
        return [float(value) for value in np.mean(numbers, axis=0)]

    return run


EVALUATORS: dict[str, Callable[[str, str], Numbers]] = {
    ALONE: in_turn(by_hotcoco),
    BASE: in_turn(by_hotcoco_after_reading),
    "mmdet_eval hotcoco": ours("hotcoco"),
    "mmdet_eval hotcoco --out": ours("hotcoco", out=True),
    "faster-coco-eval": in_turn(by_faster_coco_eval),
    "pycocotools": in_turn(by_pycocotools),
    PLAIN: in_turn(by_mmdet),
    "mmdet_eval mmdet": ours("mmdet"),
    "mmdet_eval mmdet --out": ours("mmdet", out=True),
}
SLOW = ("faster-coco-eval", "pycocotools", PLAIN, "mmdet_eval mmdet", "mmdet_eval mmdet --out")


@dataclass(frozen=True)
class Cost:
    """Of a whole process: seconds, processor seconds, and its peak memory in MB."""

    wall: float
    processor: float
    peak: float

    def least(self, other: "Cost") -> "Cost":
        """The lower of each: what others do on the machine only adds."""
        pairs = zip(astuple(self), astuple(other), strict=True)
        return Cost(*(min(pair) for pair in pairs))


def measured(name: str, files: tuple[Path, Path]) -> tuple[Cost, Numbers]:
    """What the whole process costs, and its numbers."""
    start = time.perf_counter()
    command = [sys.executable, __file__, "--evaluator", name, *map(str, files)]
    with tempfile.TemporaryFile("w+") as out, tempfile.TemporaryFile("w+") as err:
        process = subprocess.Popen(command, stdout=out, stderr=err)
        _, status, usage = os.wait4(process.pid, 0)
        wall = time.perf_counter() - start
        for stream in (out, err):
            stream.seek(0)
        if status:
            raise SystemExit(f"{name} failed:\n{err.read()}")
        numbers: Numbers = json.loads(out.read().splitlines()[-1])
    # Linux gives the peak in KiB.
    return Cost(wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024), numbers


def check(numbers_of: dict[str, Numbers]) -> None:
    """That all evaluators agree: to 1e-6, CocoMetric to its three decimals."""
    for name, numbers in numbers_of.items():
        difference = float(np.abs(np.subtract(numbers, numbers_of[ALONE])).max())
        if not difference <= (5.1e-4 if name == PLAIN else 1e-6):
            raise SystemExit(
                f"expected {name} to find hotcoco's numbers, got a difference of {difference}"
            )


def measure_case(files: tuple[Path, Path], rounds: int, names: list[str]) -> dict[str, Cost]:
    """The least cost of each evaluator, in turns; their numbers are compared."""
    costs: dict[str, Cost] = {}
    for _ in range(rounds):
        numbers_of = {}
        for name in names:
            cost, numbers_of[name] = measured(name, files)
            costs[name] = cost.least(costs.get(name, cost))
        check(numbers_of)
    return costs


def show(costs: dict[str, Cost]) -> None:
    """One line for each evaluator."""
    base = costs[BASE].processor
    print(f"{'':<26}{'seconds':>9}{'processor':>11}{'ratio':>7}{'peak MB':>9}")
    for name, cost in costs.items():
        numbers = f"{cost.wall:>9.1f}{cost.processor:>11.1f}{cost.processor / base:>7.1f}"
        print(f"{name:<26}{numbers}{cost.peak:>9.0f}", flush=True)


def main() -> None:
    """Print a table, one block per case."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--size", choices=list(SIZES), default="coco")
    parser.add_argument("--fast", action="store_true", help="hotcoco alone, and with mmdet_eval")
    parser.add_argument("--store", action="store_true", help="for evaluator_tables.py")
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
    # Modules are compiled once, as in an installation, and not at each start.
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    names = [name for name in EVALUATORS if not (arguments.fast and name in SLOW)]
    for per_image, scores in product(arguments.per_image, arguments.scores):
        with tempfile.TemporaryDirectory() as folder:
            # The peak of a process begins with its parent's, so this one has to stay small.
            with ProcessPoolExecutor(1, get_context("spawn")) as other:
                options = Path(folder), per_image, scores == "scored", arguments.size
                made = other.submit(make_inputs, *options).result()
            costs = measure_case(made, arguments.rounds, names)
        images, truths, classes = SIZES[arguments.size]
        sets = "100 sets of " if arguments.size == SUITE else ""
        print(f"\n{sets}{images} images, {truths} truths, {classes} classes, ", end="")
        print(f"{per_image} boxes an image, {scores}")
        show(costs)
        if arguments.store:
            kept = {name: astuple(cost) for name, cost in costs.items()}
            store(f"{arguments.size} {per_image} {scores}", kept)


if __name__ == "__main__":
    main()
