"""What ways of evaluating that are common elsewhere do to the number: the table of
docs/how_others_evaluate.md, from answers that stay the same.

python benchmarks/other_evaluations.py --testbed runs/others
python benchmarks/other_evaluations.py --detections NAME INSTANCES.json RESULTS.json

`--testbed` draws the scenes of examples/shapes and lets the shipped checkpoint answer, unless the
folder has its answers already; `--detections` takes any detector's boxes as COCO results. Both are
stored in benchmarks/other_evaluations.json, from which the table is written.
"""

import argparse
import difflib
import json
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from published_frames import FRAME_CHECKS, FRAMES_MEANT

from mmdet_eval.answers.readers import read_predictions
from mmdet_eval.coco.annotations import Annotations, make_annotations, read_annotations
from mmdet_eval.coco.columns import place_of_each
from mmdet_eval.coco.detections import to_detections
from mmdet_eval.evaluation import Options, evaluate_dataset
from mmdet_eval.metrics.by_class import class_rates, macro_by_class, rates_by_class
from mmdet_eval.metrics.matching import match_boxes
from mmdet_eval.metrics.measure import measure
from mmdet_eval.suites.spec import DatasetSpec
from swift_plugin_visionr1.console import say
from swift_plugin_visionr1.errors import InputError
from swift_plugin_visionr1.formats import get_format
from swift_plugin_visionr1.geometry.boxes import as_boxes, iou, xywh_to_xyxy

HERE = Path(__file__).parent
ROOT = HERE.parent
RESULTS = HERE / "other_evaluations.json"
DOC = ROOT / "docs" / "how_others_evaluate.md"
SCENES, SEED = 300, 2_000_003  # as examples/shapes/demo.py draws its held-out scenes
LEAST_SCORE = 0.3  # of a detector's boxes, which are then written like a model's answer
CUT = 2  # boxes, after which an answer is cut off
LABEL_ENDS = 3  # letters that are cut off a label
FRAMES = FRAMES_MEANT["odinw13_lmms_eval"]["frames chosen by the annotation"]
Box = tuple[list[float], str]  # xyxy in pixels of the image, and the label
Figures = dict[str, float]


@dataclass(frozen=True)
class Answered:
    """A data set and what was answered about each of its images, in their order."""

    name: str
    annotations: Annotations
    boxes: list[list[Box]]

    def written(self) -> list[str]:
        """The answers as Qwen2.5-VL writes them."""
        write = get_format("qwen2_5_vl", frame="original").write
        return [write(as_boxes([b for b, _ in of]), [n for _, n in of]) for of in self.boxes]


def read_testbed(folder: Path) -> Answered:
    """The shipped model's answers to the held-out scenes of examples/shapes."""
    answers = folder / "before" / "infer.jsonl"
    if not answers.is_file():
        sys.path.insert(0, str(ROOT / "examples" / "shapes"))
        import demo
        import scenes

        scenes.write_split(folder / "data", "val", SCENES, SEED)
        demo.evaluate(demo.HERE / "checkpoint", folder / "data", folder / "before")
    path = folder / "data" / "val.json"
    annotations = read_annotations(path)
    rows = read_predictions(answers, annotations)
    spec = DatasetSpec("val", path, folder / "data" / "images")
    converted = evaluate_dataset(spec, annotations, rows, Options(engine="hotcoco"), None).converted
    return Answered(
        "testbed",
        annotations,
        [
            list(zip(read.boxes.tolist(), read.parsed.labels, strict=True))
            for read in converted.answers
        ],
    )


def read_detections(name: str, instances: Path, results: Path) -> Answered:
    """A detector's boxes of at least `LEAST_SCORE`, the best first."""
    annotations = read_annotations(instances)
    boxes: dict[Any, list[Box]] = {image: [] for image in annotations.image_ids}
    for one in sorted(json.loads(results.read_text()), key=lambda one: -one["score"]):
        if one["score"] >= LEAST_SCORE:
            (xyxy,) = xywh_to_xyxy(as_boxes([one["bbox"]])).tolist()
            boxes[one["image_id"]].append((xyxy, annotations.categories[one["category_id"]]))
    return Answered(name, annotations, list(boxes.values()))


def detections_of(answered: Answered) -> Any:
    """All boxes with a label of the data set, with a score of 1."""
    ids = {name: key for key, name in answered.annotations.categories.items()}
    results = [
        {
            "image_id": image,
            "category_id": ids[label],
            "bbox": [x1, y1, x2 - x1, y2 - y1],
            "score": 1.0,
        }
        for image, boxes in zip(answered.annotations.image_ids, answered.boxes, strict=True)
        for (x1, y1, x2, y2), label in boxes
        if label in ids
    ]
    return to_detections(answered.annotations, results)


def mean_ap(answered: Answered) -> float:
    """mAP as mmdet-eval reports it."""
    scores = measure(answered.annotations, detections_of(answered), "hotcoco", orders=0)
    return scores.metrics["mAP"] or 0.0


def truths_of(answered: Answered) -> list[tuple[list[list[float]], list[str]]]:
    """Boxes xyxy and names of each image, without crowds."""
    truths, names = answered.annotations.truths, list(answered.annotations.categories.values())
    boxes_xyxy = truths.boxes_xyxy
    return [
        (boxes_xyxy[places].tolist(), [names[k] for k in truths.category[places].tolist()])
        for places in truths.by_image
    ]


def frames(answered: Answered, per_mille: bool) -> Figures:
    """lmms-eval's odinw13, with and without its choice of frames.

    Args:
        per_mille: the answers have coordinates from 0 to 1000, although pixels were asked for.
    """
    docs, responses = [], []
    truths = truths_of(answered)
    for image, of_image, boxes in zip(
        answered.annotations.images, truths, answered.boxes, strict=True
    ):
        width, height = image.size
        by = np.array([1000 / width, 1000 / height] * 2) if per_mille else np.ones(4)
        docs.append(
            {
                "dataset_name": answered.name,
                "image_id": image.id,
                "image_width": width,
                "image_height": height,
                "bboxes": of_image[0],
                "labels": of_image[1],
                "categories": list(answered.annotations.categories.values()),
            }
        )
        objects = [{"bbox_2d": (np.array(box) * by).tolist(), "label": n} for box, n in boxes]
        responses.append(json.dumps(objects))
    case = {"docs": docs, "responses": responses}
    chosen = FRAME_CHECKS["odinw13_lmms_eval"](case)["expected"]
    return {"as meant": FRAMES(case)["mAP"], "their way": chosen["mAP"]}


def dropping(answered: Answered) -> Figures:
    """Answers cut off at a token limit: what can be read is scored, or their images are left
    out."""
    cut = [len(boxes) > CUT for boxes in answered.boxes]
    salvaged = replace(answered, boxes=[boxes[:CUT] for boxes in answered.boxes])
    kept = [
        image.id
        for image, is_cut in zip(answered.annotations.images, cut, strict=True)
        if not is_cut
    ]
    content = {
        name: [one for one in answered.annotations.data[name] if one[key] in set(kept)]
        for name, key in (("images", "id"), ("annotations", "image_id"))
    } | {"categories": answered.annotations.data["categories"]}
    fewer = make_annotations(content, answered.annotations.path, "")
    boxes = [of for of, is_cut in zip(answered.boxes, cut, strict=True) if not is_cut]
    left = replace(answered, annotations=fewer, boxes=boxes)
    return {"as meant": mean_ap(salvaged), "their way": mean_ap(left)}


def guessing_names(answered: Answered) -> Figures:
    """Every other label lacks its last letters: unknown names are dropped, or taken for the most
    similar one."""
    names = list(answered.annotations.categories.values())
    spoilt = [
        [(box, name[:-LABEL_ENDS] if n % 2 else name) for n, (box, name) in enumerate(boxes)]
        for boxes in answered.boxes
    ]
    guessed = [
        [(box, difflib.get_close_matches(name, names, 1, 0.0)[0]) for box, name in boxes]
        for boxes in spoilt
    ]
    ways = (replace(answered, boxes=spoilt), replace(answered, boxes=guessed))
    return dict(zip(("as meant", "their way"), map(mean_ap, ways), strict=True))


def guessing_by_place(answered: Answered) -> Figures:
    """A box on an annotated object (IoU .5) takes its label."""
    guessed = []
    for (truths, labels), boxes in zip(truths_of(answered), answered.boxes, strict=True):
        guessed.append(list(boxes))
        if not truths or not boxes:
            continue
        overlaps = iou(as_boxes([box for box, _ in boxes]), as_boxes(truths))
        for n, (of_box, (box, _)) in enumerate(zip(overlaps, boxes, strict=True)):
            if of_box.max() >= 0.5:
                guessed[-1][n] = (box, labels[int(of_box.argmax())])
    return {"as meant": mean_ap(answered), "their way": mean_ap(replace(answered, boxes=guessed))}


def orders(answered: Answered) -> Figures:
    """The lowest and the highest mAP of 20 other orders of the images."""
    spread = measure(answered.annotations, detections_of(answered), "hotcoco").spread
    figures = {"as meant": mean_ap(answered), "their way": spread.high or 0.0}
    return figures | {"lowest": spread.low or 0.0}


def positives(answered: Answered) -> Figures:
    """Boxes of classes that an image does not show are left out."""
    shown = [set(labels) for _, labels in truths_of(answered)]
    boxes = [
        [one for one in of if one[1] in names or not names]
        for of, names in zip(answered.boxes, shown, strict=True)
    ]
    return {"as meant": mean_ap(answered), "their way": mean_ap(replace(answered, boxes=boxes))}


def macro_f1(answered: Answered, carry: bool) -> Figures:
    """Macro F1@.5 by class: without the filter for positives, and with it (and the precision of the
    class before, for a class without a right box)."""
    annotations, detections = answered.annotations, detections_of(answered)
    matches = match_boxes(annotations, detections)[0]
    every = class_rates(matches, place_of_each(matches.image_ids, annotations.image_ids))
    filtered = rates_by_class(annotations, detections)
    return {
        "as meant": macro_by_class(filtered if carry else every)["0.5"][2],
        "their way": macro_by_class(filtered, carry)["0.5"][2],
    }


# name -> (number, as meant, their way, the measurement)
WAYS: dict[str, tuple[str, str, str, Callable[[Answered], Figures]]] = {
    "frame, right answers": (
        *("mAP", "the frame that was asked for", "of each box the frame that fits the annotation"),
        lambda one: frames(one, per_mille=False),
    ),
    "frame, answers in the wrong frame": (
        *("mAP", "the frame that was asked for", "of each box the frame that fits the annotation"),
        lambda one: frames(one, per_mille=True),
    ),
    "answers cut off": (
        *("mAP", "scored by what can be read", "their images left out"),
        dropping,
    ),
    "labels that name no class": (
        "mAP",
        "dropped and counted",
        "most similar name",
        guessing_names,
    ),
    "labels of found objects": (
        "mAP",
        "as answered",
        "taken from the annotation",
        guessing_by_place,
    ),
    "order of the images": ("mAP", "by ascending id", "the best of 20 random orders", orders),
    "boxes of classes not in the image": ("mAP", "wrong boxes", "left out", positives),
    "the same, in macro F1": (
        *("macro F1@.5", "wrong boxes", "left out"),
        lambda one: macro_f1(one, carry=False),
    ),
    "classes without a right box": (
        *("macro F1@.5", "precision 0", "precision of the class before"),
        lambda one: macro_f1(one, carry=True),
    ),
}


def figures_of(answered: Answered) -> dict[str, Any]:
    """All ways on one data set."""
    return {
        "images": len(answered.annotations.images),
        "objects": sum(len(labels) for _, labels in truths_of(answered)),
        "boxes": sum(map(len, answered.boxes)),
        "ways": {name: way[-1](answered) for name, way in WAYS.items()},
    }


def table(results: dict[str, Any]) -> str:
    """The table of all data sets, in percent: as meant, then the other way."""
    lines = [["about", "number", "as meant", "another way", *results]]
    lines.append(["---"] * 4 + ["---:"] * len(results))
    for name, (number, meant, other, _) in WAYS.items():
        cells = [_cell(one["ways"][name]) for one in results.values()]
        lines.append([name, number, meant, other, *cells])
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _cell(figures: Figures) -> str:
    return f"{100 * figures['as meant']:.1f} → {100 * figures['their way']:.1f}"


def render(results: dict[str, Any], doc: str) -> str:
    """The page with its table."""
    sets = "; ".join(
        f"{name}: {one['images']} images, {one['objects']} objects, {one['boxes']} boxes"
        for name, one in results.items()
    )
    before, rest = doc.split("<!-- figures -->\n")
    after = rest.split("<!-- /figures -->")[1]
    return f"{before}<!-- figures -->\n{sets}.\n\n{table(results)}\n<!-- /figures -->{after}"


def main(argv: Sequence[str] | None = None) -> int:
    """Measure what is given, store it, and write the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--testbed", type=Path, help="folder for the scenes and answers")
    parser.add_argument(
        "--detections", nargs=3, action="append", default=[], metavar=("NAME", "ANN", "RESULTS")
    )
    arguments = parser.parse_args(argv)
    results = json.loads(RESULTS.read_text()) if RESULTS.is_file() else {}
    if arguments.testbed:
        results["testbed"] = figures_of(read_testbed(arguments.testbed))
    for name, instances, boxes in arguments.detections:
        results[name] = figures_of(read_detections(name, Path(instances), Path(boxes)))
    if not results:
        raise InputError("expected --testbed or --detections, got neither and no stored results")
    RESULTS.write_text(json.dumps(results, indent=1) + "\n")
    DOC.write_text(render(results, DOC.read_text()))
    say(table(results))
    return 0


if __name__ == "__main__":
    sys.exit(main())
