"""Memory and time of the recipes at full size, on one GPU, without any weights or network.

    python benchmarks/gpu/measure.py --minutes 10        what is missing of PARTS, as far as it fits
    python benchmarks/gpu/measure.py --parts small_model qwen2_5_vl_7b/lora_24gb
    python benchmarks/gpu/table.py                       the figures into docs/recipes.md

Each part is `swift rlhf` with a recipe and an overlay, for two steps, on a model with the published
sizes and random weights. Its figures are written as it ends, into results/CARD.json. A part that is
there is not repeated; delete its entry to measure it again. Without a GPU the same happens with
tiny models, which shows that the script works and nothing else.
"""

import argparse
import json
import sys
import time
from pathlib import Path
from typing import Any

import small_model
from checkpoints import MODELS, ROOT, tokenizer, write_checkpoint, write_rows
from launching import Launched, swift
from parts import GROUP, PARTS, SMALL_MODEL, STEPS, GpuPart, environ, rounds, write_recipe
from stored import RESULTS, Results, this_machine
from table import one_line

SMALL_SECONDS, TINY_SECONDS = 75, 150
LATE = 2.0  # how much longer than expected a part may take


class Budget:
    """The time that is left."""

    def __init__(self, minutes: float) -> None:
        self.start, self.seconds = time.monotonic(), 60 * minutes

    @property
    def left(self) -> float:
        """Seconds."""
        return self.seconds - (time.monotonic() - self.start)

    def say(self, text: str) -> None:
        """Print with the time since the start."""
        print(f"[{time.monotonic() - self.start:4.0f} s] {text}", flush=True)


class Bench:
    """The parts' processes. The next one's imports are done while a part is measured."""

    def __init__(self, work: Path, tiny: bool, budget: Budget) -> None:
        self.work, self.tiny, self.budget = work.resolve(), tiny, budget
        self.waiting: dict[str, Launched] = {}

    def write_models(self, parts: list[GpuPart]) -> None:
        """The folders of the parts' models, and their rows."""
        words = tokenizer() if parts else None
        for part in {part.model: part for part in parts}.values():
            write_checkpoint(part.model, self.tiny, words, self.work / part.model)
            rows = self.work / part.model / "rows"
            count = STEPS * 64 // GROUP
            write_rows(MODELS[part.model]["model_type"], environ(part, self.tiny), count, rows)

    def launch(self, part: GpuPart, limited: bool = True) -> None:
        """Start a part, which waits for `measure`."""
        folder, model = self.work / part.name, self.work / part.model
        rows = model / "rows" / f"{MODELS[part.model]['model_type']}.jsonl"
        recipe = write_recipe(part, self.tiny, folder, model, rows)
        for name in ("go", "figures.json"):
            (folder / name).unlink(missing_ok=True)
        limit = str(part.limit_gib or "") if limited else ""
        self.waiting[part.name] = swift(
            ["rlhf", str(recipe)],
            folder / "log",
            VISION_R1_GPU_OUT=str(folder / "figures.json"),
            VISION_R1_GPU_GO=str(folder / "go"),
            VISION_R1_GPU_LIMIT_GIB=limit,
        )

    def measure(self, part: GpuPart, following: GpuPart | None) -> dict[str, Any]:
        """The figures of a part, or what went wrong."""
        figures = self._run(part, following, limited=True)
        if figures["status"] == "out of memory" and part.limit_gib and not self.tiny:
            self.budget.say(f"{part.name}: not within {part.limit_gib} GiB; once more without")
            figures["without_limit"] = self._run(part, following, limited=False)
        return figures | {"limit_gib": part.limit_gib, "tiny": self.tiny}

    def _run(self, part: GpuPart, following: GpuPart | None, limited: bool) -> dict[str, Any]:
        if part.name not in self.waiting:
            self.launch(part, limited)
        running, folder, start = (
            self.waiting.pop(part.name),
            self.work / part.name,
            time.monotonic(),
        )
        (folder / "go").touch()
        if following and not self.tiny and following.name not in self.waiting:
            self.launch(following)
        most = min(self.budget.left, LATE * (TINY_SECONDS if self.tiny else part.seconds))
        code = running.wait(most)
        seconds = {"seconds": round(time.monotonic() - start, 1)}
        if running.out_of_memory:
            return {"status": "out of memory"} | seconds
        if code != 0 or not (folder / "figures.json").exists():
            why = f"took longer than {most:.0f} s; " if code is None else ""
            return {"status": "failed", "error": why + running.text[-4000:]} | seconds
        seen = json.loads((folder / "figures.json").read_text())
        return {"status": "measured", "rounds_of_a_step": rounds(part)} | seconds | seen

    def end(self) -> None:
        """Of what was started for nothing."""
        for launched in self.waiting.values():
            launched.end()


def run(names: list[str], bench: Bench, results: Results, card_gib: float) -> None:
    """Measure the parts of these names that are missing, in the order of their worth."""
    missing = [name for name in names if not results.is_done(name)]
    todo = [part for part in PARTS if part.name in missing and _is_worth(part, bench, card_gib)]
    small = {}
    if SMALL_MODEL in missing and bench.budget.left > 0:
        small = small_model.start(bench.work / SMALL_MODEL, bench.tiny, card_gib > 0)
    bench.write_models(todo)
    if todo and not bench.tiny:
        bench.launch(todo[0])
    if small:
        seconds = min(bench.budget.left, LATE * (2 * TINY_SECONDS if bench.tiny else SMALL_SECONDS))
        _keep(SMALL_MODEL, small_model.finish(small, seconds), bench, results)
    for number, part in enumerate(todo):
        if _is_worth(part, bench, card_gib):
            following = next(iter(todo[number + 1 :]), None)
            _keep(part.name, bench.measure(part, following), bench, results)


def _is_worth(part: GpuPart, bench: Bench, card_gib: float) -> bool:
    """Whether the card and the time that is left may be enough; says so if not."""
    needs = TINY_SECONDS if bench.tiny else part.seconds
    short = bench.budget.left < needs
    small = not bench.tiny and not part.fits(card_gib)
    if short:
        left = f"{max(0.0, bench.budget.left):.0f} s are left, it takes about {needs} s"
        bench.budget.say(f"{part.name}: skipped, {left}")
    elif small:
        bench.budget.say(f"{part.name}: skipped, {card_gib:.0f} GiB are not enough for it")
    return not short and not small


def _keep(name: str, figures: dict[str, Any], bench: Bench, results: Results) -> None:
    results.keep(name, figures)
    bench.budget.say(f"{name}: {one_line(results.parts[name])}")
    if "error" in figures:
        print(figures["error"], flush=True)


def main() -> int:
    """Returns 1 if a part failed."""
    every = [SMALL_MODEL, *(part.name for part in PARTS)]
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--minutes", type=float, default=10, help="parts beyond are skipped")
    parser.add_argument("--parts", nargs="+", default=every, choices=every, metavar="PART")
    parser.add_argument("--out", type=Path, default=RESULTS, help="folder of the results")
    parser.add_argument("--work", type=Path, default=ROOT / "runs" / "gpu", help="for models, logs")
    parser.add_argument("--beside", help="what else the machine is busy with, for the table")
    parser.add_argument("--commit", help="of a copy without its history")
    args = parser.parse_args()
    machine, budget = this_machine(), Budget(args.minutes)
    results = Results(machine, args.commit, [args.out, RESULTS], args.beside)
    bench = Bench(args.work, machine.card is None, budget)
    budget.say(f"{machine.card or 'no GPU: tiny models on the CPU'}; results in {results.path}")
    try:
        run(args.parts, bench, results, machine.card_gib)
    finally:
        bench.end()
    print("\n".join(f"{name:32}{one_line(part)}" for name, part in results.parts.items()))
    return int(any(part["status"] == "failed" for part in results.parts.values()))


if __name__ == "__main__":
    sys.exit(main())
