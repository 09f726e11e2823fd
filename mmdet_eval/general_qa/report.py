"""Table 6 for several models: as text, and as JSON."""

import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path

from swift_plugin_visionr1.text import percent
from swift_plugin_visionr1.writing import write_file

from ..reports.markdown import plain, table
from .scores import Score

COLUMNS = {
    "GQA_TestDev_Balanced": "GQA",
    "AI2D_TEST": "AI2D",
    "ChartQA_TEST": "ChartQA",
    "SEEDBench_IMG": "SEED",
}
UNITS = "accuracy: fraction in [0, 1], not rounded; no_option: null where questions have no options"

Scores = Mapping[str, Mapping[str, Score]]  # by model, then by benchmark


def as_markdown(scores: Scores) -> str:
    """Accuracies with their difference to the first model, and the counts behind them."""
    base = next(iter(scores))
    benchmarks = list(scores[base])
    names = [COLUMNS.get(name, name) for name in benchmarks]
    accuracies = [
        [plain(model), *(_cell(scores, base, model, name) for name in benchmarks)]
        for model in scores
    ]
    counts = [
        [plain(f"{model}, {shown}"), *_counts(scores[model][name])]
        for model in scores
        for name, shown in zip(benchmarks, names, strict=True)
    ]
    parts = [
        "# General question answering",
        f"VLMEvalKit's accuracy in percent, with the difference to {plain(base)} in brackets.",
        table(["", *map(plain, names)], accuracies),
        "Multiple-choice answers in which no option was found are counted as wrong, and so are "
        "questions that the server did not answer.",
        table(["", "questions", "no option found", "not answered"], counts),
    ]
    return "\n\n".join(parts) + "\n"


def write_report(folder: Path, scores: Scores) -> None:
    """Write general_qa.md and general_qa.json into `folder`; raises OSError if that fails."""
    write_file(folder / "general_qa.md", as_markdown(scores))
    record = {
        model: {name: asdict(score) for name, score in by_benchmark.items()}
        for model, by_benchmark in scores.items()
    }
    text = json.dumps({"units": UNITS, "models": record}, indent=2, ensure_ascii=False)
    write_file(folder / "general_qa.json", text + "\n")


def _cell(scores: Scores, base: str, model: str, benchmark: str) -> str:
    accuracy = scores[model][benchmark].accuracy
    difference = (
        "" if model == base else f" ({100 * (accuracy - scores[base][benchmark].accuracy):+.1f})"
    )
    return percent(accuracy) + difference


def _counts(score: Score) -> list[str]:
    return [
        str(score.questions),
        "-" if score.no_option is None else str(score.no_option),
        str(score.no_answer),
    ]
