"""What a run prints."""

from collections.abc import Sequence

from ..evaluation import Evaluation
from ..metrics.scores import Metrics
from .words import average, counts, headline, in_words, spread_in_words

ROWS = {  # counts that have no row of their own are notes to another
    "unparsed": "  not parsed", "broken_format": "  broken format", "truncated": "  truncated",
    "unknown_labels": "  unknown label", "outside": "  outside image",
}  # fmt: skip
NOTES = ("missing", "nothing_left")
LABELS_SHOWN = 5
WIDTH = 20


def table(evaluations: Sequence[Evaluation], left_out: Sequence[str] = ()) -> str:
    """The text to print: what came in and what decides the numbers, for a suite a row per set, the headline last."""
    names, mean = headline(evaluations), average(evaluations)
    lines = [f"{'left out':<{WIDTH}}{name}" for name in left_out]
    lines += [f"warning: {e.name}: {warning}" for e in evaluations for warning in e.converted.warnings]
    if mean is not None:
        return "\n".join([*lines, "", *_suite(evaluations, names, mean)])
    head = "".join(f"{name:>12}" for name in names)
    return "\n".join([*_set(evaluations[0]), *lines, "", head, _row(evaluations[0].scores.metrics, names)])


def _set(evaluation: Evaluation) -> list[str]:
    lines = [
        f"{ROWS.get(name, name.replace('_', ' ')):<{WIDTH}}{count:>8}{_note(evaluation, name)}"
        for name, count in counts(evaluation).items()
        if name not in NOTES
    ]
    facts = {name: evaluation.conditions.get(name) for name in ("frame", "confidence")}
    facts |= {"protocol": evaluation.protocol and evaluation.protocol.name, "engine": evaluation.scores.engine}
    facts["mAP's range"] = spread_in_words(evaluation.scores.spread)
    lines += [f"{'annotations':<{WIDTH}}{repair}" for repair in evaluation.annotations.repairs]
    return lines + [f"{name:<{WIDTH}}{in_words(value)}" for name, value in facts.items() if value]


def _note(evaluation: Evaluation, name: str) -> str:
    found, unknown = evaluation.converted.counts, evaluation.converted.unknown_labels
    if name == "answers" and found.missing:
        return f"  {found.missing} {'images' if found.queries == found.images else 'queries'} have none"
    if name == "outside" and found.outside:
        return f"  clipped; {found.nothing_left} dropped"
    if name == "unknown_labels" and unknown:
        shown = [f"{label[:40]!r} {n}" for label, n in unknown.items()][:LABELS_SHOWN]
        return f"  dropped: {', '.join(shown)}" + (", ..." if len(unknown) > LABELS_SHOWN else "")
    return ""


def _suite(evaluations: Sequence[Evaluation], names: Sequence[str], mean: Metrics) -> list[str]:
    width = max(WIDTH, 2 + max(len(evaluation.name) for evaluation in evaluations))
    lines = [" " * width + "".join(f"{name:>12}" for name in (*names, "images", "not parsed", "unknown"))]
    for evaluation in evaluations:
        found = evaluation.converted.counts
        cells = [f"{count:>12}" for count in (found.images, found.unparsed, found.unknown_labels)]
        lines.append(f"{evaluation.name:<{width}}{_row(evaluation.scores.metrics, names)}{''.join(cells)}")
    return [*lines, f"{'Avg.':<{width}}{_row(mean, names)}"]


def _row(metrics: Metrics, names: Sequence[str]) -> str:
    values = [metrics.get(name) for name in names]
    return "".join(f"{'-':>12}" if value is None else f"{value:>12.3f}" for value in values)
