"""The files of one data set that other programs read."""

import csv
import json
import pickle
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from swift_plugin_visionr1.text import for_spreadsheet
from swift_plugin_visionr1.writing import encode

from ..answers.answer import ReadAnswer
from ..coco.annotations import Annotations, Id
from ..coco.results import CocoResult
from ..evaluation import Evaluation


def write_files(folder: Path, evaluation: Evaluation, dump: bool) -> None:
    """Write per_class.csv, unmatched_labels.csv, coco_results.json, matches.npz,
    parse_errors.jsonl, and predictions.pkl if `dump` is set.

    Args:
        folder: exists already and is empty.
        evaluation: one data set.
        dump: whether to write mmdet's dump, which needs torch.
    """
    converted, scores = evaluation.converted, evaluation.scores
    names = list(scores.classes[0].metrics) if scores.classes else []
    rows = (
        [c.category, c.name, c.truths, c.boxes, *(c.metrics[n] for n in names)]
        for c in scores.classes
    )
    _write_csv(folder / "per_class.csv", ["category_id", "name", "truths", "boxes", *names], rows)
    _write_csv(
        folder / "unmatched_labels.csv", ["label", "boxes"], converted.unknown_labels.items()
    )
    (folder / "coco_results.json").write_text(json.dumps(converted.results) + "\n", "utf-8")
    scores.matches.save(folder / "matches.npz")
    errors = (json.dumps(_parse_error(read)) + "\n" for read in converted.answers if read.issues)
    (folder / "parse_errors.jsonl").write_bytes(encode("".join(errors)))
    if dump:
        predictions = mmdet_predictions(evaluation.annotations, converted.results)
        (folder / "predictions.pkl").write_bytes(pickle.dumps(predictions))


def _write_csv(path: Path, header: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    with path.open("w", encoding="utf-8", errors="backslashreplace", newline="") as file:
        safe = ([for_spreadsheet(v) if isinstance(v, str) else v for v in row] for row in rows)
        csv.writer(file).writerows([header, *safe])  # None becomes an empty cell


def _parse_error(read: ReadAnswer) -> dict[str, Any]:
    answer = read.answer
    where = {"image_id": answer.image.id, "image": answer.image.file_name, "line": answer.line}
    return where | {
        "query": answer.query.name,
        "issues": read.issues,
        "truncated": answer.truncated,
        "boxes": len(read.boxes),
        "text": answer.text,
    }


def mmdet_predictions(
    annotations: Annotations, results: Sequence[CocoResult]
) -> list[dict[str, Any]]:
    """What mmdet's `DumpDetResults` dumps: xyxy boxes, scores and labels for each image of the
    file.

    Tensors are double precision, so that an offline evaluation loses nothing. Labels are positions
    in the annotation file's list of categories.
    """
    by_image: dict[Id, list[CocoResult]] = {image.id: [] for image in annotations.images}
    for result in results:
        by_image[result["image_id"]].append(result)
    places = {category: place for place, category in enumerate(annotations.categories)}
    return [
        {
            "img_id": image.id,
            "img_path": image.file_name,
            "ori_shape": (image.size[1], image.size[0]),
            "pred_instances": _instances(by_image[image.id], places),
        }
        for image in annotations.images
    ]


def _instances(results: Sequence[CocoResult], places: dict[Id, int]) -> dict[str, Any]:
    import torch

    boxes = np.array([result["bbox"] for result in results], dtype=np.float64).reshape(-1, 4)
    boxes[:, 2:] += boxes[:, :2]
    return {
        "bboxes": torch.from_numpy(boxes),
        "scores": torch.tensor([result["score"] for result in results], dtype=torch.float64),
        "labels": torch.tensor(
            [places[result["category_id"]] for result in results], dtype=torch.int64
        ),
    }
