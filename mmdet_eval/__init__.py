"""Scores a VLM's text answers with MMDetection's evaluator: mAP, AP50, AP75 and AR@100.

    python -m mmdet_eval --ann instances.json --pred infer.jsonl --out eval

In Python, for detections that already are COCO results:

    from mmdet_eval import evaluate_coco_results
    results = [{"image_id": 1, "category_id": 3, "bbox": [x, y, w, h], "score": 0.9}]
    evaluate_coco_results("instances.json", results)

Answers are read with the same parser and coordinate frames as in training
(`swift_plugin_visionr1`).
"""

from swift_plugin_visionr1.errors import InputError

from .answers.answer import Answer, ReadAnswer
from .answers.coco_results import Converted, Counts, to_coco_results
from .answers.join import Joined, join
from .answers.readers import read_predictions, read_rows
from .coco.annotations import Annotations, read_annotations
from .metrics.mmdet_backend import evaluate, evaluate_coco_results

__all__ = [
    "Annotations",
    "Answer",
    "Converted",
    "Counts",
    "InputError",
    "Joined",
    "ReadAnswer",
    "evaluate",
    "evaluate_coco_results",
    "join",
    "read_annotations",
    "read_predictions",
    "read_rows",
    "to_coco_results",
]
