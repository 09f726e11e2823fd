"""report.html: one self-contained page. Python gathers the data, the browser draws it, and nothing
is loaded from elsewhere."""

import base64
import hashlib
import html
import json
import re
from collections.abc import Sequence
from importlib.resources import files
from pathlib import Path
from typing import Any

from ..evaluation import Evaluation
from ..versions import versions
from .beside import beside_rows
from .gallery import cards
from .judged import KINDS, JudgedAnswer
from .phrases import average, counts_in_words, decides, headline, spread_in_words
from .pr_curves import curves
from .rewards import WORDS

SCRIPTS = ("build.js", "tables.js", "curves.js", "gallery.js", "report.js")
LABELS_SHOWN = 30


def page(
    evaluations: Sequence[Evaluation],
    judged: Sequence[Sequence[JudgedAnswer]],
    suite: str | None,
    left_out: Sequence[str],
    broken: dict[Path, str],
) -> str:
    """The page's HTML.

    Args:
        evaluations: data sets in the order of the suite.
        judged: the answers of each.
        suite: its name, if it is a suite.
        left_out: data sets that the average lacks.
        broken: filled with each image that cannot be shown, and the reason.
    """
    script = "\n".join(_template(name) for name in SCRIPTS)
    style, title = _template("report.css"), suite or evaluations[0].name
    # Only this script and this style: text from a model could not run or load anything even as
    # markup.
    policy = (
        f"default-src 'none'; img-src data:; style-src {_hash(style)}; script-src {_hash(script)}"
    )
    parts = {"policy": policy, "title": html.escape(title), "style": style, "script": script}
    parts["data"] = _json(_data(evaluations, judged, suite, left_out, broken))
    return re.sub(r"\{\{(\w+)\}\}", lambda match: parts[match[1]], _template("report.html"))


def _template(name: str) -> str:
    return (files(__package__) / "page" / name).read_text("utf-8")


def _hash(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def _json(data: Any) -> str:
    """JSON that is safe inside a script element: `<` and everything beyond ASCII are escaped."""
    return json.dumps(data, allow_nan=False).replace("<", "\\u003c")


def _data(
    evaluations: Sequence[Evaluation],
    judged: Sequence[Sequence[JudgedAnswer]],
    suite: str | None,
    left_out: Sequence[str],
    broken: dict[Path, str],
) -> dict[str, Any]:
    return {
        "suite": suite,
        "leftOut": list(left_out),
        "headline": headline(evaluations),
        "average": average(evaluations),
        "sets": [_set(evaluation) for evaluation in evaluations],
        "kinds": KINDS,
        "rewardWords": WORDS,
        "versions": versions(),
        **cards(evaluations, judged, broken),
    }


def _set(evaluation: Evaluation) -> dict[str, Any]:
    scores, converted = evaluation.scores, evaluation.converted
    unknown = list(converted.unknown_labels.items())
    return {
        "name": evaluation.name,
        "metrics": scores.metrics,
        "beside": beside_rows(evaluation),
        "spread": spread_in_words(scores.spread),
        "decides": decides(evaluation),
        "counts": counts_in_words(evaluation),
        "unknown": unknown[:LABELS_SHOWN],
        "unknownLabels": len(unknown),
        "warnings": converted.warnings,
        "classes": [
            {"name": c.name, "truths": c.truths, "boxes": c.boxes, "metrics": c.metrics}
            for c in scores.classes
        ],
        "curves": [
            {
                "name": c.name,
                "oneClass": c.one_class,
                "precision": [round(float(v), 4) for v in c.precision],
            }
            for c in curves(scores)
        ],
    }
