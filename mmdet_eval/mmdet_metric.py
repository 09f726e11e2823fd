"""`VLMCocoMetric`: a VLM's text in MMDetection's own evaluation loop, from a plain config.

    custom_imports = dict(imports=["mmdet_eval.mmdet_metric"])
    val_evaluator = dict(
        type="VLMCocoMetric", ann_file="instances_val.json", model_type="qwen2_5_vl"
    )

Importing this file imports MMDetection's registry, so no other module imports it.
"""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from mmengine.evaluator import BaseMetric

from swift_plugin_visionr1.errors import InputError
from swift_plugin_visionr1.geometry.boxes import as_boxes, xyxy_to_xywh
from swift_plugin_visionr1.models.chat import ChatOptions
from swift_plugin_visionr1.models.model_io import Limits, model_io
from swift_plugin_visionr1.reward.settings import Settings

from .answers.coco_results import converted_boxes
from .answers.rows import make_row
from .answers.scorers import find_scorer
from .coco.annotations import Annotations, read_annotations
from .coco.detections import CocoResult, to_detections
from .evaluation import Options, evaluate_dataset
from .metrics.mmdet_backend import stub_mmcv_ops
from .metrics.scores import Metrics
from .suites.protocols import load_protocol
from .suites.spec import DatasetSpec

with stub_mmcv_ops():  # the registry imports all of mmdet.evaluation before it builds anything
    import mmdet.evaluation  # noqa: F401
    from mmdet.registry import METRICS


@METRICS.register_module()
class VLMCocoMetric(BaseMetric):  # type: ignore[misc]
    """CocoMetric's unrounded numbers for text or boxes.

    A data sample has "img_id" and either "response", the model's text, or "pred_instances" as
    CocoMetric reads them, whose labels are positions in the data set's "classes". In addition to a
    response it may have what a row of `swift infer` has: "query" or "category_id", "input_width"
    and "input_height", "logprobs", "finish_reason". An image without a sample counts as one without
    boxes.

    Args:
        ann_file: COCO annotation file.
        model_type: ms-swift's name of the model's family, from which format and frame follow.
        format, frame: how the model writes boxes, if it differs from its family.
        template, enable_thinking: ms-swift's options, as set at inference.
        score: a key of `confidence.POLICIES`, or "module:function" of one's own scorer.
        max_pixels: the --max_pixels of inference; MAX_PIXELS and the like are read from the
            environment.
        protocol: how the model was asked: a name or a YAML file; needed if images are asked about
            more than once.
        collect_device, prefix: as of every metric of MMEngine; "vlm/mAP" unless another prefix is
            given.
    """

    default_prefix = "vlm"

    def __init__(
        self,
        ann_file: str,
        model_type: str = "qwen2_5_vl",
        format: str | None = None,
        frame: str | None = None,
        score: str = "const",
        max_pixels: int | None = None,
        protocol: str | None = None,
        collect_device: str = "cpu",
        prefix: str | None = None,
        template: str | None = None,
        enable_thinking: bool | None = None,
    ) -> None:
        super().__init__(collect_device=collect_device, prefix=prefix)
        self.ann_file = Path(ann_file)
        self.options = Options(
            protocol=load_protocol(protocol) if protocol else None,
            score=score,
            scorer=find_scorer(score),
            orders=0,
            missing="empty",
            io=model_io(
                Settings(format=format, frame=frame),
                model_type,
                Limits(os.environ, max_pixels),
                ChatOptions(template, enable_thinking),
            ),
        )

    def process(self, data_batch: Any, data_samples: Sequence[Mapping[str, Any]]) -> None:
        """Keep what `compute_metrics` needs from the samples."""
        for sample in data_samples:
            if isinstance(sample.get("response"), str):
                kept = {
                    key: value
                    for key, value in sample.items()
                    if key not in ("img_id", "pred_instances")
                }
                self.results.append({**kept, "image_id": sample["img_id"]})
            elif "pred_instances" in sample:
                instances = sample["pred_instances"]
                columns = {
                    name: instances[name].cpu().double().tolist()
                    for name in ("bboxes", "scores", "labels")
                }
                self.results.append({"image_id": sample["img_id"], **columns})
            else:
                raise InputError(
                    'expected data samples with "response" (the model\'s text) or '
                    f'"pred_instances", got {sorted(sample)}'
                )

    def compute_metrics(self, results: list[dict[str, Any]]) -> Metrics:
        """The metrics of `evaluate_dataset`."""
        classes = tuple((self.dataset_meta or {}).get("classes") or ()) or None
        annotations = read_annotations(self.ann_file, classes)
        spec = DatasetSpec(self.ann_file.stem, self.ann_file, self.ann_file.parent, classes)
        if any("response" in result for result in results):
            rows = [
                make_row(
                    number,
                    f"sample {number}",
                    result["response"],
                    result,
                    finish_reason=result.get("finish_reason"),
                    logprobs=result.get("logprobs"),
                )
                for number, result in enumerate(results, 1)
            ]
            return evaluate_dataset(spec, annotations, rows, self.options, None).scores.metrics
        boxes = [box for result in results for box in _boxes(result, classes, annotations)]
        given = converted_boxes(to_detections(annotations, boxes), len(results))
        return evaluate_dataset(spec, annotations, given, self.options, None).scores.metrics


def _boxes(
    result: Mapping[str, Any], classes: Sequence[str] | None, annotations: Annotations
) -> list[CocoResult]:
    """By class name, because the order of a config's classes may differ from the file's."""
    by_name = {name: key for key, name in annotations.categories.items()}
    names = list(classes or by_name)
    boxes_xywh = xyxy_to_xywh(as_boxes(result["bboxes"])).tolist()
    return [
        {
            "image_id": result["image_id"],
            "category_id": by_name[names[int(label)]],
            "bbox": box,
            "score": score,
        }
        for box, score, label in zip(boxes_xywh, result["scores"], result["labels"], strict=True)
    ]
