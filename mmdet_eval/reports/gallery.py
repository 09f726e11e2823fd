"""The answers that the page shows: which ones, and what it needs from each."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ..evaluation import Evaluation
from .judged import JudgedAnswer, ranked
from .pictures import image_file, thumbnail

CARDS = 120  # on a page; makes some megabytes of thumbnails


def chosen(judged: Sequence[JudgedAnswer], limit: int) -> list[int]:
    """Indices of at most `limit` answers: a quarter each unparseable, best and worst, the rest
    evenly in between."""
    order = ranked(judged)
    if len(order) <= limit:
        return order
    share = limit // 4
    broken = [place for place in order if "unparseable" in judged[place].kinds]
    taken = dict.fromkeys([*broken[:share], *order[:share], *order[len(order) - share :]])
    rest = [place for place in order if place not in taken]
    steps = np.linspace(0, len(rest) - 1, limit - len(taken)).round().astype(int)
    taken |= dict.fromkeys(rest[step] for step in steps)
    return [place for place in order if place in taken]


def cards(
    evaluations: Sequence[Evaluation],
    judged: Sequence[Sequence[JudgedAnswer]],
    broken: dict[Path, str],
) -> dict[str, Any]:
    """JSON-ready cards of all data sets, their thumbnails, and how many answers there are; images
    that cannot be opened go into `broken`."""
    limit = max(1, CARDS // len(evaluations))
    thumbnails: dict[Path, str | None] = {}
    shown = []
    for number, (evaluation, answers) in enumerate(zip(evaluations, judged, strict=True)):
        for place in chosen(answers, limit):
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
        "answers": sum(map(len, judged)),
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
