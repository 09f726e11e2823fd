"""summary.md: the paper's kind of table, then what decides the numbers."""

import re
from collections.abc import Iterable, Mapping, Sequence

from ..evaluation import Evaluation
from .words import average, counts_in_words, decides, headline, percent, spread_in_words

LABELS_SHOWN = 20
TABLE_1 = ("accuracy@.5", "AP50", "AP75", "mAP", "AR@100")  # the paper's order


def summary(evaluations: Sequence[Evaluation], suite: str | None, left_out: Sequence[str]) -> str:
    """The text of summary.md; numbers in percent."""
    title = suite or ", ".join(evaluation.name for evaluation in evaluations)
    parts = [f"# {_plain(title)}", _headline_table(evaluations)]
    if left_out:
        parts.append("Left out, and not part of the average: " + ", ".join(map(_plain, left_out)) + ".")
    parts += [_section(evaluation, heading=len(evaluations) > 1) for evaluation in evaluations]
    return "\n\n".join(parts) + "\n"


def _headline_table(evaluations: Sequence[Evaluation]) -> str:
    names: Sequence[str] = headline(evaluations)
    mean = average(evaluations)
    if mean is None:  # the shape of Table 1
        only = evaluations[0]
        names = [name for name in TABLE_1 if name in names]
        return _table(["Data set", *names], [[only.name, *(percent(only.scores.metrics[name]) for name in names)]])
    columns = ["", *(evaluation.name for evaluation in evaluations), "Avg."]  # the shape of Table 2
    rows = [[n, *(percent(e.scores.metrics[n]) for e in evaluations), percent(mean[n])] for n in names]
    return _table(columns, rows)


def _section(evaluation: Evaluation, heading: bool) -> str:
    scores, converted = evaluation.scores, evaluation.converted
    beside = [f"{name}: {percent(value)}" for name, value in scores.beside.items()]
    counts = [f"{name}: {count}" for name, count in counts_in_words(evaluation).items()]
    unknown = list(converted.unknown_labels.items())[:LABELS_SHOWN]
    parts = [f"## {_plain(evaluation.name)}"] if heading else []
    if converted.warnings:
        parts += ["**Before trusting these numbers**", _bullets(map(_plain, converted.warnings))]
    parts += ["**What decides the numbers**", _pairs(decides(evaluation))]
    parts += ["**Beside AP** (percent)", _bullets([*beside, f"mAP's range: {spread_in_words(scores.spread)}"])]
    parts += ["**Counts**", _bullets(counts)]
    if unknown:
        of = f"the {len(unknown)} most frequent of {len(converted.unknown_labels)}"
        parts += [f"**Labels that name no category** ({of})", _bullets(f'"{_plain(k)}": {n}' for k, n in unknown)]
    return "\n\n".join(parts)


def _pairs(pairs: Mapping[str, str]) -> str:
    return _bullets(f"{_plain(name)}: {_plain(value)}" for name, value in pairs.items())


def _bullets(lines: Iterable[str]) -> str:
    return "\n".join(f"- {line}" for line in lines)


def _table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [header, ["---", *["---:"] * (len(header) - 1)], *rows]
    return "\n".join("| " + " | ".join(cell if set(cell) <= set("-:") else _plain(cell) for cell in line) + " |"
                     for line in lines)  # fmt: skip


def _plain(text: str) -> str:
    """Text that Markdown shows as it is, on one line."""
    line = " ".join(text.split())
    return re.sub(r"[\\`*\[\]<>|#&]|(?<!\w)_|_(?!\w)", lambda found: "\\" + found[0], line)
