"""The files of one data set that other programs read."""

import csv
import json
import pickle
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import msgspec

from swift_plugin_visionr1.text import for_spreadsheet
from swift_plugin_visionr1.writing import encode

from ..answers.answer import ReadAnswer
from ..coco.annotations import Annotations
from ..coco.detections import Detections
from ..evaluation import Evaluation

CHUNK = 50_000  # results that are objects at a time


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
    write_results(folder / "coco_results.json", converted.detections)
    scores.matches.save(folder / "matches.npz")
    errors = (json.dumps(_parse_error(read)) + "\n" for read in converted.answers if read.issues)
    (folder / "parse_errors.jsonl").write_bytes(encode("".join(errors)))
    if dump:
        predictions = mmdet_predictions(evaluation.annotations, converted.detections)
        (folder / "predictions.pkl").write_bytes(pickle.dumps(predictions))


def write_results(path: Path, detections: Detections) -> None:
    """Write COCO results as a JSON list, some at a time."""
    with path.open("wb") as file:
        file.write(b"[")
        for start in range(0, len(detections), CHUNK):
            results = detections.take(slice(start, start + CHUNK)).to_results()
            file.write((b", " if start else b"") + msgspec.json.encode(results)[1:-1])
        file.write(b"]\n")


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


def mmdet_predictions(annotations: Annotations, detections: Detections) -> list[dict[str, Any]]:
    """What mmdet's `DumpDetResults` dumps: xyxy boxes, scores and labels for each image of the
    file.

    Tensors are double precision, so that an offline evaluation loses nothing. Labels are positions
    in the annotation file's list of categories.
    """
    import torch

    columns = {
        "bboxes": detections.boxes_xyxy,
        "scores": detections.score,
        "labels": detections.category,
    }
    return [
        {
            "img_id": image.id,
            "img_path": image.file_name,
            "ori_shape": (image.size[1], image.size[0]),
            "pred_instances": {
                name: torch.from_numpy(column[places]) for name, column in columns.items()
            },
        }
        for image, places in zip(annotations.images, detections.by_image, strict=True)
    ]
