"""Every suite on a small root, from its files to its numbers, by the commands."""

import json
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mmdet_eval.cli import main, parser
from mmdet_eval.commands import evaluate
from mmdet_eval.evaluation import Evaluation
from mmdet_eval.metrics.bootstrap import measure_samples
from mmdet_eval.metrics.scores import HEADLINE
from mmdet_eval.reports.intervals import measure_uncertainty
from mmdet_eval.reports.page import read_page
from mmdet_eval.reports.phrases import average, headline
from mmdet_eval.suites import named_files
from mmdet_eval.suites.files import read_file, read_suite, suite_names
from swift_plugin_visionr1 import QwenResize

from .counting_roots import ROOTS as COUNTING_ROOTS
from .odinw import answer_rows
from .suite_roots import ROOTS, write_lines

RESIZE = QwenResize()
NOTHING = "[]"
# What perfect answers get, beside 1.0 for everything that a suite shows first.
SETS = {"grefcoco": 3, "ref_l4": 2, "d3": 2, "rf20_vl": 20, "rf20_vl_fsod": 20}
# A number that the suite shows first, and its value if the model says that there is nothing.
ALL_REFUSED = {
    "coco_val2017": {"mAP": 0.0, "AP50": 0.0, "AP75": 0.0, "AR@100": 0.0},
    "referring": {"Pr@(F1=1)": 1 / 4, "N-acc": 1.0, "T-acc": 0.0},
    "grefcoco": {"Pr@(F1=1)": 1 / 5, "N-acc": 1.0, "T-acc": 0.0},
    "humanref": {"R": 0.0, "P": 0.0, "DF1": 0.0, "rejection": 1.0},
    "ref_l4": {"Acc@.5": 0.0, "Acc@.75": 0.0, "Acc@.9": 0.0, "mAcc": 0.0},
    "d3": {"FULL": 0.0, "PRES": 0.0, "ABS": 0.0},
    "dense200": {"macroF1@.5": 0.0, "macroF1@.95": 0.0, "macroF1": 0.0},
    "visdrone": {"macroF1@.5": 0.0, "macroF1": 0.0},
    "doclaynet": {"macroF1@.5": 0.0, "macroF1": 0.0},
    "lvis_val": {"mAP": 0.0, "APr": 0.0, "APf": 0.0},
    "lvis_minival": {"mAP": 0.0, "APr": 0.0, "APf": 0.0},
    "rf20_vl": {"mAP": 0.0, "AP50": 0.0},
    "rf20_vl_fsod": {"mAP": 0.0, "AP50": 0.0},
}


@pytest.fixture(autouse=True)
def _no_frame_in_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("MAX_PIXELS", "MIN_PIXELS", "IMAGE_MAX_TOKEN_NUM", "IMAGE_MIN_TOKEN_NUM"):
        monkeypatch.delenv(name, raising=False)


def asked(root: Path, suite: str, out: Path, *options: str) -> list[dict[str, Any]]:
    """The rows of the prompts that the command writes."""
    prompts = out / "prompts.jsonl"
    place = ["--suite", suite, "--root", str(root), "--out", str(prompts)]
    assert main(["prompts", *place, *options]) == 0
    return [json.loads(line) for line in prompts.read_text().splitlines()]


def evaluated(
    root: Path, suite: str, out: Path, rows: list[dict[str, Any]], *options: str
) -> list[Evaluation]:
    """The evaluations of the answers, without a folder: writing it takes much longer."""
    pred = out / "pred.jsonl"
    pred.write_text("".join(json.dumps(row) + "\n" for row in rows))
    place = ["--suite", suite, "--root", str(root), "--engine", "hotcoco", "--pred", str(pred)]
    return evaluate.evaluate(parser().parse_args(["evaluate", *place, "--orders", "0", *options]))[
        0
    ]


def shown(evaluations: list[Evaluation]) -> dict[str, float | None]:
    """What tables show of the suite."""
    metrics = average(evaluations) or evaluations[0].scores.metrics
    return {name: metrics[name] for name in headline(evaluations)}


@pytest.mark.parametrize("suite", sorted(ROOTS))
def test_a_suite_end_to_end(suite: str, tmp_path: Path) -> None:
    root = tmp_path / "root"
    ROOTS[suite](root)
    prompts = asked(root, suite, tmp_path)
    right = answer_rows(prompts, read_suite(suite, root).datasets, RESIZE)
    found = evaluated(root, suite, tmp_path, right)
    names = ALL_REFUSED[suite]
    assert len(found) == SETS.get(suite, 1)
    assert {name: shown(found)[name] for name in names} == pytest.approx(dict.fromkeys(names, 1.0))
    for one in found:
        assert one.scores.beside["refused where absent"] in (1.0, None)
        assert one.scores.beside["refused where present"] == 0.0
    refused = [{**row, "response": NOTHING} for row in right]
    found = evaluated(root, suite, tmp_path, refused)
    assert {name: shown(found)[name] for name in names} == pytest.approx(names)
    assert {one.scores.beside["refused where present"] for one in found} == {1.0}
    mixed = [
        row if number % 2 else bad
        for number, (row, bad) in enumerate(zip(right, refused, strict=True))
    ]
    found = evaluated(root, suite, tmp_path, mixed)
    assert set(measure_uncertainty(found).sets[found[0].name]) >= set(headline(found))
    assert values_with_every_image_once(found[0]) == pytest.approx(found[0].numbers())


def values_with_every_image_once(evaluation: Evaluation) -> dict[str, float | None]:
    """The numbers of a bootstrap sample that is the data set itself, beside those without one."""
    scores, count = evaluation.scores, len(evaluation.annotations.image_ids)
    once = np.ones((1, count), dtype=np.int64)
    aps = measure_samples([scores.matches], once)[0, 0, len(HEADLINE) :]
    values = {name: value(once.astype(float))[0] for name, value in scores.sampled.items()}
    for name, chosen in scores.groups.items():
        known = aps[chosen][~np.isnan(aps[chosen])]
        values[name] = known.mean() if len(known) else np.nan
    known_values = {n: None if np.isnan(value) else float(value) for n, value in values.items()}
    return evaluation.numbers() | known_values


@pytest.mark.parametrize("suite", ["lvis_val", "humanref"])
def test_the_reports_show_the_numbers_of_the_suite_first(suite: str, tmp_path: Path) -> None:
    root, out = tmp_path / "root", tmp_path / "out"
    ROOTS[suite](root)
    prompts = asked(root, suite, tmp_path)
    right = answer_rows(prompts, read_suite(suite, root).datasets, RESIZE)
    write_lines(tmp_path / "pred.jsonl", [*right[:-1], {**right[-1], "response": NOTHING}])
    place = ["--suite", suite, "--root", str(root), "--engine", "hotcoco", "--out", str(out)]
    assert main(["evaluate", *place, "--pred", str(tmp_path / "pred.jsonl")]) == 0
    data = read_page(out / "report.html")
    assert data is not None
    metrics = json.loads((out / "metrics.json").read_text())["metrics"]
    shown_first = {one["name"]: one for one in data["models"][0]["headline"]}
    assert next(iter(ALL_REFUSED[suite])) == next(iter(shown_first))
    assert set(shown_first) >= set(ALL_REFUSED[suite])
    assert {name: one["value"] for name, one in shown_first.items()} == {
        name: metrics[name] for name in shown_first
    }
    known = [one for one in shown_first.values() if one["value"] is not None]
    assert all(one["interval"] for one in known)
    assert all(name in (out / "summary.md").read_text() for name in shown_first)


@pytest.mark.parametrize("suite", sorted(ROOTS))
def test_a_missing_set_is_named_with_where_to_get_it(
    suite: str, tmp_path: Path, capsys: Any
) -> None:
    place = ["--suite", suite, "--root", str(tmp_path), "--out", str(tmp_path / "p.jsonl")]
    assert main(["prompts", *place]) == 2
    told, read = capsys.readouterr().err, read_suite(suite, tmp_path)
    assert str(read.datasets[0].ann) in told
    assert read.download in told


def test_every_file_that_a_set_needs_is_missed(tmp_path: Path, capsys: Any) -> None:
    ROOTS["grefcoco"](tmp_path)
    (tmp_path / "grefcoco" / "instances.json").unlink()
    place = ["--suite", "grefcoco", "--root", str(tmp_path), "--out", str(tmp_path / "p.jsonl")]
    assert main(["prompts", *place]) == 2
    assert "instances.json" in capsys.readouterr().err


def test_a_suite_of_several_domains_averages_each(tmp_path: Path, capsys: Any) -> None:
    ROOTS["rf20_vl"](tmp_path)
    mine = tmp_path / "mine.yaml"
    only = "[actions, aerial-airport, wildfire-smoke]"
    mine.write_text(f"protocol: each\nlike: rf20_vl\nonly: {only}\n")
    specs = read_suite(str(mine), tmp_path).datasets
    prompts = asked(tmp_path, str(mine), tmp_path)
    assert {row["category"] for row in prompts} == {"bolt", "nut"}  # not the placeholder
    rows = answer_rows(prompts, specs, RESIZE)
    rows = [r | {"response": NOTHING} if r["dataset"] == "wildfire-smoke" else r for r in rows]
    pred = tmp_path / "pred.jsonl"
    pred.write_text("".join(json.dumps(row) + "\n" for row in rows))
    place = ["--suite", str(mine), "--root", str(tmp_path), "--engine", "hotcoco"]
    assert main([*place, "--pred", str(pred), "--out", str(tmp_path / "out")]) == 0
    record = json.loads((tmp_path / "out" / "metrics.json").read_text())
    assert record["metrics"]["mAP"] == pytest.approx(2 / 3)
    found = {name: metrics["mAP"] for name, metrics in record["domains"].items()}
    assert found == pytest.approx({"Sport": 1.0, "Aerial": 0.5})
    assert "Aerial (2 sets)" in capsys.readouterr().out
    assert "Aerial (2)" in (tmp_path / "out" / "summary.md").read_text()


def test_the_hundred_sets_of_rf100_vl() -> None:
    specs = read_suite("rf100_vl", "r").datasets
    count = Counter(spec.domain for spec in specs)
    assert (len(specs), sorted(count.values())) == (100, [6, 10, 11, 13, 15, 22, 23])
    few = {spec.name: spec for spec in read_suite("rf100_vl_fsod", "r").datasets}
    assert set(few) == {spec.name for spec in specs}
    assert few["actions"].needs == (Path("r/actions/train/_annotations.coco.json"),)


def test_a_file_that_its_downloader_broke_is_told(tmp_path: Path, capsys: Any) -> None:
    ROOTS["rf20_vl"](tmp_path)
    (tmp_path / "actions/test/_annotations.coco.json").write_text("null")
    place = ["--suite", "rf20_vl", "--root", str(tmp_path), "--out", str(tmp_path / "p.jsonl")]
    assert main(["prompts", *place]) == 2
    assert "actions/test/_annotations.coco.json, got null" in capsys.readouterr().err


def test_images_that_are_not_downloaded_are_counted(tmp_path: Path, capsys: Any) -> None:
    ROOTS["lvis_val"](tmp_path)
    (tmp_path / "val2017/000000000002.jpg").unlink()
    place = ["--suite", "lvis_val", "--root", str(tmp_path), "--out", str(tmp_path / "p.jsonl")]
    assert main(["prompts", *place]) == 2
    assert "000000000002.jpg" in capsys.readouterr().err


def test_lvis_needs_to_know_what_was_looked_for(tmp_path: Path, capsys: Any) -> None:
    ROOTS["lvis_val"](tmp_path)
    (spec,) = read_suite("lvis_val", tmp_path).datasets
    content = json.loads(spec.ann.read_text())
    for image in content["images"]:
        del image["neg_category_ids"]
    spec.ann.write_text(json.dumps(content))
    place = ["--suite", "lvis_val", "--root", str(tmp_path), "--out", str(tmp_path / "p.jsonl")]
    assert main(["prompts", *place]) == 2
    assert "neg_category_ids" in capsys.readouterr().err


def test_d3_asks_for_the_descriptions_of_the_group_or_for_all(tmp_path: Path) -> None:
    ROOTS["d3"](tmp_path)
    prompts = asked(tmp_path, "d3", tmp_path)
    count = Counter((row["dataset"], row["image_id"]) for row in prompts)
    assert count == {("d3_intra", 0): 2, ("d3_intra", 1): 2, ("d3_inter", 0): 4, ("d3_inter", 1): 4}
    rows = answer_rows(prompts, read_suite("d3", tmp_path).datasets, RESIZE)
    intra, inter = (one.scores.beside for one in evaluated(tmp_path, "d3", tmp_path, rows))
    assert intra["AP of 4-6 words"] == pytest.approx(1.0)
    # As published, the match of annotation 0 counts as wrong: the first of two boxes of "a dog".
    assert intra["FULL as published"] == inter["FULL as published"]
    assert intra["PRES as published"] == pytest.approx(0.5 * 51 / 101)
    assert intra["ABS as published"] == pytest.approx(1.0)


def test_humanref_by_domain_and_too_many_boxes(tmp_path: Path) -> None:
    ROOTS["humanref"](tmp_path)
    rows = answer_rows(
        asked(tmp_path, "humanref", tmp_path),
        read_suite("humanref", tmp_path).datasets,
        RESIZE,
    )
    # The answer about two people is given to all three questions.
    rows = [row | {"response": rows[0]["response"]} for row in rows]
    (one,) = evaluated(tmp_path, "humanref", tmp_path, rows)
    assert shown([one]) == pytest.approx(
        {"R": 1.0, "P": 0.75, "DF1": (1 + 2 / 3 * 0.5) / 2, "rejection": 0.0}
    )
    assert one.scores.beside["position: P"] == pytest.approx(0.5)


def test_a_suite_names_other_files_than_its_own(tmp_path: Path, capsys: Any) -> None:
    write_lines(tmp_path / "annotations.jsonl", [{"image": "a.jpg", "expression": "x"}])
    place = ["--suite", "humanref", "--root", str(tmp_path), "--out", str(tmp_path / "p.jsonl")]
    assert main(["prompts", *place]) == 2
    told = capsys.readouterr().err
    assert "row 1" in told
    assert "image_name" in told


@pytest.mark.parametrize("name", suite_names())
def test_a_suite_says_where_it_is_from(name: str) -> None:
    file = read_file(named_files.find("suites", name))
    assert all((file.measures, file.source, file.licence, file.download))


def test_every_suite_has_a_root_here() -> None:
    others = {*COUNTING_ROOTS, "odinw13", "odinw35", "vision_r1_ood", "refcoco"}
    assert set(suite_names()) - others - {"rf100_vl", "rf100_vl_fsod"} == set(ROOTS)


@pytest.mark.parametrize(
    ("answer", "rates"),
    [
        pytest.param(None, (1.0, 0.0), id="always-right"),
        pytest.param("I don't see any of these in the image.", (1.0, 1.0), id="refuses-in-words"),
        pytest.param("{[", (0.0, 0.0), id="what-cannot-be-read-is-no-refusal"),
    ],
)
def test_refusal_of_a_suite_that_asks_for_absent_things(
    tmp_path: Path, answer: str | None, rates: tuple[float, float]
) -> None:
    ROOTS["coco_val2017"](tmp_path)
    protocol = ("--protocol", "refusal")
    prompts = asked(tmp_path, "coco_val2017", tmp_path, *protocol)
    # Per image: what is present, and 3 that are absent; the crowd of image 2 is neither.
    assert Counter(row["image_id"] for row in prompts) == {1: 2 + 3, 2: 1 + 3, 3: 3}
    assert not any((row["image_id"], row["category"]) == (2, "person") for row in prompts)
    rows = answer_rows(prompts, read_suite("coco_val2017", tmp_path).datasets, RESIZE)
    if answer is not None:
        rows = [row | {"response": answer} for row in rows]
    (one,) = evaluated(tmp_path, "coco_val2017", tmp_path, rows, *protocol)
    beside = one.scores.beside
    assert (beside["refused where absent"], beside["refused where present"]) == rates


def test_boxes_of_a_detector_below_grecs_threshold_are_told(tmp_path: Path) -> None:
    ROOTS["referring"](tmp_path)
    results = [
        {"image_id": image, "category_id": 1, "bbox": box, "score": score}
        for image, box, score in ((2, [40, 50, 160, 200], 0.9), (3, [1, 2, 30, 40], 0.2))
    ]
    pred = tmp_path / "results.json"
    pred.write_text(json.dumps(results))
    place = ["--suite", "referring", "--root", str(tmp_path), "--engine", "hotcoco"]
    arguments = parser().parse_args(["evaluate", *place, "--pred", str(pred), "--orders", "0"])
    ((one,), _) = evaluate.evaluate(arguments)
    assert shown([one]) == {"Pr@(F1=1)": 1 / 4, "N-acc": 0.0, "T-acc": 1 / 3}
    assert any("at least 0.7" in warning for warning in one.converted.warnings)
