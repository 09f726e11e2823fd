"""A small evaluation that shows everything that can go right or wrong with an answer, with real
images."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from PIL import Image

from mmdet_eval.answers.join import Missing
from mmdet_eval.answers.readers import read_predictions
from mmdet_eval.coco.annotations import read_annotations
from mmdet_eval.evaluation import Evaluation, Options, evaluate_dataset
from mmdet_eval.reports.report import make_report
from mmdet_eval.reports.summary import summary
from mmdet_eval.suites.protocols import Protocol
from mmdet_eval.suites.spec import DatasetSpec

SIZE = (280, 140)  # which Qwen2.5-VL's resize leaves as it is
NAMES = {1: "cat", 2: "dog"}
CAT, DOG = [10, 10, 110, 110], [150, 10, 250, 110]  # xyxy
TRUTHS: dict[str, list[tuple[int, list[int]]]] = {
    "perfect": [(1, CAT)],
    "loose": [(1, CAT), (2, DOG)],
    "missed": [(1, CAT), (2, DOG)],
    "extra": [],
    "prose": [(2, DOG)],
    "cut": [(1, CAT)],
    "strange": [(1, CAT)],
}
SCRIPT = "</script><script>window.__pwned = 1</script><!-- no box here"
LABEL = "<img src=x onerror=window.__pwned=1>"


def boxes(*pairs: tuple[list[int], str]) -> str:
    """An answer as Qwen2.5-VL writes it."""
    return json.dumps([{"bbox_2d": box, "label": label} for box, label in pairs])


ANSWERS = {
    "perfect": boxes((CAT, "cat")),
    "loose": boxes(
        ([10, 10, 110, 70], "cat"), (DOG, "cat")
    ),  # IoU .6; the right place, called something else
    "missed": boxes((CAT, "cat")),
    "extra": boxes((DOG, "dog")),
    "prose": SCRIPT,
    "cut": boxes((CAT, "cat"))[:-1] + ', {"bbox_2d": [1,',
    "strange": boxes(([200, 10, 400, 60], LABEL)),
}


def coco(truths: Mapping[str, list[tuple[int, list[int]]]] = TRUTHS) -> dict[str, Any]:
    """The annotations; image ids from 1 in the order of `truths`."""
    found = [(image, *truth) for image, here in enumerate(truths.values(), 1) for truth in here]
    images = [
        {"id": n, "file_name": f"{name}.png", "width": SIZE[0], "height": SIZE[1]}
        for n, name in enumerate(truths, 1)
    ]
    annotations = [
        {
            "id": n,
            "image_id": image,
            "category_id": category,
            "bbox": [x1, y1, x2 - x1, y2 - y1],
            "iscrowd": 0,
            "area": (x2 - x1) * (y2 - y1),
        }
        for n, (image, category, (x1, y1, x2, y2)) in enumerate(found, 1)
    ]
    return {
        "images": images,
        "annotations": annotations,
        "categories": [{"id": i, "name": n} for i, n in NAMES.items()],
    }


def evaluated(
    folder: Path,
    name: str = "zoo",
    answers: Mapping[str, str] = ANSWERS,
    data: dict[str, Any] | None = None,
    images: bool = True,
    protocol: Protocol | None = None,
    missing: Missing = "error",
) -> Evaluation:
    """Evaluate `answers` (image name -> text); files go into `folder`, grey images too."""
    data = data or coco()
    ids = {Path(image["file_name"]).stem: image["id"] for image in data["images"]}
    rows = [{"response": text, "image_id": ids[key.split("/")[0]]} for key, text in answers.items()]
    for key, row in zip(answers, rows, strict=True):
        row |= {"category": key.split("/")[1]} if "/" in key else {}
    spec = DatasetSpec(name, folder / f"{name}.json", folder)
    spec.ann.write_text(json.dumps(data))
    (folder / f"{name}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    for stem in ids:
        Image.new("RGB", SIZE, "grey").save(folder / f"{stem}.png")
    annotations = read_annotations(spec.ann)
    read = read_predictions(folder / f"{name}.jsonl", annotations)
    assert isinstance(read, list)
    options = Options(engine="hotcoco", orders=3, protocol=protocol, missing=missing)
    return evaluate_dataset(spec, annotations, read, options, folder if images else None)


def given(folder: Path, results: list[dict[str, Any]]) -> Evaluation:
    """Evaluate COCO results, without any text."""
    spec = DatasetSpec("given", folder / "given.json", folder)
    spec.ann.write_text(json.dumps(coco()))
    (folder / "results.json").write_text(json.dumps(results))
    annotations = read_annotations(spec.ann)
    read = read_predictions(folder / "results.json", annotations)
    assert not isinstance(read, list)
    return evaluate_dataset(spec, annotations, read, Options(engine="hotcoco", orders=3), None)


def summary_of(
    evaluations: Sequence[Evaluation], suite: str | None = None, left_out: Sequence[str] = ()
) -> str:
    """summary.md without pictures."""
    return summary(make_report(evaluations, suite, left_out), Path("no pictures"))
