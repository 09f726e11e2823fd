"""summary.md: a table like the paper's, then what affects the numbers."""

from collections.abc import Mapping, Sequence

from swift_plugin_visionr1.text import percent

from ..evaluation import Evaluation
from ..metrics.scores import ACCURACY
from .beside import beside_rows
from .markdown import bullets, plain, table
from .phrases import (
    average,
    breaks,
    by_domain,
    counts_in_words,
    decides,
    headline,
    spread_in_words,
)

LABELS_SHOWN = 20
TABLE_1 = (ACCURACY, "AP50", "AP75", "mAP")  # first in the paper's Table 1


def summary(evaluations: Sequence[Evaluation], suite: str | None, left_out: Sequence[str]) -> str:
    """The text of summary.md; numbers in percent."""
    title = suite or ", ".join(evaluation.name for evaluation in evaluations)
    parts = [f"# {plain(title)}", _headline_table(evaluations)]
    if domains := by_domain(evaluations):
        names = headline(evaluations)
        rows = [
            [plain(f"{domain} ({count})"), *(percent(metrics[name]) for name in names)]
            for domain, (count, metrics) in domains.items()
        ]
        parts.append(table(["Domain (sets)", *names], rows))
    if left_out:
        parts.append(
            "Left out, and not part of the average: " + ", ".join(map(plain, left_out)) + "."
        )
    parts += [_section(evaluation, heading=len(evaluations) > 1) for evaluation in evaluations]
    return "\n\n".join(parts) + "\n"


def _headline_table(evaluations: Sequence[Evaluation]) -> str:
    names: Sequence[str] = headline(evaluations)
    mean = average(evaluations)
    if mean is None:  # the shape of Table 1
        only = evaluations[0]
        first = [name for name in TABLE_1 if name in names]
        names = [*first, *(name for name in names if name not in first)]
        return table(
            ["Data set", *names],
            [[plain(only.name), *(percent(only.scores.metrics[name]) for name in names)]],
        )
    columns = [
        "",
        *(plain(evaluation.name) for evaluation in evaluations),
        "Avg.",
    ]  # the shape of Table 2
    rows = [
        [n, *(percent(e.scores.metrics[n]) for e in evaluations), percent(mean[n])] for n in names
    ]
    return table(columns, rows)


def _section(evaluation: Evaluation, heading: bool) -> str:
    scores, converted = evaluation.scores, evaluation.converted
    beside = [f"{name}: {value}" for name, value in beside_rows(evaluation).items()]
    counts = [f"{name}: {count}" for name, count in counts_in_words(evaluation).items()]
    unknown = list(converted.unknown_labels.items())[:LABELS_SHOWN]
    parts = [f"## {plain(evaluation.name)}"] if heading else []
    if converted.warnings:
        parts += ["**Before trusting these numbers**", bullets(map(plain, converted.warnings))]
    parts += ["**What decides the numbers**", _pairs(decides(evaluation))]
    parts += [
        "**Beside AP** (percent)",
        bullets([*beside, f"mAP's range: {spread_in_words(scores.spread)}"]),
    ]
    parts += ["**Counts**", bullets(counts)]
    if broken := breaks(evaluation):
        parts += [
            "**What breaks the format** (answers)",
            bullets(f"`{issue}`: {n}" for issue, n in broken.items()),
        ]
    if unknown:
        of = f"the {len(unknown)} most frequent of {len(converted.unknown_labels)}"
        parts += [
            f"**Labels that name no category** ({of})",
            bullets(f'"{plain(k)}": {n}' for k, n in unknown),
        ]
    return "\n\n".join(parts)


def _pairs(pairs: Mapping[str, str]) -> str:
    return bullets(f"{plain(name)}: {plain(value)}" for name, value in pairs.items())
