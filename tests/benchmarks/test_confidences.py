"""The table of what each score gains: it is what the stored results say."""

import importlib.util
import json
import sys
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def benchmark() -> ModuleType:
    path = ROOT / "benchmarks" / "confidences.py"
    spec = importlib.util.spec_from_file_location("confidences", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["confidences"] = module
    spec.loader.exec_module(module)
    return module


def test_the_page_shows_the_stored_results(benchmark: ModuleType) -> None:
    page = benchmark.PAGE.read_text("utf-8")
    start, end = benchmark.MARKS
    shown = page.split(start)[1].split(end)[0]
    for name, rows in benchmark.stored().items():
        assert benchmark.section(name, rows) in shown
        left_out = () if name == benchmark.TAUGHT else benchmark.VERIFIED
        scores = [score for score in benchmark.SCORES if score not in left_out]
        assert [row["score"] for row in rows] == scores


def test_a_gain_is_the_difference_with_its_interval(benchmark: ModuleType) -> None:
    row = {"score": "const", "mAP": 0.5, "AP50": 0.6, "auc": 0.5, "ece": None, "interval": [0, 0]}
    row |= {"boxes": 9, "right": 0.7}
    better = row | {"score": "rank", "mAP": 0.525, "ece": 0.1, "interval": [-0.0012, 0.05]}
    text = benchmark.section("a model", [row, better])
    assert "+2.5 [-0.1, +5.0]" in text
    assert "9 boxes, of which 70.0% are right" in text


def test_questions_about_boxes_have_both_answers(benchmark: ModuleType, tmp_path: Path) -> None:
    benchmark.scenes.write_split(tmp_path, "train", 8, 3)
    rows = list(benchmark.questions(tmp_path))
    assert {row["messages"][1]["content"] for row in rows} == {"yes", "no"}
    assert all(Path(row["images"][0]).is_file() for row in rows)
    detections = list(benchmark.detections(tmp_path))
    assert len(detections) == 8
    assert isinstance(json.loads(detections[0]["messages"][1]["content"]), list)
