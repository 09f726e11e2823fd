"""Referring expressions by the commands: rows to annotations, prompts, answers, accuracy,
comparison."""

import json
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from mmdet_eval.cli import main
from swift_plugin_visionr1 import QwenResize, get_format
from swift_plugin_visionr1.geometry.boxes import as_boxes
from swift_plugin_visionr1.geometry.frames import convert

SIZE = (640, 427)
SPLITS = (
    "refcoco_val",
    "refcoco_testA",
    "refcoco_testB",
    "refcoco+_val",
    "refcoco+_testA",
    "refcoco+_testB",
    "refcocog_val",
    "refcocog_test",
)
BOXES = {  # two expressions are the same in words and mean two objects
    "a.jpg": [("man on right", [400, 100, 200, 300]), ("man", [10, 90, 150, 320])],
    "b.jpg": [("cup", [30, 30, 90, 110]), ("cup", [300, 200, 80, 100])],
}


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """RefCOCO's folders with four expressions in each split, made by the command."""
    monkeypatch.delenv("MAX_PIXELS", raising=False)
    root = tmp_path / "coco"
    (root / "train2014").mkdir(parents=True)
    rows = [
        {"file_name": name, "image_id": number, "bbox": box, "expression": expression}
        for number, (name, described) in enumerate(BOXES.items())
        for expression, box in described
    ]
    for name in BOXES:
        Image.new("RGB", SIZE, "grey").save(root / "train2014" / name)
    (tmp_path / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    for split in SPLITS:
        out = root / "mdetr_annotations" / f"finetune_{split}.json"
        command = [
            "refcoco",
            "--rows",
            str(tmp_path / "rows.jsonl"),
            "--images",
            str(root / "train2014"),
        ]
        assert main([*command, "--name", split.split("_")[0], "--out", str(out)]) == 0
    return root


def answers(prompts: Path, wrong: tuple[str, ...] = ()) -> list[dict[str, Any]]:
    """Each prompt answered with the box of its expression, and a second box that must not count."""
    rows = []
    for line in prompts.read_text().splitlines():
        row = json.loads(line)
        name, subject = Path(row["images"][0]).name, row["query"]
        described = next((e, b) for e, b in BOXES[name] if f"Locate {e} in" in subject)
        x, y, w, h = [300, 10, 20, 20] if described[0] in wrong else described[1]
        boxes = convert(
            as_boxes([[x, y, x + w, y + h], [0, 0, *SIZE]]), SIZE, QwenResize().processed_size(SIZE)
        )
        rows.append({**row, "response": get_format("qwen2_5_vl").write(boxes, ["thing", "thing"])})
    return rows


def evaluate(root: Path, out: Path, rows: list[dict[str, Any]]) -> dict[str, Any]:
    out.mkdir()
    (out / "pred.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    command = [
        "--suite",
        "refcoco",
        "--root",
        str(root),
        "--engine",
        "hotcoco",
        "--pred",
        str(out / "pred.jsonl"),
    ]
    assert main([*command, "--out", str(out)]) == 0
    found: dict[str, Any] = json.loads((out / "metrics.json").read_text())
    return found


def test_accuracy_of_every_split_and_its_comparison(
    root: Path, tmp_path: Path, capsys: Any
) -> None:
    prompts = tmp_path / "prompts.jsonl"
    assert main(["prompts", "--suite", "refcoco", "--root", str(root), "--out", str(prompts)]) == 0
    good = evaluate(root, tmp_path / "good", answers(prompts))
    worse = evaluate(root, tmp_path / "worse", answers(prompts, wrong=("man",)))
    assert list(good["datasets"]) == list(SPLITS)
    # Of the two cups one answer serves both questions, so one of them is wrong.
    assert {
        name: entry["metrics"]["accuracy@.5"] for name, entry in good["datasets"].items()
    } == dict.fromkeys(SPLITS, 0.75)
    assert worse["metrics"]["accuracy@.5"] == 0.5
    printed = capsys.readouterr().out
    assert "accuracy@.5" in printed
    assert "AP50" not in (tmp_path / "good" / "summary.md").read_text().split("\n")[3]
    assert (
        main(
            [
                "compare",
                str(tmp_path / "worse"),
                str(tmp_path / "good"),
                "--out",
                str(tmp_path / "table"),
            ]
        )
        == 0
    )
    table = json.loads((tmp_path / "table" / "compare.json").read_text())
    assert table["metric"] == "accuracy@.5"
    assert table["columns"][-1]["values"] == [0.5, 0.75]
    low, high = table["columns"][-1]["intervals"][1]
    assert low <= 0.25 <= high
    assert "75.0 (+25.0)" in capsys.readouterr().out


def test_an_image_of_several_splits_needs_the_name_of_its_own(
    root: Path, tmp_path: Path, capsys: Any
) -> None:
    prompts = tmp_path / "prompts.jsonl"
    assert main(["prompts", "--suite", "refcoco", "--root", str(root), "--out", str(prompts)]) == 0
    kept = ("response", "messages", "images")
    rows = [{name: row[name] for name in kept} for row in answers(prompts)]
    pred = tmp_path / "pred.jsonl"
    pred.write_text("".join(json.dumps(row) + "\n" for row in rows))
    assert (
        main(
            ["--suite", "refcoco", "--root", str(root), "--pred", str(pred), "--engine", "hotcoco"]
        )
        == 2
    )
    assert "refcoco+_testA, refcoco+_testB" in capsys.readouterr().err
