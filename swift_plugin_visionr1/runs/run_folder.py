"""A training run's output folder: its arguments, logging.jsonl and completions.jsonl.

ms-swift appends to both files, so a resumed run has some steps twice: the later ones count. The
last line of a run that is still training may be cut.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from math import ceil
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..data.logged_rows import Row, naming, read_lines, without_repeats
from ..data.row_files import read_jsonl
from ..errors import InputError
from ..files import read_json
from ..reward.schedule import STAGES, Stages, Standard
from ..reward.scorer import Scorer
from .trained import JudgedCompletion, judge_row, standards_in_training

COUNTERS = (
    "global_step/max_steps",
    "iteration",
)  # of the trainer, of its Megatron sibling: "3/100"
HELD_OUT = "eval_mAP"
RESCORED = 400  # steps whose completions are scored again; more do not show in a figure
Values = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Log:
    """What a run logged at its optimisation steps.

    Attributes:
        steps: (n,) ascending.
        values: metric name -> (n,), NaN where a step did not log it.
        max_steps: of the run.
        broken: number of lines that could not be read.
        evaluations: what the callback `vision_r1_eval` logged, at its own steps; None without it.
    """

    steps: NDArray[np.int64]
    values: Mapping[str, Values]
    max_steps: int
    broken: int = 0
    evaluations: "Log | None" = None


def run_arguments(folder: Path) -> dict[str, Any]:
    """What ms-swift wrote into args.json; empty without that file."""
    try:
        data = read_json(folder / "args.json")
    except InputError:
        return {}
    return data if isinstance(data, dict) else {}


def read_log(folder: Path) -> Log:
    """The run's logging.jsonl.

    Raises:
        InputError: it is missing, or no step is logged in it.
    """
    path = folder / "logging.jsonl"
    if not path.is_file():
        below = sorted(str(other.parent) for other in folder.glob("*/logging.jsonl"))
        hint = (
            f"; is it {below[-1]}?"
            if below
            else ": give the folder that ms-swift printed as output_dir"
        )
        raise InputError(f"expected logging.jsonl in the run's folder {folder}, got none{hint}")
    rows: list[tuple[int, Mapping[str, Any]]] = []
    evaluations: list[tuple[int, Mapping[str, Any]]] = []
    max_steps = broken = 0
    for _, row in read_jsonl(path):
        if isinstance(row, str):
            broken += 1
            continue
        counter = next((str(row[name]) for name in COUNTERS if name in row), "")
        step, _, last = counter.partition("/")
        if step.isdecimal() and HELD_OUT in row:
            _add(evaluations, int(step), row)
        if not step.isdecimal() or not ("loss" in row or "reward" in row):
            continue  # an evaluation, or the summary at the end
        _add(rows, int(step), row)
        max_steps = int(last) if last.isdigit() else max_steps
    if not rows:
        raise InputError(f"expected optimisation steps in {path}, got none: has training begun?")
    held_out = _log(evaluations, max_steps, 0) if evaluations else None
    return replace(_log(rows, max_steps, broken), evaluations=held_out)


def _add(rows: list[tuple[int, Mapping[str, Any]]], step: int, row: Mapping[str, Any]) -> None:
    """Add a step's row; it replaces what was logged from that step on before the run was
    resumed."""
    while rows and rows[-1][0] >= step:
        rows.pop()
    rows.append((step, row))


def _log(rows: Sequence[tuple[int, Mapping[str, Any]]], max_steps: int, broken: int) -> Log:
    names = {name for _, row in rows for name, value in row.items() if _is_number(value)}
    values = {
        name: np.array(
            [row[name] if _is_number(row.get(name)) else np.nan for _, row in rows],
            dtype=np.float64,
        )
        for name in sorted(names)
    }
    steps = np.array([step for step, _ in rows])
    return Log(steps, values, max(max_steps, int(steps[-1])), broken)


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def score_again(folder: Path, log: Log, scorer: Scorer) -> Log | None:
    """The completions of completions.jsonl under the beginner's, the advanced and training's own
    criteria, as means per step.

    Args:
        folder: the run's.
        log: its log, which tells the stage of a step if the run had the callback; else the
            settings' schedule does.
        scorer: with the run's settings.

    Returns:
        `<stage>/total`, and under the names of the callback what it would have logged; None without
        completions that have annotations.

    Raises:
        ValueError: an annotation cannot be used.
    """
    path = folder / "completions.jsonl"
    lines = without_repeats(list(read_lines(path, skip_broken=True))) if path.is_file() else []
    lines = [rows for rows in lines if rows[0].step is not None and "solution" in rows[0].columns]
    lines = lines[:: -(-len(lines) // RESCORED) or 1]
    rows = []
    for line in lines:
        judged = [one for row in line if (one := _judged(row, path, scorer)) is not None]
        if not judged:
            continue
        standards = _logged_standards(int(line[0].step or 0), len(judged), log, scorer)
        standards = standards or standards_in_training(judged, scorer, log.max_steps)
        standards = standards or [scorer.schedule.named(scorer.schedule.names[0])] * len(judged)
        rows.append((int(line[0].step or 0), _means(judged, standards, scorer)))
    return _log(rows, log.max_steps, 0) if rows else None


def logged_steps(folder: Path) -> int:
    """The number of steps of the run with this output folder; 0 if it is not known."""
    try:
        return read_log(folder).max_steps
    except InputError:
        return 0


def _judged(row: Row, path: Path, scorer: Scorer) -> JudgedCompletion | None:
    with naming(row, path):
        target = row.target()
        return None if target is None else judge_row(row, target, scorer)


def _logged_standards(step: int, count: int, log: Log, scorer: Scorer) -> list[Standard] | None:
    """What the run logged as the stage of a step; None without that, or without stages."""
    numbers, schedule = log.values.get("vision_r1/stage"), scorer.schedule
    if numbers is None or not isinstance(schedule, Stages):
        return None
    places = np.flatnonzero(log.steps == step)
    number = float(numbers[places[0]]) if places.size else 1.0
    # A mean, where not every step is logged.
    place = min(max(ceil(number - 1.5), 0), len(schedule.standards) - 1)
    return [schedule.standards[place]] * count


def _means(
    completions: Sequence[JudgedCompletion], standards: Sequence[Standard], scorer: Scorer
) -> dict[str, float]:
    sums: dict[str, float] = defaultdict(float)
    for one, standard in zip(completions, standards, strict=True):
        for stage in STAGES:
            sums[f"{stage}/total"] += one.judge(scorer.schedule.criteria(stage)).total
        now = one.judge(standard.criteria)
        for part in ("format", "recall", "precision", "predicted", "truths", "total"):
            sums[f"vision_r1/{part}"] += getattr(now, part)
        for name, value in (now.terms or {}).items():
            sums[f"vision_r1/paid/{name}"] += value
        for issue in now.issues:
            sums[f"vision_r1/issues/{issue}"] += 1
        for name, value in standard.logged.items():
            sums[f"vision_r1/{name}"] += value
    return {name: value / len(completions) for name, value in sums.items()}
