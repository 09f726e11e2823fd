"""summary.md: what was measured, the headline with intervals, what went wrong most, then tables."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from urllib.parse import quote

from swift_plugin_visionr1.text import percent

from ..evaluation import Evaluation
from ..metrics.scores import ACCURACY, EXACT_COUNT, Metrics
from .beside import beside_rows
from .faults import CAUSES, SHOWN, ReportedFault
from .intervals import Interval, Intervals
from .markdown import bullets, plain, table
from .measured import bootstrap_words, measured, of_boxes_words
from .phrases import average, breaks, by_domain, counts_in_words, decides, headline, spread_in_words
from .report import ReportParts

LABELS_SHOWN = 20
TABLE_1 = (ACCURACY, "AP50", "AP75", "mAP")  # first in the paper's Table 1


def summary(report: ReportParts, folder: Path) -> str:
    """The text of summary.md; numbers in percent.

    Args:
        folder: where summary.md goes, with the pictures that it shows.
    """
    evaluations = report.evaluations
    parts = [f"# {plain(report.title)}", _pairs(measured(evaluations))]
    for evaluation in evaluations:
        if evaluation.converted.warnings:
            parts.append("**Before trusting these numbers**" + _of(evaluation, evaluations))
            parts.append(bullets(map(plain, evaluation.converted.warnings)))
    parts += [_headline_table(report), bootstrap_words(report.uncertainty)]
    if domains := by_domain(evaluations):
        parts.append(_domain_table(domains, headline(evaluations)))
    if report.left_out:
        names = ", ".join(map(plain, report.left_out))
        parts.append(f"Left out, and not part of the average: {names}.")
    parts += _what_went_wrong(report, folder)
    sure, several = report.uncertainty, len(evaluations) > 1
    parts += [_section(e, sure.of_set(e.name), heading=several) for e in evaluations]
    return "\n\n".join(parts) + "\n"


def _of(evaluation: Evaluation, evaluations: Sequence[Evaluation]) -> str:
    return f" ({plain(evaluation.name)})" if len(evaluations) > 1 else ""


def _headline_table(report: ReportParts) -> str:
    evaluations, sure = report.evaluations, report.uncertainty
    names: Sequence[str] = headline(evaluations)
    mean = average(evaluations)
    if mean is None:  # the shape of Table 1
        only = evaluations[0]
        first = [name for name in TABLE_1 if name in names]
        names = [*first, *(name for name in names if name not in first)]
        values = [percent(only.scores.metrics[name]) for name in names]
        return table(
            ["Data set", *names],
            [
                [plain(only.name), *values],
                ["95% interval", *_ranges(sure.sets[only.name], names)],
            ],
        )
    columns = ["", *(plain(e.name) for e in evaluations), "Avg."]  # the shape of Table 2
    rows = []
    for name in names:
        values = [percent(e.scores.metrics[name]) for e in evaluations]
        rows.append([name, *values, percent(mean[name])])
        ranges = [_range(sure.sets[e.name].get(name)) for e in evaluations]
        rows.append(["95% interval", *ranges, *_ranges(sure.average or {}, [name])])
    return table(columns, rows)


def _domain_table(domains: Mapping[str, tuple[int, Metrics]], names: Sequence[str]) -> str:
    rows = [
        [plain(f"{domain} ({count})"), *(percent(metrics[name]) for name in names)]
        for domain, (count, metrics) in domains.items()
    ]
    return table(["Domain (sets)", *names], rows)


def _ranges(intervals: Intervals, names: Sequence[str]) -> list[str]:
    return [_range(intervals.get(name)) for name in names]


def _range(interval: Interval | None) -> str:
    return f"{percent(interval[0])} to {percent(interval[1])}" if interval else "-"


def _what_went_wrong(report: ReportParts, folder: Path) -> list[str]:
    if all(EXACT_COUNT in evaluation.scores.metrics for evaluation in report.evaluations):
        return []  # numbers have no boxes that could be wrong
    if not report.faults:
        return ["## What went wrong most", "Nothing: every object has its box, and no other box."]
    parts = ["## What went wrong most"]
    if words := of_boxes_words(report.evaluations):
        parts.append(plain(words))
    for number, fault in enumerate(report.faults[:SHOWN], start=1):
        cause = CAUSES[fault.key]
        parts.append(f"{number}. **{cause.title}.** {plain(fault.words)} {cause.meaning}")
        parts[-1] += f" {cause.advice}" * bool(cause.advice)
        if pictures := _pictures(report, fault, folder):
            parts.append("   " + " ".join(pictures))
    others = (f"{CAUSES[fault.key].title}: {plain(fault.words)}" for fault in report.faults[SHOWN:])
    return [*parts, *([bullets(others)] if len(report.faults) > SHOWN else [])]


def _pictures(report: ReportParts, fault: ReportedFault, folder: Path) -> list[str]:
    paths = [
        path
        for evaluation in report.evaluations
        for path in sorted((folder / evaluation.name / "pictures" / fault.key).glob("*.png"))
    ]
    return [
        f"![{CAUSES[fault.key].title}]({quote(path.relative_to(folder).as_posix())})"
        for path in sorted(paths, key=lambda path: path.name)
    ]


def _section(evaluation: Evaluation, intervals: Intervals, heading: bool) -> str:
    scores, converted = evaluation.scores, evaluation.converted
    beside = [f"{name}: {value}" for name, value in beside_rows(evaluation, intervals).items()]
    counts = [f"{name}: {count}" for name, count in counts_in_words(evaluation).items()]
    unknown = list(converted.unknown_labels.items())[:LABELS_SHOWN]
    parts = [f"## {plain(evaluation.name) if heading else 'Tables'}"]
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
