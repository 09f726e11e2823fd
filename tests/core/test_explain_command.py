"""`vision-r1 explain`: rows of every kind, bad input, the picture, the criteria of training."""

import io
import json
import re
from pathlib import Path

import numpy as np
import pytest

from swift_plugin_visionr1 import (
    SettingsError,
    SolutionError,
)
from swift_plugin_visionr1.errors import InputError
from swift_plugin_visionr1.reward.settings import settings_from
from swift_plugin_visionr1.runs.run_record import RunRecord, keep_record

from .explaining import TEXT, TRUTH, run


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Line 1: a row of a data set; 2: of swift infer; 3: of completions.jsonl; 4: the authors'
    published form."""
    rows = [
        {"messages": [{"role": "user", "content": "<image>Where?"}], "solution": json.dumps(TRUTH)},
        {"response": TEXT, "solution": json.dumps(TRUTH)},
        {
            "step": ["1", "1"],
            "completion": ["oops", TEXT],
            "solution": [json.dumps(TRUTH)] * 2,
            "VisionR1": [0, 2.8],
        },
        {
            "image": "a.jpg",
            "problem": "Where?",
            "solution": '[["cat", [[0, 0, 20, 20], [50, 50, 70, 70]]]]',
            "width": 112,
            "height": 112,
        },
    ]
    path = tmp_path / "rows:1.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


@pytest.mark.parametrize(
    ("place", "text"),
    [
        pytest.param("1", ["--completion", TEXT], id="dataset row"),
        pytest.param("2", [], id="swift infer"),
        pytest.param("3:2", [], id="completions.jsonl"),
        pytest.param("4", ["--completion", TEXT], id="published form"),
    ],
)
def test_rows_of_every_kind(
    file: Path, capsys: pytest.CaptureFixture, place: str, text: list[str]
) -> None:
    assert run("--row", f"{file}:{place}", *text, "--stage", "beginner") == 0
    assert "1 + 1 + 0.8 = 2.8" in capsys.readouterr().out


def test_the_completion_from_a_file_and_from_standard_input(
    tmp_path: Path, capsys: pytest.CaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "answer.txt").write_text(TEXT)
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(TEXT.encode())))
    for source in (tmp_path / "answer.txt", "-"):
        run("--file", source, "--solution", json.dumps(TRUTH))
        assert "2.8" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("argv", "error", "words"),
    [
        pytest.param(
            ["--row", "{file}:1"], InputError, "expected a completion", id="no completion"
        ),
        pytest.param(["--row", "{file}:9"], InputError, "expected line 9", id="no such line"),
        pytest.param(
            ["--row", "{file}:3:5"], InputError, "line 3, completion 5", id="no such completion"
        ),
        pytest.param(["--row", "{file}"], InputError, "FILE.jsonl:LINE", id="no line"),
        pytest.param(["--solution", "{{}}"], SolutionError, "got no width", id="solution"),
        pytest.param(
            ["--row", "{file}:2", "--config", "papr"], SettingsError, "did you mean", id="config"
        ),
    ],
)
def test_bad_input(file: Path, argv: list[str], error: type[Exception], words: str) -> None:
    with pytest.raises(error, match=re.escape(words)):
        run(*(part.format(file=file) for part in argv))


def test_the_picture_shows_each_kind_of_box(
    file: Path, tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    image = pytest.importorskip("matplotlib.image", reason="needs the extra `viz`")
    from swift_plugin_visionr1.explain.painter import STYLES

    boxes = [[0, 0, 20, 20], [50, 50, 70, 56], [80, 80, 100, 100]]  # valid, below xi0, unmatched
    text = json.dumps([{"bbox_2d": box, "label": "$x_1\ud800"} for box in boxes])
    out = tmp_path / "out.png"
    run("--row", f"{file}:1", "--completion", text, "--out", out, "--stage", "beginner")
    assert "empty canvas" in capsys.readouterr().out
    pixels = (image.imread(out)[..., :3] * 255).round().astype(int)
    for colour, _ in STYLES.values():
        wanted = [int(colour[i : i + 2], 16) for i in (1, 3, 5)]
        assert (np.abs(pixels - wanted).max(axis=2) <= 2).any(), colour


def test_the_picture_is_drawn_on_the_rows_image(
    tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    image = pytest.importorskip("matplotlib.image", reason="needs the extra `viz`")
    image.imsave(tmp_path / "red.png", np.full((112, 112, 3), [200, 10, 10], np.uint8))
    row = {
        "images": [{"bytes": None, "path": str(tmp_path / "red.png")}],
        "response": TEXT,
        "solution": json.dumps(TRUTH),
    }
    (tmp_path / "rows.jsonl").write_text(json.dumps(row))
    run("--row", tmp_path / "rows.jsonl:1", "--out", tmp_path / "new" / "out.png")
    pixels = image.imread(tmp_path / "new" / "out.png")[..., :3]
    assert (np.abs(pixels * 255 - [200, 10, 10]).max(axis=2) < 3).mean() > 0.3
    assert "empty canvas" not in capsys.readouterr().out


@pytest.mark.parametrize(
    ("schedule", "said"),
    [
        pytest.param("adaptive", "80% advanced", id="by the group"),  # (.8 + .6) / 2 of .5 to .75
        pytest.param("continuous", "50% advanced", id="by the step"),
        pytest.param("two_stage", "advanced stage", id="stages"),
    ],
)
def test_the_criteria_of_training(
    schedule: str, said: str, tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    keep_record(tmp_path, RunRecord(settings_from({"schedule": schedule}), "qwen2_5_vl"))
    logged = {"loss": 0.0, "global_step/max_steps": "3/4"}
    (tmp_path / "logging.jsonl").write_text(json.dumps(logged) + "\n")
    texts = [TEXT, '[{"bbox_2d": [0, 0, 20, 20], "label": "cat"}, {"bbox_2d": [50, 50, 70, 54]}]']
    line = {"step": ["3"] * 2, "prompt": ["?"] * 2, "completion": texts}
    line["solution"] = [json.dumps(TRUTH)] * 2
    log = tmp_path / "completions.jsonl"
    log.write_text(json.dumps(line) + "\n")
    run("--row", f"{log}:1:2")
    out = capsys.readouterr().out
    assert said in out
    assert ("80% advanced, xi0 = 0.7, xi1 = 0.7, xi2 = 0.87" in out) == (schedule == "adaptive")
