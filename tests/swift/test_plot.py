"""`vision-r1 plot` and `score` on what a real run writes with `--log_completions true`."""

import argparse
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from swift_plugin_visionr1.commands import plot, score

pytest.importorskip("swift", reason="needs the extra `swift`")
pytest.importorskip("matplotlib", reason="needs the extra `viz`")
pytestmark = pytest.mark.slow


def command(*argv: object) -> int:
    parser = argparse.ArgumentParser()
    commands = parser.add_subparsers()
    for module in (plot, score):
        module.add_parser(commands)
    args = parser.parse_args([str(part) for part in argv])
    return int(args.run(args))


@pytest.fixture(scope="module")
def out(grpo: Callable, rows: list, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a run of three steps, the last of them advanced."""
    folder = tmp_path_factory.mktemp("logged")
    run = grpo(
        rows,
        folder,
        "--reward_funcs",
        "vision_r1",
        "--callbacks",
        "vision_r1",
        "--max_steps",
        3,
        "--log_completions",
        "true",
    )
    assert run.code == 0, run.text[-3000:]
    return folder


def test_every_panel_has_its_values(out: Path, capsys: pytest.CaptureFixture) -> None:
    assert command("plot", out) == 0
    text = capsys.readouterr().out
    assert "step 3 of 3, 3 logged; advanced stage from step 3" in text
    assert "not in the logs" not in text
    assert "differ" not in text
    assert (out / "vision_r1.png").stat().st_size > 10_000


def test_the_logged_completions_score_as_they_did_in_training(
    out: Path, capsys: pytest.CaptureFixture
) -> None:
    assert command("score", out / "completions.jsonl", "--out", out / "scored.jsonl") == 0
    found = [json.loads(line) for line in (out / "scored.jsonl").read_text().splitlines()]
    assert (len(found), json.loads(capsys.readouterr().out)["repeated_lines"]) == (24, 1)
    logged = [json.loads(line) for line in (out / "completions.jsonl").read_text().splitlines()]
    for row in found:
        stage = "advanced" if row["step"] == 3 else "beginner"
        reward = logged[row["line"] - 1]["VisionR1"][row["place"] - 1]
        assert row[stage]["total"] == pytest.approx(reward, abs=1e-5)
