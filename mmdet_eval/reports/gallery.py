"""The answers that the page shows: which ones, and what it needs from each."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from .faults import SHOWN
from .judged import JudgedAnswer, ranked
from .pictures import image_file, thumbnail
from .report import ReportParts

CARDS = 120  # on a page; makes some megabytes of thumbnails


def chosen(judged: Sequence[JudgedAnswer], limit: int, wanted: Iterable[int] = ()) -> list[int]:
    """Indices of at most `limit` answers and those `wanted`: a quarter each unparseable, best,
    worst, and evenly over the file, which are the same for another model; the rest evenly in
    between."""
    order = ranked(judged)
    if len(order) <= limit:
        return order
    share = limit // 4
    broken = [place for place in order if judged[place].read.unparsed]
    taken = dict.fromkeys([*broken[:share], *order[:share], *order[len(order) - share :]])
    taken |= dict.fromkeys(_evenly(range(len(order)), min(share, limit - len(taken))))
    rest = [place for place in order if place not in taken]
    taken |= dict.fromkeys(_evenly(rest, limit - len(taken)))
    taken |= dict.fromkeys(wanted)
    return [place for place in order if place in taken]


def _evenly(places: Sequence[int], count: int) -> list[int]:
    steps = np.linspace(0, len(places) - 1, count).round().astype(int).tolist()
    return [places[step] for step in steps]


def cards(report: ReportParts, broken: dict[Path, str]) -> dict[str, Any]:
    """JSON-ready cards of all data sets, their thumbnails, and how many answers there are; images
    that cannot be opened go into `broken`."""
    limit = max(1, CARDS // len(report.evaluations))
    examples = [where for fault in report.faults[:SHOWN] for where in fault.examples]
    thumbnails: dict[Path, str | None] = {}
    shown = []
    for number, (evaluation, answers) in enumerate(
        zip(report.evaluations, report.judged, strict=True)
    ):
        wanted = [place for of_set, place in examples if of_set == number]
        for place in chosen(answers, limit, wanted):
            path = image_file(evaluation, answers[place])
            if path and path not in thumbnails:
                thumbnails[path] = thumbnail(path, broken)
            picture = list(thumbnails).index(path) if path else None
            shown.append(
                {"set": number, "place": place, "picture": picture, **_card(answers[place])}
            )
    return {
        "cards": shown,
        "thumbnails": list(thumbnails.values()),
        "answers": sum(map(len, report.judged)),
    }


def _card(judged: JudgedAnswer) -> dict[str, Any]:
    answer, reward, truth = judged.read.answer, judged.reward, judged.truth
    parts = {name: getattr(reward, name) for name in ("total", "format", "recall", "precision")}
    return {
        "image": answer.image.file_name or str(answer.image.id),
        "line": answer.line,
        "query": answer.query.name,
        "size": truth.size,
        "reward": parts,
        "kinds": judged.kinds,
        "issues": judged.read.issues,
        "truths": [
            {"box": box, "label": name}
            for box, name in zip(truth.boxes.tolist(), truth.labels, strict=True)
        ],
        "boxes": _boxes(judged),
        "text": answer.text,
    }


def _boxes(judged: JudgedAnswer) -> list[dict[str, Any]]:
    read = judged.read
    parts = zip(read.boxes.tolist(), read.parsed.labels, judged.ious, judged.states, strict=True)
    return [
        {"box": box, "label": label, "iou": iou, "state": state} for box, label, iou, state in parts
    ]
