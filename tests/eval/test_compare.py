"""Several evaluations side by side: the paper's table with intervals, and what cannot be
compared."""

import argparse
import csv
import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mmdet_eval import InputError
from mmdet_eval.commands import compare as command
from mmdet_eval.comparison.compare import compare
from mmdet_eval.comparison.output_folders import read_model
from mmdet_eval.metrics.scores import Scores

from .random_sets import random_set
from .references import measured

SETS = {"birds": 1, "cars": 2}


CONDITIONS = {"confidence": "every score is 1.0", "frame": "640 x 480", "arguments": {"seed": 0}}


def write_evaluation(folder: Path, scores: dict[str, Scores], **entry: Any) -> Path:
    """An output folder as an evaluation writes it; `entry` replaces what metrics.json says of each
    data set."""
    datasets = {}
    for name, found in scores.items():
        own = folder / name
        own.mkdir(parents=True)
        found.matches.save(own / "matches.npz")
        with (own / "per_class.csv").open("w", newline="") as file:
            rows = [[c.category, c.name, c.metrics["AP"]] for c in found.classes]
            csv.writer(file).writerows([["category_id", "name", "AP"], *rows])
        said = {"annotations": {"sha256": name}, "protocol": None, "conditions": CONDITIONS} | entry
        datasets[name] = {"metrics": found.metrics} | said
    (folder / "metrics.json").write_text(
        json.dumps({"suite": None, "datasets": datasets, "average": None})
    )
    return folder


def evaluations(tmp_path: Path, names: list[str]) -> tuple[list[Path], dict[str, list[Scores]]]:
    """A base and a model that finds half of what the base misses, on the data sets."""
    found: dict[str, list[Scores]] = {}
    for name in names:
        annotations, results = random_set(tmp_path, SETS[name], images=40)
        truths = annotations.data["annotations"][::2]
        more = [
            {key: a[key] for key in ("image_id", "category_id", "bbox")} | {"score": 0.9}
            for a in truths
        ]
        found[name] = [
            measured(annotations, given, engine="hotcoco") for given in (results, results + more)
        ]
    folders = [
        write_evaluation(tmp_path / model, {name: found[name][place] for name in names})
        for place, model in enumerate(("base", "ours"))
    ]
    return folders, found


def test_a_single_set_has_the_papers_metrics(tmp_path: Path) -> None:
    folders, found = evaluations(tmp_path, ["birds"])
    base, ours = found["birds"]
    result = compare([read_model(folder, folder.name) for folder in folders], samples=200)
    assert [column.name for column in result.columns] == ["mAP", "AP50", "AP75", "AR@100"]
    for column in result.columns:
        values = (base.metrics[column.name], ours.metrics[column.name])
        assert column.values == values
        assert column.differences == (0.0, values[1] - values[0])
        low, high = column.intervals[1]
        assert 0 < low < column.differences[1] < high
    assert [column.name for column in result.classes["birds"]] == [
        "class 7",
        "class 2",
        "class 5",
        "class 11",
    ]
    assert result.classes["birds"][-1].values == (None, None), "no truth, nothing to compare"
    for column, entry in zip(result.classes["birds"], ours.classes, strict=True):
        assert column.values[1] == pytest.approx(entry.metrics["AP"])


def test_a_suite_has_map_of_each_set_and_their_average(tmp_path: Path) -> None:
    folders, found = evaluations(tmp_path, ["birds", "cars"])
    result = compare([read_model(folder, folder.name) for folder in folders], samples=200)
    assert [column.name for column in result.columns] == ["birds", "cars", "Avg."]
    for place in (0, 1):
        expected = np.mean([scores[place].metrics["mAP"] for scores in found.values()])
        assert result.columns[-1].values[place] == pytest.approx(expected)
    widths = [high - low for low, high in (column.intervals[1] for column in result.columns)]
    assert widths[2] < max(widths[:2]), "an average of two sets is surer than the less sure one"


def test_sets_of_a_suite_are_resampled_apart(tmp_path: Path) -> None:
    """With one draw for both, the average of a set and its copy would be as unsure as either."""
    _, found = evaluations(tmp_path, ["birds"])
    folders = [
        write_evaluation(tmp_path / f"twice {place}", {"birds": scores, "copies": scores})
        for place, scores in enumerate(found["birds"])
    ]
    result = compare([read_model(folder, folder.name) for folder in folders], samples=500)
    birds, copies, average = (
        high - low for low, high in (column.intervals[1] for column in result.columns)
    )
    assert average == pytest.approx((birds + copies) / 2 / np.sqrt(2), rel=0.15)


def test_a_category_in_few_images_has_no_interval(tmp_path: Path, capsys: Any) -> None:
    annotations, results = random_set(tmp_path, 1, images=40)
    few = [a for a in annotations.data["annotations"] if not a["iscrowd"]]
    for category, images in ((5, 9), (2, 10)):
        kept = sorted({a["image_id"] for a in few if a["category_id"] == category})[:images]
        few = [a for a in few if a["category_id"] != category or a["image_id"] in kept]
    annotations = replace(annotations, data=annotations.data | {"annotations": few})
    folders = [
        write_evaluation(tmp_path / name, {"birds": measured(annotations, given, engine="hotcoco")})
        for name, given in (("base", results), ("ours", results[::2]))
    ]
    assert run(*folders, "--samples", 20, "--out", tmp_path / "out") == 0
    columns = {
        column["name"]: column
        for column in json.loads((tmp_path / "out/compare.json").read_text())["classes"]["birds"]
    }
    assert {name: column["intervals"][1] is None for name, column in columns.items()} == {
        "class 7": False,
        "class 2": False,
        "class 5": True,
        "class 11": True,
    }
    assert columns["class 5"]["differences"][1] is not None
    printed = capsys.readouterr().out
    assert re.search(r"\| class 5 .* [+-]\d+\.\d \[-\] \|", printed)
    assert "[-]: " in printed


def test_a_model_is_not_better_than_itself(tmp_path: Path) -> None:
    folders, _ = evaluations(tmp_path, ["birds"])
    result = compare([read_model(folders[0], name) for name in ("a", "b")], samples=50)
    assert {column.intervals[1] for column in result.columns} == {(0.0, 0.0)}


def run(*arguments: Any) -> int:
    parser = argparse.ArgumentParser()
    command.add_parser(parser.add_subparsers())
    parsed = parser.parse_args(["compare", *map(str, arguments)])
    return int(parsed.run(parsed))


def test_the_command_prints_and_writes(tmp_path: Path, capsys: Any) -> None:
    folders, found = evaluations(tmp_path, ["birds", "cars"])
    out = tmp_path / "out"
    assert run(*folders, "--names", "base", "+ Vision-R1", "--out", out, "--samples", 50) == 0
    printed = capsys.readouterr().out
    assert printed == (out / "compare.md").read_text()
    values = [100 * scores.metrics["mAP"] for scores in found["birds"]]
    assert re.search(rf"\| base +\| +{values[0]:.1f} \|", printed)
    assert re.search(
        rf"\| \+ Vision-R1 +\| +{values[1]:.1f} \(\+{values[1] - values[0]:.1f}\) \|", printed
    )
    assert re.search(r"\| Avg\. +\| \+\d+\.\d \[\+\d+\.\d, \+\d+\.\d\] \|", printed)
    tables = re.findall(r"(?:^\|.*\n?)+", printed, re.MULTILINE)
    assert len(tables) == 4
    for table in tables:
        assert len({len(line) for line in table.splitlines()}) == 1, "aligned"
    record = json.loads((out / "compare.json").read_text())
    assert record["names"] == ["base", "+ Vision-R1"]
    assert record["columns"][0]["values"] == [scores.metrics["mAP"] for scores in found["birds"]]


def test_the_same_seed_gives_the_same_text(tmp_path: Path, capsys: Any) -> None:
    folders, _ = evaluations(tmp_path, ["birds"])
    texts = []
    for seed in (1, 1, 2):
        run(*folders, "--samples", 20, "--seed", seed)
        texts.append(capsys.readouterr().out)
    assert texts[0] == texts[1] != texts[2]


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        (
            {"annotations": {"sha256": "other"}},
            r'annotations \(sha256\) for birds .* got "birds" in .* and "other" in',
        ),
        (
            {"protocol": {"name": "qwen_odinw"}},
            'protocol for birds .* got none recorded in .* and "qwen_odinw" in',
        ),
        (
            {"conditions": CONDITIONS | {"confidence": "area"}},
            'confidence for .* and "area" in .* the same --score',
        ),
        (
            {"conditions": CONDITIONS | {"limits": "one box"}},
            'limits for .* got none recorded .* and "one box" in',
        ),
    ],
    ids=["annotations", "protocol", "confidence", "limits"],
)
def test_other_conditions_are_refused(tmp_path: Path, entry: dict[str, Any], message: str) -> None:
    folders, found = evaluations(tmp_path, ["birds"])
    other = write_evaluation(tmp_path / "other", {"birds": found["birds"][0]}, **entry)
    with pytest.raises(InputError, match=message):
        run(folders[0], other)


def test_other_frames_are_said(tmp_path: Path, capsys: Any) -> None:
    folders, found = evaluations(tmp_path, ["birds", "cars"])
    other = CONDITIONS | {"frame": "644 x 476", "format": "json", "arguments": {"seed": 1}}
    second = write_evaluation(
        tmp_path / "other", {name: found[name][0] for name in found}, conditions=other
    )
    assert run(folders[0], second, "--samples", 5, "--out", tmp_path / "out") == 0
    expected = [
        'format: none recorded of base, "json" of other (in birds, cars)',
        'frame: "640 x 480" of base, "644 x 476" of other (in birds, cars)',
    ]
    assert json.loads((tmp_path / "out/compare.json").read_text())["warnings"] == expected
    printed = capsys.readouterr().out
    assert "**Evaluated differently**\n\n" + "".join(f"- {line}\n" for line in expected) in printed


def test_nothing_is_said_where_all_is_alike(tmp_path: Path, capsys: Any) -> None:
    folders, _ = evaluations(tmp_path, ["birds"])
    assert run(*folders, "--samples", 5) == 0
    assert "differently" not in capsys.readouterr().out


def test_other_data_sets_are_refused(tmp_path: Path) -> None:
    folders, found = evaluations(tmp_path, ["birds", "cars"])
    other = write_evaluation(tmp_path / "other", {"birds": found["birds"][0]})
    with pytest.raises(InputError, match="the same data sets"):
        run(folders[0], other)


def test_other_classes_of_the_same_file_are_refused(tmp_path: Path) -> None:
    folders, found = evaluations(tmp_path, ["birds", "cars"])
    other = write_evaluation(
        tmp_path / "other", {"birds": found["cars"][0], "cars": found["cars"][0]}
    )
    with pytest.raises(InputError, match="the same images, categories and annotations of birds"):
        run(folders[0], other)


@pytest.mark.parametrize(
    ("file", "text", "message"),
    [
        ("metrics.json", None, "output folder of an evaluation"),
        ("metrics.json", "{}", "output folder of an evaluation"),
        ("metrics.json", '{"datasets": {"birds": {}}}', "output folder of an evaluation"),
        ("birds/matches.npz", None, "matches.npz of an evaluation"),
        ("birds/per_class.csv", "a,b\n1,2\n", "per_class.csv of an evaluation"),
    ],
    ids=["no-metrics", "other-json", "half-an-entry", "no-matches", "other-csv"],
)
def test_broken_folders_are_refused(
    tmp_path: Path, file: str, text: str | None, message: str
) -> None:
    folders, _ = evaluations(tmp_path, ["birds"])
    (folders[1] / file).unlink()
    if text is not None:
        (folders[1] / file).write_text(text)
    with pytest.raises(InputError, match=message):
        run(*folders)


@pytest.mark.parametrize(
    "arguments",
    [["base"], ["base", "ours", "--names", "one"], ["base", "ours", "--samples", 0]],
    ids=["one-folder", "one-name", "no-samples"],
)
def test_arguments_that_do_not_go_together(tmp_path: Path, arguments: list[Any]) -> None:
    with pytest.raises(InputError, match="at least two folders, one of --names for each"):
        run(*arguments)


@pytest.mark.parametrize(
    ("folders", "names"),
    [
        (["runs/base", "runs/sft"], ["base", "sft"]),
        (["base/eval", "sft/eval"], ["base/eval", "sft/eval"]),
        (["a/x/eval", "b/x/eval", "b/y/eval"], ["a/x/eval", "b/x/eval", "b/y/eval"]),
        (["eval", "more/eval"], ["{root}/eval", "more/eval"]),
    ],
    ids=["last-part", "two-parts", "three-parts", "one-in-the-others-parent"],
)
def test_rows_are_named_by_what_tells_the_folders_apart(
    tmp_path: Path, folders: list[str], names: list[str]
) -> None:
    expected = [name.format(root=tmp_path.name) for name in names]
    assert command.folder_names([tmp_path / folder for folder in folders]) == expected


@pytest.mark.parametrize(
    "arguments",
    [["base", "base"], ["base", "ours", "--names", "x", "x"]],
    ids=["one-folder-twice", "one-name-twice"],
)
def test_rows_of_one_name_are_refused(arguments: list[str]) -> None:
    with pytest.raises(InputError, match="different row names"):
        run(*arguments)


def test_names_cannot_become_markup(tmp_path: Path, capsys: Any) -> None:
    folders, _ = evaluations(tmp_path, ["birds"])
    assert run(*folders, "--names", "a|b", "<b>*c*", "--samples", 5) == 0
    printed = capsys.readouterr().out
    assert "| a\\|b" in printed
    assert "&lt;b&gt;\\*c\\*" in printed
    assert "<b>" not in printed
