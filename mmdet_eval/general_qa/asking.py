"""One model asked by `swift eval`; the same again goes on where it was interrupted.

In the model's folder: `results`, VLMEvalKit's working folder, `eval.log`, what `swift eval`
printed, `run.json`, what the answers depend on, and EvalScope's own records.
"""

import json
import os
import pickle
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from swift_plugin_visionr1.console import warn
from swift_plugin_visionr1.errors import InputError

from ..asking.swift_infer import LOG_LINES, end, locked
from ..versions import versions
from .questions import Model, Questions
from .scores import FORMATS, Score, read_score

PACKAGES = ("ms-swift", "evalscope", "ms-vlmeval", "transformers", "torch", "vllm")


class EvaluationFailed(RuntimeError):
    """`swift eval` left a benchmark without a result, or without one answer; the message has the
    end of its log."""


def evaluate(model: Model, questions: Questions, folder: Path) -> dict[str, Score]:
    """Have `swift eval` ask what has no answer yet in `folder`, and score it.

    Returns:
        The scores by benchmark. Where all are there, every question with an answer, no model is
        started.

    Raises:
        InputError: the folder has answers of another model, or to questions put otherwise, or is
            being written into.
        EvaluationFailed: a benchmark has no result, or not a single answer; what was answered is
            kept.
    """
    results = (folder / "results").resolve()
    _check_same(folder, {"model": model.path, "weights": model.weights(), **questions.settings()})
    with locked(folder) as lock:
        scores = _scores(results, questions.benchmarks)
        if all(score and not score.no_answer for score in scores.values()):
            warn(f"{model.name}: all answers are in {folder}")
            return {name: score for name, score in scores.items() if score}
        _remove_verdicts(results, questions.benchmarks)
        warn(f"{model.name}: asking; see tail -f {folder / 'eval.log'}")
        code = _swift_eval(questions.arguments(model, folder), folder / "eval.log", results, lock)
        scores = _scores(results, questions.benchmarks)
    if missing := [
        name
        for name, score in scores.items()
        if score is None or score.no_answer == score.questions
    ]:
        raise EvaluationFailed(_failure(model, missing, code, folder / "eval.log"))
    return {name: score for name, score in scores.items() if score}


def _scores(results: Path, benchmarks: Sequence[str]) -> dict[str, Score | None]:
    return {name: read_score(results, name) for name in benchmarks}


def _swift_eval(arguments: Sequence[str], log: Path, results: Path, lock: int) -> int:
    """Run `swift eval` with its output in `log`; returns its exit code."""
    command = [
        sys.executable,
        "-m",
        "swift.cli.main",
        "eval",
        *arguments,
    ]  # `swift eval`, wherever PATH points
    # EvalScope works in a new folder, named by the time, at each call; VLMEvalKit prefers
    # MMEVAL_ROOT, and reuses it.
    environment = os.environ | FORMATS | {"MMEVAL_ROOT": str(results)}
    with log.open("wb") as output:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            env=environment,
            start_new_session=True,
            pass_fds=(lock,),
        )
        try:
            return process.wait()
        finally:
            end(process)


def _remove_verdicts(results: Path, benchmarks: Sequence[str]) -> None:
    """Remove what VLMEvalKit made of the answers; those stay, but for a file that a kill cut off.

    It would keep its verdict on an answer that is asked for again; and where it cannot score the
    new answers, it goes on without a word, and the old score would be taken for theirs.
    """
    for name in benchmarks:
        for file in results.glob(f"*/*_{name}_acc.csv"):
            file.unlink()
    for file in results.glob("*/*.pkl"):
        if file.name.endswith("_result.pkl") or not _whole(file):
            file.unlink()


def _whole(file: Path) -> bool:
    """Whether a file that VLMEvalKit wrote into, many times a second, has its end."""
    try:
        pickle.loads(file.read_bytes())
    except (EOFError, pickle.UnpicklingError):
        return False
    return True


def _check_same(folder: Path, fingerprint: Mapping[str, Any]) -> None:
    """Write run.json, or compare with the one of the answers that are there."""
    file = folder / "run.json"
    if file.exists():
        before = json.loads(file.read_text(encoding="utf-8"))["answers depend on"]
        changed = sorted(
            name for name in {**before, **fingerprint} if before.get(name) != fingerprint.get(name)
        )
        if changed:
            told = "; ".join(
                f"{name} was {before.get(name)}, is {fingerprint.get(name)}" for name in changed
            )
            raise InputError(
                f"expected {folder} to hold answers of the same model to the same questions, got "
                f"another ({told}): "
                "give another --out or another name, or delete that folder to ask again"
            )
    folder.mkdir(parents=True, exist_ok=True)
    record = {"answers depend on": fingerprint, "versions": versions(PACKAGES)}
    file.write_text(json.dumps(record, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def _failure(model: Model, missing: Sequence[str], code: int, log: Path) -> str:
    lines = log.read_text(encoding="utf-8", errors="replace").replace("\r", "\n").splitlines()
    return (
        f"expected `swift eval` to score {model.name} on every benchmark, got exit code {code} and "
        "no answers to "
        f"{', '.join(missing)}; what is answered is kept: put the cause right and run the same "
        "command again. "
        f"The end of {log}:\n" + "\n".join(lines[-LOG_LINES:])
    )
