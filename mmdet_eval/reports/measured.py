"""What was measured, in a few rows: the first thing that a reader needs."""

from collections.abc import Iterable, Sequence

from swift_plugin_visionr1.text import listed

from ..evaluation import Evaluation
from .intervals import Uncertainty
from .judged import least_score

SETS_NAMED = 8


def measured(evaluations: Sequence[Evaluation]) -> dict[str, str]:
    """The data, the question, the answers, the frame and the confidence, each in a line."""
    rows = {
        "data": _data(evaluations),
        "question": _once(_question(e) for e in evaluations),
        "answers": _answers(evaluations),
        "frame": _once(_condition(e, "frame") for e in evaluations),
        "confidence": _once(_condition(e, "confidence") for e in evaluations),
    }
    return {name: line for name, line in rows.items() if line}


def bootstrap_words(uncertainty: Uncertainty) -> str:
    """What the intervals are."""
    return (
        f"Brackets: 95% intervals, from {uncertainty.samples:,} bootstrap samples of the images. "
        "Other images of the same kind would give other numbers, mostly within them."
    )


def of_boxes_words(evaluations: Sequence[Evaluation]) -> str:
    """Which boxes of a file the faults are about; "" if about all."""
    least = {e.name: score for e in evaluations if (score := least_score(e)) is not None}
    if not least:
        return ""
    scores = ", ".join(f"{name} {score:.3g}" for name, score in least.items())
    return (
        "The file gives more boxes than it means. Here those count that score at least as much as "
        f"the point where F1@.5 is best: {scores}."
    )


def _number(count: int, noun: str, plural: str = "") -> str:
    return f"{count:,} {noun if count == 1 else plural or noun + 's'}"


def _data(evaluations: Sequence[Evaluation]) -> str:
    images = sum(len(e.annotations.images) for e in evaluations)
    objects = sum(int(e.scores.matches.truths.sum()) for e in evaluations)
    counts = f"{_number(images, 'image')}, {_number(objects, 'object')}"
    if len(evaluations) == 1:
        classes = len(evaluations[0].annotations.categories)
        return f"{evaluations[0].name}: {counts}, {_number(classes, 'class', 'classes')}"
    names = listed((e.name for e in evaluations), SETS_NAMED)
    return f"{len(evaluations)} data sets with {counts}: {names}"


def _question(evaluation: Evaluation) -> str:
    protocol = evaluation.protocol
    if protocol is None:
        return "protocol not known" if evaluation.converted.of_text else ""
    aware = "; the questions tell which categories are present" if protocol.label_aware else ""
    return f"{protocol.name}{aware}: {protocol.prompt}"


def _answers(evaluations: Sequence[Evaluation]) -> str:
    counts = [e.converted.counts for e in evaluations]
    boxes = sum(c.boxes_kept for c in counts)
    if not any(e.converted.of_text for e in evaluations):
        return f"a file of {_number(boxes, 'box', 'boxes')}"
    words = [_number(sum(c.answers for c in counts), "answer")]
    of = {
        "missing": sum(c.missing for c in counts),
        "not readable": sum(c.unparsed for c in counts),
        "cut off": sum(c.truncated for c in counts),
    }
    words += [f"{count:,} {name}" for name, count in of.items() if count]
    return f"{', '.join(words)}; {_number(boxes, 'box', 'boxes')}"


def _condition(evaluation: Evaluation, name: str) -> str:
    return str(evaluation.conditions.get(name) or "")


def _once(lines: Iterable[str]) -> str:
    return " | ".join(dict.fromkeys(filter(None, lines)))
