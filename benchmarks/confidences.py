"""What each `--score` gains over `const` on the scenes of examples/shapes.

    python benchmarks/confidences.py            what has no result yet, then docs/evaluation.md
    python benchmarks/confidences.py --render   only docs/evaluation.md, from the stored results

Two models are asked: the example's checkpoint, which knows no question but the one for boxes and
says neither yes nor no, and the same after a short `swift sft` on such questions about boxes of
training scenes, mixed with scenes to detect. Every number is that of `mmdet-eval`, on 300 held-out
scenes; intervals are a paired bootstrap over images. Takes about 15 minutes on two quiet cores.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from mmdet_eval.asking.box_views import QUALITY, View, picture
from mmdet_eval.asking.verification import question
from mmdet_eval.cli import main as main_of_mmdet_eval
from mmdet_eval.cli import parser
from mmdet_eval.commands.evaluate import evaluate
from mmdet_eval.evaluation import Evaluation
from mmdet_eval.metrics.bootstrap import bootstrap, interval
from mmdet_eval.metrics.matches import Matches
from mmdet_eval.metrics.scores import HEADLINE
from mmdet_eval.reports.markdown import table
from swift_plugin_visionr1.geometry.boxes import as_boxes, iou
from swift_plugin_visionr1.text import percent

ROOT = Path(__file__).parents[1]
SHAPES = ROOT / "examples" / "shapes"
sys.path.insert(0, str(SHAPES))
import scenes  # noqa: E402

RESULTS, PAGE = Path(__file__).with_name("confidences.json"), ROOT / "docs" / "evaluation.md"
MARKS = "<!-- benchmarks/confidences.py -->", "<!-- end -->"
TRAIN, HELD_OUT = 1200, 300  # scenes
STEPS, BATCH = 300, 16
VIEWS: tuple[View, ...] = ("crop", "drawn")
SAMPLES = 1000  # of the bootstrap
VERIFIED = ("verify", "verify-drawn")
SCORES = ("const", "rank", "area", "logprob", "griffon", *VERIFIED)
AS_IT_IS, TAUGHT = "the example's checkpoint", "taught to answer yes or no"
SMALL = {
    "model_type": "qwen2_5_vl",
    "template": "qwen2_5_vl_pruned",
    "torch_dtype": "float32",
    "external_plugins": str(SHAPES / "pruned_template.py"),
}
FAST = ["--engine", "hotcoco", "--orders", "0"]  # MMDetection's numbers
OFFLINE = {"USE_HF": "1", "HF_HUB_OFFLINE": "1", "TOKENIZERS_PARALLELISM": "false"}


def options(**values: Any) -> list[str]:
    """As arguments of a command."""
    return [text for name, value in values.items() for text in (f"--{name}", str(value))]


def call(module: str, *arguments: str) -> None:
    """Run a module as a command; its last lines are shown if it fails."""
    print("$", module, *arguments, flush=True)
    command = [sys.executable, "-m", module, *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit("\n".join((done.stdout + done.stderr).splitlines()[-30:]))


def questions(data: Path) -> Iterator[dict[str, Any]]:
    """Rows that teach the model to answer: jittered boxes of training scenes, cut out and drawn by
    turns. Yes where the label is right and the IoU at least .5."""
    rng = np.random.default_rng(5)
    folder = data / "shown"
    folder.mkdir()
    for row in map(json.loads, (data / "train.jsonl").read_text().splitlines()):
        truth = json.loads(row["solution"])
        image = Image.open(row["images"][0]).convert("RGB")
        for box, label in zip(truth["boxes"], truth["labels"], strict=True):
            near = jittered(box, image.size, rng)
            if (near[2:] - near[:2] < 2).any():
                continue
            others = [name for name in scenes.CLASSES if name != label]
            said = label if rng.random() < 0.65 else str(rng.choice(others))
            is_right = said == label and iou(as_boxes([near]), as_boxes([box]))[0, 0] >= 0.5
            number = len(list(folder.iterdir()))
            path, view = folder / f"{number:05d}.jpg", VIEWS[number % 2]
            shown = picture(image, tuple(near.tolist()), view)
            shown.save(path, quality=QUALITY, subsampling=0)
            yield _taught(f"<image>{question(said, view)}", path, "yes" if is_right else "no")


def jittered(box: list[float], size: tuple[int, int], rng: np.random.Generator) -> Any:
    """A box near another, xyxy in pixels of an image of this size."""
    sides = np.array([box[2] - box[0], box[3] - box[1]] * 2)
    near = box + sides * rng.normal(0, rng.choice([0.04, 0.12, 0.25]), 4)
    return np.clip(near, 0, np.array(size * 2))


def _taught(text: str, image: Path | str, answer: str) -> dict[str, Any]:
    turns = [{"role": "user", "content": text}, {"role": "assistant", "content": answer}]
    return {"messages": turns, "images": [str(image)]}


def detections(data: Path) -> Iterator[dict[str, Any]]:
    """Training scenes with their exact answers, so that the model does not forget to detect."""
    for row in map(json.loads, (data / "train.jsonl").read_text().splitlines()):
        truth = json.loads(row["solution"])
        sides = np.array([truth["width"], truth["height"]] * 2)
        boxes = (as_boxes(truth["boxes"]) * (scenes.PROCESSED_SIDE / sides)).round()
        answer = scenes.answer(boxes, tuple(truth["labels"]))
        yield _taught(row["messages"][0]["content"], row["images"][0], answer)


def teach(data: Path, out: Path) -> Path:
    """The checkpoint after `swift sft` on questions and scenes."""
    last = out / f"checkpoint-{STEPS}"
    if last.is_dir():
        return last
    shutil.rmtree(data / "shown", ignore_errors=True)
    rows = [*questions(data), *detections(data)]
    (data / "taught.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    recipe = options(
        **SMALL,
        model=SHAPES / "checkpoint",
        dataset=data / "taught.jsonl",
        split_dataset_ratio=0,
        tuner_type="full",
        freeze_vit="false",
        freeze_aligner="false",
        attn_impl="sdpa",
        gradient_checkpointing="false",
        per_device_train_batch_size=BATCH,
        gradient_accumulation_steps=1,
        max_steps=STEPS,
        learning_rate=1e-3,
        lr_scheduler_type="cosine",
        dataloader_num_workers=0,
        logging_steps=10,
        save_steps=STEPS,
        save_only_model="true",
        report_to="none",
        add_version="false",
        seed=1,
        output_dir=out,
    )
    call("swift.cli.main", "sft", *recipe)
    return last


def ask(model: Path, data: Path, out: Path, score: str) -> None:
    """`mmdet-eval run`; what is answered already is not asked again."""
    places = ["--ann", data / "val.json", "--images", data / "images", "--out", out]
    batches = options(max_new_tokens=192, max_batch_size=50, write_batch_size=50, logprobs="true")
    small = options(**{**SMALL, "model": model})
    code = main_of_mmdet_eval(["run", *map(str, places), "--score", score, *small, *batches, *FAST])
    if code:
        sys.exit(code)


def measure(data: Path, answers: Path, score: str) -> Evaluation:
    """`mmdet-eval --pred` with one policy."""
    places = ["--ann", data / "val.json", "--images", data / "images", "--pred", answers]
    command = ["evaluate", *map(str, places), "--score", score, *FAST]
    return evaluate(parser().parse_args(command))[0][0]


def rows_of(model: Path, data: Path, work: Path, verifies: bool) -> Iterator[dict[str, Any]]:
    """A result for each policy; without those that need a model that answers yes or no, if it does
    not."""
    for score in VERIFIED if verifies else ("const",):
        ask(model, data, work, score)
    reference = None
    for score in SCORES if verifies else (one for one in SCORES if one not in VERIFIED):
        evaluation = measure(data, work / "answers" / "val.jsonl", score)
        scores, counts = evaluation.scores, evaluation.converted.counts
        reference = reference or scores.matches
        pair = [reference, scores.matches]
        sampled = bootstrap(pair, SAMPLES, seed=0)[:, :, HEADLINE.index("mAP")]
        yield {
            "score": score,
            "mAP": scores.metrics["mAP"],
            "AP50": scores.metrics["AP50"],
            "ece": scores.calibration and scores.calibration.ece,
            "interval": interval(sampled[:, 1] - sampled[:, 0]),
            "boxes": counts.boxes_kept,
            "without": counts.without_confidence,
            **judgement(scores.matches),
        }


def judgement(matches: Matches) -> dict[str, float]:
    """The share of boxes that are right at IoU .5, the share about which a score of .5 or more is
    right, and how likely a right box scores above a wrong one (ties count half)."""
    right, score = matches.matched[0], matches.score
    above, below = score[right][:, None], score[~right][None]
    ranked = ((above > below) + 0.5 * (above == below)).mean()
    accuracy = ((score >= 0.5) == right).mean()
    return {"right": float(right.mean()), "accuracy": float(accuracy), "auc": float(ranked)}


def stored() -> dict[str, list[dict[str, Any]]]:
    """The results so far: model -> a row for each policy."""
    return json.loads(RESULTS.read_text()) if RESULTS.exists() else {}


def render() -> None:
    """Put the tables between the marks of the page."""
    text, (start, end) = PAGE.read_text("utf-8"), MARKS
    before, rest = text.split(start)
    after = rest.split(end, 1)[1]
    parts = [section(name, rows) for name, rows in stored().items()]
    PAGE.write_text(f"{before}{start}\n\n" + "\n\n".join(parts) + f"\n\n{end}{after}", "utf-8")


def section(name: str, rows: list[dict[str, Any]]) -> str:
    """The table of one model, in percent."""
    base = rows[0]["mAP"]
    body = [
        [
            f"`{row['score']}`",
            percent(row["mAP"]),
            "" if row is rows[0] else _gain(row, base),
            percent(row["AP50"]),
            percent(row["auc"]),
            percent(row["ece"]),
        ]
        for row in rows
    ]
    head = ["`--score`", "mAP", "gain over `const`", "AP50", "right above wrong"]
    head.append("calibration error")
    words = f"*{name}*, {rows[0]['boxes']} boxes, of which {percent(rows[0]['right'])}% are right"
    judged = [
        f"`{row['score']}` is right about {percent(row['accuracy'])}%"
        for row in rows
        if row["score"] in VERIFIED
    ]
    return "; ".join([words, *judged]) + ":\n\n" + table(head, body)


def _gain(row: dict[str, Any], base: float) -> str:
    low, high = (100 * value for value in row["interval"])
    return f"{100 * (row['mAP'] - base):+.1f} [{low:+.1f}, {high:+.1f}]"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--work", type=Path, default=ROOT / "runs" / "confidences")
    parser.add_argument("--render", action="store_true", help="only write the page")
    arguments = parser.parse_args()
    if not arguments.render:
        os.environ.update(OFFLINE)
        data = arguments.work / "data"
        if not (data / "val.json").exists():
            scenes.write_split(data, "train", TRAIN, 1_000_003)
            scenes.write_split(data, "val", HELD_OUT, 2_000_003)
        for name in (AS_IT_IS, TAUGHT):
            results = stored()
            if name not in results:
                is_taught = name == TAUGHT
                model = (
                    teach(data, arguments.work / "taught") if is_taught else SHAPES / "checkpoint"
                )
                work = arguments.work / ("after" if is_taught else "before")
                results[name] = list(rows_of(model, data, work, is_taught))
                RESULTS.write_text(json.dumps(results, indent=1) + "\n")
    render()


if __name__ == "__main__":
    main()
