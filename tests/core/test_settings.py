"""Presets, YAML over a preset, and errors that say what was meant."""

from fractions import Fraction
from pathlib import Path

import pytest

from swift_plugin_visionr1 import PRESETS, Criteria, JsonLayout, SettingsError, load_settings
from swift_plugin_visionr1.reward.settings import describe, settings_from


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
            id="boolean is no number",
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
