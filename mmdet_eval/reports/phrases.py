"""An evaluation in words and rows, shared by the printed table, the summary and the page."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from swift_plugin_visionr1.text import share

from ..evaluation import Evaluation
from ..metrics.scores import Metrics, Spread, headline_at

COUNTS = {
    "missing": "queries without an answer",
    "unparsed": "not parsed",
    "unknown_labels": "boxes with an unknown label, dropped",
    "outside": "boxes that leave the image, clipped",
    "nothing_left": "boxes outside the image altogether, dropped",
    "duplicates": "second answers to a query, dropped",
    "without_confidence": "boxes without a confidence, ranked last",
    "whole_answer_scores": "boxes scored by all tokens of their answer",
}
OF_BOXES = ("images", "boxes_kept")  # what can be counted for a file of boxes
ISSUES_SHOWN = 5
RARE = ("duplicates", "without_confidence", "whole_answer_scores")


def headline(evaluations: Sequence[Evaluation]) -> tuple[str, ...]:
    """The metrics that tables show: those that the suite names, else `headline_at`, as far as every
    data set has them."""
    scores = evaluations[0].scores
    return tuple(
        name
        for name in scores.first or headline_at(scores.max_dets)
        if all(name in evaluation.scores.metrics for evaluation in evaluations)
    )


def average(evaluations: Sequence[Evaluation]) -> Metrics | None:
    """Plain means of the unrounded metrics over data sets, like ODinW's Avg.; None for a single
    set.

    A metric that some set lacks or cannot measure has no mean.
    """
    if len(evaluations) < 2:
        return None
    columns = {
        name: [e.scores.metrics.get(name) for e in evaluations]
        for name in evaluations[0].scores.metrics
    }
    return {name: _mean(values) for name, values in columns.items()}


def by_domain(evaluations: Sequence[Evaluation]) -> dict[str, tuple[int, Metrics]]:
    """Domain -> its number of data sets, and their means as `average` takes them; in the order of
    the data sets."""
    grouped: dict[str, list[Evaluation]] = {}
    for evaluation in evaluations:
        if evaluation.domain:
            grouped.setdefault(evaluation.domain, []).append(evaluation)
    return {
        domain: (len(some), average(some) or some[0].scores.metrics)
        for domain, some in grouped.items()
    }


def _mean(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return sum(known) / len(known) if len(known) == len(values) else None


def in_words(value: Any) -> str:
    """A JSON-ready value on one line."""
    if isinstance(value, Mapping):
        parts = {
            key: f"({in_words(part)})" if isinstance(part, Mapping) else in_words(part)
            for key, part in value.items()
        }
        return ", ".join(f"{key} {part}" for key, part in parts.items())
    if isinstance(value, list | tuple):
        return ", ".join(map(in_words, value)) or "none"
    return "none" if value is None else str(value)


def spread_in_words(spread: Spread, as_percent: bool = True) -> str:
    """mAP's range over image orders, in percent or as fractions."""
    if spread.low is None or spread.high is None:
        return "not measured"
    if not spread.orders:
        return "the same for every order of the images"
    ends = [f"{100 * end:.2f}" if as_percent else f"{end:.4f}" for end in (spread.low, spread.high)]
    return f"{ends[0]} to {ends[1]} over {spread.orders} random orders of the images"


def beyond_limit(evaluation: Evaluation) -> dict[str, str]:
    """What the limit leaves out of AP, as a row; empty if nothing."""
    left_out, boxes = evaluation.scores.left_out, len(evaluation.converted.detections)
    if not left_out.boxes:
        return {}
    federated = evaluation.annotations.federated
    of = "their image" if federated else "their image and category"
    advice = "" if federated else " (--max-dets raises the limit)"
    words = (
        f"{share(left_out.boxes, boxes)} boxes, in {left_out.images} "
        f"of {len(evaluation.annotations.images)} images, come after the first "
        f"{evaluation.scores.max_dets} of {of}: AP and AR do not see them{advice}; "
        "precision, recall and F1 count them"
    )
    return {"beyond the limit": words}


def decides(evaluation: Evaluation) -> dict[str, str]:
    """What affects the numbers: name -> description."""
    protocol = evaluation.protocol
    rows = {"protocol": "not known"}
    if protocol:
        aware = (
            "; label-aware: the queries tell which categories are present"
            if protocol.label_aware
            else ""
        )
        rows = {
            "protocol": f"{protocol.name}: {protocol.description}{aware}",
            "prompt": protocol.prompt,
        }
    rows |= {
        name: in_words(value)
        for name, value in evaluation.conditions.items()
        if value not in (None, {}, [])
    }
    rows |= beyond_limit(evaluation)
    annotations = evaluation.annotations
    rows["annotations"] = f"{annotations.path} (sha256 {annotations.sha256[:12]})"
    if annotations.repairs:
        rows["repairs"] = "; ".join(annotations.repairs)
    return rows | {"engine": evaluation.scores.engine, "checked by": evaluation.scores.checked_by}


def counts(evaluation: Evaluation) -> dict[str, int]:
    """What became of answers and boxes, by the names of `Counts`, without what need not be said."""
    counted = asdict(evaluation.converted.counts)
    if not evaluation.converted.of_text:
        return {name: counted[name] for name in OF_BOXES}
    silent = {name for name in RARE if not counted[name]}
    if counted["queries"] == counted["images"]:
        silent.add("queries")
    return {name: count for name, count in counted.items() if name not in silent}


def breaks(evaluation: Evaluation) -> dict[str, int]:
    """The issues that break the format in most answers: code -> number of answers."""
    answers = evaluation.converted.answers
    return dict(
        Counter(issue for read in answers for issue in read.issues).most_common(ISSUES_SHOWN)
    )


def counts_in_words(evaluation: Evaluation) -> dict[str, int]:
    """`counts` with readable names."""
    return {
        COUNTS.get(name, name.replace("_", " ")): count
        for name, count in counts(evaluation).items()
    }
