"""Reads output folders of evaluations and checks whether their numbers can be compared."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from swift_plugin_visionr1.declared import check_value
from swift_plugin_visionr1.errors import InputError

from ..metrics.matches import Matches
from ..metrics.matching import LIMIT
from ..reports.manifest import FILES, METRICS, check_whole
from ..suites.spec import check_names

# Conditions that must be the same, and what to do if they are not.
OTHER_QUESTIONS = (
    "their numbers answer different questions; if no protocol is recorded, evaluate again and pass "
    "--protocol to say how the model was asked"
)
REFUSED = {
    "confidence": "evaluate both with the same --score; boxes with scores can only be compared "
    "with other boxes with scores",
    "limits": "evaluate both under the same --protocol",
}
SAME_LIMIT = "evaluate both with the same number"
ARGUMENTS = "arguments"  # recorded along with the conditions that follow from them


@dataclass(frozen=True, eq=False)
class EvaluatedModel:
    """The output folder of an evaluation.

    Attributes:
        name: of its row.
        folder: where it is.
        datasets: name -> its entry in metrics.json.
    """

    name: str
    folder: Path
    datasets: dict[str, dict[str, Any]]

    def max_dets(self, dataset: str) -> Any:
        """The limit of boxes per image and category; COCO's if an earlier version recorded none."""
        return self.datasets[dataset].get("max_dets", LIMIT)


def read_model(folder: Path, name: str) -> EvaluatedModel:
    """Read metrics.json of an output folder.

    Raises:
        InputError: the folder is not an evaluation's, or its files come from different evaluations.
    """
    path = folder / METRICS
    try:
        content = json.loads(path.read_text("utf-8"))
        datasets = content["datasets"]
        for entry in datasets.values():
            entry["annotations"]["sha256"], entry["protocol"], entry["conditions"].items()
            check_value(entry["metrics"], dict[str, float | None], "metrics")
        check_names(list(datasets))
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise InputError(
            f"expected {folder} to be the output folder of an evaluation, got no usable "
            f"{path.name} in it ({type(error).__name__}: {error}); pass folders that `mmdet-eval "
            "--out` wrote"
        ) from None
    if FILES in content:
        check_whole(folder, content)
    return EvaluatedModel(name, folder, datasets)


def read_matches(models: Sequence[EvaluatedModel], dataset: str) -> list[Matches]:
    """The matches of each model, on the same images, categories and annotations.

    Raises:
        InputError: these differ, or a file cannot be read.
    """
    matches = [Matches.load(model.folder / dataset / "matches.npz") for model in models]
    for model, of_model in zip(models, matches, strict=True):
        same = (of_model.image_ids, of_model.category_ids) == (
            matches[0].image_ids,
            matches[0].category_ids,
        )
        if not same or not np.array_equal(of_model.truths, matches[0].truths):
            raise InputError(
                f"expected the same images, categories and annotations of {dataset} in all "
                f"folders, got differences between {models[0].folder} and {model.folder}: evaluate "
                "both with the same classes"
            )
    return matches


def check_comparable(first: EvaluatedModel, other: EvaluatedModel) -> None:
    """Check that the numbers answer the same question.

    Raises:
        InputError: the data sets, their annotations, the protocol, the limit of boxes or a
            condition of `REFUSED` differ.
    """
    if set(first.datasets) != set(other.datasets):
        raise InputError(
            f"expected the same data sets in all folders, got {sorted(first.datasets)} in "
            f"{first.folder} and {sorted(other.datasets)} in {other.folder}: evaluate them on the "
            "same ones"
        )
    for name, ours in first.datasets.items():
        theirs = other.datasets[name]
        hashes = (str(entry["annotations"]["sha256"]) for entry in (ours, theirs))
        facts = [
            ("annotations (sha256)", *hashes, "evaluate both on one file"),
            ("protocol", ours["protocol"], theirs["protocol"], OTHER_QUESTIONS),
            ("--max-dets", first.max_dets(name), other.max_dets(name), SAME_LIMIT),
            *(
                (c, ours["conditions"].get(c), theirs["conditions"].get(c), way)
                for c, way in REFUSED.items()
            ),
        ]
        for fact, here, there, way in facts:
            if here != there:
                raise InputError(
                    f"expected the same {fact} for {name} in all folders, got {_words(here)} in "
                    f"{first.folder} and {_words(there)} in {other.folder}: {way}"
                )


def other_conditions(models: Sequence[EvaluatedModel]) -> tuple[str, ...]:
    """Describes what else differs from the first model: it may be intended, such as the frame, but
    must be known."""
    first, differences = models[0], dict[str, list[str]]()
    for other in models[1:]:
        for dataset, entry in first.datasets.items():
            ours, theirs = entry["conditions"], other.datasets[dataset]["conditions"]
            for name in sorted({*ours, *theirs} - {*REFUSED, ARGUMENTS}):
                if ours.get(name) != theirs.get(name):
                    words = (
                        f"{_words(ours.get(name))} of {first.name}, {_words(theirs.get(name))} "
                        f"of {other.name}"
                    )
                    differences.setdefault(f"{name}: {words}", []).append(dataset)
    return tuple(
        f"{difference} (in {', '.join(datasets)})" for difference, datasets in differences.items()
    )


def _words(value: Any) -> str:
    """A protocol by its name, everything else as it is."""
    named = value.get("name", value) if isinstance(value, dict) else value
    return "none recorded" if named is None else f'"{named}"'
