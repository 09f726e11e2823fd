"""All files of a run."""

import sys
from collections import Counter
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path

from swift_plugin_visionr1.errors import InputError
from swift_plugin_visionr1.text import listed

from ..evaluation import Evaluation
from .judged import judge
from .machine_files import write_files, write_text
from .metrics_json import record
from .page import page
from .pictures import write_pictures
from .pr_curves import write_curves
from .summary import summary


def write_outputs(
    folder: Path, evaluations: Sequence[Evaluation], suite: str | None, left_out: Sequence[str]
) -> None:
    """Write metrics.json, summary.md, report.html, and a folder for each data set, over those of an
    earlier run.

    Without torch, mmdet's dump of each data set is left out and stderr says so.

    Args:
        folder: made where it is not there.
        evaluations: at least one, in the order of the suite.
        suite: its name; None for a data set by itself.
        left_out: names of data sets of the suite that are missing.

    Raises:
        InputError: a data set's name cannot be a folder's, or two have the same.
        OSError: the folder cannot be written.
    """
    _check_names([evaluation.name for evaluation in evaluations])
    judged = [judge(evaluation) for evaluation in evaluations]
    broken: dict[Path, str] = {}
    for evaluation, answers in zip(evaluations, judged, strict=True):
        own = folder / evaluation.name
        own.mkdir(parents=True, exist_ok=True)
        write_files(own, evaluation)
        write_curves(own / "pr_curves.png", evaluation)
        write_pictures(own / "pictures", evaluation.images, answers, broken)
    if find_spec("torch") is None:
        print(
            "mmdet-eval: predictions.pkl, mmdet's dump, is left out: it needs torch",
            file=sys.stderr,
        )
    write_text(folder / "metrics.json", record(evaluations, suite, left_out))
    write_text(folder / "summary.md", summary(evaluations, suite, left_out))
    write_text(folder / "report.html", page(evaluations, judged, suite, left_out, broken))
    if broken:
        reasons = listed(broken.values(), most=3)
        print(
            f"mmdet-eval: the report lacks the pictures of {len(broken)} images: {reasons}",
            file=sys.stderr,
        )


def _check_names(names: Sequence[str]) -> None:
    for name, times in Counter(names).items():
        if times > 1:
            raise InputError(
                f"expected data sets with names that differ, got {name!r} {times} times: rename one"
            )
        if name in ("", ".", "..") or set(name) & set("/\\\0"):
            raise InputError(
                f"expected a data set's name that can be a folder's, got {name!r}: rename it"
            )
