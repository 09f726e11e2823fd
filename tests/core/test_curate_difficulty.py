"""`vision-r1 prepare difficulty`: rows by what a model's sampled answers earn."""

import json
from pathlib import Path
from typing import Any

import pytest

from swift_plugin_visionr1.cli import main

BOXES = {"easy": [10, 10, 100, 100], "hard": [20, 20, 120, 120], "mixed": [30, 30, 90, 90]}
PERFECT = '```json\n[\n\t{{"bbox_2d": {}, "label": "cat"}}\n]\n```'


def row(name: str) -> dict[str, Any]:
    solution = {"width": 280, "height": 280, "boxes": [BOXES[name]], "labels": ["cat"]}
    messages = [{"role": "user", "content": f"<image>Locate every {name} cat."}]
    return {
        "messages": messages,
        "images": [f"{name}.jpg"],
        "solution": json.dumps(solution),
        "image_id": name,
    }


def answer(name: str, text: str) -> dict[str, Any]:
    asked = row(name)
    del asked["solution"]  # `swift infer` with transformers drops it
    return asked | {
        "response": text,
        "messages": [*asked["messages"], {"role": "assistant", "content": text}],
    }


def write(path: Path, rows: list[dict[str, Any]]) -> Path:
    path.write_text("".join(json.dumps(each) + "\n" for each in rows))
    return path


@pytest.fixture
def words(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    monkeypatch.delenv("VISION_R1_CONFIG", raising=False)
    rows = write(tmp_path / "rows.jsonl", [row(name) for name in (*BOXES,)])
    files = []
    for number in range(2):
        mixed = PERFECT.format(BOXES["mixed"]) if number else "none"
        texts = {"easy": PERFECT.format(BOXES["easy"]), "hard": "I cannot see it", "mixed": mixed}
        some = [answer(name, text) for name, text in texts.items()]
        files.append(str(write(tmp_path / f"answers{number}.jsonl", some)))
    return [
        "prepare",
        "difficulty",
        "--rows",
        str(rows),
        "--answers",
        *files,
        "--out",
        str(tmp_path / "out.jsonl"),
    ]


def read(tmp_path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (tmp_path / "out.jsonl").read_text().splitlines()]


def test_rows_that_teach_nothing_are_left_out(
    tmp_path: Path, words: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(words) == 0
    (kept,) = read(tmp_path)
    assert (kept["image_id"], kept["reward_answers"]) == ("mixed", 2)
    assert 0 < kept["reward_mean"] < 3
    assert kept["reward_spread"] > 0
    said = capsys.readouterr().out
    assert "1 perfect" in said
    assert "1 zero" in said


def test_all_rows_can_stay_with_their_numbers(tmp_path: Path, words: list[str]) -> None:
    assert main([*words, "--keep"]) == 0
    easy, hard, _ = read(tmp_path)
    assert (easy["reward_mean"], easy["reward_spread"], hard["reward_mean"]) == (3, 0, 0)


def test_a_share_of_the_rows_that_teach_nothing_can_stay(tmp_path: Path, words: list[str]) -> None:
    written = []
    for share in ("0", "0.5", "0.5", "1"):
        assert main([*words, "--keep", share]) == 0
        written.append(read(tmp_path))
    none, half, again, every = written
    assert half == again
    assert all(row in half for row in none)
    assert all(row in every for row in half)
    assert len(none) < len(every)
    assert main([*words, "--keep", "1.5"]) == 2


def test_rows_without_answers_stay(tmp_path: Path, words: list[str]) -> None:
    path = Path(words[3])
    write(path, [row(name) for name in BOXES] + [row("easy") | {"images": ["new.jpg"]}])
    assert main(words) == 0
    assert [each["reward_answers"] for each in read(tmp_path)] == [2, 0]


def test_answers_of_other_rows_are_refused(
    tmp_path: Path, words: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    write(Path(words[3]), [row("easy") | {"images": ["new.jpg"]}])
    assert main(words) == 2
    assert "got none" in capsys.readouterr().err
    assert not (tmp_path / "out.jsonl").exists()


def test_prepare_says_what_it_needs(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["prepare", "--out", "x.jsonl"]) == 2
    assert "--source" in capsys.readouterr().err
