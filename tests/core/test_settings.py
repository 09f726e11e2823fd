"""Presets, YAML over a preset, and errors that say what was meant."""

from fractions import Fraction
from pathlib import Path

import pytest

from swift_plugin_visionr1 import PRESETS, Criteria, JsonLayout, SettingsError, load_settings
from swift_plugin_visionr1.cli import main
from swift_plugin_visionr1.reward.logging_settings import LoggingSettings
from swift_plugin_visionr1.reward.settings import describe, load_settings_file, settings_from

FIRST = {"xi0": 0.5, "xi1": 0.5, "xi2": 0.75}


def test_the_default_is_the_paper() -> None:
    paper = load_settings()
    assert (paper.rules, paper.step, paper.matcher, paper.precision_over) == (
        "paper",
        Fraction(1, 2),
        "box",
        "matched",
    )
    assert paper.beginner == Criteria(0.5, 0.5, 0.75)
    assert paper.advanced == Criteria(0.75, 0.75, 0.9)


@pytest.mark.parametrize("preset", PRESETS)
def test_describe_reads_back(preset: str, tmp_path: Path) -> None:
    file = tmp_path / "settings.yaml"
    file.write_text(describe(PRESETS[preset]))
    assert load_settings(str(file)) == PRESETS[preset]


def test_a_file_goes_over_its_preset(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "settings.yaml"
    file.write_text('preset: strict\nstep: "1/3"\nbeginner: {xi2: 0.7}\n')
    monkeypatch.setenv("VISION_R1_CONFIG", str(file))
    settings = load_settings()
    assert (settings.precision_over, settings.step, settings.beginner) == (
        "larger",
        Fraction(1, 3),
        Criteria(0.5, 0.5, 0.7),
    )
    assert settings.source == str(file)


def test_a_file_may_also_say_what_is_logged(tmp_path: Path) -> None:
    file = tmp_path / "settings.yaml"
    file.write_text("preset: strict\npictures: 2\n")
    rules, logging = load_settings_file(str(file))
    assert (rules, logging) == (PRESETS["strict"], LoggingSettings(pictures=2))
    file.write_text(describe(rules, logging))
    assert load_settings_file(str(file)) == (rules, logging)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        pytest.param(
            {"precison_over": "larger"},
            "unknown setting 'precison_over'; did you mean 'precision_over'",
            id="name",
        ),
        pytest.param({"preset": "papper"}, "did you mean 'paper'", id="preset"),
        pytest.param(
            {"matcher": "box-label"},
            "expected matcher to be 'box' or 'box_label', got 'box-label'",
            id="choice",
        ),
        pytest.param({"step": "half"}, "expected step to be a fraction", id="step"),
        pytest.param({"step": 2}, r"in \(0, 1\], got '2'", id="step above 1"),
        pytest.param({"beginner": {"xi1": 0.8}}, "beginner: expected 0 <= xi0", id="xi1 above xi2"),
        pytest.param(
            {"beginner": {"xi0": 0.8}}, "no threshold to fall", id="advanced below beginner"
        ),
        pytest.param(
            {"beginner": {"xi3": 0.8}},
            "names xi0, xi1, xi2 in beginner, got 'xi3'; did you mean",
            id="unknown threshold",
        ),
        pytest.param(
            {"salvage": "yes"}, "expected salvage to be true or false, got 'yes'", id="type"
        ),
        pytest.param(
            {"switch_step": True},
            "expected switch_step to be a whole number or null, got True",
            id="a boolean is not a number",
        ),
        pytest.param({"switch_step": 0}, "at least 1, got 0", id="switch at 0"),
        pytest.param(
            {"pictures": -1}, "pictures to be a number of steps, 0 for never, got -1", id="pictures"
        ),
        pytest.param({"preset": ["paper"]}, "expected preset to be one of", id="preset is a list"),
        pytest.param(
            {"step": "1/3", "switch_step": 9}, "got step and switch_step", id="two schedules"
        ),
        pytest.param(
            {"step": "1/3", "fixed_stage": "advanced"},
            "got step and fixed_stage",
            id="schedule and stage",
        ),
        pytest.param(
            {"beginner": {"xi0": True}},
            "expected xi0 of beginner to be a number, got True",
            id="boolean threshold",
        ),
        pytest.param(
            {"preset": "official", "precision_over": "larger"},
            "precision_over left out with the official",
            id="official",
        ),
        pytest.param(
            {"format": "qwen"},
            "expected one of the formats .*qwen2_5_vl.*, got 'qwen'",
            id="format",
        ),
        pytest.param(
            {"frame": "pixels"},
            "expected one of the frames processed, .*, got 'pixels'",
            id="frame",
        ),
        pytest.param({"schedule": "adaptve"}, "did you mean 'adaptive'", id="schedule"),
        pytest.param(
            {"schedule": "continuous", "step": "1/3"},
            "expected step only with `schedule: two_stage`",
            id="STEP with another schedule",
        ),
        pytest.param(
            {"schedule": "adaptive", "fixed_stage": "beginner"},
            "expected fixed_stage only with",
            id="fixed stage with another schedule",
        ),
        pytest.param(
            {"continuous": {"ends": "1/2"}},
            "expected continuous only with `schedule: continuous`",
            id="part of another schedule",
        ),
        pytest.param(
            {"schedule": "continuous", "continuous": {"begin": 0}},
            "in continuous, got 'begin'; did you mean 'begins'",
            id="continuous part misspelt",
        ),
        pytest.param(
            {"schedule": "continuous", "continuous": {"begins": "1/2", "ends": "1/2"}},
            "continuous: expected 0 <= begins < ends <= 1",
            id="continuous without length",
        ),
        pytest.param(
            {"schedule": "adaptive", "adaptive": {"low": 0.8}},
            "expected 0 <= low < high <= 1 for adaptive, got 0.8 and 0.75",
            id="adaptive without room",
        ),
        pytest.param(
            {"schedule": "adaptive", "adaptive": {"high": "much"}},
            "expected high of adaptive to be a number or null, got 'much'",
            id="adaptive part of another type",
        ),
        pytest.param({"schedule": "stages"}, "at least two `stages`", id="no stages"),
        pytest.param({"schedule": "stages", "stages": 3}, "stages to be a list", id="not a list"),
        pytest.param(
            {"schedule": "stages", "stages": [FIRST]}, "at least two `stages`", id="one stage"
        ),
        pytest.param(
            {"schedule": "stages", "stages": [FIRST, FIRST]},
            "either step or switch_step in stage 2",
            id="stage without beginning",
        ),
        pytest.param(
            {"schedule": "stages", "stages": [FIRST, {**FIRST, "step": 0.5, "switch_step": 3}]},
            "either step or switch_step in stage 2",
            id="stage with two beginnings",
        ),
        pytest.param(
            {"schedule": "stages", "stages": [{**FIRST, "step": 0.5}, FIRST]},
            "the first of the stages without step",
            id="first stage begins later",
        ),
        pytest.param(
            {
                "schedule": "stages",
                "stages": [FIRST, {**FIRST, "step": "1/2"}, {**FIRST, "step": "1/3"}],
            },
            "in the order in which they begin, got 1/2, 1/3",
            id="stages out of order",
        ),
        pytest.param(
            {
                "schedule": "stages",
                "stages": [FIRST, {**FIRST, "step": "1/2"}, {**FIRST, "switch_step": 9}],
            },
            "step in all of the later stages or switch_step",
            id="fractions and steps",
        ),
        pytest.param(
            {"schedule": "stages", "stages": [FIRST, {**FIRST, "xi0": 0.4, "step": "1/2"}]},
            "no threshold to fall",
            id="stage below the one before",
        ),
        pytest.param(
            {"schedule": "stages", "stages": [FIRST, {"xi0": 0.6, "step": "1/2"}]},
            "expected xi1, xi2 in stage 2 of stages, got none",
            id="stage without thresholds",
        ),
        pytest.param(
            {"schedule": "stages", "stages": [{**FIRST, "xi1": 0.9}, FIRST]},
            "stage 1 of stages: expected 0 <= xi0",
            id="stage's xi1 above xi2",
        ),
        pytest.param(
            {"schedule": "stages", "stages": [FIRST, {**FIRST, "step": "soon"}]},
            "expected step of stage 2 of stages to be a fraction",
            id="stage's step",
        ),
        pytest.param(
            {"schedule": "stages", "stages": [FIRST] * 2, "beginner": {"xi0": 0.4}},
            "expected beginner only with",
            id="thresholds of two stages beside a list",
        ),
        pytest.param(
            {"reasoning": "cot"}, "expected reasoning to be 'none' or 'think'", id="reasoning"
        ),
        pytest.param(
            {"json": {"box": "bbox"}},
            "expected `format: json` with the layout `json`, got the format None",
            id="layout of another format",
        ),
        pytest.param(
            {"format": "json", "json": {"key": "bbox"}},
            "names box, label, order, decimals in json, got 'key'",
            id="layout's name",
        ),
        pytest.param(
            {"format": "json", "json": {"ordr": "yxyx"}},
            "did you mean 'order'",
            id="layout's name misspelt",
        ),
        pytest.param(
            {"format": "json", "json": {"order": "xyzw"}},
            "order of json to be 'xyxy' or .*did you mean",
            id="layout's order",
        ),
    ],
)
def test_errors(data: dict[str, object], message: str) -> None:
    with pytest.raises(SettingsError, match=message):
        settings_from(data)


def test_a_preset_that_is_none_and_no_file() -> None:
    with pytest.raises(SettingsError, match="'offical'; did you mean 'official'"):
        load_settings("offical")


def test_a_file_that_is_not_there() -> None:
    with pytest.raises(SettingsError, match=r"nowhere\.yaml"):
        load_settings("nowhere.yaml")


def test_a_layout_of_json_survives_being_described(tmp_path: Path) -> None:
    file = tmp_path / "reward.yaml"
    file.write_text(
        "format: json\nframe: norm1\njson: {box: [x_min, y_min, x_max, y_max], label: name, "
        "decimals: 3}\n"
    )
    settings = load_settings(str(file))
    assert settings.json == JsonLayout(("x_min", "y_min", "x_max", "y_max"), "name", decimals=3)
    file.write_text(describe(settings))
    assert load_settings(str(file)) == settings


@pytest.mark.parametrize(
    "value",
    [
        "1e999999999",
        "1e-999999999",
        "9" * 400 + "/7",
        10**400,
        10**4000,
        "nan",
        "inf",
        "-1",
        None,
        [],
        "1/0",
    ],
)
def test_a_step_far_from_a_fraction_is_refused_at_once(value: object) -> None:
    with pytest.raises(SettingsError, match="expected step"):
        settings_from({"step": value})


@pytest.mark.parametrize(
    "value", [10**400, float("nan"), float("inf"), "1", None, [1], {}, "\ud800"]
)
@pytest.mark.parametrize(
    "name", ["switch_step", "max_pixels", "pictures", "beginner", "salvage", "rules", "json"]
)
def test_odd_values_are_refused(name: str, value: object) -> None:
    if value is None and name in ("switch_step", "max_pixels", "json"):
        return
    if value == {} and name == "beginner":
        return
    with pytest.raises(SettingsError):
        settings_from({name: value})


@pytest.mark.parametrize("value", [10**400, float("nan"), -float("inf"), "0.5", True, None, [0.5]])
def test_odd_thresholds_are_refused(value: object) -> None:
    with pytest.raises(SettingsError, match="beginner"):
        settings_from({"beginner": {"xi0": value}})


@pytest.mark.parametrize(
    "data",
    [
        pytest.param({"schedule": "continuous"}, id="continuous"),
        pytest.param({"schedule": "continuous", "continuous": {"begins": "1/3"}}, id="begins"),
        pytest.param({"schedule": "adaptive", "adaptive": {"low": 0.3}}, id="adaptive"),
        pytest.param({"preset": "official-adaptive", "schedule": "adaptive"}, id="official"),
        pytest.param(
            {"schedule": "stages", "stages": [FIRST, {**FIRST, "step": "1/3"}]}, id="fractions"
        ),
        pytest.param(
            {"schedule": "stages", "stages": [FIRST, {**FIRST, "switch_step": 30}]}, id="steps"
        ),
    ],
)
def test_a_schedule_survives_being_described(data: dict, tmp_path: Path) -> None:
    file = tmp_path / "reward.yaml"
    settings = settings_from(data)
    file.write_text(describe(settings))
    assert load_settings(str(file)).refinement == settings.refinement


@pytest.mark.parametrize(
    "file", sorted(Path("configs/reward").glob("*.yaml")), ids=lambda f: f.stem
)
def test_the_examples_can_be_used(file: Path) -> None:
    assert load_settings(str(file)).refinement.standards[-1].name == "advanced"


def test_recommended_settings_are_a_settings_file_with_its_reasons(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    assert main(["settings", "--recommend"]) == 0
    file = tmp_path / "mine.yaml"
    file.write_text(capsys.readouterr().out)
    assert load_settings(str(file)) == load_settings("configs/reward/recommended.yaml")
    assert file.read_text().startswith("#")


def test_recommended_settings_are_no_file_of_the_user() -> None:
    assert main(["settings", "paper", "--recommend"]) == 2
