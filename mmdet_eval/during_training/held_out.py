"""Turns the held-out rows of a training run into annotations, by their `solution` column."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from swift_plugin_visionr1.data.ground_truth import GroundTruth, read_solution
from swift_plugin_visionr1.errors import InputError
from swift_plugin_visionr1.geometry.boxes import xyxy_to_xywh
from swift_plugin_visionr1.models.model_io import ModelIO
from swift_plugin_visionr1.writing import write_file

from ..answers.answer import Answer
from ..answers.coco_results import to_coco_results
from ..coco.annotations import Annotations, read_annotations
from ..coco.detections import to_detections
from ..metrics.measure import Engine, measure
from ..text_scores import refusal

METRICS = ("mAP", "AP50", "AP75", "AR@100")
BESIDE = ("precision@.5", "recall@.5", "F1@.5")


@dataclass(frozen=True)
class HeldOut:
    """What held-out answers are evaluated against.

    Attributes:
        annotations: one image per row, numbered from 1 in row order. Rows that share an image file
            but ask for one category each stay separate.
        io: how the answers are written.
        engine: engine of `measure`.
    """

    annotations: Annotations
    io: ModelIO
    engine: Engine

    def scores(self, answers: Sequence[tuple[str, bool]]) -> dict[str, float]:
        """The numbers to log, in [0, 1]: `METRICS`, `BESIDE`, "unparsed", the share of unreadable
        answers, and the shares of answers that say that there is nothing, "refused_where_absent"
        of the rows without boxes and "refused_where_present" of the others. What cannot be
        measured is left out.

        Args:
            answers: for each row, in order: the text, and whether generation was cut off.
        """
        read = [
            Answer(image, text, truncated, line)
            for line, (image, (text, truncated)) in enumerate(
                zip(self.annotations.images, answers, strict=True), 1
            )
        ]
        truth = self.annotations
        converted = to_coco_results(read, self.io, truth.categories, len(truth.images))
        scores = measure(truth, converted.detections, self.engine, orders=0)
        values = {name: scores.metrics[name] for name in METRICS} | {
            name: scores.beside[name] for name in BESIDE
        }
        values |= {
            name.replace(" ", "_"): value for name, value in refusal(truth, converted).items()
        }
        known = {name: value for name, value in values.items() if value is not None}
        return known | {"unparsed": converted.counts.unparsed / len(answers)}

    def dry_run(self) -> None:
        """Measure one perfect box, so that an unusable evaluator is noticed before training.

        Raises:
            MissingBackend: MMDetection cannot be imported.
            InputError: hotcoco is the engine and is not installed.
        """
        truth = self.annotations.data["annotations"][0]
        perfect = {name: truth[name] for name in ("image_id", "category_id", "bbox")} | {
            "score": 1.0
        }
        measure(self.annotations, to_detections(self.annotations, [perfect]), self.engine, orders=0)


def held_out(
    rows: Iterable[Mapping[str, Any]], path: Path, io: ModelIO, engine: Engine = "mmdet"
) -> HeldOut:
    """Write the rows' annotations to `path` as a COCO file, with their labels as categories.

    Args:
        rows: rows with "solution" (see `read_solution`) and one image in "images".

    Raises:
        InputError: the rows have no boxes.
        SolutionError: a row's annotations cannot be used.
    """
    truths, names = [], []
    for row in rows:
        truths.append(read_solution(row["solution"], row.get("width"), row.get("height")))
        names.append(_file_name(row))
    labels = sorted({label for truth in truths for label in truth.labels})
    if not labels:
        raise InputError(
            f"expected boxes in the solutions of the held-out rows, got {len(truths)} rows without "
            "any"
        )
    write_file(path, json.dumps(_coco(truths, names, labels)) + "\n")
    return HeldOut(read_annotations(path), io, engine)


def _file_name(row: Mapping[str, Any]) -> str:
    image = (row.get("images") or [""])[0]
    return str(image.get("path") if isinstance(image, Mapping) else image)[
        :255
    ]  # the beginning of a base64 string will do


def _coco(
    truths: Sequence[GroundTruth], names: Sequence[str], labels: Sequence[str]
) -> dict[str, Any]:
    boxes = [
        (image, label, box)
        for image, truth in enumerate(truths, 1)
        for box, label in zip(xyxy_to_xywh(truth.boxes).tolist(), truth.labels, strict=True)
    ]
    return {
        "images": [
            {"id": number, "file_name": name, "width": truth.size[0], "height": truth.size[1]}
            for number, (truth, name) in enumerate(zip(truths, names, strict=True), 1)
        ],
        "categories": [{"id": number, "name": label} for number, label in enumerate(labels, 1)],
        "annotations": [
            {
                "id": number,
                "image_id": image,
                "category_id": labels.index(label) + 1,
                "iscrowd": 0,
                "bbox": box,
                "area": box[2] * box[3],
            }
            for number, (image, label, box) in enumerate(boxes, 1)
        ],
    }
