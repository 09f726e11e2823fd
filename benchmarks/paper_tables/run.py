"""Runs what runs.yaml lists and is not finished yet, several runs side by side.

    python benchmarks/paper_tables/run.py                     everything that is missing
    python benchmarks/paper_tables/run.py --only weak-paper   runs whose name contains this
    python benchmarks/paper_tables/run.py --dry-run           what would run
    python benchmarks/paper_tables/run.py --photographs DIR   the runs of photographs.yaml

ms-swift is imported once; each run is a fork of this process with one thread. A run is finished
when its result is stored, with everything that decides it unchanged; a run that was cut off starts
again. `--also FILE` collects results of another machine as lines, and `--import FILE` stores them
here.
"""

import argparse
import hashlib
import json
import multiprocessing
import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from one_run import ROOT, Place, arguments_of, execute
from photographs import read_testbed
from run_list import HERE, TableRun, each_run, read_run_list
from testbed import IN_DOMAIN, SCENES, Testbed, write_sets

from mmdet_eval.metrics.mmdet_backend import evaluate_coco_results
from mmdet_eval.versions import versions
from swift_plugin_visionr1.console import exit_code, say
from swift_plugin_visionr1.errors import InputError
from swift_plugin_visionr1.writing import write_file

ENVIRONMENT = {
    "OMP_NUM_THREADS": "1",
    "USE_HF": "1",
    "HF_HUB_OFFLINE": "1",
    "TOKENIZERS_PARALLELISM": "false",
    "PYTORCH_NVML_BASED_CUDA_CHECK": "1",  # so that a fork can still use the GPU
}
PACKAGES = ("ms-swift", "torch", "transformers", "trl", "numpy", "mmdet", "hotcoco", "pycocotools")
DATA = {"train": 320, "in_domain": 200, "others": 40}
QUICK_DATA = {"train": 16, "in_domain": 8, "others": 2}
QUICK = {
    "max_steps": 2,
    "per_device_train_batch_size": 4,
    "num_generations": 4,
    "max_completion_length": 64,
}
OF_SCENES = {
    "list": HERE / "runs.yaml",
    "results": HERE / "results",
    "bases": HERE / "checkpoints",
    "work": ROOT / "runs" / "paper_tables",
}
OF_PHOTOGRAPHS = {
    "list": HERE / "photographs.yaml",
    "results": HERE / "results" / "photographs",
    "bases": ROOT / "runs" / "photographs" / "bases",
    "work": ROOT / "runs" / "photographs",
}
QUICK_TAKES = ("base", "sft-lr1e-4", "paper")


def planned(args: argparse.Namespace) -> list[TableRun]:
    """The runs that the arguments name, in the order of the list."""
    runs = list(each_run(read_run_list(args.list), QUICK if args.quick else {}))
    if args.quick:
        first = runs[0]
        kept = [run for run in runs if run.setting.name in QUICK_TAKES]
        runs = [run for run in kept if (run.base, run.seed) == (first.base, first.seed)]
    if args.only:
        named = [run for part in args.only for run in runs if part in run.name]
        runs = list({run.name: run for run in named}.values())
    if not runs:
        raise InputError(f"expected --only to name runs of {args.list}, got {args.only}")
    return runs


def prepare(
    place: Place, testbed: Testbed, bases: set[str], counts: Mapping[str, int]
) -> dict[str, str]:
    """Draw the scenes, check that the bases are there; sha256 of each base's weights."""
    marker = place.data / "counts.json"
    if not marker.exists() or json.loads(marker.read_text()) != counts:
        write_sets(place.data, **counts, testbed=testbed)
        write_file(marker, json.dumps(counts))
    sums = {}
    for base in sorted(bases):
        weights = place.bases / base / "model.safetensors"
        if not weights.is_file():
            raise InputError(
                f"expected the base {base} in {place.bases}, got none: make it with "
                f"`python {HERE.relative_to(ROOT)}/bases.py --out {place.bases}`, and with "
                "`--photographs` for theirs"
            )
        sums[base] = hashlib.sha256(weights.read_bytes()).hexdigest()
    return sums


def is_finished(run: TableRun, results: Path, fingerprint: str) -> bool:
    """Whether the result of this very run is stored."""
    path = results / f"{run.name}.json"
    return path.is_file() and json.loads(path.read_text())["fingerprint"] == fingerprint


def import_frameworks(place: Place) -> None:
    """Everything that a run needs, so that forks share it; and the plugin's registration, for an
    installation without `.pth` files."""
    os.environ.update(ENVIRONMENT)
    from swift_plugin_visionr1.ms_swift.autoload import install

    install()
    import torch
    from swift.pipelines import infer_main, rlhf_main, sft_main  # noqa: F401
    from swift.rlhf_trainers.grpo_trainer import GRPOTrainer  # noqa: F401
    from transformers import Qwen2_5_VLForConditionalGeneration  # noqa: F401

    torch.set_num_threads(1)
    if place.engine == "mmdet":
        warm_up_mmdet(place.data / f"{IN_DOMAIN}.json")


def warm_up_mmdet(annotations: Path) -> None:
    """Measure one box, which imports MMDetection. Not by `measure`: hotcoco, which checks the
    numbers there, starts threads, and a fork has none of them."""
    box = json.loads(annotations.read_text())["annotations"][0] | {"score": 1.0}
    evaluate_coco_results(annotations, [box])


def machine_of(place: Place, jobs: int) -> dict[str, Any]:
    """What the seconds depend on, without names of hosts."""
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.is_file() else []
    names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return {
        "cpu": names[0] if names else "unknown",
        "cores": os.cpu_count(),
        "threads": 1,
        "side_by_side": jobs,
        "device": place.device,
    }


def commit_of(given: str | None) -> str:
    if given:
        return given
    command = ["git", "-C", str(ROOT), "rev-parse", "HEAD"]
    answer = subprocess.run(command, capture_output=True, text=True, check=False)
    return answer.stdout.strip() or "unknown"


@dataclass(frozen=True)
class Worker:
    """Runs in a fork: the output of a run goes to a log, its result to a file of its own.

    Attributes:
        place: where runs work.
        results: folder of the results.
        prints: fingerprint of each run, by its name.
        facts: what the results of all runs have in common.
        also: file that results are appended to as well.
    """

    place: Place
    results: Path
    prints: Mapping[str, str]
    facts: Mapping[str, Any]
    also: Path | None

    def __call__(self, run: TableRun) -> None:
        log = log_of(run, self.place)
        log.parent.mkdir(parents=True, exist_ok=True)
        stream = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644)
        os.dup2(stream, 1)
        os.dup2(stream, 2)
        began = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        about = {
            "run": run.name,
            "base": run.base,
            "setting": run.setting.name,
            "seed": run.seed,
            "fingerprint": self.prints[run.name],
            "began": began,
            "options": run.options,
            "reward": run.setting.reward,
            "command": command_of(run, self.place),
            "completions": run.completions,
        }
        line = json.dumps(about | dict(self.facts) | execute(run, self.place)) + "\n"
        write_file(self.results / f"{run.name}.json", line)
        if self.also:
            with self.also.open("ab", buffering=0) as lines:  # one write: others append too
                lines.write(line.encode())


def log_of(run: TableRun, place: Place) -> Path:
    return place.work / "logs" / f"{run.name}.log"


def command_of(run: TableRun, place: Place) -> str:
    """What a user would type for this training, with paths relative to the repository."""
    if run.setting.method == "none":
        return ""
    verb = "rlhf" if run.setting.method == "grpo" else "sft"
    command = " ".join(["swift", verb, *arguments_of(run, place)])
    return command.replace(f"{ROOT}/", "").replace(f"{place.work}/", "")


def run_all(todo: list[TableRun], place: Place, jobs: int, work: Callable[..., None]) -> int:
    """Keep `jobs` forks busy with `work(run)`; the number of runs that failed."""
    import_frameworks(place)
    fork = multiprocessing.get_context("fork")
    waiting, failed, start = list(todo), 0, time.monotonic()
    running: dict[Any, TableRun] = {}
    while waiting or running:
        while waiting and len(running) < jobs:
            run = waiting.pop(0)
            process = fork.Process(target=work, args=(run,))
            process.start()
            running[process] = run
        time.sleep(0.2)
        for process in [one for one in running if not one.is_alive()]:
            run = running.pop(process)
            failed += process.exitcode != 0
            what = f"failed, see {log_of(run, place)}" if process.exitcode else "done"
            say(f"[{time.monotonic() - start:5.0f} s] {run.name}: {what}, {len(waiting)} waiting")
    return failed


def import_results(file: Path, results: Path) -> int:
    """Store each line of a file that `--also` wrote as a result of its own."""
    lines = [json.loads(line) for line in file.read_text().splitlines()]
    for result in lines:
        write_file(results / f"{result['run']}.json", json.dumps(result) + "\n")
    say(f"{len(lines)} results stored in {results}")
    return 0


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--photographs", type=Path, help="folder of a COCO data set, such as BCCD")
    parser.add_argument("--list", type=Path, help="default: runs.yaml or photographs.yaml")
    parser.add_argument("--results", type=Path, help="default: beside the list")
    parser.add_argument("--bases", type=Path, help="folder of their checkpoints")
    parser.add_argument("--work", type=Path, help="default: a folder in runs")
    parser.add_argument(
        "--only", nargs="+", help="parts of the names of runs, the first ones first"
    )
    parser.add_argument("--jobs", type=int, default=os.cpu_count(), help="runs side by side")
    parser.add_argument("--device", choices=["cpu", "cuda"], help="default: cuda if there is one")
    parser.add_argument("--engine", choices=["mmdet", "hotcoco"], default="mmdet")
    parser.add_argument("--quick", action="store_true", help="a smoke test: two steps a run")
    parser.add_argument("--dry-run", action="store_true", help="only say what would run")
    parser.add_argument("--commit", help="recorded; default: of the repository")
    parser.add_argument("--also", type=Path, help="append each new result to this file")
    parser.add_argument("--import", type=Path, dest="imported", help="store such a file's results")
    args = parser.parse_args()
    places = OF_PHOTOGRAPHS if args.photographs else OF_SCENES
    for name, path in places.items():
        setattr(args, name, getattr(args, name) or path)
    return args


def chosen_device(wanted: str | None) -> str:
    """The device; a CPU hides the GPUs before torch looks for them."""
    has_gpu = Path("/dev/nvidia0").exists() and os.environ.get("CUDA_VISIBLE_DEVICES") != ""
    device = wanted or ("cuda" if has_gpu else "cpu")
    if device == "cpu":
        os.environ["CUDA_VISIBLE_DEVICES"] = ""
    return device


def main() -> int:
    args = parse()
    args.results.mkdir(parents=True, exist_ok=True)
    if args.imported:
        return import_results(args.imported, args.results)
    runs, counts = planned(args), QUICK_DATA if args.quick else DATA
    testbed = read_testbed(args.photographs) if args.photographs else SCENES
    place = place_of(args, testbed)
    sums = prepare(place, testbed, {run.base for run in runs}, counts)
    prints = {run.name: run.fingerprint(sums[run.base], counts) for run in runs}
    todo = [run for run in runs if not is_finished(run, args.results, prints[run.name])]
    say(f"{len(runs)} runs, {len(runs) - len(todo)} finished, {len(todo)} to do")
    if args.dry_run:
        say("\n".join(run.name for run in todo))
    if args.dry_run or not todo:
        return 0
    facts = {
        "commit": commit_of(args.commit),
        "versions": versions(PACKAGES),
        "machine": machine_of(place, args.jobs),
        "data": counts,
    }
    also = args.also.resolve() if args.also else None
    worker = Worker(place, args.results.resolve(), prints, facts, also)
    os.chdir(ROOT)  # the recipes name their plugins from here
    return 1 if run_all(todo, place, args.jobs, worker) else 0


def place_of(args: argparse.Namespace, testbed: Testbed) -> Place:
    work, device = args.work.resolve(), chosen_device(args.device)
    return Place(
        args.bases.resolve(), work / "data", work, tuple(testbed.sets), args.engine, device
    )


if __name__ == "__main__":
    sys.exit(exit_code("paper_tables", main, (InputError, OSError)))
