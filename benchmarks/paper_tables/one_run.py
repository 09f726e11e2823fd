"""One run in this process: ms-swift's own training, its own inference, then mmdet_eval."""

import json
import os
import shutil
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from results import pack_boxes
from run_list import HERE, TableRun

from mmdet_eval.answers.suite_predictions import read_all
from mmdet_eval.coco.annotations import read_annotations
from mmdet_eval.evaluation import Evaluation, Options, evaluate_dataset
from mmdet_eval.metrics.measure import Engine
from mmdet_eval.suites.spec import DatasetSpec

ROOT = HERE.parents[1]
CURVES = {
    "rollout_f1": "rewards/RolloutF1/mean",
    "reward": "reward",
    "length": "completions/mean_length",
    "no_spread": "frac_reward_zero_std",
    "kl": "kl",
}


@dataclass(frozen=True)
class Place:
    """Where a run finds its base and data, and where it works.

    Attributes:
        bases: folder with a checkpoint for each base.
        data: folder of `testbed.write_sets`.
        work: folder for logs; checkpoints in it are deleted after their evaluation.
        sets: names of the sets that are evaluated.
        engine: of mmdet_eval.
        device: `cpu` or `cuda`.
    """

    bases: Path
    data: Path
    work: Path
    sets: tuple[str, ...]
    engine: Engine
    device: str

    def folder(self, run: TableRun) -> Path:
        return self.work / run.name


def arguments_of(run: TableRun, place: Place) -> list[str]:
    """What follows `swift rlhf` or `swift sft` on a command line."""
    folder = place.folder(run)
    data = "train.jsonl" if run.setting.method == "grpo" else "train_sft.jsonl"
    options = run.options | {
        "model": str(place.bases / run.base),
        "dataset": str(place.data / data),
        "seed": run.seed,
        "data_seed": run.seed,
        "save_steps": run.options["max_steps"],
        "output_dir": str(folder / "training"),
    }
    words: list[str] = []
    for name, value in options.items():
        words += [f"--{name}", *map(str, value if isinstance(value, list) else [value])]
    return words


def execute(run: TableRun, place: Place) -> dict[str, Any]:
    """Train and evaluate; the part of the result that depends on the machine is added outside."""
    folder = place.folder(run)
    shutil.rmtree(folder, ignore_errors=True)  # of a run that was cut off
    folder.mkdir(parents=True)
    begun = time.monotonic()
    model, curve = place.bases / run.base, {}
    if run.setting.method != "none":
        model = _train(run, place)
        curve = read_curve(folder / "training" / "logging.jsonl")
    trained = time.monotonic()
    _infer(model, place, folder / "answers")
    evaluations = _evaluate(place, folder / "answers")
    shutil.rmtree(folder / "training" / model.name, ignore_errors=True)
    return {
        "seconds": {
            "training": round(trained - begun, 1),
            "evaluation": round(time.monotonic() - trained, 1),
            "of_a_core": round(time.process_time(), 1),
        },
        "sets": {one.name: _numbers(one) for one in evaluations},
        "curve": curve,
        "boxes": {one.name: pack_boxes(one.converted.results) for one in evaluations},
    }


def _train(run: TableRun, place: Place) -> Path:
    from swift.pipelines import rlhf_main, sft_main

    if run.setting.method == "grpo":
        config = place.folder(run) / "reward.yaml"
        config.write_text(yaml.safe_dump({"pictures": 0} | run.setting.reward))
        os.environ["VISION_R1_CONFIG"] = str(config)
    main = rlhf_main if run.setting.method == "grpo" else sft_main
    main(arguments_of(run, place))
    checkpoints = (place.folder(run) / "training").glob("checkpoint-*")
    return max(checkpoints, key=lambda path: int(path.name.split("-")[1]))


def read_curve(log: Path) -> dict[str, list[float]]:
    """The logged numbers of each step that learning curves are drawn from."""
    rows = [json.loads(line) for line in log.read_text().splitlines()]
    rows = [row for row in rows if "loss" in row]
    return {
        name: [round(row[key], 4) for row in rows]
        for name, key in CURVES.items()
        if rows and all(key in row for row in rows)
    }


def _infer(model: Path, place: Place, answers: Path) -> None:
    """Greedy answers to all sets, one file for each in the folder `answers`."""
    from swift.pipelines import infer_main

    answers.mkdir()
    every = answers / "all.rows"
    options = {
        "model": [model],
        "model_type": ["qwen2_5_vl"],
        "template": ["qwen2_5_vl_pruned"],
        "torch_dtype": ["float32"],
        "external_plugins": [ROOT / "examples" / "shapes" / "pruned_template.py"],
        "val_dataset": [place.data / f"{name}.jsonl" for name in place.sets],
        "result_path": [every],
        "temperature": [0],
        "max_new_tokens": [320],
        "max_batch_size": [220],
    }
    infer_main(
        [word for name, words in options.items() for word in (f"--{name}", *map(str, words))]
    )
    lines = every.read_text().splitlines()
    for name in place.sets:
        kept = [line for line in lines if f"/images/{name}/" in line]
        (answers / f"{name}.jsonl").write_text("".join(line + "\n" for line in kept))


def _evaluate(place: Place, answers: Path) -> list[Evaluation]:
    specs = [
        DatasetSpec(name, place.data / f"{name}.json", place.data / "images") for name in place.sets
    ]
    datasets = [(spec, read_annotations(spec.ann)) for spec in specs]
    rows = read_all(answers, datasets)
    options = Options(engine=place.engine, orders=0)
    return [
        evaluate_dataset(spec, truth, rows[spec.name], options, None) for spec, truth in datasets
    ]


def _numbers(evaluation: Evaluation) -> dict[str, Any]:
    """The numbers of one set, in [0, 1] but for boxes per image; rounded to six decimals."""
    scores, counts = evaluation.scores, evaluation.converted.counts
    values: Mapping[str, float | None] = {
        **{name: scores.metrics[name] for name in ("mAP", "AP50", "AP75", "AR@100")},
        "F1": scores.beside["F1@.5"],
        "negatives": negatives_right(evaluation),
        "valid": 1 - counts.broken_format / counts.answers,
        "boxes_per_image": counts.boxes_read / counts.images,
    }
    numbers = {name: None if value is None else round(value, 6) for name, value in values.items()}
    return numbers | {"engine": scores.engine, "checked_by": scores.checked_by}


def negatives_right(evaluation: Evaluation) -> float | None:
    """The share of scenes without objects whose answer is valid and lists nothing."""
    annotated = {one["image_id"] for one in evaluation.annotations.data["annotations"]}
    answers = [one for one in evaluation.converted.answers if one.answer.image.id not in annotated]
    right = [one for one in answers if not len(one.boxes) and not one.issues]
    return len(right) / len(answers) if answers else None
