"""`vision-r1 score`: rows of every kind, groups, the summary, and errors that name the line."""

import argparse
import json
import re
from pathlib import Path

import pytest

from swift_plugin_visionr1 import SolutionError
from swift_plugin_visionr1.commands import score as command
from swift_plugin_visionr1.errors import InputError
from swift_plugin_visionr1.reward.settings import settings_from
from swift_plugin_visionr1.runs.run_record import RunRecord, keep_record

SOLUTION = json.dumps({"width": 112, "height": 112, "boxes": [[0, 0, 20, 20]], "labels": ["cat"]})
OTHER = json.dumps(
    {
        "width": 112,
        "height": 112,
        "boxes": [[0, 0, 20, 20], [50, 50, 70, 70]],
        "labels": ["cat"] * 2,
    }
)
GOOD = '[{"bbox_2d": [0, 0, 20, 20], "label": "cat"}]'
FAIR = '[{"bbox_2d": [0, 0, 20, 12], "label": "cat"}]'  # IoU .6


def run(file: Path, *options: object) -> int:
    parser = argparse.ArgumentParser()
    command.add_parser(parser.add_subparsers())
    args = parser.parse_args(["score", str(file), *map(str, options)])
    return int(args.run(args))


def write(path: Path, *rows: dict) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def lines(step: int, *texts: str, solution: str = SOLUTION) -> dict:
    """A line of completions.jsonl as ms-swift 4.6's GRPO writes it."""
    count = len(texts)
    return {
        "step": [str(step)] * count,
        "prompt": ["<|im_start|>user\n<image>Where is the cat?<|im_end|>\n"] * count,
        "completion": list(texts),
        "VisionR1": [0.0] * count,
        "advantages": [0.0] * count,
        "solution": [solution] * count,
    }


def scored(capsys: pytest.CaptureFixture, file: Path, *options: object) -> tuple[list[dict], dict]:
    out = file.with_suffix(".scored")
    assert run(file, *options, "--out", out) == 0
    return [json.loads(line) for line in out.read_text().splitlines()], json.loads(
        capsys.readouterr().out
    )


def test_parts_of_a_row_under_both_stages(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    rows, summary = scored(
        capsys, write(tmp_path / "a.jsonl", {"response": FAIR, "solution": SOLUTION})
    )
    assert rows == [
        {
            "line": 1,
            "predicted": 1,
            "annotated": 1,
            "issues": [],
            "beginner": {
                "format": 1.0,
                "recall": 1.0,
                "precision": pytest.approx(0.6),
                "total": pytest.approx(2.6),
            },
            "advanced": {"format": 1.0, "recall": 0.0, "precision": 0.0, "total": 1.0},
        }
    ]
    assert summary["stages"]["advanced"]["total"] == {"mean": 1.0, "std": 0.0}
    assert summary["frame"] == "coordinates in pixels of the processed image"


def test_one_stage_and_rows_into_a_file(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    file = write(tmp_path / "a.jsonl", {"response": GOOD, "solution": SOLUTION})
    run(file, "--stage", "advanced", "--out", tmp_path / "new" / "rows.jsonl")
    assert list(json.loads(capsys.readouterr().out)["stages"]) == ["advanced"]
    row = json.loads((tmp_path / "new" / "rows.jsonl").read_text())
    assert (row["advanced"]["total"], "beginner" in row) == (3.0, False)


def test_only_the_summary_is_printed(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    run(write(tmp_path / "a.jsonl", {"response": GOOD, "solution": SOLUTION}))
    text = capsys.readouterr().out
    assert json.loads(text)["completions"] == 1
    assert text.startswith('{\n  "file"')


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"expected a file of rows at .*gone.jsonl"):
        run(tmp_path / "gone.jsonl")


def test_summary_of_a_run_log(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    file = write(
        tmp_path / "completions.jsonl", lines(1, GOOD, GOOD), lines(2, GOOD, "oops", solution=OTHER)
    )
    rows, summary = scored(capsys, file)
    assert [(row["line"], row["place"], row["step"]) for row in rows] == [
        (1, 1, 1),
        (1, 2, 1),
        (2, 1, 2),
        (2, 2, 2),
    ]
    assert summary["boxes"] == {"predicted": 3, "annotated": 6, "matched": 3}
    assert summary["issues"] == {"not_json": 0.25}
    assert summary["groups"] == {"groups": 2, "zero_spread": {"beginner": 0.5, "advanced": 0.5}}
    assert summary["stages"]["beginner"]["recall"]["mean"] == pytest.approx((1 + 1 + 0.5 + 0) / 4)


def test_a_group_without_spread_in_one_stage_only(
    tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    rows = [
        {"response": text, "solution": SOLUTION}
        for text in (FAIR, '[{"bbox_2d": [90, 90, 99, 99], "label": "a"}]')
    ]
    groups = scored(capsys, write(tmp_path / "a.jsonl", *rows))[1]["groups"]
    assert groups["zero_spread"] == {"beginner": 0.0, "advanced": 1.0}


@pytest.mark.parametrize(
    ("steps", "kept"),
    [
        pytest.param([1, 2, 2], [1, 2], id="repeated at the end"),
        pytest.param([1, 2, 3, 2, 3], [1, 4, 5], id="resumed"),
        pytest.param([1, 2, 3, 1], [4], id="begun anew"),
    ],
)
def test_what_the_trainer_wrote_again_counts_once(
    tmp_path: Path, capsys: pytest.CaptureFixture, steps: list[int], kept: list[int]
) -> None:
    rows, summary = scored(
        capsys, write(tmp_path / "completions.jsonl", *(lines(step, GOOD) for step in steps))
    )
    assert [row["line"] for row in rows] == kept
    assert summary["repeated_lines"] == len(steps) - len(kept)


def test_arguments_of_the_run_beside_its_log(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    (tmp_path / "args.json").write_text(
        '{"model_type": "qwen2_5_vl", "max_pixels": 50176, "template": "qwen2_5_vl"}'
    )
    file = write(tmp_path / "completions.jsonl", lines(1, GOOD))
    assert "max_pixels 50176" in scored(capsys, file)[1]["resize"]
    assert "max_pixels 12544" in scored(capsys, file, "--max-pixels", 12544)[1]["resize"]


def question(text: str, image: str, **more: str) -> dict:
    return {"messages": [{"role": "user", "content": f"<image>{text}"}], "images": [image], **more}


@pytest.fixture
def dataset(tmp_path: Path) -> Path:
    """Two questions about one image, and one about another."""
    rows = [
        question("Where is the cat?", "data/1.jpg", solution=SOLUTION),
        question("Where are the cats?", "data/1.jpg", solution=OTHER),
        question("Where is it?", "data/2.jpg", solution=SOLUTION),
    ]
    return write(tmp_path / "train.jsonl", *rows)


@pytest.mark.parametrize(
    ("row", "annotated"),
    [
        pytest.param(
            question("Where are the cats?", "data/1.jpg", response=GOOD), 2, id="image and prompt"
        ),
        pytest.param(
            {"images": [{"bytes": None, "path": "/x/2.jpg"}], "response": GOOD},
            1,
            id="image of another folder",
        ),
        pytest.param(
            {"prompt": "<|u|>\n<image>Where are the cats?<|e|>", "completion": GOOD},
            2,
            id="prompt of a log",
        ),
    ],
)
def test_joined_to_the_data_set(
    tmp_path: Path, dataset: Path, capsys: pytest.CaptureFixture, row: dict, annotated: int
) -> None:
    rows, _ = scored(capsys, write(tmp_path / "a.jsonl", row), "--dataset", dataset)
    assert rows[0]["annotated"] == annotated


def test_joined_to_a_data_set_in_a_published_form(
    tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    pairs = '[["cat", [[0, 0, 20, 20]]]]'
    row = {
        "image": "1.jpg",
        "problem": "Where is the cat?",
        "solution": pairs,
        "width": 112,
        "height": 112,
    }
    rows, _ = scored(
        capsys,
        write(tmp_path / "a.jsonl", lines(1, GOOD) | {"solution": None}),
        "--dataset",
        write(tmp_path / "b.jsonl", row),
    )
    assert rows[0]["beginner"]["total"] == 3


@pytest.mark.parametrize(
    ("row", "error", "words"),
    [
        pytest.param(
            {"solution": SOLUTION}, InputError, "expected a completion", id="no completion"
        ),
        pytest.param(
            {"response": GOOD}, InputError, "expected a column solution", id="no solution"
        ),
        pytest.param(
            {"response": GOOD, "solution": "{}"}, SolutionError, "got no width", id="bad solution"
        ),
        pytest.param(["response"], InputError, "expected a JSON object", id="no object"),
        pytest.param(
            {
                "response": GOOD,
                "solution": '{"width": 900, "height": 1, "boxes": [], "labels": []}',
            },
            InputError,
            "aspect ratio",
            id="size that no processor takes",
        ),
    ],
)
def test_an_unusable_row_is_named(
    tmp_path: Path, row: dict, error: type[Exception], words: str
) -> None:
    file = write(tmp_path / "a.jsonl", {"response": GOOD, "solution": SOLUTION}, row)
    with pytest.raises(error, match=re.escape(f"line 2 of {file}: ") + f".*{words}"):
        run(file)


@pytest.mark.parametrize(
    ("row", "words"),
    [
        pytest.param(
            question("Who?", "data/1.jpg", response=GOOD),
            "got 0 with 0 different",
            id="unknown prompt",
        ),
        pytest.param(
            {"images": ["data/1.jpg"], "response": GOOD}, "got 2 with 2 different", id="ambiguous"
        ),
    ],
)
def test_a_row_that_cannot_be_joined(tmp_path: Path, dataset: Path, row: dict, words: str) -> None:
    with pytest.raises(InputError, match=f"line 1 of .*expected one row in .*{words}"):
        run(write(tmp_path / "a.jsonl", row), "--dataset", dataset)


def test_a_file_without_rows(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="expected completions"):
        run(write(tmp_path / "a.jsonl"))


def begun(folder: Path, **settings: object) -> None:
    """A run's folder with these settings, after two of four steps."""
    chosen = settings_from(settings)
    keep_record(folder, RunRecord(chosen, "qwen2_5_vl"))
    logs = [{"loss": 0.0, "global_step/max_steps": f"{step}/4"} for step in (1, 2)]
    write(folder / "logging.jsonl", *logs)


def test_a_runs_completions_are_scored_as_in_training(
    tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    begun(tmp_path, schedule="continuous")
    file = write(tmp_path / "completions.jsonl", lines(1, FAIR), lines(3, FAIR))
    rows, summary = scored(capsys, file)
    assert [row["as_trained"]["xi0"] for row in rows] == [0.5, 0.625]
    assert [row["as_trained"]["recall"] for row in rows] == [1.0, 0.0]
    assert summary["stages"]["as_trained"]["recall"]["mean"] == 0.5


def test_groups_of_a_log_set_their_criteria(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    begun(tmp_path, schedule="adaptive")
    file = write(
        tmp_path / "completions.jsonl", lines(1, GOOD, FAIR), lines(2, FAIR, "[]", solution=OTHER)
    )
    rows = scored(capsys, file)[0]
    assert [row["as_trained"]["xi0"] for row in rows] == [0.75, 0.75, 0.5, 0.5]  # .8 and .15
    assert [row["as_trained"]["recall"] for row in rows] == [1.0, 0.0, 0.5, 0.0]


def test_the_stage_of_a_logged_step(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    begun(tmp_path)
    file = write(tmp_path / "completions.jsonl", lines(2, FAIR), lines(3, FAIR))
    assert [row["as_trained"]["stage"] for row in scored(capsys, file)[0]] == [1, 2]


def test_a_stage_that_the_settings_lack(tmp_path: Path) -> None:
    file = write(tmp_path / "a.jsonl", {"response": GOOD, "solution": SOLUTION})
    with pytest.raises(InputError, match="did you mean 'beginner'"):
        run(file, "--stage", "begginer")
