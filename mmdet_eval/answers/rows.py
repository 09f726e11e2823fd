"""A row of a prediction file: one answer, before it is joined to its image."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from swift_plugin_visionr1.errors import InputError
from swift_plugin_visionr1.geometry.frames import Size

from .answer import Token
from .tokens import read_tokens
from .truncation import looks_truncated


@dataclass(frozen=True)
class Row:
    """One answer as the file has it.

    Attributes:
        line: of the file, from 1.
        text: the model's answer.
        truncated: generation ended before the answer did.
        columns: whatever else the row says: image_id, images, messages, query, ...
        request: an id of the request, which may be the image's; None where the row has none.
        processed: (width, height) of what the model saw, where the row records it.
        tokens: where the row has log-probabilities.
        reasoning: what a server took for reasoning and handed on apart; "" where it is nothing.
        served: a server handed the answer on, which may take reasoning and special tokens out.
    """

    line: int
    text: str
    truncated: bool
    columns: Mapping[str, Any]
    request: str | None = None
    processed: Size | None = None
    tokens: tuple[Token, ...] | None = None
    reasoning: str = ""
    served: bool = False


def make_row(
    line: int,
    where: str,
    text: str,
    columns: Mapping[str, Any],
    *,
    finish_reason: Any = None,
    logprobs: Any = None,
    request: Any = None,
    reasoning: str = "",
    served: bool = False,
) -> Row:
    """A row from what all kinds of files have in common; `where` names it in errors.

    It is truncated by its finish_reason where it has one, else by how its text ends.

    Raises:
        InputError: the recorded input size or the log-probabilities are not what they should be.
    """
    truncated = (
        finish_reason == "length" if isinstance(finish_reason, str) else looks_truncated(text)
    )
    return Row(
        line,
        text,
        truncated,
        columns,
        None if request is None else str(request),
        _processed(columns, where),
        read_tokens(logprobs, where),
        reasoning,
        served,
    )


def _processed(columns: Mapping[str, Any], where: str) -> Size | None:
    written = columns.get("processed_size")
    if written is None:
        written = [columns.get(f"input_{side}") for side in ("width", "height")]
        if written == [None, None]:
            return None
    if (
        not isinstance(written, list)
        or len(written) != 2
        or not all(type(v) is int and v > 0 for v in written)
    ):
        raise InputError(
            f'{where}: expected the recorded input size ("input_width" and "input_height", or '
            '"processed_size") '
            f"to be width and height in whole pixels, got {written}: correct the columns or leave "
            "them out"
        )
    return written[0], written[1]
