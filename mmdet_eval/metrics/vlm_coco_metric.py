"""`VLMCocoMetric`: a VLM's text in MMDetection's own evaluation loop, from a plain config.

    custom_imports = dict(imports=["mmdet_eval.metrics.vlm_coco_metric"])
    val_evaluator = dict(type="VLMCocoMetric", ann_file="instances_val.json", format="qwen2_5_vl", max_pixels=401408)

Importing this file imports MMDetection's registry, which is why nothing else here does.
"""

import os
from collections.abc import Mapping, Sequence
from typing import Any

from mmengine.evaluator import BaseMetric

from swift_plugin_visionr1.coords import QwenResize
from swift_plugin_visionr1.formats import get_format

from ..answers.coco_results import CocoResult, to_coco_results
from ..answers.join import join
from ..answers.rows import Row, make_row
from ..data.annotations import Annotations, read_annotations
from ..errors import InputError
from .mmdet_backend import evaluate, stub_mmcv_ops
from .scores import Metrics

with stub_mmcv_ops():  # the registry imports all of mmdet.evaluation before it builds anything
    import mmdet.evaluation  # noqa: F401
    from mmdet.registry import METRICS


@METRICS.register_module()
class VLMCocoMetric(BaseMetric):  # type: ignore[misc]
    """CocoMetric's numbers, not rounded, for text or boxes.

    A data sample has "img_id" and either "response", the model's text, or "pred_instances" as CocoMetric reads them,
    whose labels are places in the data set's "classes". An image without a sample counts as one without boxes.

    Args:
        ann_file: COCO annotation file.
        format: how the model writes boxes.
        score: a key of `confidence.POLICIES`.
        max_pixels: the --max_pixels of inference; MAX_PIXELS and the like are read from the environment.
        collect_device, prefix: as of every metric of MMEngine; "vlm/mAP" unless another prefix is given.
    """

    default_prefix = "vlm"

    def __init__(
        self, ann_file: str, format: str = "qwen2_5_vl", score: str = "const", max_pixels: int | None = None,
        collect_device: str = "cpu", prefix: str | None = None,
    ) -> None:  # fmt: skip
        super().__init__(collect_device=collect_device, prefix=prefix)
        self.ann_file = ann_file
        self.format = get_format(format)
        self.score = score
        self.resize = QwenResize.from_environment(os.environ, max_pixels=max_pixels)

    def process(self, data_batch: Any, data_samples: Sequence[Mapping[str, Any]]) -> None:
        """Keep what `compute_metrics` needs of the samples."""
        for sample in data_samples:
            if isinstance(sample.get("response"), str):
                self.results.append({"image_id": sample["img_id"], "response": sample["response"]})
            elif "pred_instances" in sample:
                found = sample["pred_instances"]
                columns = {name: found[name].cpu().double().tolist() for name in ("bboxes", "scores", "labels")}
                self.results.append({"image_id": sample["img_id"], **columns})
            else:
                raise InputError(
                    'expected data samples with "response" (the model\'s text) or "pred_instances", got '
                    f"{sorted(sample)}"
                )

    def compute_metrics(self, results: list[dict[str, Any]]) -> Metrics:
        """The keys of `mmdet_backend.ITEMS`; see `mmdet_backend.evaluate`."""
        classes = (self.dataset_meta or {}).get("classes")
        annotations = read_annotations(self.ann_file, tuple(classes) if classes else None)
        by_name = {name: key for key, name in annotations.categories.items()}
        names = list(classes or annotations.categories.values())
        rows = [
            make_row(number, f"sample {number}", result["response"], result)
            for number, result in enumerate(results, 1) if "response" in result
        ]  # fmt: skip
        boxes = [box for result in results if "bboxes" in result for box in _boxes(result, names, by_name)]
        return evaluate(annotations, boxes + self._read(rows, annotations))

    def _read(self, rows: Sequence[Row], annotations: Annotations) -> list[CocoResult]:
        joined = join(rows, annotations.images, missing="empty")
        return to_coco_results(
            joined.answers, self.format, self.resize, annotations.categories, joined.images, self.score
        ).results


def _boxes(result: Mapping[str, Any], names: Sequence[str], by_name: Mapping[str, Any]) -> list[CocoResult]:
    """By the classes' names, because the order of a config's classes need not be the file's."""
    return [
        {
            "image_id": result["image_id"], "category_id": by_name[names[int(label)]],
            "bbox": [x1, y1, x2 - x1, y2 - y1], "score": score,
        }
        for (x1, y1, x2, y2), score, label in zip(result["bboxes"], result["scores"], result["labels"], strict=True)
    ]  # fmt: skip
