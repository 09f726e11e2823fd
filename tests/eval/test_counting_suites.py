"""The counting suites on small roots, from their files to their numbers."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from mmdet_eval.answers.numbers import count_in
from mmdet_eval.cli import main

from .counting_roots import ROOTS

pytest.importorskip("pyarrow", reason="comes with ms-swift")
# The sets, the questions of the last one and the annotated numbers, in order.
EXPECTED = {
    "countbench": (
        {"countbench": [3, 10]},
        "How many hats are there? Answer with a number only.",
    ),
    "pixmo_count": (
        {"pixmo_count_val": [2, 0], "pixmo_count_test": [2, 0]},
        "How many people are there in the image? Answer with a number only.",
    ),
    "fsc147": (
        {"fsc147_val": [12], "fsc147_test": [7, 12]},
        "How many beads are there in the image? Answer with a number only.",
    ),
}


def asked(suite: str, root: Path, out: Path, *options: str) -> list[dict[str, Any]]:
    ROOTS[suite](root)
    place = ["--suite", suite, "--root", str(root), "--out", str(out / "prompts.jsonl")]
    assert main(["prompts", *place, *options]) == 0
    return [json.loads(line) for line in (out / "prompts.jsonl").read_text().splitlines()]


def evaluated(suite: str, root: Path, out: Path, rows: Any, *options: str) -> dict[str, Any]:
    pred = out / "pred.jsonl"
    pred.write_text("".join(json.dumps(row) + "\n" for row in rows))
    place = ["--suite", suite, "--root", str(root), "--pred", str(pred)]
    assert main([*place, "--out", str(out / "eval"), *options]) == 0
    return json.loads((out / "eval" / "metrics.json").read_text())


@pytest.mark.parametrize("suite", list(ROOTS))
@pytest.mark.parametrize("engine", ["mmdet", "hotcoco"])
def test_right_numbers(suite: str, engine: str, tmp_path: Path) -> None:
    sets, question = EXPECTED[suite]
    rows = asked(suite, tmp_path / "root", tmp_path)
    assert question in [row["query"] for row in rows]
    assert all(Path(row["images"][0]).is_file() for row in rows)
    numbers = [number for some in sets.values() for number in some]
    answers = [row | {"response": str(n)} for row, n in zip(rows, numbers, strict=True)]
    content = evaluated(suite, tmp_path / "root", tmp_path, answers, "--engine", engine)
    assert content["metrics"] == {"exact count": 1.0}
    for name, some in sets.items():
        entry = content["datasets"][name]
        assert entry["counting"] == {
            "questions": len(some),
            "exact": 1.0,
            "mae": 0.0,
            "rmse": 0.0,
            "unread": 0,
        }
        assert entry["beside"]["exact count as published"] == 1.0
        assert entry["beside"]["format adherence"] == 1.0
    assert "mAP" not in (tmp_path / "eval" / "summary.md").read_text().split("**Beside")[0]


def test_words_are_numbers_and_silence_is_an_error(tmp_path: Path) -> None:
    rows = asked("fsc147", tmp_path / "root", tmp_path)
    said = ["About a dozen", "There are seven of them.", "1,012"]
    answers = [row | {"response": text} for row, text in zip(rows, said, strict=True)]
    found = evaluated("fsc147", tmp_path / "root", tmp_path, answers)["datasets"]
    assert found["fsc147_val"]["counting"] == {
        "questions": 1,
        "exact": 0.0,
        "mae": 12.0,
        "rmse": 12.0,
        "unread": 1,
    }
    test = found["fsc147_test"]
    assert (test["counting"]["exact"], test["counting"]["mae"]) == (0.5, 500.0)
    assert test["beside"]["exact count as published"] == 0.0, "its rule does not read words"
    assert found["fsc147_val"]["counts"]["unparsed"] == 1


def test_boxes_can_be_counted_instead(tmp_path: Path) -> None:
    rows = asked("pixmo_count", tmp_path / "root", tmp_path, "--protocol", "count_boxes")
    assert rows[0]["query"].startswith("Locate every people")
    two = [{"bbox_2d": [1, 2, 30, 40], "label": "x"}] * 2
    texts = [json.dumps(two), "[]", json.dumps(two), json.dumps(two)]
    answers = [row | {"response": text} for row, text in zip(rows, texts, strict=True)]
    options = ["--protocol", "count_boxes"]
    found = evaluated("pixmo_count", tmp_path / "root", tmp_path, answers, *options)["datasets"]
    assert [one["counting"]["exact"] for one in found.values()] == [1.0, 0.5]
    assert "exact count as published" not in found["pixmo_count_val"]["beside"]


def test_counts_are_not_compared_as_boxes(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = asked("fsc147", tmp_path / "root", tmp_path)
    evaluated("fsc147", tmp_path / "root", tmp_path, [row | {"response": "7"} for row in rows])
    capsys.readouterr()
    copy = shutil.copytree(tmp_path / "eval", tmp_path / "again")
    assert main(["compare", str(tmp_path / "eval"), str(copy)]) == 2
    assert "counts only" in capsys.readouterr().err
    assert "every object has its box" not in (tmp_path / "eval" / "summary.md").read_text()


def test_ones_own_rows(tmp_path: Path) -> None:
    ROOTS["pixmo_count"](tmp_path)
    rows = [{"image": "aa.png", "label": "cups", "count": 2}]
    (tmp_path / "mine.jsonl").write_text(json.dumps(rows[0]) + "\n")
    suite = tmp_path / "mine.yaml"
    suite.write_text(
        "protocol: count\nform: counting\ndatasets:\n  mine: {ann: mine.jsonl, images: images}\n"
    )
    answer = {"response": "2", "image_id": 1}
    found = evaluated(str(suite), tmp_path, tmp_path, [answer])["datasets"]["mine"]
    assert found["counting"]["exact"] == 1.0
    assert found["beside"] == {"format adherence": 1.0}


def test_rows_without_an_image_are_counted(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = asked("countbench", tmp_path / "root", tmp_path)
    assert len(rows) == 2
    assert "1 rows" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("row", "words"),
    [
        pytest.param({"image": "aa.png", "label": "cups"}, "count", id="no number"),
        pytest.param({"image": "aa.png", "count": 3}, "label", id="nothing to count"),
        pytest.param({"image": "aa.png", "label": "cups", "count": 2.5}, "whole", id="half"),
        pytest.param({"image": "aa.png", "label": "cups", "count": -1}, "whole", id="negative"),
    ],
)
def test_rows_that_cannot_be_used(
    row: Any, words: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    ROOTS["pixmo_count"](tmp_path)
    (tmp_path / "mine.jsonl").write_text(json.dumps(row) + "\n")
    suite = tmp_path / "mine.yaml"
    suite.write_text(
        "protocol: count\nform: counting\ndatasets:\n  mine: {ann: mine.jsonl, images: images}\n"
    )
    place = ["--suite", str(suite), "--root", str(tmp_path), "--out", str(tmp_path / "p.jsonl")]
    assert main(["prompts", *place]) == 2
    assert words in capsys.readouterr().err


@pytest.mark.parametrize("suite", list(ROOTS))
def test_half_a_root_is_named(
    suite: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    ROOTS[suite](tmp_path)
    missing = sorted(path for path in tmp_path.glob("**/*") if path.suffix in (".parquet", ".txt"))
    missing[0].unlink()
    place = ["--suite", suite, "--root", str(tmp_path), "--out", str(tmp_path / "p.jsonl")]
    assert main(["prompts", *place]) == 2
    assert missing[0].name in capsys.readouterr().err


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("7", 7),
        ("There are 12 beads.", 12),
        ("1,204", 1204),
        ("3, 4 or 5", 3),
        ("**Twenty**", 20),
        ("No birds can be seen.", 0),
        ("none", 0),
        ("<think>2 and 3</think>5", 5),
        ("I cannot tell", None),
        ("", None),
        ("someone", None),
        ("9" * 5000, None),
    ],
)
def test_the_number_of_an_answer(text: str, count: int | None) -> None:
    assert count_in(text) == count
