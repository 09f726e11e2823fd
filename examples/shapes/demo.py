"""Vision-R1 from end to end on a CPU: evaluate, train with GRPO, evaluate again, show what changed.

Every step is the command that a user would type, and is printed before it runs:

    swift infer ...                        the model's answers on held-out scenes
    python -m mmdet_eval ...               their mAP, AP50, AP75 and AR@100
    swift rlhf examples/shapes/grpo.yaml   GRPO with the vision_r1 rewards, both stages

    python examples/shapes/demo.py                 one run, as `make demo`
    python examples/shapes/demo.py --seeds 1 2 3   three runs, as `make demo-seeds`

Options that it does not know go to `swift rlhf`, for experiments: `--learning_rate 3e-4`.
"""

import argparse
import json
import os
import shlex
import subprocess
import sys
import time
from pathlib import Path

import scenes
from figures import draw_scenes

HERE = Path(__file__).parent
HERE = (
    HERE.relative_to(Path.cwd()) if HERE.is_relative_to(Path.cwd()) else HERE
)  # short paths in what is printed
MODEL = [
    "--model_type",
    "qwen2_5_vl",
    "--template",
    "qwen2_5_vl_pruned",
    "--torch_dtype",
    "float32",
]
PLUGIN = ["--external_plugins", str(HERE / "pruned_template.py")]
METRICS = ("mAP", "AP50", "AP75", "AR@100")
OFFLINE = {"USE_HF": "1", "HF_HUB_OFFLINE": "1"}  # the model and the data are here: no hub is asked
ENVIRONMENT = os.environ | OFFLINE | {"TOKENIZERS_PARALLELISM": "false", "PYTHONUNBUFFERED": "1"}


def say(text: str, start: float = time.time()) -> None:
    print(f"[{time.time() - start:4.0f} s] {text}", flush=True)


def run(command: list[str], log: Path, progress: "Progress | None" = None) -> None:
    """Run a command with its output in `log`; what `progress` sees goes to the terminal
    meanwhile."""
    say("$ " + shlex.join(command))
    executable = (
        str(Path(sys.executable).with_name(command[0])) if command[0] == "swift" else sys.executable
    )
    with log.open("w") as output:
        process = subprocess.Popen(
            [executable, *command[1:]], stdout=output, stderr=output, env=ENVIRONMENT
        )
        while process.poll() is None:
            time.sleep(1)
            if progress:
                progress.show()
    if process.returncode:
        tail = "\n".join(log.read_text(errors="replace").splitlines()[-15:])
        sys.exit(
            f"{tail}\n\nthe command above failed with exit code {process.returncode}; its whole "
            f"log is {log}"
        )


class Progress:
    """Prints the lines of a growing JSONL file, `every` so many, as `describe` puts them."""

    def __init__(self, file: Path, every: int, describe) -> None:
        self.file, self.every, self.describe, self.seen = file, every, describe, 0

    def show(self) -> None:
        lines = self.file.read_text().splitlines() if self.file.exists() else []
        for number, line in enumerate(lines[self.seen :], start=self.seen + 1):
            if number % self.every == 0 or number == 1:
                say("  " + self.describe(number, line))
        self.seen = len(lines)


def describe_step(_: int, line: str) -> str:
    row = json.loads(line)
    if "vision_r1/stage" not in row:
        return "training is done"
    parts = ", ".join(
        f"{part} {row[f'vision_r1/{part}']:.2f}" for part in ("format", "recall", "precision")
    )
    stage = "advanced" if row["vision_r1/stage"] == 2 else "beginner"
    return (
        f"step {row['global_step/max_steps']}, {stage} stage: reward {row['reward']:.2f} ({parts})"
    )


def evaluate(model: Path, data: Path, out: Path) -> dict:
    """`swift infer` on the held-out scenes, then `mmdet_eval`; returns its metrics."""
    out.mkdir(parents=True, exist_ok=True)
    answers = out / "infer.jsonl"
    answers.unlink(missing_ok=True)  # swift infer appends
    command = [
        "swift",
        "infer",
        "--model",
        str(model),
        *MODEL,
        *PLUGIN,
        "--val_dataset",
        str(data / "val.jsonl"),
        "--result_path",
        str(answers),
        "--temperature",
        "0",
        "--max_new_tokens",
        "192",
        "--max_batch_size",
        "100",
        "--write_batch_size",
        "100",
    ]
    run(
        command,
        out / "infer.log",
        Progress(answers, 100, lambda number, _: f"{number} scenes answered"),
    )
    command = [
        "-m",
        "mmdet_eval",
        "--ann",
        str(data / "val.json"),
        "--images",
        str(data / "images"),
    ]
    run(["python", *command, "--pred", str(answers), "--out", str(out)], out / "mmdet_eval.log")
    print((out / "mmdet_eval.log").read_text())
    return json.loads((out / "metrics.json").read_text())["datasets"]["val"]


def train(seed: int, data: Path, out: Path, options: list[str]) -> Path:
    """`swift rlhf` with the example's recipe and further options; returns the last checkpoint."""
    log = out / "logging.jsonl"
    log.unlink(missing_ok=True)
    command = [
        "swift",
        "rlhf",
        str(HERE / "grpo.yaml"),
        "--dataset",
        str(data / "train.jsonl"),
        "--seed",
        str(seed),
        "--output_dir",
        str(out),
        *options,
    ]
    out.mkdir(parents=True, exist_ok=True)
    run(command, out / "train.log", Progress(log, 10, describe_step))
    return max(out.glob("checkpoint-*"), key=lambda path: int(path.name.split("-")[1]))


def table(rows: dict[str, dict]) -> str:
    """One line per evaluated model, in percent."""
    width = max(map(len, rows))
    lines = [f"{'':{width}}" + "".join(f"{name:>9}" for name in (*METRICS, "valid"))]
    for name, metrics in rows.items():
        valid = 1 - metrics["counts"]["broken_format"] / metrics["counts"]["answers"]
        values = [metrics["metrics"][metric] for metric in METRICS] + [valid]
        lines.append(f"{name:{width}}" + "".join(f"{100 * value:9.1f}" for value in values))
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--seeds", type=int, nargs="+", default=[1], help="one training run for each"
    )
    parser.add_argument("--out", type=Path, default=Path("runs/shapes"))
    args, options = parser.parse_known_args()
    data = args.out / "data"
    scenes.write_split(data, "train", 2400, seed=1_000_003)
    scenes.write_split(data, "val", 300, seed=2_000_003)
    say(f"drew 2400 training scenes and 300 held-out ones into {data}")
    rows = {"before": evaluate(HERE / "checkpoint", data, args.out / "before")}
    for seed in args.seeds:
        run_folder = args.out / f"grpo-seed{seed}"
        model = train(seed, data, run_folder, options)
        rows[f"after, seed {seed}"] = evaluate(model, data, run_folder / "after")
    command = [
        "-m",
        "swift_plugin_visionr1.cli",
        "plot",
        str(run_folder),
        "--out",
        str(args.out / "rewards.png"),
    ]
    run(["python", *command, "--config", "strict"], args.out / "plot.log")
    results = {"before": args.out / "before", "after": run_folder / "after"}
    results = {name: folder / "val" / "coco_results.json" for name, folder in results.items()}
    draw_scenes(data / "val.json", data / "images", results, args.out / "scenes.png")
    (args.out / "table.txt").write_text(table(rows) + "\n")
    say(
        "done\n\n"
        + table(rows)
        + "\n\npercent on 300 held-out scenes; MMDetection's CocoMetric, all scores 1"
    )
    print(f"reward parts, with the switch of stages   {args.out / 'rewards.png'}")
    print(f"held-out scenes before and after          {args.out / 'scenes.png'}")
    print(f"answers before, 120 of 300 with pictures  {args.out / 'before' / 'report.html'}")
    print(f"answers after, 120 of 300 with pictures   {run_folder / 'after' / 'report.html'}")
    print(f"training log, TensorBoard, checkpoints    {run_folder}")


if __name__ == "__main__":
    main()
