"""Several evaluations side by side: the paper's table with intervals, and what cannot be compared."""

import argparse
import csv
import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mmdet_eval import InputError
from mmdet_eval.commands import compare as command
from mmdet_eval.compare import compare, read_model
from mmdet_eval.metrics.measure import measure
from mmdet_eval.metrics.scores import Scores

from .random_sets import random_set

SETS = {"birds": 1, "cars": 2}


def write_evaluation(folder: Path, scores: dict[str, Scores], **entry: Any) -> Path:
    """An output folder as an evaluation writes it."""
    datasets = {}
    for name, found in scores.items():
        own = folder / name
        own.mkdir(parents=True)
        found.matches.save(own / "matches.npz")
        with (own / "per_class.csv").open("w", newline="") as file:
            rows = [[c.category, c.name, c.metrics["AP"]] for c in found.classes]
            csv.writer(file).writerows([["category_id", "name", "AP"], *rows])
        datasets[name] = {"metrics": found.metrics, "annotations": {"sha256": name}, "protocol": None} | entry
    (folder / "metrics.json").write_text(json.dumps({"suite": None, "datasets": datasets, "average": None}))
    return folder


def evaluations(tmp_path: Path, names: list[str]) -> tuple[list[Path], dict[str, list[Scores]]]:
    """A base and a model that finds half of what the base misses, on the data sets."""
    found: dict[str, list[Scores]] = {}
    for name in names:
        annotations, results = random_set(tmp_path, SETS[name], images=40)
        truths = annotations.data["annotations"][::2]
        more = [{key: a[key] for key in ("image_id", "category_id", "bbox")} | {"score": 0.9} for a in truths]
        found[name] = [measure(annotations, given, engine="hotcoco") for given in (results, results + more)]
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
    assert [column.name for column in result.classes["birds"]] == ["class 7", "class 2", "class 5", "class 11"]
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
    assert re.search(rf"\| \+ Vision-R1 +\| +{values[1]:.1f} \(\+{values[1] - values[0]:.1f}\) \|", printed)
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
        ({"annotations": {"sha256": "other"}}, "the same annotations of birds .* sha256 birds in .* and other in"),
        ({"protocol": {"name": "qwen_odinw"}}, "the same protocol for birds .* got None in .* and qwen_odinw in"),
    ],
    ids=["annotations", "protocol"],
)
def test_other_conditions_are_refused(tmp_path: Path, entry: dict[str, Any], message: str) -> None:
    folders, found = evaluations(tmp_path, ["birds"])
    other = write_evaluation(tmp_path / "other", {"birds": found["birds"][0]}, **entry)
    with pytest.raises(InputError, match=message):
        run(folders[0], other)


def test_other_data_sets_are_refused(tmp_path: Path) -> None:
    folders, found = evaluations(tmp_path, ["birds", "cars"])
    other = write_evaluation(tmp_path / "other", {"birds": found["birds"][0]})
    with pytest.raises(InputError, match="the same data sets"):
        run(folders[0], other)


def test_other_classes_of_the_same_file_are_refused(tmp_path: Path) -> None:
    folders, found = evaluations(tmp_path, ["birds", "cars"])
    other = write_evaluation(tmp_path / "other", {"birds": found["cars"][0], "cars": found["cars"][0]})
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
def test_broken_folders_are_refused(tmp_path: Path, file: str, text: str | None, message: str) -> None:
    folders, _ = evaluations(tmp_path, ["birds"])
    (folders[1] / file).unlink()
    if text is not None:
        (folders[1] / file).write_text(text)
    with pytest.raises(InputError, match=message):
        run(*folders)


@pytest.mark.parametrize(
    "arguments", [["base"], ["base", "ours", "--names", "one"], ["base", "ours", "--samples", 0]],
    ids=["one-folder", "one-name", "no-samples"],
)  # fmt: skip
def test_arguments_that_do_not_go_together(tmp_path: Path, arguments: list[Any]) -> None:
    with pytest.raises(InputError, match="at least two folders, one of --names for each"):
        run(*arguments)
