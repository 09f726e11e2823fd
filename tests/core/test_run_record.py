"""The record of a run: written, found again, and who wins."""

import argparse
import json
from dataclasses import replace
from pathlib import Path

import pytest

from swift_plugin_visionr1 import PRESETS, Limits, load_settings
from swift_plugin_visionr1.commands import explain, plot, score
from swift_plugin_visionr1.commands.reward_options import add_reward_options, rules_of_run
from swift_plugin_visionr1.errors import InputError
from swift_plugin_visionr1.models.chat import ChatOptions
from swift_plugin_visionr1.reward.settings import settings_from
from swift_plugin_visionr1.runs.run_record import (
    NAME,
    RunRecord,
    find_record,
    keep_alarm,
    keep_record,
    past_alarms,
    record_of,
)

SOLUTION = json.dumps({"width": 112, "height": 112, "boxes": [[0, 0, 56, 56]], "labels": ["cat"]})
# All of the annotated box in thousandths, and with a label that `strict` does not accept.
ANSWER = '[{"bbox_2d": [0, 0, 500, 500], "label": "dog"}]'
STRICT = RunRecord(PRESETS["strict"], "qwen3_vl")


def rules(folder: Path | None, *options: str) -> tuple:
    parser = argparse.ArgumentParser()
    add_reward_options(parser)
    return rules_of_run(parser.parse_args(list(options)), folder)


def command(module: object, *arguments: object) -> int:
    parser = argparse.ArgumentParser()
    module.add_parser(parser.add_subparsers())
    args = parser.parse_args([str(argument) for argument in arguments])
    return args.run(args)


@pytest.fixture(autouse=True)
def shell(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("VISION_R1_CONFIG", "MAX_PIXELS"):
        monkeypatch.delenv(name, raising=False)


@pytest.mark.parametrize(
    "settings",
    [
        *PRESETS.values(),
        settings_from({"fixed_stage": "advanced"}),
        settings_from({"step": "1/3", "advanced": {"xi2": 0.95}, "reasoning": "think"}),
        settings_from(
            {"format": "json", "frame": "norm1", "json": {"box": list("abcd"), "decimals": 3}}
        ),
    ],
    ids=lambda settings: settings.source,
)
def test_what_is_written_is_found_again(tmp_path: Path, settings: object) -> None:
    environ = {"MAX_PIXELS": "401408", "HOME": "/root"}
    limits = Limits(environ, 50176, {"size": {"height": 448}, "image_mean": [0.5]})
    record = record_of(settings, "qwen2_5_vl", ChatOptions("qwen2_5_vl"), limits)
    keep_record(tmp_path, record)
    kept, place = find_record(tmp_path)
    assert (kept, place) == (record, tmp_path)
    assert kept.settings.source == settings.source
    assert kept.environ == {"MAX_PIXELS": "401408"}
    assert kept.processor == {"size": {"height": 448}}


def test_a_resumed_run_adds_a_record_only_where_something_changed(tmp_path: Path) -> None:
    other = replace(STRICT, max_pixels=50176)
    assert [keep_record(tmp_path, own) for own in (STRICT, STRICT, other, other)] == [
        False,
        False,
        True,
        False,
    ]
    assert len(json.loads((tmp_path / NAME).read_text())["records"]) == 2
    assert find_record(tmp_path)[0] == other


def test_a_record_of_an_earlier_version_is_the_same(tmp_path: Path) -> None:
    keep_record(tmp_path, STRICT)
    written = json.loads((tmp_path / NAME).read_text())
    written["records"][0]["settings"]["pictures"] = 50
    (tmp_path / NAME).write_text(json.dumps(written))
    assert find_record(tmp_path)[0] == STRICT
    assert not keep_record(tmp_path, STRICT)


def test_alarms_are_kept_beside_the_records(tmp_path: Path) -> None:
    keep_record(tmp_path, STRICT)
    keep_alarm(tmp_path, "format", 12)
    keep_record(tmp_path, replace(STRICT, max_pixels=1))
    assert past_alarms(tmp_path) == {"format": 12}
    assert past_alarms(tmp_path / "other") == {}


def test_a_folder_below_the_runs_is_the_runs(tmp_path: Path) -> None:
    keep_record(tmp_path, STRICT)
    (tmp_path / "vision_r1_eval").mkdir()
    assert find_record(tmp_path / "vision_r1_eval")[1] == tmp_path


def test_the_runs_settings_hold_and_options_win(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    keep_record(tmp_path, replace(STRICT, environ={"MAX_PIXELS": "50176"}))
    monkeypatch.setenv("VISION_R1_CONFIG", "official")
    monkeypatch.setenv("MAX_PIXELS", "401408")
    scorer, said = rules(tmp_path)
    assert scorer.settings == PRESETS["strict"]
    assert scorer.io.format.name == "qwen3_vl"
    assert f"settings of {tmp_path}: preset strict, model type qwen3_vl, MAX_PIXELS=50176" in said
    assert "MAX_PIXELS=401408" in said
    scorer, said = rules(tmp_path, "--config", "paper", "--model-type", "qwen2_vl")
    assert (scorer.settings, scorer.io.format.name) == (PRESETS["paper"], "qwen2_vl")
    assert "preset paper, model type qwen2_vl" in said


def test_frames_are_those_of_the_run_whatever_the_shell_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    record = RunRecord(PRESETS["paper"], "qwen2_5_vl", environ={"MAX_PIXELS": "3136"})
    keep_record(tmp_path, record)
    sizes = []
    for value in ("401408", None):
        monkeypatch.setenv("MAX_PIXELS", value) if value else monkeypatch.delenv("MAX_PIXELS")
        sizes.append(rules(tmp_path)[0].io.resize.view((112, 112)).processed)
    assert sizes == [(56, 56), (56, 56)]


@pytest.mark.parametrize(
    ("options", "assumed"),
    [
        pytest.param([], "assumed: preset paper, model type qwen2_5_vl", id="nothing"),
        pytest.param(["--config", "paper"], "assumed: model type qwen2_5_vl", id="no model"),
        pytest.param(["--model-type", "qwen3_vl"], "assumed: preset paper", id="no settings"),
        pytest.param(["--config", "paper", "--model-type", "qwen3_vl"], "", id="both"),
    ],
)
def test_what_is_assumed_without_a_record_is_said(
    tmp_path: Path, options: list[str], assumed: str
) -> None:
    assert rules(tmp_path, *options)[1].endswith(assumed)
    assert bool(rules(None, *options)[1]) == bool(assumed)


def test_an_older_runs_arguments_still_tell_its_model(tmp_path: Path) -> None:
    (tmp_path / "args.json").write_text(json.dumps({"model_type": "qwen3_vl", "max_pixels": 50176}))
    scorer, said = rules(tmp_path)
    assert scorer.io.format.name == "qwen3_vl"
    assert said.endswith("assumed: preset paper")


@pytest.mark.parametrize("text", ["{", "[]", '{"records": [{}]}'], ids=["cut", "list", "empty"])
def test_a_record_that_cannot_be_read(tmp_path: Path, text: str) -> None:
    (tmp_path / NAME).write_text(text)
    if "records" in text:
        with pytest.raises(InputError, match="expected .*vision_r1.json as training writes it"):
            find_record(tmp_path)
    else:
        assert find_record(tmp_path) is None


def test_the_commands_use_the_runs_settings(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    keep_record(tmp_path, STRICT)
    line = {"step": ["1"], "prompt": ["?"], "completion": [ANSWER], "solution": [SOLUTION]}
    file = tmp_path / "completions.jsonl"
    file.write_text(json.dumps(line) + "\n")
    row = {"loss": 0.1, "reward": 1.0, "global_step/max_steps": "1/2"}
    (tmp_path / "logging.jsonl").write_text(json.dumps(row) + "\n")
    said = f"settings of {tmp_path}: preset strict, model type qwen3_vl"
    command(score, "score", file)
    printed = capsys.readouterr()
    summary = json.loads(printed.out)
    assert said in printed.err
    assert (summary["settings_from"], summary["format"]) == (said, "qwen3_vl")
    assert summary["stages"]["beginner"]["total"]["mean"] == 1.0  # the label is not accepted
    command(explain, "explain", "--row", f"{file}:1:1")
    assert said in capsys.readouterr().out
    pytest.importorskip("matplotlib")
    command(plot, "plot", tmp_path)
    assert said in capsys.readouterr().out


def test_a_settings_file_may_be_gone(tmp_path: Path) -> None:
    file = tmp_path / "mine.yaml"
    file.write_text("preset: strict\nmodel_type: qwen3_vl\nstep: 1/3\n")
    settings = load_settings(str(file))
    keep_record(tmp_path, RunRecord(settings, "qwen3_vl"))
    file.unlink()
    assert rules(tmp_path)[0].settings == settings
