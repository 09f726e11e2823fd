"""The stored results: one JSON file a run."""

import base64
import json
import zlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import mean
from typing import Any

from run_list import RunList, Setting

OTHERS = "out_of_domain"  # the mean over all sets but the first
Result = dict[str, Any]


def pack_boxes(results: Sequence[Mapping[str, Any]]) -> str:
    """COCO results as text: base64 of zlib of JSON; coordinates to a tenth of a pixel."""
    rows = [
        [one["image_id"], one["category_id"], *(round(value * 10) for value in one["bbox"])]
        for one in results
    ]
    return base64.b64encode(zlib.compress(json.dumps(rows).encode(), 9)).decode()


def unpack_boxes(text: str) -> list[dict[str, Any]]:
    """What `pack_boxes` packed, all with score 1, in the same order."""
    rows = json.loads(zlib.decompress(base64.b64decode(text)))
    return [
        {
            "image_id": image,
            "category_id": category,
            "bbox": [value / 10 for value in xywh],
            "score": 1.0,
        }
        for image, category, *xywh in rows
    ]


@dataclass(frozen=True)
class Results:
    """All stored results of a list of runs."""

    stored: tuple[Result, ...]

    def of(self, base: str, setting: str) -> list[Result]:
        """The runs of one setting on one base, by seed."""
        chosen = [one for one in self.stored if (one["base"], one["setting"]) == (base, setting)]
        return sorted(chosen, key=lambda one: one["seed"])

    def best(self, base: str, settings: Iterable[str], metric: str, data: str) -> str | None:
        """The setting with the highest mean of a metric; None if none of them was run.

        One with a single seed counts only if none has more: the luckiest seed is no evidence.
        """
        done = {name: runs for name in settings if (runs := self.of(base, name))}
        repeated = {name: runs for name, runs in done.items() if len(runs) > 1}
        means = {
            name: mean(number(one, metric, data) for one in runs)
            for name, runs in (repeated or done).items()
        }
        return max(means, key=lambda name: means[name]) if means else None


def read_results(folder: Path, runs: RunList) -> Results:
    """The results of settings that are still in the list."""
    names = {setting.name for setting in runs.settings}
    read = [json.loads(path.read_text()) for path in sorted(folder.glob("*.json"))]
    return Results(
        tuple(one for one in read if one["setting"] in names and one["base"] in runs.bases)
    )


def number(result: Result, metric: str, data: str) -> float:
    """A metric of one run on one set, or its mean over the sets out of domain; None counts as 0."""
    names = list(result["sets"])[1:] if data == OTHERS else [data]
    return mean(result["sets"][name][metric] or 0.0 for name in names)


def missing(results: Results, runs: RunList) -> list[tuple[Setting, str, int, int]]:
    """(setting, base, seeds run, seeds listed) of everything that is not complete."""
    lacking = []
    for setting in runs.settings:
        wanted = len(runs.seeds_of(setting))
        for base in runs.bases_of(setting):
            count = len(results.of(base, setting.name))
            if count < wanted:
                lacking.append((setting, base, count, wanted))
    return lacking
