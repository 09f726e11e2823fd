"""Asks one model with `swift eval`; an interrupted run can be continued.

The model's folder holds `results` (VLMEvalKit's working folder), `eval.log` (what `swift eval`
printed), `run.json` (what the answers depend on) and EvalScope's own records.
"""

import os
import pickletools
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from swift_plugin_visionr1.console import warn
from swift_plugin_visionr1.models.checkpoint import read_json
from swift_plugin_visionr1.writing import locked, write_file

from ..asking.contents import Contents, named_files
from ..asking.passed_options import places, recorded, secrets, without_user
from ..asking.process import last_lines, swift
from ..asking.record import changed_names, check_record, new_record, write_record
from ..versions import versions
from .questions import NEUTRAL, Benchmarks, NamedModel
from .scores import FORMATS, Score, read_score

RECORDS = (".yaml", ".yml", ".json", ".jsonl", ".log", ".txt", ".md", ".html")
PACKAGES = ("ms-swift", "evalscope", "ms-vlmeval", "transformers", "torch", "vllm")


class EvaluationFailed(RuntimeError):
    """`swift eval` left a benchmark without a result or without a single answer; the message has
    the end of its log."""


def evaluate(model: NamedModel, questions: Benchmarks, folder: Path) -> dict[str, Score]:
    """Have `swift eval` ask the questions not yet answered in `folder`, and score the answers.

    Returns:
        The scores by benchmark. If every question has an answer already, no model is started.

    Raises:
        InputError: the folder has answers of another model or to different questions, or another
            run is writing into it.
        EvaluationFailed: a benchmark has no result, or not a single answer; the answers are kept.
    """
    results = (folder / "results").resolve()
    contents = Contents.of_run(folder)
    fingerprint = answers_depend_on(model, questions, contents)
    with locked(folder) as lock:
        record = new_record(fingerprint)
        if any(results.rglob("*.*")):
            record = check_record(folder, fingerprint, _difference)
        scores = _scores(results, questions.benchmarks)
        if all(score and not score.no_answer for score in scores.values()):
            warn(f"{model.name}: all answers are in {folder}")
            return {name: score for name, score in scores.items() if score}
        record["calls"].append({"versions": versions(PACKAGES)})
        write_record(folder, record)
        contents.save(folder)
        _remove_verdicts(results, questions.benchmarks)
        warn(f"{model.name}: asking; see tail -f {folder / 'eval.log'}")
        code = _swift_eval(model, questions, folder, lock)
        scores = _scores(results, questions.benchmarks)
    if missing := [
        name
        for name, score in scores.items()
        if score is None or score.no_answer == score.questions
    ]:
        raise EvaluationFailed(_failure(model, missing, code, folder / "eval.log"))
    return {name: score for name, score in scores.items() if score}


def answers_depend_on(
    model: NamedModel, questions: Benchmarks, contents: Contents
) -> dict[str, Any]:
    """What the answers depend on, including file contents; for a hub id, only its name."""
    folder, options = Path(model.path), questions.passed()
    model_files = named_files({"": folder} | base_of(folder) if folder.is_dir() else {})
    passed = named_files(places(options, tuple(NEUTRAL)))
    hashes = contents.hashes([*model_files.values(), *passed.values()])
    return {
        "model": str(folder.resolve()) if folder.exists() else without_user(model.path),
        "model_files": {name.strip(): hashes[path] for name, path in model_files.items()},
        "option_files": {name: hashes[path] for name, path in passed.items()},
        "arguments": recorded(options, tuple(NEUTRAL)),
        "environment": questions.variables(),
    }


def base_of(adapter: Path) -> dict[str, Path]:
    """The local base model of a LoRA adapter, by the names that peft and ms-swift write down."""
    sources = (("adapter_config.json", "base_model_name_or_path"), ("args.json", "model"))
    if not (adapter / "adapter_config.json").is_file():
        return {}
    named = [read_json(adapter / file).get(key) for file, key in sources]
    bases = dict.fromkeys(Path(name) for name in named if isinstance(name, str))
    return {f"base {base}": base for base in bases if base.is_dir()}


def _scores(results: Path, benchmarks: Sequence[str]) -> dict[str, Score | None]:
    return {name: read_score(results, name) for name in benchmarks}


def _swift_eval(model: NamedModel, questions: Benchmarks, folder: Path, lock: int) -> int:
    """Run `swift eval` with its output in eval.log; returns its exit code."""
    # EvalScope works in a new folder, named by the time, at each call. VLMEvalKit prefers
    # MMEVAL_ROOT and reuses it.
    results = (folder / "results").resolve()
    environment = os.environ | FORMATS | {"MMEVAL_ROOT": str(results)}
    hidden, log = secrets(questions.passed(), environment), folder / "eval.log"
    log.unlink(missing_ok=True)
    try:
        with swift(
            ["eval", *questions.arguments(model, folder)], log, lock, environment, hidden
        ) as process:
            return process.wait()
    finally:
        black_out(folder, hidden)


def black_out(folder: Path, hidden: Sequence[str]) -> None:
    """Replace secrets in EvalScope's own records, which lie beside VLMEvalKit's results."""
    ours = ("run.json", "contents.json", "results", "lock")
    for path in sorted(folder.rglob("*")):
        first = path.relative_to(folder).parts[0]
        if first in ours or path.suffix not in RECORDS or path.is_symlink() or not path.is_file():
            continue
        before = path.read_bytes()
        after = before
        for secret in hidden:
            after = after.replace(secret.encode("utf-8", "surrogateescape"), b"***")
        if after != before:
            write_file(path, after)


def _remove_verdicts(results: Path, benchmarks: Sequence[str]) -> None:
    """Remove what VLMEvalKit derived from the answers. The answers stay, except a file that was cut
    off by a kill.

    Otherwise it would keep its verdict on an answer that is requested again. If it cannot score the
    new answers it continues silently, and the old score would pass for theirs.
    """
    for name in benchmarks:
        for file in results.glob(f"*/*_{name}_acc.csv"):
            file.unlink()
    for file in results.glob("*/*.pkl"):
        if file.name.endswith("_result.pkl") or not is_whole(file):
            file.unlink()


def is_whole(file: Path) -> bool:
    """Whether a file that VLMEvalKit rewrites many times a second is complete.

    The pickle is scanned and not loaded: loading would execute it.
    """
    try:
        for _ in pickletools.genops(file.read_bytes()):
            pass
    except ValueError:
        return False
    return True


def _difference(name: str, before: Any, now: Any) -> str:
    if name in ("model_files", "option_files"):
        what = "the model's files" if name == "model_files" else "files named by options"
        return f"content of {what} ({changed_names(before, now)})"
    return f"{name} ({before} then, {now} now)"


def _failure(model: NamedModel, missing: Sequence[str], code: int, log: Path) -> str:
    return (
        f"expected `swift eval` to score {model.name} on every benchmark, got exit code {code} and "
        f"no answers to {', '.join(missing)}; the answers so far are kept: fix the cause and run "
        f"the same command again. The end of {log}:\n{last_lines(log)}"
    )
