"""Our metrics against the numbers that published evaluations gave.

    python benchmarks/published_metrics.py FILE

prints `agree / total` for each name in the file and exits with 1 if any differs. The file is JSON,
`{"metrics": {NAME: {"cases": [{"id", "input", "expected", ...}]}}}`. Where the published code has a
bug, its behaviour is checked, and a second line says in how many cases the number as it is meant,
which is what the evaluator reports, differs from it.
"""

import argparse
import json
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from published_boxes import BOX_CHECKS, BOX_MEANT
from published_frames import FRAME_CHECKS, FRAMES_MEANT
from published_rex_omni import REX_OMNI_CHECKS, REX_OMNI_MEANT

TOLERANCE = 1e-6
CHECKS = REX_OMNI_CHECKS | BOX_CHECKS | FRAME_CHECKS
MEANT = REX_OMNI_MEANT | BOX_MEANT | FRAMES_MEANT  # by what is wrong with the published code
Values = dict[str, Any]


def leaves(value: Any, prefix: str = "") -> Iterator[tuple[str, Any]]:
    """The leaves of nested mappings and lists, each with its path."""
    if isinstance(value, list | tuple):
        value = dict(enumerate(value)) or "[]"
    if isinstance(value, Mapping):
        for name, inner in value.items():
            yield from leaves(inner, f"{prefix}/{name}")
    else:
        yield prefix.lstrip("/"), value


def difference(ours: Any, expected: Any) -> str:
    """The first thing that differs, in words; empty if nothing does."""
    mine, theirs = dict(leaves(ours)), dict(leaves(expected))
    for name in [*theirs, *(name for name in mine if name not in theirs)]:
        if name not in mine or name not in theirs or not _is_same(mine[name], theirs[name]):
            return f"{name}: expected {theirs.get(name)}, got {mine.get(name)}"
    return ""


def _is_same(mine: Any, theirs: Any) -> bool:
    numbers = all(isinstance(one, float | int | np.generic) for one in (mine, theirs))
    if not numbers:
        return bool(mine == theirs)
    return bool(np.isclose(float(mine), float(theirs), rtol=0, atol=TOLERANCE, equal_nan=True))


def check(name: str, cases: list[Values]) -> int:
    """Print how many cases of one metric agree; returns how many do not."""
    if name not in CHECKS:
        print(f"{name:30} not known here: {len(cases)} cases are not checked")
        return len(cases)
    wrong = []
    for case in cases:
        ours = CHECKS[name](case["input"])
        if words := difference(ours, {key: case[key] for key in ours if key in case}):
            wrong.append(f"  {case.get('id', '?')}: {words}")
    print("\n".join([f"{name:30} {len(cases) - len(wrong)} / {len(cases)}", *wrong[:5]]))
    for bug, meant in MEANT.get(name, {}).items():
        other = sum(_differs(meant(case["input"]), case["expected"]) for case in cases)
        print(f"  as meant, without {bug}: {other} of {len(cases)} cases get another number")
    return len(wrong)


def _differs(meant: Values, published: Values) -> bool:
    """Whether the numbers as they are meant are others than those published."""
    published = published.get("aggregates", published)
    return bool(difference(meant, {name: published[name] for name in meant}))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("file", type=Path, help="JSON of inputs and published numbers")
    metrics = json.loads(parser.parse_args().file.read_text("utf-8"))["metrics"]
    wrong = sum(check(name, metric["cases"]) for name, metric in metrics.items())
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
