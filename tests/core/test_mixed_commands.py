"""`doctor`, `score`, `explain` and `prepare` on rows of several tasks."""

import argparse
import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from swift_plugin_visionr1.commands import explain, score
from swift_plugin_visionr1.curate.rows import convert_rows
from swift_plugin_visionr1.errors import InputError, SolutionError

from .planted import Row

SOLUTION = json.dumps(
    {"width": 112, "height": 112, "boxes": [[0, 0, 20, 20], [50, 50, 70, 70]], "labels": ["a"] * 2}
)
BOX = '[{"bbox_2d": [0, 0, 20, 20], "label": "a"}]'
POINT = '[{"point_2d": [5, 5], "label": "a"}]'
# a log's columns: completion, solution, task
LOGGED = [
    (BOX, SOLUTION, "detection"),
    (POINT, SOLUTION, "pointing"),
    ("2", SOLUTION, "counting"),
    ("blue", None, "general"),
]


def run(command: object, *words: object) -> int:
    parser = argparse.ArgumentParser()
    command.add_parser(parser.add_subparsers())
    args = parser.parse_args([command.__name__.rpartition(".")[2], *map(str, words)])
    return int(args.run(args))


@pytest.fixture
def log(tmp_path: Path) -> Path:
    """completions.jsonl of a mixed run, with the NaN that a reward of others leaves."""
    texts, solutions, tasks = zip(*LOGGED, strict=True)
    line = {
        "step": ["1"] * 4,
        "prompt": list(map(str, range(4))),
        "completion": texts,
        "VisionR1": [2.5, 2.5, 3.0, float("nan")],
        "solution": solutions,
        "task": tasks,
    }
    file = tmp_path / "completions.jsonl"
    file.write_text(json.dumps(line) + "\n")
    return file


def test_score_judges_each_row_by_its_task(log: Path, capsys: pytest.CaptureFixture) -> None:
    out = log.with_suffix(".scored")
    assert run(score, log, "--out", out) == 0
    rows = [json.loads(line) for line in out.read_text().splitlines()]
    assert [row["place"] for row in rows] == [1, 2, 3]
    assert [row["beginner"]["total"] for row in rows] == [2.5, 2.5, 3.0]
    summary = json.loads(capsys.readouterr().out)
    assert (summary["completions"], summary["left_to_other_rewards"]) == (3, 1)


def test_score_of_other_tasks_alone_says_so(tmp_path: Path) -> None:
    file = tmp_path / "a.jsonl"
    file.write_text(json.dumps({"response": "blue", "solution": None, "task": "vqa"}) + "\n")
    with pytest.raises(InputError, match="only 1 that are left to other rewards"):
        run(score, file)


@pytest.mark.parametrize(
    ("place", "lines"),
    [
        pytest.param(
            2, ["a pointing row: 1 points read, 2 boxes annotated", "= 2.5000"], id="point"
        ),
        pytest.param(3, ["a counting row: 2 is right", "= 3.0000"], id="count"),
    ],
)
def test_explain_says_what_earned_it(
    log: Path, capsys: pytest.CaptureFixture, place: int, lines: list
) -> None:
    assert run(explain, "--row", f"{log}:1:{place}") == 0
    shown = capsys.readouterr().out
    assert all(line in shown for line in lines)


def test_explain_names_a_row_of_others(log: Path) -> None:
    with pytest.raises(InputError, match="left to other rewards"):
        run(explain, "--row", f"{log}:1:4")


def mixed(scenes: list[Row]) -> list[Row]:
    """Ten rows each to detect, to point at and to count, and ten questions."""
    tasks = ["detection", "pointing", "counting", "general"]
    rows = [row | {"task": tasks[index % 4]} for index, row in enumerate(scenes)]
    return [row | ({"solution": None} if row["task"] == "general" else {}) for row in rows]


def test_the_doctor_counts_tasks(scenes: list[Row], examine: Callable) -> None:
    examined = examine(mixed(scenes), reward_funcs=["vision_r1", "accuracy"])
    assert examined.code == 0, examined.text
    assert re.findall(r"\d+ rows", examined.findings["ok tasks"]) == ["10 rows"] * 4


@pytest.mark.parametrize(
    ("change", "rewards", "problem"),
    [
        pytest.param({}, ["vision_r1"], "tasks", id="nobody judges"),
        pytest.param({"task": None}, ["vision_r1"], "rows", id="lost solutions"),
        pytest.param(
            {"task": None, "solution_": SOLUTION},
            ["vision_r1", "accuracy"],
            "misplaced_solution",
            id="misspelt column",
        ),
    ],
)
def test_the_doctor_names_what_training_would_refuse(
    scenes: list[Row], examine: Callable, change: dict, rewards: list, problem: str
) -> None:
    rows = [row | (change if row["solution"] is None else {}) for row in mixed(scenes)]
    examined = examine(rows, reward_funcs=rewards)
    assert examined.code != 0
    assert f"problem {problem}" in examined.findings


def test_prepare_hands_other_rows_on(scenes: list[Row], tmp_path: Path) -> None:
    file, out = tmp_path / "mixed.jsonl", tmp_path / "out.jsonl"
    question = {
        "messages": [{"role": "user", "content": "2 + 2?"}, {"role": "assistant", "content": "4"}],
        "task": "math",
        "answer": "4",
    }
    file.write_text("".join(json.dumps(row) + "\n" for row in [*mixed(scenes)[:3], question]))
    written = convert_rows(file, out)
    rows = [json.loads(line) for line in out.read_text().splitlines()]
    assert written.rows == 4
    assert [row["task"] for row in rows] == ["detection", "pointing", "counting", "math"]
    assert (rows[3]["answer"], rows[3]["messages"]) == ("4", question["messages"][:1])


def test_prepare_still_needs_annotations_where_no_task_says_otherwise(
    scenes: list[Row], tmp_path: Path
) -> None:
    file = tmp_path / "rows.jsonl"
    file.write_text(json.dumps(scenes[0] | {"solution": None}) + "\n")
    with pytest.raises(SolutionError):
        convert_rows(file, tmp_path / "out.jsonl")
