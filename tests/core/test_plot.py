"""`vision-r1 plot`: logs as ms-swift writes them, whole, cut, resumed, and without the callback."""

import argparse
import json
from pathlib import Path

import numpy as np
import pytest

from swift_plugin_visionr1 import PRESETS, Scorer, model_io
from swift_plugin_visionr1.commands import plot as command
from swift_plugin_visionr1.errors import InputError
from swift_plugin_visionr1.reward.settings import settings_from
from swift_plugin_visionr1.runs.panels import panels_of
from swift_plugin_visionr1.runs.plots import plot_run
from swift_plugin_visionr1.runs.run_folder import read_log, score_again

SOLUTION = json.dumps({"width": 112, "height": 112, "boxes": [[0, 0, 20, 20]], "labels": ["cat"]})
PERFECT = '[{"bbox_2d": [0, 0, 20, 20], "label": "cat"}]'
FAIR = '[{"bbox_2d": [0, 0, 20, 12], "label": "cat"}]'  # IoU .6: 2.6 as a beginner, 1 when advanced


def step(number: int, of: int = 4, reward: float = 2.6, callback: bool = True) -> dict:
    """A row of logging.jsonl as ms-swift 4.6's GRPO writes it."""
    row: dict = {
        "loss": 1e-7,
        "grad_norm": 0.6,
        "learning_rate": 1e-5,
        "completions/mean_length": 45.5,
        "completions/min_length": 31.0,
        "completions/max_length": 64.0,
        "completions/clipped_ratio": 0.125,
        "reward": reward,
        "reward_std": 0.4,
        "frac_reward_zero_std": 0.5,
        "rewards/VisionR1/mean": reward,
        "rewards/VisionR1/std": 1.0,
        "kl": 0.01,
        "step_time": 0.4,
        "epoch": 0.1,
        "global_step/max_steps": f"{number}/{of}",
        "elapsed_time": "0s",
        "remaining_time": "1s",
        "train_speed(s/it)": 0.4,
    }
    if callback:
        advanced = number > of / 2
        row |= {
            "vision_r1/stage": 1.0 + advanced,
            "vision_r1/xi0": 0.75 if advanced else 0.5,
            "vision_r1/format": 1.0,
            "vision_r1/recall": 1.0,
            "vision_r1/precision": 0.6,
            "vision_r1/predicted": 1.5,
            "vision_r1/truths": 2.0,
        }
    return row


def completions(number: int, *texts: str) -> dict:
    columns = {
        "step": str(number),
        "prompt": "?",
        "VisionR1": 2.6,
        "advantages": 0.0,
        "solution": SOLUTION,
    }
    return {"completion": list(texts)} | {
        name: [value] * len(texts) for name, value in columns.items()
    }


END = {"train_runtime": 1.0, "train_loss": 0.1, "epoch": 1.0, "global_step/max_steps": "4/4"}
SUMMARY = {"model_parameter_info": "...", "global_step": 4, "log_history": [step(1)]}
EVALUATION = {"eval_loss": 0.1, "eval_reward": 1.0, "global_step/max_steps": "2/4"}


def write(folder: Path, *rows: dict, name: str = "logging.jsonl", end: str = "") -> Path:
    (folder / name).write_text("".join(json.dumps(row) + "\n" for row in rows) + end)
    return folder


def run(folder: Path, *options: object) -> int:
    parser = argparse.ArgumentParser()
    command.add_parser(parser.add_subparsers())
    args = parser.parse_args(["plot", str(folder), *map(str, options)])
    return int(args.run(args))


def titles(folder: Path) -> tuple[list[str], list[str]]:
    log = read_log(folder)
    panels, missing = panels_of(log, score_again(folder, log, scorer()))
    return [panel.title for panel in panels], missing


def scorer() -> Scorer:
    return Scorer(PRESETS["paper"], model_io(PRESETS["paper"]))


@pytest.mark.parametrize(
    ("rows", "end", "steps", "broken"),
    [
        pytest.param([step(1), EVALUATION, step(2), END, SUMMARY], "", [1, 2], 0, id="whole"),
        pytest.param([step(1), step(2)], '{"loss": 0.1, "gr', [1, 2], 1, id="cut"),
        pytest.param(
            [step(1), step(2), step(3), step(2, reward=1), step(3)], "", [1, 2, 3], 0, id="resumed"
        ),
        pytest.param([step(1), step(2), step(3), step(1, reward=1)], "", [1], 0, id="begun anew"),
        pytest.param([{"loss": 1, "iteration": "3/4"}], "", [3], 0, id="Megatron"),
    ],
)
def test_steps_of_a_log(
    tmp_path: Path, rows: list[dict], end: str, steps: list[int], broken: int
) -> None:
    log = read_log(write(tmp_path, *rows, end=end))
    assert (log.steps.tolist(), log.broken, log.max_steps) == (steps, broken, 4)


def test_the_later_of_two_rows_for_a_step_counts(tmp_path: Path) -> None:
    log = read_log(write(tmp_path, step(1, reward=1), step(2, reward=2), step(2, reward=3)))
    assert log.values["reward"].tolist() == [1, 3]


def test_what_a_step_did_not_log_is_not_a_number(tmp_path: Path) -> None:
    log = read_log(write(tmp_path, step(1), step(2) | {"vision_r1/issues/not_json": 0.5}))
    assert np.isnan(log.values["vision_r1/issues/not_json"]).tolist() == [True, False]
    issues = next(
        panel for panel in panels_of(log, None)[0] if panel.title.startswith("Format issues")
    )
    assert issues.lines["not_json"].tolist() == [0, 0.5]


def test_completions_under_the_criteria_of_both_stages(tmp_path: Path) -> None:
    write(tmp_path, *(step(number) for number in (1, 2, 3, 4)))
    write(
        tmp_path,
        *(completions(number, FAIR, "oops") for number in (1, 2, 3, 4, 4)),
        name="completions.jsonl",
        end="{",
    )
    again = score_again(tmp_path, read_log(tmp_path), scorer())
    assert again is not None
    assert again.steps.tolist() == [1, 2, 3, 4]
    assert again.values["beginner/total"].tolist() == pytest.approx([1.3] * 4)
    assert again.values["advanced/total"].tolist() == pytest.approx([0.5] * 4)
    assert again.values["vision_r1/recall"].tolist() == [0.5, 0.5, 0, 0]
    assert again.values["vision_r1/issues/not_json"].tolist() == [0.5] * 4


def test_all_there_is_gets_a_panel(tmp_path: Path) -> None:
    write(tmp_path, step(1), step(2))
    write(tmp_path, completions(1, FAIR), name="completions.jsonl")
    found, missing = titles(tmp_path)
    assert (len(found), missing) == (9, [])


def test_without_the_callback_completions_tell_the_parts_and_the_stage(tmp_path: Path) -> None:
    write(tmp_path, *(step(number, callback=False) for number in (1, 2, 3, 4)))
    found, missing = titles(tmp_path)
    assert "Reward parts" not in found
    assert [what.split(":")[0] for what in missing] == [
        "reward parts",
        "reward under each stage's criteria",
        "issue rates",
        "numbers of boxes",
    ]
    write(
        tmp_path, *(completions(number, FAIR) for number in (1, 2, 3, 4)), name="completions.jsonl"
    )
    assert "Reward parts" in titles(tmp_path)[0]
    again = score_again(tmp_path, read_log(tmp_path), scorer())
    assert again is not None
    assert again.values["vision_r1/stage"].tolist() == [1, 1, 2, 2]


def test_parts_from_rewards_listed_one_by_one(tmp_path: Path) -> None:
    listed = {f"rewards/VisionR1{part}/mean": 0.5 for part in ("Format", "Recall", "Precision")}
    assert titles(write(tmp_path, step(1, callback=False) | listed))[0][0] == "Reward parts"


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        pytest.param([], "has training begun", id="empty"),
        pytest.param([EVALUATION], "has training begun", id="no step"),
    ],
)
def test_a_log_without_steps(tmp_path: Path, rows: list[dict], words: str) -> None:
    with pytest.raises(InputError, match=words):
        run(write(tmp_path, *rows))


def test_the_folder_above_is_told_which_one_was_meant(tmp_path: Path) -> None:
    (tmp_path / "v0-2026").mkdir()
    write(tmp_path / "v0-2026", step(1))
    with pytest.raises(InputError, match=r"is it .*v0-2026\?"):
        run(tmp_path)


def test_the_command_draws_and_says_what_is_missing(
    tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    pytest.importorskip("matplotlib", reason="needs the extra `viz`")
    assert run(write(tmp_path, *(step(number) for number in (1, 2, 3)), end='{"lo')) == 0
    text = capsys.readouterr().out
    assert "step 3 of 4" in text
    assert "1 line(s) of logging.jsonl" in text
    assert "--log_completions true" in text
    assert (tmp_path / "vision_r1.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize(("config", "doubted"), [("paper", False), ("strict", True)])
def test_settings_that_are_not_the_runs_are_noticed(
    tmp_path: Path, capsys: pytest.CaptureFixture, config: str, doubted: bool
) -> None:
    pytest.importorskip("matplotlib", reason="needs the extra `viz`")
    write(tmp_path, step(1), step(2))
    wrong_label = FAIR.replace("cat", "dog")  # still 2.6 by the rules that do not read labels
    write(
        tmp_path, *(completions(number, wrong_label) for number in (1, 2)), name="completions.jsonl"
    )
    run(tmp_path, "--config", config, "--out", tmp_path / "new" / "out.png")
    assert ("whose rewards differ from the logged ones" in capsys.readouterr().out) is doubted


def test_annotations_that_cannot_be_used_leave_the_rest_of_the_figure(
    tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    pytest.importorskip("matplotlib", reason="needs the extra `viz`")
    write(tmp_path, step(1))
    write(tmp_path, completions(1, FAIR) | {"solution": ["[]"]}, name="completions.jsonl")
    assert run(tmp_path) == 0
    assert "line 1, completion 1 of" in capsys.readouterr().out


def test_each_stage_is_smoothed_by_itself() -> None:
    pytest.importorskip("matplotlib", reason="needs the extra `viz`")
    from swift_plugin_visionr1.runs.figure import trailing_mean

    assert trailing_mean(np.array([1.0, 3.0, 5.0, 9.0]), 2).tolist() == [1, 2, 4, 7]
    assert trailing_mean(np.array([]), 3).tolist() == []


def evaluated(number: int, value: float) -> dict:
    """A row of the callback `vision_r1_eval`."""
    return {"eval_mAP": value, "eval_AR@100": 0.5, "global_step/max_steps": f"{number}/4"}


def test_held_out_map_has_a_panel_at_its_own_steps(tmp_path: Path) -> None:
    own = {"eval_loss": 0.1, "global_step/max_steps": "2/4"}  # ms-swift's evaluation
    rows = [step(1), own, evaluated(2, 0.1), step(3), evaluated(4, 0.3), evaluated(4, 0.4)]
    write(tmp_path, *rows)
    panels, missing = panels_of(read_log(tmp_path), None)
    panel = panels[-1]
    assert panel.steps.tolist() == [2, 4]
    assert {name: values.tolist() for name, values in panel.lines.items()} == {
        "mAP": [0.1, 0.4],
        "AR@100": [0.5, 0.5],
    }
    assert not any("held-out" in what for what in missing)
    out = tmp_path / "plot.png"
    parser = argparse.ArgumentParser()
    command.add_parser(parser.add_subparsers())
    args = parser.parse_args(["plot", str(tmp_path), "--out", str(out)])
    assert args.run(args) == 0
    assert out.stat().st_size > 0


def moved(**settings: object) -> Scorer:
    chosen = settings_from(settings)
    return Scorer(chosen, model_io(chosen))


@pytest.mark.parametrize(
    ("schedule", "xi0"),
    [
        pytest.param("continuous", [0.5, 0.5625, 0.625, 0.6875], id="by the step"),
        pytest.param("adaptive", [0.75, 0.75, 0.5, 0.5], id="by the group"),
    ],
)
def test_moving_thresholds_are_those_of_training(
    tmp_path: Path, schedule: str, xi0: list[float]
) -> None:
    write(tmp_path, *(step(number, callback=False) for number in (1, 2, 3, 4)))
    texts = [[PERFECT], [PERFECT], [FAIR, "oops"], ["oops"]]
    lines = [completions(number, *each) for number, each in enumerate(texts, start=1)]
    write(tmp_path, *lines, name="completions.jsonl")
    log, scorer = read_log(tmp_path), moved(schedule=schedule)
    again = score_again(tmp_path, log, scorer)
    assert again is not None
    assert again.values["vision_r1/xi0"].tolist() == xi0
    found = {panel.title: panel for panel in panels_of(log, again)[0]}
    shown = "Thresholds" in found
    assert shown == (schedule == "continuous")  # of which there are more than two
    said = plot_run(tmp_path, tmp_path / "run.png", scorer)
    assert f"mean xi0 from {xi0[0]:.2f} to {xi0[-1]:.2f}" in said[0]
