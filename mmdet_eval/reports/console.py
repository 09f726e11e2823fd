"""What a run prints."""

from collections.abc import Sequence

import numpy as np

from ..evaluation import Evaluation
from ..metrics.scores import Metrics, Spread
from .phrases import (
    average,
    beyond_limit,
    breaks,
    by_domain,
    counts,
    headline,
    in_words,
    spread_in_words,
)

ROWS = {  # counts without a row of their own are notes on another row
    "unparsed": "  not parsed",
    "broken_format": "  broken format",
    "truncated": "  truncated",
    "unknown_labels": "  unknown label",
    "outside": "  outside image",
}
NOTES = ("missing", "nothing_left")
SUITE_COLUMNS = ("mAP's range", "images", "missing", "not parsed", "unknown")
LABELS_SHOWN = 5
WIDTH = 20


def table(evaluations: Sequence[Evaluation], left_out: Sequence[str] = ()) -> str:
    """The text to print: what affects the numbers, what came in (for a suite, one row per set), and
    last the headline."""
    names, mean = headline(evaluations), average(evaluations)
    lines = [f"{'left out':<{WIDTH}}{', '.join(left_out)}"] if left_out else []
    lines += [
        f"warning: {e.name}: {warning}" for e in evaluations for warning in e.converted.warnings
    ]
    if mean is not None:
        lines += [
            f"{name}: {e.name}: {words}"
            for e in evaluations
            for name, words in beyond_limit(e).items()
        ]
        return "\n".join([*_common(evaluations), *lines, "", *_suite(evaluations, names, mean)])
    head = "".join(f"{name:>12}" for name in names)
    return "\n".join(
        [*_set(evaluations[0]), *lines, "", head, _row(evaluations[0].scores.metrics, names)]
    )


def _set(evaluation: Evaluation) -> list[str]:
    lines = [
        f"{ROWS.get(name, name.replace('_', ' ')):<{WIDTH}}{count:>8}{_note(evaluation, name)}"
        for name, count in counts(evaluation).items()
        if name not in NOTES
    ]
    facts = _facts(evaluation) | {
        "mAP's range": spread_in_words(evaluation.scores.spread, as_percent=False)
    }
    facts |= beyond_limit(evaluation)
    lines += [f"{'annotations':<{WIDTH}}{repair}" for repair in evaluation.annotations.repairs]
    return lines + [f"{name:<{WIDTH}}{value}" for name, value in facts.items()]


def _facts(evaluation: Evaluation) -> dict[str, str]:
    """What affects the numbers and may be the same in all data sets."""
    protocol = evaluation.protocol
    aware = (
        " (label-aware: the queries tell which categories are present)"
        if protocol and protocol.label_aware
        else ""
    )
    facts = {"protocol": protocol.name + aware if protocol else "not known"}
    facts |= {name: in_words(evaluation.conditions.get(name)) for name in ("frame", "confidence")}
    return {name: value for name, value in facts.items() if value != "none"} | {
        "engine": evaluation.scores.engine
    }


def _common(evaluations: Sequence[Evaluation]) -> list[str]:
    """Each fact once, with the names of the data sets unless it holds for all."""
    sets: dict[tuple[str, str], list[str]] = {}
    for evaluation in evaluations:
        for fact in _facts(evaluation).items():
            sets.setdefault(fact, []).append(evaluation.name)
    return [
        f"{name:<{WIDTH}}{value}"
        + (f" ({', '.join(where)})" if len(where) < len(evaluations) else "")
        for (name, value), where in sets.items()
    ]


def _note(evaluation: Evaluation, name: str) -> str:
    counts, unknown = evaluation.converted.counts, evaluation.converted.unknown_labels
    if name == "boxes_kept" and not evaluation.converted.of_text:
        lacking = f"; the file lacks {counts.missing} images" if counts.missing else ""
        return (
            f"  in {len(np.unique(evaluation.converted.detections.image))} of "
            f"{counts.images} images{lacking}"
        )
    if name == "answers" and counts.missing:
        return (
            f"  {counts.missing} {'images' if counts.queries == counts.images else 'queries'} have "
            "none"
        )
    if name == "broken_format":
        return "".join(f"  {issue} {n}" for issue, n in breaks(evaluation).items())
    if name == "outside" and counts.outside:
        return f"  clipped; {counts.nothing_left} dropped"
    if name == "unknown_labels" and unknown:
        shown = [f"{label[:40]!r} {n}" for label, n in unknown.items()][:LABELS_SHOWN]
        return f"  dropped: {', '.join(shown)}" + (", ..." if len(unknown) > LABELS_SHOWN else "")
    return ""


def _suite(evaluations: Sequence[Evaluation], names: Sequence[str], mean: Metrics) -> list[str]:
    width = max(WIDTH, 2 + max(len(evaluation.name) for evaluation in evaluations))
    lines = [" " * width + "".join(f"{name:>12}" for name in (*names, *SUITE_COLUMNS))]
    for evaluation in evaluations:
        counts = evaluation.converted.counts
        came = counts.images, counts.missing, counts.unparsed, counts.unknown_labels
        cells = "".join(f"{cell:>12}" for cell in (_range(evaluation.scores.spread), *came))
        lines.append(f"{evaluation.name:<{width}}{_row(evaluation.scores.metrics, names)}{cells}")
    lines += [
        f"{f'{domain} ({count} sets)':<{width}}{_row(metrics, names)}"
        for domain, (count, metrics) in by_domain(evaluations).items()
    ]
    return [*lines, f"{'Avg.':<{width}}{_row(mean, names)}"]


def _range(spread: Spread) -> str:
    if spread.low is None or spread.high is None:
        return "-"
    return f"{spread.low:.3f}-{spread.high:.3f}"


def _row(metrics: Metrics, names: Sequence[str]) -> str:
    values = [metrics.get(name) for name in names]
    return "".join(f"{'-':>12}" if value is None else f"{value:>12.3f}" for value in values)
