"""The files of a run, and what is printed."""

import csv
import json
import pickle
import re
import sys
from collections.abc import Sequence
from contextlib import redirect_stdout
from dataclasses import replace
from io import StringIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from mmdet_eval.answers.readers import read_predictions
from mmdet_eval.evaluation import Evaluation
from mmdet_eval.metrics.matches import Matches
from mmdet_eval.metrics.mmdet_backend import stub_mmcv_ops
from mmdet_eval.reports.console import table
from mmdet_eval.reports.outputs import write_outputs
from mmdet_eval.reports.pr_curves import curves, write_curves
from mmdet_eval.suites.protocols import load_protocol
from swift_plugin_visionr1.errors import InputError

from .evaluations import (
    ANSWERS,
    CAT,
    DOG,
    LABEL,
    boxes,
    coco,
    evaluated,
    summary_of,
)


def written(
    folder: Path, evaluations: Sequence[Evaluation], suite: str | None = None
) -> dict[str, Any]:
    """Write all files; returns metrics.json, read strictly."""

    def refuse(constant: str) -> None:
        raise AssertionError(f"{constant} is no JSON")

    write_outputs(folder, evaluations, suite, [])
    found: dict[str, Any] = json.loads((folder / "metrics.json").read_text(), parse_constant=refuse)
    return found


def test_metrics_json_has_all_numbers_unrounded(zoo: Evaluation, tmp_path: Path) -> None:
    record = written(tmp_path / "out", [zoo])
    one = record["datasets"]["zoo"]
    assert one["metrics"] == zoo.scores.metrics
    assert one["metrics"]["APs"] is None, "nothing small is annotated"
    assert one["beside"] == zoo.scores.beside
    assert one["counts"]["unparsed"] == 1
    assert one["unknown_labels"] == {LABEL: 1}
    assert one["annotations"]["sha256"] == zoo.annotations.sha256
    assert one["conditions"]["format"] == "qwen2_5_vl"
    assert (record["suite"], record["metrics"], one["protocol"]) == (None, one["metrics"], None)
    assert "python" in record["versions"]


def test_the_average_is_of_unrounded_numbers(
    zoo: Evaluation, pond: Evaluation, tmp_path: Path
) -> None:
    record = written(tmp_path / "out", [zoo, pond], "both")
    assert record["metrics"]["mAP"] == (zoo.scores.metrics["mAP"] + pond.scores.metrics["mAP"]) / 2
    assert record["metrics"]["APs"] is None
    assert (record["suite"], list(record["datasets"])) == ("both", ["zoo", "pond"])


def test_a_number_that_is_none_is_an_error(zoo: Evaluation, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="JSON"):
        written(tmp_path / "out", [replace(zoo, conditions={"x": float("nan")})])


def test_the_tables_for_programs(zoo: Evaluation, tmp_path: Path) -> None:
    written(tmp_path / "out", [zoo])
    with (tmp_path / "out/zoo/per_class.csv").open(newline="") as file:
        cat, dog = csv.DictReader(file)
    assert (cat["category_id"], cat["name"], cat["truths"], cat["boxes"]) == ("1", "cat", "5", "5")
    assert float(cat["AP"]) == zoo.scores.classes[0].metrics["AP"]
    assert float(dog["AP50"]) == zoo.scores.classes[1].metrics["AP50"]
    assert (tmp_path / "out/zoo/unmatched_labels.csv").read_text().splitlines() == [
        "label,boxes",
        f"{LABEL},1",
    ]
    assert json.loads((tmp_path / "out/zoo/coco_results.json").read_text()) == zoo.converted.results
    saved = Matches.load(tmp_path / "out/zoo/matches.npz")
    assert np.array_equal(saved.matched, zoo.scores.matches.matched)


def test_parse_errors_keep_the_raw_text(zoo: Evaluation, tmp_path: Path) -> None:
    written(tmp_path / "out", [zoo])
    rows = [
        json.loads(line)
        for line in (tmp_path / "out/zoo/parse_errors.jsonl").read_text().splitlines()
    ]
    assert [(row["image"], row["line"], row["issues"]) for row in rows] == [
        ("prose.png", 5, ["not_json"]),
        ("cut.png", 6, ["not_json"]),
        ("strange.png", 7, ["out_of_image"]),
    ]
    assert [row["text"] for row in rows] == [ANSWERS["prose"], ANSWERS["cut"], ANSWERS["strange"]]


def test_half_a_surrogate_pair_in_a_label_can_be_written(tmp_path: Path) -> None:
    made = evaluated(tmp_path, answers={**ANSWERS, "extra": boxes((DOG, "d\udce9g\r\nx"))})
    written(tmp_path / "out", [made])
    assert "d\\udce9g" in (tmp_path / "out/zoo/unmatched_labels.csv").read_text("utf-8")
    assert "d\\\\udce9g" in (tmp_path / "out/report.html").read_text("utf-8"), "visible"


def test_the_dump_gives_the_same_boxes_back(zoo: Evaluation, tmp_path: Path) -> None:
    written(tmp_path / "out", [zoo])
    read = read_predictions(tmp_path / "out/zoo/predictions.pkl", zoo.annotations)
    assert not isinstance(read, list)
    assert read.results == zoo.converted.results


def test_without_torch_the_dump_is_left_out_and_said_so(
    zoo: Evaluation,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    written(tmp_path / "out", [zoo])
    assert "predictions.pkl" not in capsys.readouterr().err
    monkeypatch.setitem(sys.modules, "torch", None)
    written(tmp_path / "out", [zoo])
    assert (tmp_path / "out/zoo/coco_results.json").is_file()
    assert not (tmp_path / "out/zoo/predictions.pkl").exists(), (
        "that of an earlier run is of other numbers"
    )
    assert (
        "predictions.pkl (mmdet's dump) was not written: it needs torch" in capsys.readouterr().err
    )


def test_mmdet_evaluates_the_dump_offline(zoo: Evaluation, tmp_path: Path) -> None:
    written(tmp_path / "out", [zoo])
    with redirect_stdout(StringIO()), stub_mmcv_ops():
        from mmdet.evaluation.metrics import CocoMetric
        from mmengine.evaluator import Evaluator
    samples = pickle.loads((tmp_path / "out/zoo/predictions.pkl").read_bytes())
    evaluator = Evaluator(CocoMetric(ann_file=str(zoo.annotations.path)))
    evaluator.dataset_meta = {"classes": list(zoo.annotations.categories.values())}
    with redirect_stdout(StringIO()):
        found = evaluator.offline_evaluate(samples, chunk_size=2)
    assert found["coco/bbox_mAP"] == pytest.approx(zoo.scores.metrics["mAP"], abs=5e-4)


def test_pictures_of_the_best_the_worst_and_the_unparseable(
    zoo: Evaluation, tmp_path: Path
) -> None:
    stale = tmp_path / "out/zoo/pictures/best/1_of_an_earlier_run.png"
    stale.parent.mkdir(parents=True)
    stale.touch()
    written(tmp_path / "out", [zoo])
    found = {
        kind: sorted(p.stem for p in (tmp_path / f"out/zoo/pictures/{kind}").iterdir())
        for kind in ("best", "worst", "unparseable")
    }
    assert found == {
        "best": ["1_perfect", "2_loose", "3_missed", "4_cut"],
        "worst": ["1_strange", "2_extra", "3_cut"],
        "unparseable": ["1_prose"],
    }
    picture = Image.open(tmp_path / "out/zoo/pictures/unparseable/1_prose.png")
    assert picture.getpixel((DOG[2], 60)) == (0, 158, 115), "the annotated box is green"
    assert picture.getpixel((200, 60)) == (128, 128, 128), "its inside is the image"


def test_images_that_are_missing_or_broken_are_left_out_and_said(
    zoo: Evaluation, pond: Evaluation, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "perfect.png").write_text("no image")
    (tmp_path / "loose.png").unlink()
    written(tmp_path / "out", [zoo, pond])
    assert {p.stem[2:] for p in (tmp_path / "out/zoo/pictures/best").iterdir()} == {
        "missed",
        "cut",
        "extra",
    }
    assert not (tmp_path / "out/pond/pictures").exists(), "the images are not known"
    said = [line for line in capsys.readouterr().err.splitlines() if "perfect.png" in line]
    assert len(said) == 1


@pytest.mark.parametrize("name", ["кошка", "猫", "\U0001f680", "$x_1"], ids=ascii)
def test_curves_of_classes_in_any_script_warn_of_nothing(
    tmp_path: Path, name: str, recwarn: pytest.WarningsRecorder
) -> None:
    truth = coco({"duck": [(1, CAT), (2, DOG)]})
    truth["categories"][0]["name"] = name
    answers = {"duck": boxes((CAT, name), (DOG, "dog"))}
    evaluation = evaluated(tmp_path, "pond", answers, truth, images=False)
    recwarn.clear()
    write_curves(tmp_path / "curves.png", evaluation)
    assert [warning.message for warning in recwarn if warning.category is UserWarning] == []


@pytest.mark.parametrize(
    ("names", "message"),
    [
        pytest.param(["zoo", "zoo"], "2 times", id="twice"),
        pytest.param(["../zoo"], "folder name", id="path"),
        pytest.param([".."], "folder name", id="parent"),
    ],
)
def test_names_that_cannot_be_folders(
    zoo: Evaluation, tmp_path: Path, names: list[str], message: str
) -> None:
    with pytest.raises(InputError, match=message):
        write_outputs(tmp_path / "out", [replace(zoo, name=name) for name in names], None, [])
    assert not (tmp_path / "out").exists()


def test_the_summary_has_the_shape_of_table_1(zoo: Evaluation) -> None:
    lines = [re.sub(" +", " ", line) for line in summary_of([zoo]).splitlines()]
    start = lines.index("| Data set | AP50 | AP75 | mAP | AR@100 |")
    ap50, ap75, mean, recall = (
        f"{100 * zoo.scores.metrics[n]:.1f}" for n in ("AP50", "AP75", "mAP", "AR@100")
    )
    assert lines[start + 2] == f"| zoo | {ap50} | {ap75} | {mean} | {recall} |"
    assert re.match(r"\| 95% interval( \| [\d.]+ to [\d.]+){4} \|", lines[start + 3])


def test_the_summary_of_a_suite_has_the_shape_of_table_2(zoo: Evaluation, pond: Evaluation) -> None:
    text = re.sub(" +", " ", summary_of([zoo, pond], "both", ["vector"]))
    mean = 100 * zoo.scores.metrics["mAP"]
    assert "| | zoo | pond | Avg. |" in text
    assert f"| mAP | {mean:.1f} | 100.0 | {(mean + 100) / 2:.1f} |" in text
    assert "not part of the average: vector." in text


def test_the_summary_says_what_decides_the_numbers(zoo: Evaluation) -> None:
    zoo = replace(zoo, protocol=load_protocol("vision_r1_odinw"))
    text = summary_of([zoo])
    for part in (
        "label-aware",
        "every score is 1.0",
        "4 to 16384 visual tokens",
        "hotcoco",
    ):
        assert part in text
    assert "tie-aware mAP" in text
    assert "not parsed: 1" in text
    assert "\n\n- `not_json`: 2" in text
    assert "&lt;img src=x onerror=window.\\__pwned=1&gt;" in text, "a label cannot become markup"


def test_what_is_printed(zoo: Evaluation, pond: Evaluation) -> None:
    lines = table([zoo]).splitlines()
    assert lines[0].split() == ["images", "7"]
    assert re.search(r"  broken format +3  not_json 2  ", "\n".join(lines))
    assert f"  dropped: {LABEL!r} 1" in "\n".join(lines)
    assert lines[-2].split() == ["mAP", "AP50", "AP75", "AR@100"]
    assert lines[-1].split() == [f"{zoo.scores.metrics[n]:.3f}" for n in lines[-2].split()]
    warned = replace(
        pond,
        converted=replace(pond.converted, warnings=("half the boxes extend beyond the image",)),
    )
    lines = table([zoo, warned], ["vector"]).splitlines()
    assert lines[-1].split()[0] == "Avg."
    assert lines[-2].split()[:2] == ["pond", "1.000"]
    assert "left out            vector" in lines
    assert "warning: pond: half the boxes extend beyond the image" in lines


def test_the_area_below_the_mean_curve_is_map(zoo: Evaluation) -> None:
    found = {curve.name: curve.precision.mean() for curve in curves(zoo.scores)}
    metrics = zoo.scores.metrics
    assert found["IoU .5"] == pytest.approx(metrics["AP50"])
    assert found["IoU .75"] == pytest.approx(metrics["AP75"])
    assert found["mean over IoU .5:.95"] == pytest.approx(metrics["mAP"])
    assert found["dog, IoU .5"] == pytest.approx(zoo.scores.classes[1].metrics["AP50"])


def test_curves_of_a_category_that_is_never_annotated_are_left_out(tmp_path: Path) -> None:
    made = evaluated(tmp_path, "cats", {"one": boxes((CAT, "cat"))}, coco({"one": [(1, CAT)]}))
    assert [curve.name for curve in curves(made.scores)] == [
        "IoU .5",
        "IoU .75",
        "mean over IoU .5:.95",
    ]
    assert all(curve.precision.min() == pytest.approx(1.0) for curve in curves(made.scores))


def test_accuracy_leads_where_expressions_were_asked(zoo: Evaluation) -> None:
    metrics = {"accuracy@.5": 0.875, **zoo.scores.metrics}
    asked = replace(zoo, scores=replace(zoo.scores, metrics=metrics))
    assert table([asked]).splitlines()[-1].split()[0] == "0.875"
    assert re.search(r"\| zoo +\| +87\.5 \|", summary_of([asked]))
    assert "accuracy" not in table([asked, zoo]), "one of the sets has none"


HOSTILE = (
    "<script>window.__pwned=1</script>",
    "\"'><img src=x onerror=window.__pwned=1>",
    "a | b [c](javascript:alert(1)) `d` ![e](http://e.e/f) https://g.g",
    "h\x1b[31m\x00\u202ei",
)


@pytest.mark.parametrize("text", HOSTILE, ids=["script", "attribute", "markdown", "control"])
def test_summary_shows_any_label_as_text(tmp_path: Path, text: str) -> None:
    """As rendered by a reader of Markdown that lets HTML through."""
    from markdown import markdown

    made = evaluated(tmp_path, answers={**ANSWERS, "extra": boxes((DOG, text))})
    rendered = markdown(summary_of([made]), extensions=["tables"])
    assert set(re.findall(r"<(\w+)", rendered)) <= set(
        [
            "h1",
            "h2",
            "p",
            "ul",
            "ol",
            "li",
            "strong",
            "code",
            "table",
            "thead",
            "tbody",
            "tr",
            "th",
            "td",
        ]
    )
    assert not re.search("[\x00-\x08\x1b\u202e]", rendered)


def test_intervals_are_around_the_numbers_and_in_metrics_json(
    zoo: Evaluation, pond: Evaluation, tmp_path: Path
) -> None:
    record = written(tmp_path / "out", [zoo, pond], "both")
    for entry in (record, *record["datasets"].values()):
        for name, ends in entry["intervals"]["metrics"].items():
            low, value, high = ends[0], entry["metrics"][name], ends[1]
            assert low - 1e-9 <= value <= high + 1e-9, name
    assert record["intervals"]["bootstrap_samples"] == 1000
