"""What a mix is: the YAML of `vision-r1 prepare --mix`, and the options of a single source."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..declared import declared_values, read_declared
from ..errors import InputError
from ..files import load_yaml
from ..text import did_you_mean
from .difficulty import Terms
from .image_truth import Exif, Sizes
from .sample import BOX_CHOICES, Task


@dataclass(frozen=True)
class SourcePlan:
    """A source of a mix.

    Attributes:
        path: a file or folder.
        format: of its annotations; None to tell it by its files.
        images: the folder of its images; None for the format's.
        split: of its samples that are used; None is train where there is one, else all.
        boxes: how its boxes are written; None for the format's way.
        exif: see `Truth`.
        sizes: see `Truth`.
    """

    path: str
    format: str | None = None
    images: str | None = None
    split: str | None = None
    boxes: str | None = None
    exif: Exif = "as format"
    sizes: Sizes = "as written"


@dataclass(frozen=True)
class Part:
    """Rows of one task.

    Attributes:
        sources: names of sources, which share the rows equally; where one has too few, the others
            fill up.
        task: what is asked; None for what the first source is best for.
        count: rows; None for all.
        negatives: share of rows in which nothing that is asked for is there; None for as many as
            there are.
        challenging: share of the other rows that are challenging; None for as they come.
        balance: 0 for as they come, 0.5 for LVIS's repeat factor: rare categories come earlier.
        shots: instances of each category, in place of a count.
    """

    sources: tuple[str, ...]
    task: Task | None = None
    count: int | None = None
    negatives: float | None = None
    challenging: float | None = None
    balance: float = 0.0
    shots: int | None = None


@dataclass(frozen=True)
class Caps:
    """What bounds rows.

    Attributes:
        rows_per_image: of all parts together; None for no bound.
        boxes: of one row.
        per_category: rows of which a category is the rarest.
        answer_tokens: of the right answer, by the tokenizer; that is max_completion_length.
    """

    rows_per_image: int | None = None
    boxes: int | None = None
    per_category: int | None = None
    answer_tokens: int | None = None


@dataclass(frozen=True)
class Mix:
    """A data set to be made.

    Attributes:
        sources: by name.
        parts: of the data set.
        seed: of all that is drawn.
        caps: see `Caps`.
        exclude: COCO files and folders of images that are evaluated on.
        holdout: share of the images that go into val instead of train.
        paraphrased: share of the questions that are asked in other words.
        longest_list: categories that a question names at most.
        drawn: absent categories beside those that are there, in questions about larger sources.
        difficulty: what makes an image challenging, and what rows teach a model.
    """

    sources: dict[str, SourcePlan]
    parts: tuple[Part, ...]
    seed: int = 0
    caps: Caps = field(default_factory=Caps)
    exclude: tuple[str, ...] = ()
    holdout: float = 0.0
    paraphrased: float = 0.0
    longest_list: int = 80
    drawn: int = 20
    difficulty: Terms = field(default_factory=Terms)


NESTED = ("sources", "parts", "caps", "difficulty")


def read_mix(path: Path) -> Mix:
    """The mix that a YAML file describes.

    Raises:
        InputError: it cannot be read, or says something that a mix does not have.
    """
    data = load_yaml(path)
    is_mapping = isinstance(data, Mapping)
    flat = {n: v for n, v in data.items() if n not in NESTED} if is_mapping else data
    given = declared_values(Mix, flat, str(path))
    plans, parts = data.get("sources"), data.get("parts")
    if not isinstance(plans, Mapping) or not isinstance(parts, list) or not parts or not plans:
        raise InputError(f"expected sources and parts in {path}, got only {', '.join(data)}")
    mix = Mix(
        {str(name): _plan(value, f"{name} of {path}") for name, value in plans.items()},
        tuple(_part(value, f"part {n} of {path}") for n, value in enumerate(parts, start=1)),
        caps=read_declared(Caps, data.get("caps", {}), f"caps of {path}"),
        difficulty=read_declared(Terms, data.get("difficulty", {}), f"difficulty of {path}"),
        **given,
    )
    check_mix(mix, str(path))
    return mix


def _plan(value: Any, where: str) -> SourcePlan:
    return read_declared(SourcePlan, {"path": value} if isinstance(value, str) else value, where)


def _part(value: Any, where: str) -> Part:
    if isinstance(value, Mapping) and isinstance(value.get("sources"), str):
        value = {**value, "sources": [value["sources"]]}
    return read_declared(Part, value, where)


def check_mix(mix: Mix, where: str) -> None:
    """Raise InputError if the numbers or names of a mix do not go together."""
    for part in mix.parts:
        for name in part.sources:
            if name not in mix.sources:
                raise InputError(
                    f"expected the sources {', '.join(mix.sources)} in the parts of {where}, got "
                    f"{name!r}{did_you_mean(name, mix.sources)}"
                )
        for name, value in (("negatives", part.negatives), ("challenging", part.challenging)):
            if value is not None and not 0 <= value <= 1:
                raise InputError(f"expected {name} in {where} to be from 0 to 1, got {value:g}")
        if part.count is not None and part.count < 0:
            raise InputError(f"expected count in {where} to be at least 0, got {part.count}")
        if part.count is not None and part.shots is not None:
            raise InputError(f"expected count or shots in a part of {where}, got both")
    for name, plan in mix.sources.items():
        if plan.boxes is not None and plan.boxes not in BOX_CHOICES:
            raise InputError(
                f"expected boxes of {name} to be one of {', '.join(BOX_CHOICES)}, got "
                f"{plan.boxes!r}"
            )
    if not 0 <= mix.difficulty.keep <= 1:
        raise InputError(f"expected keep in {where} to be a share, from 0 to 1")
    if not 0 <= mix.holdout < 1 or not 0 <= mix.paraphrased <= 1:
        raise InputError(f"expected holdout and paraphrased in {where} to be shares, from 0 to 1")
