"""Referring expressions: accuracy, against mmdet's RefExpMetric; MDETR's files."""

import gzip
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from mmdet_eval.cli import main
from mmdet_eval.coco.annotations import read_annotations
from mmdet_eval.coco.refcoco import image_sizes, mdetr_annotations
from mmdet_eval.metrics.refexp import refexp_scores, refexp_truths
from swift_plugin_visionr1.errors import InputError
from swift_plugin_visionr1.geometry.boxes import Boxes, as_boxes

TRUTH = as_boxes([[0, 0, 10, 10]])
NONE = as_boxes([])


@pytest.mark.parametrize(
    ("boxes", "hit", "iou"),
    [
        pytest.param([[0, 0, 10, 10]], True, 1.0, id="right"),
        pytest.param([[0, 0, 10, 5]], True, 0.5, id="half-is-enough"),
        pytest.param([[0, 0, 10, 4.999]], False, 0.4999, id="less-is-not"),
        pytest.param(
            [[20, 20, 30, 30], [0, 0, 10, 10]], False, 0.0, id="only-the-first-box-counts"
        ),
        pytest.param([], False, 0.0, id="no-box"),
        pytest.param([[5, 5, 5, 5]], False, 0.0, id="box-without-area"),
    ],
)
def test_one_image(boxes: Any, hit: bool, iou: float) -> None:
    scores = refexp_scores([as_boxes(boxes)], TRUTH)
    assert scores.hits.tolist() == [hit]
    assert scores.ious == pytest.approx([iou])
    assert (scores.accuracy, scores.count) == (float(hit), 1)


def test_no_images() -> None:
    scores = refexp_scores([], NONE)
    assert (scores.accuracy, scores.count, scores.hits.shape) == (None, 0, (0,))


def test_hits_stay_in_the_images_order() -> None:
    truths = np.repeat(TRUTH, 4, axis=0)
    scores = refexp_scores([NONE, TRUTH, TRUTH + 100, TRUTH + 1], truths)
    assert scores.hits.tolist() == [False, True, False, True]
    assert scores.accuracy == 0.5


def rows(count: int, seed: int) -> list[dict[str, Any]]:
    random = np.random.default_rng(seed)
    sides = random.uniform(20, 200, (count, 4))
    return [
        {
            "file_name": f"{n % 3}.jpg",
            "image_id": n % 3,
            "bbox": box.tolist(),
            "expression": f"thing {n}",
        }
        for n, box in enumerate(sides)
    ]


SIZES = {"0.jpg": (640, 480), "1.jpg": (333, 500), "2.jpg": (427, 640)}
COUNTS = {"refcoco": 40, "refcoco+": 25, "refcocog": 10}


def answers(truths: Boxes, seed: int) -> list[Boxes]:
    """Up to three boxes for each image, the first ones with IoUs from bad to good."""
    random = np.random.default_rng(seed)
    noise = random.normal(0, 15, (len(truths), 3, 4)) * random.uniform(0, 2, (len(truths), 1, 1))
    boxes = truths[:, None] + noise
    boxes[..., 2:] = np.maximum(boxes[..., 2:], boxes[..., :2] + 1)
    return [boxes[n, : random.integers(1, 4)] for n in range(len(truths))]


def test_accuracy_is_mmdets_precision_at_1(write: Any) -> None:
    import torch

    from mmdet_eval.metrics.mmdet_backend import stub_mmcv_ops

    with stub_mmcv_ops():
        from mmdet.evaluation.metrics import RefExpMetric

    accuracies, theirs_alone = {}, []
    for seed, (name, count) in enumerate(COUNTS.items()):
        path = write(f"{name}.json", mdetr_annotations(rows(count, seed), SIZES, name))
        annotations = read_annotations(path)
        found = answers(refexp_truths(annotations), seed)
        accuracies[name] = refexp_scores(found, refexp_truths(annotations)).accuracy
        metric = RefExpMetric(ann_file=str(path), topk=(1,), iou_thrs=0.5)
        samples = [
            {
                "img_id": image.id,
                "pred_instances": {"bboxes": torch.from_numpy(b), "scores": torch.ones(len(b))},
            }
            for image, b in zip(annotations.images, found, strict=True)
        ]
        metric.process({}, samples)
        theirs = metric.evaluate(size=count)
        assert accuracies[name] == pytest.approx(theirs[f"refexp/{name}_precision@1"], abs=1e-12)
        theirs_alone.append(theirs["refexp/mean_precision"])
        # Theirs divides by nine: three data sets times three values of k, whatever there is of
        # either.
        assert theirs["refexp/mean_precision"] == pytest.approx(accuracies[name] / 9)
    assert 0.2 < np.mean(list(accuracies.values())) < 0.9  # neither all right nor all wrong
    assert np.mean(list(accuracies.values())) == pytest.approx(3 * sum(theirs_alone))


def test_mdetrs_file_is_read_with_its_expressions(write: Any) -> None:
    annotations = read_annotations(
        write("ann.json", mdetr_annotations(rows(4, 0), SIZES, "refcoco"))
    )
    assert [image.caption for image in annotations.images] == [
        "thing 0",
        "thing 1",
        "thing 2",
        "thing 3",
    ]
    assert [image.file_name for image in annotations.images] == ["0.jpg", "1.jpg", "2.jpg", "0.jpg"]
    x, y, w, h = rows(4, 0)[2]["bbox"]
    assert refexp_truths(annotations)[2].tolist() == [x, y, x + w, y + h]


def two_boxes(data: Any) -> None:
    data["annotations"][1]["image_id"] = 1


def no_caption(data: Any) -> None:
    del data["images"][0]["caption"]


@pytest.mark.parametrize(
    ("spoil", "message"),
    [(two_boxes, "image 1 .* got 2 and 'thing 0'"), (no_caption, "image 1 .* got 1 and ''")],
    ids=["two-boxes", "no-expression"],
)
def test_other_files_are_refused(write: Any, spoil: Any, message: str) -> None:
    data = mdetr_annotations(rows(4, 0), SIZES, "refcoco")
    spoil(data)
    with pytest.raises(InputError, match=message):
        refexp_truths(read_annotations(write("ann.json", data)))


def test_rows_without_a_size_are_refused() -> None:
    with pytest.raises(InputError, match=r"in row 2, .*no size for 1\.jpg"):
        mdetr_annotations(rows(4, 0), {"0.jpg": (640, 480)}, "refcoco")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        pytest.param({"bbox": [1, 2]}, r"bbox of row 2 .* got \[1, 2\]", id="two-numbers"),
        pytest.param({"bbox": ["1", 2, 3, 4]}, "bbox of row 2 .* got \\['1'", id="text"),
        pytest.param({"bbox": [1, 2, 3, float("nan")]}, "bbox of row 2 .* nan", id="nan"),
        pytest.param({"bbox": None}, "bbox of row 2 .* got None", id="none"),
        pytest.param(
            {"expression": 3}, "expression of row 2 to be a text, got 3", id="number-as-expression"
        ),
        pytest.param(
            {"file_name": ["0.jpg"]}, "file_name of row 2 to be a text", id="several-files"
        ),
    ],
)
def test_rows_of_something_else_are_refused(change: Any, message: str) -> None:
    given = rows(4, 0)
    given[1] = {**given[1], **change}
    with pytest.raises(InputError, match=message):
        mdetr_annotations(given, SIZES, "refcoco")


@pytest.mark.parametrize(
    "content",
    [
        b"{}\n",
        gzip.compress(b"{}\n")[:-9],
        gzip.compress(b"{}\n")[:12] + b"\xff" * 20,
        gzip.compress(b"\xff"),
    ],
    ids=["not-zipped", "cut", "broken", "not-text"],
)
def test_a_broken_archive_is_named(
    tmp_path: Path, content: bytes, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "rows.jsonl.gz"
    path.write_bytes(content)
    command = [
        "refcoco",
        "--rows",
        str(path),
        "--images",
        str(tmp_path),
        "--out",
        str(tmp_path / "o.json"),
    ]
    assert main(command) == 2
    assert str(path) in capsys.readouterr().err


def test_sizes_are_read_from_the_pictures(tmp_path: Path) -> None:
    Image.new("RGB", (31, 17)).save(tmp_path / "a.jpg")
    assert image_sizes(tmp_path, ["a.jpg", "a.jpg"]) == {"a.jpg": (31, 17)}
    with pytest.raises(InputError, match=r"b\.jpg"):
        image_sizes(tmp_path, ["b.jpg"])


def test_real_expressions(shared_data: Path, write: Any) -> None:
    """All of RefCOCO's testB: the annotated boxes are all right, and each file is in MDETR's
    form."""
    with gzip.open(
        shared_data / "refcoco" / "refcoco_testB.jsonl.gz", "rt", encoding="utf-8"
    ) as lines:
        real = [json.loads(line) for line in lines]
    sizes = {row["file_name"]: (640, 640) for row in real}  # the sizes have no say in accuracy
    annotations = read_annotations(write("ann.json", mdetr_annotations(real, sizes, "refcoco")))
    truths = refexp_truths(annotations)
    assert len(truths) == 5095
    assert refexp_scores([truth[None] for truth in truths], truths).accuracy == 1.0
    assert refexp_scores([NONE] * len(truths), truths).accuracy == 0.0
