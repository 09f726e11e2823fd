"""Our rewards of published works against numbers that the published functions gave.

    python benchmarks/peer_rewards.py FILE

prints `agree / total` for each name in the file and exits with 1 if any differs. The file is JSON,
`{"rewards": {NAME: {"cases": [{"input", "expected"}], "tolerance"}}, "format_texts": [{"text",
"expected"}]}`. Where the published code has a bug, its behaviour is checked, and a second line says
in how many cases the reward as it is meant, which is what the preset pays, differs from it.
"""

import argparse
import json
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from peer_cases import CHECKS, MEANT
from peer_published import TEXT_CHECKS, pr1_grounding_meant

TOLERANCE = 1e-9
Values = dict[str, Any]


def flatten(value: Any, prefix: str = "") -> Iterator[tuple[str, Any]]:
    """The leaves of nested mappings, each with its path."""
    if isinstance(value, Mapping):
        for name, inner in value.items():
            yield from flatten(inner, f"{prefix}/{name}")
    else:
        yield prefix, value


def differences(ours: Any, expected: Any, tolerance: float) -> list[str]:
    """What differs, in words."""
    own, theirs = dict(flatten(ours)), dict(flatten(expected))
    names = [*theirs, *(name for name in own if name not in theirs)]
    return [
        f"{name.lstrip('/') or 'value'}: expected {theirs.get(name)}, got {own.get(name)}"
        for name in names
        if not _is_same(own.get(name), theirs.get(name), tolerance)
    ]


def _is_same(own: Any, theirs: Any, tolerance: float) -> bool:
    numbers = isinstance(own, float | int) and isinstance(theirs, float | int)
    return bool(np.isclose(own, theirs, rtol=0, atol=tolerance)) if numbers else own == theirs


def check_rewards(name: str, reward: Values) -> int:
    """Print how many cases of one reward agree; returns how many do not."""
    if name not in CHECKS:
        print(f"{name:34} not known here: {len(reward['cases'])} cases are not checked")
        return len(reward["cases"])
    check, tolerance = CHECKS[name], reward.get("tolerance", TOLERANCE)
    wrong = []
    for case in reward["cases"]:
        found = differences(
            check(case["input"], reward, case["expected"]), case["expected"], tolerance
        )
        wrong += [f"  {case.get('id', '?')}: {found[0]}"] if found else []
    _say(name, len(reward["cases"]), wrong)
    for bug, meant in MEANT.get(name, {}).items():
        other = sum(
            bool(
                differences(
                    meant(case["input"], reward, case["expected"]), case["expected"], tolerance
                )
            )
            for case in reward["cases"]
        )
        print(
            f"  as meant, without {bug}: {other} of {len(reward['cases'])} cases get another number"
        )
    return len(wrong)


def check_texts(texts: list[Values]) -> int:
    """Print how many texts each published check of texts agrees on; returns how many do not."""
    names = dict.fromkeys(name for text in texts for name in text["expected"])
    return sum(_check_text(name, texts) for name in names)


def _check_text(name: str, texts: list[Values]) -> int:
    mine = [text for text in texts if name in text["expected"]]
    if name not in TEXT_CHECKS:
        print(f"format_texts/{name:21} not known here: {len(mine)} texts are not checked")
        return len(mine)
    wrong = [
        f"  {text['text'][:60]!r}: expected {text['expected'][name]}, got {own}"
        for text in mine
        if (own := TEXT_CHECKS[name](text["text"])) != text["expected"][name]
    ]
    _say(f"format_texts/{name}", len(mine), wrong)
    if name == "pr1_grounding":
        other = sum(pr1_grounding_meant(text["text"]) != text["expected"][name] for text in mine)
        print(f"  as meant, with its bars escaped: {other} of {len(mine)} texts get another number")
    return len(wrong)


def _say(name: str, total: int, wrong: list[str]) -> None:
    print(f"{name:34} {total - len(wrong)} / {total}")
    for line in wrong[:5]:
        print(line)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("file", type=Path, help="JSON of inputs and published numbers")
    data = json.loads(parser.parse_args().file.read_text("utf-8"))
    wrong = sum(check_rewards(name, reward) for name, reward in data["rewards"].items())
    wrong += check_texts(data.get("format_texts", []))
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
