"""Prediction files that are read as rows or as boxes."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from mmdet_eval import (
    Annotations,
    Converted,
    read_predictions,
)
from mmdet_eval.answers.rows import AnswerRow

Write = Callable[[str, Any], Path]


def boxes_of(path: Path, annotations: Annotations, **options: Any) -> Converted:
    found = read_predictions(path, annotations, **options)
    assert isinstance(found, Converted)
    return found


def rows_of(path: Path, annotations: Annotations) -> list[AnswerRow]:
    found = read_predictions(path, annotations)
    assert isinstance(found, list)
    return found
