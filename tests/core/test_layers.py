"""Recipes in layers: what replaces, what is taken away, and the file that ms-swift reads."""

from pathlib import Path

import pytest
import yaml

from swift_plugin_visionr1.cli import main
from swift_plugin_visionr1.errors import SettingsError
from swift_plugin_visionr1.recipes.overlays import merged


def files(folder: Path, *texts: str) -> list[Path]:
    paths = [folder / f"layer{number}.yaml" for number in range(len(texts))]
    for path, text in zip(paths, texts, strict=True):
        path.write_text(text)
    return paths


@pytest.mark.parametrize(
    ("layers", "expected"),
    [
        pytest.param(["a: 1\nb: 2"], {"a": 1, "b": 2}, id="the recipe alone"),
        pytest.param(["a: 1\nb: 2", "b: 3\nc: 4"], {"a": 1, "b": 3, "c": 4}, id="a value replaces"),
        pytest.param(["a: 1\nb: 2", "b: null"], {"a": 1}, id="null takes away"),
        pytest.param(["a: [1, 2]", "a: [3]"], {"a": [3]}, id="lists are replaced whole"),
        pytest.param(["a: 1", "b: 2", "a: 5\nb: null"], {"a": 5}, id="three layers"),
        pytest.param(
            ["a: 1\nENV: {X: 1, Y: 2}", "ENV: {Y: 3, Z: 4}"],
            {"a": 1, "ENV": {"X": 1, "Y": 3, "Z": 4}},
            id="ENV merges",
        ),
        pytest.param(
            ["a: 1\nENV: {X: 1, Y: 2}", "ENV: {Y: null}"],
            {"a": 1, "ENV": {"X": 1}},
            id="null in ENV",
        ),
        pytest.param(["a: 1\nENV: {X: 1}", "ENV: {X: null}"], {"a": 1}, id="an empty ENV goes"),
        pytest.param(
            ["a: 1", "ENV: {X: 1}"], {"a": 1, "ENV": {"X": 1}}, id="ENV of the overlay only"
        ),
    ],
)
def test_each_layer_lies_over_those_before(
    tmp_path: Path, layers: list[str], expected: dict
) -> None:
    assert merged(files(tmp_path, *layers)) == expected


def test_taking_away_what_is_not_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="expected beta in the files before .*layer1.yaml"):
        merged(files(tmp_path, "a: 1", "beta: null"))


@pytest.mark.parametrize(
    "text", ["- a\n- b", "a: [", "ENV: [1]"], ids=["a list", "no YAML", "ENV is a list"]
)
def test_files_that_are_no_recipe(tmp_path: Path, text: str) -> None:
    with pytest.raises(SettingsError, match="layer1.yaml"):
        merged(files(tmp_path, "a: 1", text))


def test_the_command_writes_the_file_that_swift_takes(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    base, overlay = files(
        tmp_path, "model: M\nbeta: 0.2\ndeepspeed: zero3", "beta: 0.0\ndeepspeed: null"
    )
    out = tmp_path / "new" / "mine.yaml"
    assert main(["recipe", str(base), str(overlay), "--out", str(out)]) == 0
    assert yaml.safe_load(out.read_text()) == {"model": "M", "beta": 0.0}
    assert out.read_text().startswith(f"# vision-r1 recipe {base} {overlay}\n")
    capsys.readouterr()
    assert main(["recipe", str(base), str(overlay)]) == 0
    assert capsys.readouterr().out == out.read_text()


def test_a_missing_file_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["recipe", str(tmp_path / "none.yaml")]) == 2
    assert "none.yaml" in capsys.readouterr().err
