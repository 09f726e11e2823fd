"""`VLMCocoMetric` built and run as a plain MMDetection config does."""

from pathlib import Path
from typing import Any

import pytest

from mmdet_eval import InputError, evaluate_coco_results
from swift_plugin_visionr1 import QwenResize

from .conftest import NAMES, SIZES, TRUTHS, perfect


@pytest.fixture
def build(dataset: Any, write: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The metric from a config, with the data set's classes in `classes`' order."""
    from mmengine.config import Config
    from mmengine.evaluator import Evaluator
    from mmengine.utils import import_modules_from_strings

    for name in ("MAX_PIXELS", "MIN_PIXELS", "IMAGE_MAX_TOKEN_NUM", "IMAGE_MIN_TOKEN_NUM"):
        monkeypatch.delenv(name, raising=False)
    write("ann.json", dataset)

    def make(tmp_path: Path, classes: list[str] | None = None, **options: str) -> Any:
        config = Config.fromstring(
            'custom_imports = dict(imports=["mmdet_eval.mmdet_metric"])\n'
            f'val_evaluator = dict(type="VLMCocoMetric", ann_file={str(tmp_path / "ann.json")!r}, '
            "max_pixels=401408, "
            f"**{options!r})",
            ".py",
        )
        import_modules_from_strings(**config.custom_imports)
        from mmdet.registry import METRICS

        evaluator = Evaluator([METRICS.build(config.val_evaluator)])
        evaluator.dataset_meta = {"classes": classes} if classes else None
        return evaluator

    return make


def boxes_of(image: int, classes: list[str]) -> dict[str, Any]:
    """Perfect boxes as a detector's sample has them; labels are places in `classes`."""
    import torch

    boxes = torch.tensor(
        [[x, y, x + w, y + h] for _, (x, y, w, h) in TRUTHS[image]], dtype=torch.float64
    )
    labels = torch.tensor([classes.index(NAMES[category]) for category, _ in TRUTHS[image]])
    return {
        "bboxes": boxes,
        "scores": torch.ones(len(boxes), dtype=torch.float64),
        "labels": labels,
    }


def test_text_in_the_processed_frame(build: Any, tmp_path: Path) -> None:
    evaluator = build(tmp_path)
    evaluator.process([{"img_id": image, "response": perfect(image)} for image in SIZES])
    found = evaluator.evaluate(len(SIZES))
    assert found["vlm/mAP"] == found["vlm/AR@100"] == 1.0


def test_detections_whatever_the_order_of_the_classes(build: Any, tmp_path: Path) -> None:
    """MMDetection's CocoMetric gives 0 here, because it takes labels for places in the file's
    order."""
    for classes in (list(NAMES.values()), list(NAMES.values())[::-1]):
        evaluator = build(tmp_path, classes)
        evaluator.process(
            [{"img_id": image, "pred_instances": boxes_of(image, classes)} for image in SIZES]
        )
        assert evaluator.evaluate(len(SIZES))["vlm/mAP"] == 1.0


def test_the_same_numbers_as_the_command(build: Any, tmp_path: Path) -> None:
    evaluator = build(tmp_path)
    evaluator.process([{"img_id": 3, "response": perfect(3)}, {"img_id": 0, "response": "no idea"}])
    found = evaluator.evaluate(2)
    boxes = [{"image_id": 3, "category_id": c, "bbox": box, "score": 1.0} for c, box in TRUTHS[3]]
    expected = evaluate_coco_results(tmp_path / "ann.json", boxes)
    assert {name.removeprefix("vlm/"): value for name, value in found.items()} == pytest.approx(
        expected
    )
    assert 0 < found["vlm/AR@100"] < 1


def test_a_sample_that_records_its_size_is_read_in_that_frame(build: Any, tmp_path: Path) -> None:
    frame = QwenResize(max_tokens=128)
    samples = [{"img_id": image, "response": perfect(image, frame)} for image in SIZES]
    evaluator = build(tmp_path)
    evaluator.process(samples)
    assert evaluator.evaluate(len(SIZES))["vlm/mAP"] < 0.9
    evaluator.process(
        [
            {**sample, "processed_size": list(frame.processed_size(SIZES[sample["img_id"]]))}
            for sample in samples
        ]
    )
    assert evaluator.evaluate(len(SIZES))["vlm/mAP"] == pytest.approx(1.0)


def test_one_question_for_each_category(build: Any, tmp_path: Path) -> None:
    evaluator = build(tmp_path, protocol="vision_r1_odinw")
    evaluator.process(
        [
            {"img_id": image, "category_id": category, "response": perfect(image)}
            for image, truths in TRUTHS.items()
            for category, _ in truths[:1]
        ]
    )
    assert evaluator.evaluate(len(SIZES))["vlm/AR@100"] == pytest.approx(1.0), (
        "labels are read from the answers"
    )


def test_nothing_found_is_zero(build: Any, tmp_path: Path) -> None:
    evaluator = build(tmp_path)
    evaluator.process([{"img_id": image, "response": "[]"} for image in SIZES])
    assert evaluator.evaluate(len(SIZES))["vlm/mAP"] == 0.0


def test_a_sample_without_text_and_boxes_is_refused(build: Any, tmp_path: Path) -> None:
    with pytest.raises(InputError, match='expected data samples with "response"'):
        build(tmp_path).process([{"img_id": 3, "text": "[]"}])
