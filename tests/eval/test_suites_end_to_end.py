"""Whole suites: prompts written, answered, evaluated and averaged, by the commands."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from mmdet_eval.cli import main
from mmdet_eval.suites.files import read_suite
from swift_plugin_visionr1 import QwenResize

from .odinw import answer_rows, make_odinw

RESIZE = QwenResize(max_pixels=401408)
FEWER = 0.6  # mAP of a data set whose answers are worse: see odinw.WORSE


@pytest.fixture(autouse=True)
def _no_frame_in_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("MAX_PIXELS", "MIN_PIXELS", "IMAGE_MAX_TOKEN_NUM", "IMAGE_MIN_TOKEN_NUM"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("odinw")
    make_odinw(folder, ["odinw13", "odinw35", "vision_r1_ood"])
    return folder


def lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def answered(
    root: Path, suite: str, out: Path, worse: Sequence[str], *options: str
) -> list[dict[str, Any]]:
    """Write the prompts of a suite by the command; returns perfect answers to them, worse ones for
    `worse`."""
    prompts = out / "prompts.jsonl"
    assert (
        main(["prompts", "--suite", suite, "--root", str(root), "--out", str(prompts), *options])
        == 0
    )
    return answer_rows(lines(prompts), read_suite(suite, root).datasets, RESIZE, worse)


def evaluated(
    root: Path, suite: str, out: Path, rows: list[dict[str, Any]], *options: str
) -> dict[str, Any]:
    """Evaluate answers by the command; returns what metrics.json says."""
    pred = out / "infer.jsonl"
    pred.write_text("".join(json.dumps(row) + "\n" for row in rows))
    arguments = [
        "--suite",
        suite,
        "--root",
        str(root),
        "--pred",
        str(pred),
        "--max-pixels",
        "401408",
    ]
    assert main([*arguments, "--out", str(out / "eval"), *options]) == 0
    found: dict[str, Any] = json.loads((out / "eval" / "metrics.json").read_text())
    return found


@pytest.mark.parametrize(
    ("suite", "sets", "protocol", "engine"),
    [
        pytest.param("odinw13", 13, "vision_r1_odinw", "mmdet", id="odinw13"),
        pytest.param("odinw13", 13, "qwen_odinw", "hotcoco", id="odinw13-captions"),
        pytest.param("odinw35", 35, "qwen3_odinw", "hotcoco", id="odinw35-all-categories"),
        pytest.param("vision_r1_ood", 4, "vision_r1_odinw", "hotcoco", id="vision_r1_ood"),
    ],
)
def test_a_suite_averages_its_sets(
    root: Path, tmp_path: Path, suite: str, sets: int, protocol: str, engine: str, capsys: Any
) -> None:
    worse = [read_suite(suite, root).datasets[0].name]
    rows = answered(root, suite, tmp_path, worse, "--protocol", protocol)
    record = evaluated(root, suite, tmp_path, rows, "--protocol", protocol, "--engine", engine)
    by_set = {name: entry["metrics"]["mAP"] for name, entry in record["datasets"].items()}
    assert len(by_set) == sets
    assert by_set.pop(worse[0]) == pytest.approx(FEWER)
    assert by_set == pytest.approx(dict.fromkeys(by_set, 1.0), abs=1e-12)
    assert record["metrics"]["mAP"] == pytest.approx((FEWER + sets - 1) / sets, abs=1e-12)
    printed = capsys.readouterr().out
    assert printed.splitlines()[-1].split()[:2] == ["Avg.", f"{(FEWER + sets - 1) / sets:.3f}"]


def test_rows_without_our_columns_are_shared_out_by_image_and_question(
    root: Path, tmp_path: Path
) -> None:
    """What `swift infer` leaves of a row with the transformers backend, in whatever order."""
    kept = ("response", "labels", "logprobs", "messages", "images")
    rows = answered(root, "vision_r1_ood", tmp_path, ["vector"])
    bare = [{name: row[name] for name in kept} for row in rows][::-1]
    whole, left = (
        evaluated(root, "vision_r1_ood", tmp_path, some, "--engine", "hotcoco")
        for some in (rows, bare)
    )
    assert left["metrics"] == whole["metrics"]
    assert left["datasets"]["vector"]["metrics"]["mAP"] == pytest.approx(FEWER)


def test_a_missing_set_is_named_or_left_out_and_said(
    root: Path, tmp_path: Path, capsys: Any
) -> None:
    rows = answered(root, "vision_r1_ood", tmp_path, [])
    spec = read_suite("vision_r1_ood", root).datasets[0]
    hidden = spec.ann.with_suffix(".hidden")
    spec.ann.rename(hidden)
    try:
        pred = tmp_path / "infer.jsonl"
        pred.write_text(
            "".join(json.dumps(row) + "\n" for row in rows if row["dataset"] != spec.name)
        )
        arguments = [
            "--suite",
            "vision_r1_ood",
            "--root",
            str(root),
            "--pred",
            str(pred),
            "--engine",
            "hotcoco",
        ]
        assert main(arguments) == 2
        assert str(spec.ann) in capsys.readouterr().err
        assert (
            main(
                [
                    *arguments,
                    "--allow-missing",
                    "--max-pixels",
                    "401408",
                    "--out",
                    str(tmp_path / "eval"),
                ]
            )
            == 0
        )
    finally:
        hidden.rename(spec.ann)
    assert f"left out            {spec.name}" in capsys.readouterr().out
    record = json.loads((tmp_path / "eval" / "metrics.json").read_text())
    assert record["left_out"] == [spec.name]
    assert record["metrics"]["mAP"] == pytest.approx(1.0, abs=1e-12)


def test_answers_to_another_protocol_are_refused(root: Path, tmp_path: Path, capsys: Any) -> None:
    rows = answered(root, "vision_r1_ood", tmp_path, [])
    pred = tmp_path / "infer.jsonl"
    arguments = [
        "--suite",
        "vision_r1_ood",
        "--root",
        str(root),
        "--pred",
        str(pred),
        "--engine",
        "hotcoco",
    ]
    bare = [{key: value for key, value in row.items() if key != "protocol"} for row in rows]
    for given, message in (
        (rows, "one that records 'vision_r1_odinw'"),
        (bare, "was the model asked by another"),
    ):
        pred.write_text("".join(json.dumps(row) + "\n" for row in given))
        assert main([*arguments, "--protocol", "qwen3_odinw"]) == 2
        assert message in capsys.readouterr().err


def test_the_recorded_protocol_goes_before_the_suites(
    root: Path, tmp_path: Path, capsys: Any
) -> None:
    rows = answered(root, "vision_r1_ood", tmp_path, [], "--protocol", "qwen3_odinw")
    record = evaluated(root, "vision_r1_ood", tmp_path, rows, "--engine", "hotcoco")
    assert {entry["protocol"]["name"] for entry in record["datasets"].values()} == {"qwen3_odinw"}
    assert record["metrics"]["mAP"] == pytest.approx(1.0, abs=1e-12)
    assert "label-aware" not in capsys.readouterr().out


def test_a_set_without_answers_counts_as_empty_and_is_said(
    root: Path, tmp_path: Path, capsys: Any
) -> None:
    rows = answered(root, "vision_r1_ood", tmp_path, [])
    rows = [row for row in rows if row["dataset"] != "vector"]
    capsys.readouterr()
    record = evaluated(
        root, "vision_r1_ood", tmp_path, rows, "--engine", "hotcoco", "--allow-missing"
    )
    assert record["left_out"] == []
    vector = record["datasets"]["vector"]
    assert (vector["metrics"]["mAP"], vector["counts"]["answers"]) == (0.0, 0)
    assert vector["counts"]["missing"] == vector["counts"]["queries"] > 0
    assert record["metrics"]["mAP"] == pytest.approx(3 / 4)
    printed = capsys.readouterr().out
    assert "warning: vector: " in printed
    line = next(line for line in printed.splitlines() if line.startswith("vector"))
    assert line.split()[-3:] == [str(vector["counts"]["missing"]), "0", "0"]


def test_a_set_without_boxes_counts_as_empty(root: Path, tmp_path: Path) -> None:
    """A folder of COCO results that lacks a file."""
    (tmp_path / "boxes").mkdir()
    suite = ["--suite", "vision_r1_ood", "--root", str(root), "--engine", "hotcoco"]
    for spec in read_suite("vision_r1_ood", root).datasets[1:]:
        results = [
            {name: record[name] for name in ("image_id", "category_id", "bbox")} | {"score": 0.5}
            for record in json.loads(spec.ann.read_text())["annotations"]
        ]
        (tmp_path / "boxes" / f"{spec.name}.json").write_text(json.dumps(results))
    arguments = [
        *suite,
        "--pred",
        str(tmp_path / "boxes"),
        "--allow-missing",
        "--out",
        str(tmp_path / "eval"),
    ]
    assert main(arguments) == 0
    record = json.loads((tmp_path / "eval" / "metrics.json").read_text())
    assert record["metrics"]["mAP"] == pytest.approx(3 / 4)
    counts = [entry["counts"] for entry in record["datasets"].values()]
    assert [(c["answers"], c["missing"]) for c in counts] == [(0, 3)] + [(2, 0)] * 3, (
        "each set has a picture of nothing"
    )
    assert [len(entry["warnings"]) for entry in record["datasets"].values()] == [1, 0, 0, 0]
    for entry in record["datasets"].values():
        assert "format" not in entry["conditions"].keys() | entry["conditions"]["arguments"].keys()


def test_what_decides_a_suites_numbers_is_printed_once(
    root: Path, tmp_path: Path, capsys: Any
) -> None:
    rows = answered(root, "vision_r1_ood", tmp_path, [])
    capsys.readouterr()
    evaluated(root, "vision_r1_ood", tmp_path, rows, "--engine", "hotcoco", "--orders", "2")
    lines = capsys.readouterr().out.splitlines()
    for name, part in (
        ("protocol", "vision_r1_odinw (label-aware"),
        ("frame", "--max_pixels 401408"),
        ("confidence", "every score is 1.0"),
        ("engine", "hotcoco"),
    ):
        assert [part in line for line in lines if line.startswith(f"{name} ")] == [True], name
    assert "mAP's range" in lines[-6]
    assert "1.000-1.000" in lines[-2]


def test_a_root_behind_a_link_is_the_same_root(root: Path, tmp_path: Path) -> None:
    """Prompts have the real paths of the images; rows without our columns are shared out by
    them."""
    link = tmp_path / "link"
    link.symlink_to(root, target_is_directory=True)
    kept = ("response", "messages", "images")
    rows = [
        {name: row[name] for name in kept} for row in answered(link, "vision_r1_ood", tmp_path, [])
    ]
    assert str(link) not in rows[0]["images"][0]["path"]
    record = evaluated(link, "vision_r1_ood", tmp_path, rows, "--engine", "hotcoco")
    assert record["metrics"]["mAP"] == pytest.approx(1.0, abs=1e-12)
