"""`vision-r1 prepare difficulty --model`: what is asked, and how an interrupted run goes on.

`swift` is a small program here; tests/swift/test_difficulty.py has the real one.
"""

import json
import os
from pathlib import Path
from typing import Any

import pytest

from swift_plugin_visionr1.cli import main

SWIFT = """
import json, os, sys
words = sys.argv[1:]
value = lambda name: words[len(words) - 1 - words[::-1].index(name) + 1]
rows = [json.loads(line) for line in open(value("--val_dataset"))]
stop = int(os.environ.get("STOP", len(rows)))
with open(value("--result_path"), "a") as out:
    out.write("".join(json.dumps(row | {"response": "none"}) + "\\n" for row in rows[:stop]))
    if stop < len(rows):
        out.write('{"response": "no' if stop else "")
        sys.exit(7)
json.dump(words, open(value("--result_path") + ".words", "w"))
"""


@pytest.fixture
def words(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    package = tmp_path / "bin" / "swift" / "cli"
    package.mkdir(parents=True)
    (package.parent / "__init__.py").touch()
    (package / "__init__.py").touch()
    (package / "main.py").write_text(SWIFT)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path / "bin"))
    monkeypatch.syspath_prepend(tmp_path / "bin")
    monkeypatch.delenv("VISION_R1_CONFIG", raising=False)
    rows = tmp_path / "rows.jsonl"
    rows.write_text("".join(json.dumps(row(name)) + "\n" for name in ("a", "b", "c")))
    model = tmp_path / "model"
    model.mkdir()
    (model / "model.safetensors").write_bytes(b"1")
    out = ["--keep", "--out", str(tmp_path / "out.jsonl")]
    return ["prepare", "difficulty", "--rows", str(rows), "--model", str(model), *out]


def row(name: str) -> dict[str, Any]:
    solution = {"width": 280, "height": 280, "boxes": [[10, 10, 90, 90]], "labels": ["cat"]}
    messages = [{"role": "user", "content": "<image>Locate every cat."}]
    return {"messages": messages, "images": [f"{name}.jpg"], "solution": json.dumps(solution)}


def asked(tmp_path: Path, number: int) -> list[str]:
    """The images of a call, in its order."""
    lines = (tmp_path / "out.jsonl.answers" / f"asked_{number:03}.jsonl").read_text().splitlines()
    return [Path(json.loads(line)["images"][0]).stem for line in lines]


def passed(tmp_path: Path, number: int) -> dict[str, str]:
    file = tmp_path / "out.jsonl.answers" / f"answers_{number:03}.jsonl.words"
    command = json.loads(file.read_text())
    assert command[0] == "infer"
    return dict(zip(command[1::2], command[2::2], strict=True))


def answers_per_row(tmp_path: Path) -> list[int]:
    lines = (tmp_path / "out.jsonl").read_text().splitlines()
    return [json.loads(line)["reward_answers"] for line in lines]


def test_each_row_is_asked_in_turns_with_sampling_on(tmp_path: Path, words: list[str]) -> None:
    options = ["--infer_backend", "vllm", "--top_k", "20", "--max_pixels", "50176"]
    assert main([*words, "--samples", "2", *options]) == 0
    assert asked(tmp_path, 0) == ["a", "b", "c", "a", "b", "c"]
    given = passed(tmp_path, 0)
    assert (given["--temperature"], given["--top_k"], given["--top_p"]) == ("1", "20", "1")
    assert (given["--infer_backend"], given["--max_pixels"]) == ("vllm", "50176")
    assert answers_per_row(tmp_path) == [2, 2, 2]


def test_an_interrupted_run_asks_for_what_is_lacking(
    tmp_path: Path, words: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    words += ["--samples", "2"]
    monkeypatch.setenv("STOP", "4")  # and half of the fifth answer
    assert main(words) == 2
    assert not (tmp_path / "out.jsonl").exists()
    monkeypatch.delenv("STOP")
    assert main([*words, "--max_batch_size", "4"]) == 0  # speed may change
    assert asked(tmp_path, 1) == ["b", "c"]
    assert passed(tmp_path, 1)["--seed"] == "43"  # or it would draw the first answers again
    assert answers_per_row(tmp_path) == [2, 2, 2]


def test_more_samples_later_ask_for_the_rest(tmp_path: Path, words: list[str]) -> None:
    assert main([*words, "--samples", "2"]) == 0
    assert main([*words, "--samples", "3"]) == 0
    assert asked(tmp_path, 1) == ["a", "b", "c"]
    assert answers_per_row(tmp_path) == [3, 3, 3]


def test_a_first_run_that_answered_nothing_binds_nobody(
    tmp_path: Path, words: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STOP", "0")
    assert main([*words, "--max_new_tokens", "wrong"]) == 2
    monkeypatch.delenv("STOP")
    assert main([*words, "--max_new_tokens", "32", "--samples", "2"]) == 0
    assert answers_per_row(tmp_path) == [2, 2, 2]


def change_rows(folder: Path) -> None:
    (folder / "rows.jsonl").write_text(json.dumps(row("a")) + "\n")


def change_model(folder: Path) -> None:
    (folder / "model" / "model.safetensors").write_bytes(b"trained")


def change_pixels(folder: Path) -> None:
    os.environ["MAX_PIXELS"] = "50176"  # the fixture of all tests puts the environment back


def remove_record(folder: Path) -> None:
    (folder / "out.jsonl.answers" / "record.json").unlink()


@pytest.mark.parametrize(
    ("change", "options", "named"),
    [
        pytest.param(change_rows, [], "rows", id="other rows"),
        pytest.param(change_model, [], "--model", id="a model trained further"),
        pytest.param(change_pixels, [], "MAX_PIXELS", id="other pixel limits"),
        pytest.param(None, ["--temperature", "0.5"], "--temperature", id="other options"),
        pytest.param(remove_record, [], "record.json", id="no record"),
    ],
)
def test_answers_of_another_run_are_refused(
    tmp_path: Path,
    words: list[str],
    change: Any,
    options: list[str],
    named: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main([*words, "--samples", "2"]) == 0
    before = (tmp_path / "out.jsonl").read_bytes()
    if change:
        change(tmp_path)
    capsys.readouterr()
    assert main([*words, "--samples", "2", *options]) == 2
    assert named in capsys.readouterr().err
    assert (tmp_path / "out.jsonl").read_bytes() == before
    assert not (tmp_path / "out.jsonl.answers" / "asked_001.jsonl").exists()


@pytest.mark.parametrize(
    "options",
    [
        pytest.param(["--samples", "1"], id="one sample has no spread"),
        pytest.param(["--result_path", "x.jsonl"], id="an option that is set here"),
        pytest.param(["--answers-per-row", "2"], id="an option of --answers"),
        pytest.param(["stray"], id="a stray word"),
    ],
)
def test_bad_options_are_refused_before_anything_is_asked(
    tmp_path: Path, words: list[str], options: list[str]
) -> None:
    assert main([*words, *options]) == 2
    assert not (tmp_path / "out.jsonl.answers").exists()


def test_a_bad_annotation_is_refused_before_anything_is_asked(
    tmp_path: Path, words: list[str]
) -> None:
    (tmp_path / "rows.jsonl").write_text(json.dumps(row("a") | {"solution": "?"}) + "\n")
    assert main(words) == 2
    assert not (tmp_path / "out.jsonl.answers").exists()


def test_unknown_options_of_other_commands_are_still_refused(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["plugin-path", "--nonsense"])
    assert ended.value.code == 2
    assert "--nonsense" in capsys.readouterr().err
