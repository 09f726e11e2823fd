"""benchmarks/other_evaluations.py: what it measures on a small set, and that its page is up to
date."""

import importlib
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def script() -> Iterator[ModuleType]:
    sys.path.insert(0, str(ROOT / "benchmarks"))
    yield importlib.import_module("other_evaluations")
    sys.path.remove(str(ROOT / "benchmarks"))


@pytest.fixture
def answered(script: ModuleType, tmp_path: Path) -> object:
    """A cat that is found, and a crowded image with a dog that is called cat."""
    boxes = [[10, 10, 60, 60], [100, 10, 60, 60], [200, 10, 60, 60], [300, 10, 60, 60]]
    truths = [(1, 1, boxes[0]), *((2, 1 + (n == 3), box) for n, box in enumerate(boxes))]
    content = {
        "images": [{"id": n, "file_name": f"{n}.jpg", "width": 640, "height": 480} for n in (1, 2)],
        "categories": [{"id": 1, "name": "tabby cat"}, {"id": 2, "name": "sheepdog"}],
        "annotations": [
            {"id": n, "image_id": i, "category_id": c, "bbox": b, "area": 3600, "iscrowd": 0}
            for n, (i, c, b) in enumerate(truths, 1)
        ],
    }
    results = [
        {"image_id": i, "category_id": 1, "bbox": box, "score": 0.9 - n / 10}
        for n, (i, _, box) in enumerate(truths)
    ]
    (tmp_path / "ann.json").write_text(json.dumps(content))
    (tmp_path / "results.json").write_text(json.dumps(results))
    return script.read_detections("two", tmp_path / "ann.json", tmp_path / "results.json")


def test_each_way_moves_the_number_as_it_must(script: ModuleType, answered: object) -> None:
    ways = script.figures_of(answered)["ways"]
    pairs = {name: (one["as meant"], one["their way"]) for name, one in ways.items()}
    assert pairs["frame, right answers"][0] == pairs["frame, right answers"][1]
    assert pairs["frame, answers in the wrong frame"][0] < 0.1
    assert pairs["frame, answers in the wrong frame"][1] > 0.4
    assert pairs["answers cut off"][1] == pytest.approx(1), "only the easy image is left"
    assert pairs["answers cut off"][0] < 0.5
    assert pairs["labels that name no class"][0] < pairs["labels that name no class"][1]
    assert pairs["labels of found objects"] == (pytest.approx(0.5), pytest.approx(1))
    meant, best = pairs["order of the images"]
    assert ways["order of the images"]["lowest"] <= meant <= best


def test_the_page_is_up_to_date(script: ModuleType) -> None:
    stored, page = json.loads(script.RESULTS.read_text()), script.DOC.read_text()
    assert {"testbed"} < stored.keys()
    assert script.render(stored, page) == page, "run python benchmarks/other_evaluations.py"
