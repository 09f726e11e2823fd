"""`vision-r1 score --presets`: the same completions by several settings, side by side."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from ..errors import InputError, SettingsError
from ..reward.scorer import Scorer
from ..reward.settings import PRESETS, load_settings
from ..runs.scores import RowScores
from ..text import aligned

ALL = "all"
# What a preset does not decide: how the model sees images and writes boxes.
KEPT = ("model_type", "format", "frame", "reasoning", "json", "max_pixels")


@dataclass(frozen=True)
class PresetColumn:
    """What one preset pays under one stage's criteria.

    Attributes:
        name: of the preset, and of the stage if it has several.
        highest: what an answer can earn.
        totals: of each completion.
        summary: mean and standard deviation of the totals.
        zero_spread: the share of groups whose rewards are equal; None without groups.
    """

    name: str
    highest: float
    totals: tuple[float, ...]
    summary: dict[str, float]
    zero_spread: float | None


def scorers_of(names: Sequence[str], scorer: Scorer) -> tuple[dict[str, Scorer], list[str]]:
    """A scorer for each preset or settings file, and why a preset is left out of `all`.

    Args:
        names: as given; `all` stands for every preset.
        scorer: for how the model sees and writes.

    Raises:
        SettingsError: a name is unknown, or its rules cannot be used with the model's format.
    """
    scorers, left_out = {}, []
    for name in PRESETS if list(names) == [ALL] else names:
        settings = load_settings(name)
        kept = {part: getattr(scorer.settings, part) for part in KEPT}
        try:
            scorers[name] = Scorer(replace(settings, **kept), scorer.io)
        except SettingsError as error:
            if list(names) != [ALL]:
                raise
            left_out.append(f"left out {name}: {error}")
    return scorers, left_out


def columns_of(name: str, scores: RowScores, rows: Sequence[dict[str, Any]]) -> list[PresetColumn]:
    """The columns of a preset, one for each stage that completions were scored under.

    Args:
        name: of the preset.
        scores: that scored the completions.
        rows: what it gave for each.
    """
    summary, stages = scores.summary(), scores.stages
    spread = (summary["groups"] or {}).get("zero_spread", {})
    return [
        PresetColumn(
            f"{name}/{stage}" if len(stages) > 1 else name,
            scores.scorer.settings.highest,
            tuple(row[stage]["total"] for row in rows),
            summary["stages"][stage]["total"],
            spread.get(stage),
        )
        for stage in stages
    ]


def rows_of(
    rows: Sequence[dict[str, Any]], columns: Sequence[PresetColumn]
) -> list[dict[str, Any]]:
    """A row per completion: its place, its boxes, and what each preset pays for it."""
    place = ("line", "place", "step", "predicted", "annotated")
    return [
        {name: row[name] for name in place if name in row}
        | {"rewards": {column.name: column.totals[index] for column in columns}}
        for index, row in enumerate(rows)
    ]


def table(columns: Sequence[PresetColumn]) -> str:
    """The presets one under the other."""
    head = ("preset", "highest", "mean", "std", "mean / highest", "groups without spread")
    body = [
        (
            column.name,
            f"{column.highest:g}",
            f"{column.summary['mean']:.3f}",
            f"{column.summary['std']:.3f}",
            f"{column.summary['mean'] / column.highest:.1%}",
            "-" if column.zero_spread is None else f"{column.zero_spread:.1%}",
        )
        for column in columns
    ]
    return "".join(f"{line}\n" for line in aligned([head, *body]))


def refuse_stage(stage: str | None) -> None:
    """Raise InputError if a stage is asked for: presets have different ones."""
    if stage is not None:
        raise InputError(
            f"expected --presets without --stage, got {stage!r}: every stage of each preset is "
            "shown"
        )
