"""Which completions a picture shows: one group of each scored batch, the completions of one
prompt."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from ..data.ground_truth import GroundTruth
from ..data.published.base import first_image
from .equations import RewardBreakdown
from .schedule import Standard

COLUMNS = ("messages", "images", "solution")


@dataclass(frozen=True, eq=False)
class RolloutGroup:
    """Completions of one prompt, as far as this process scored them.

    Attributes:
        texts: the completions.
        breakdowns: what each of them earned.
        truth: the row's annotations.
        row: the row's own messages, images and solution.
        standard: the criteria that applied.
        step: number of optimisation steps before the one that sampled them; None if the trainer
            does not tell.
    """

    texts: tuple[str, ...]
    breakdowns: tuple[RewardBreakdown, ...]
    truth: GroundTruth
    row: dict[str, Any]
    standard: Standard
    step: int | None

    @property
    def image(self) -> Any:
        """The image as the trainer has it: a path, bytes, a mapping of both, or a PIL image; None
        without one."""
        return first_image(self.row)

    @property
    def prompt(self) -> str:
        """The user's last message; "" if it is not text."""
        asked = _asked(self.row.get("messages"))
        return asked[-1] if asked and isinstance(asked[-1], str) else ""


def _asked(messages: Any) -> list[Any]:
    if not isinstance(messages, list):
        return []
    return [message.get("content") for message in messages if message.get("role") == "user"]


def asked_first(columns: Mapping[str, Any], count: int) -> list[Any]:
    """The user's first message in each of `count` rows, None if a row has no such message.

    Later ones of a conversation differ between completions.
    """
    messages = columns.get("messages")
    if messages is None or len(messages) != count:
        return [None] * count
    return [next(iter(_asked(each)), None) for each in messages]


def telling_group(
    texts: Sequence[str],
    columns: Mapping[str, Any],
    truths: Sequence[GroundTruth],
    breakdowns: Sequence[RewardBreakdown],
    standards: Sequence[Standard],
    step: int | None,
) -> RolloutGroup:
    """The first group whose rewards differ, which is what a policy learns from; else the first.

    A group is a run of rows with the same prompt, annotation and image: ms-swift's `prompt_id` is
    the same for all images that are asked the same question.

    Args:
        texts: the completions of a reward call, at least one.
        columns: its columns, one value per completion.
        truths: the annotation of each.
        breakdowns: what each earned.
        standards: the criteria that applied to each.
        step: the trainer's step.
    """
    names = [name for name in COLUMNS if len(columns.get(name) or ()) == len(texts)]
    rows = [{name: columns[name][i] for name in names} for i in range(len(texts))]
    prompts = columns.get("prompt_id") or [None] * len(texts)
    groups = groupby(
        range(len(texts)), key=lambda i: (prompts[i], rows[i]["solution"], first_image(rows[i]))
    )
    runs = [list(run) for _, run in groups]
    telling = (run for run in runs if len({breakdowns[i].total for i in run}) > 1)
    chosen = next(telling, runs[0])
    first = chosen[0]
    return RolloutGroup(
        tuple(texts[i] for i in chosen),
        tuple(breakdowns[i] for i in chosen),
        truths[first],
        rows[first],
        standards[first],
        step,
    )
