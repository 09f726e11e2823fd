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
class AnswerRow:
    """One answer as it stands in the file.

    Attributes:
        line: line of the file, from 1.
        text: the model's answer.
        truncated: generation stopped before the answer was complete.
        columns: the rest of the row: image_id, images, messages, query, ...
        request: the request's id, which may be the image's; None if the row has no id.
        processed: (width, height) of what the model saw, if the row records it.
        tokens: the tokens, if the row has log-probabilities.
        reasoning: what a server took for reasoning and returned separately; "" if nothing.
        served: the answer came from a server, which may strip reasoning and special tokens.
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
) -> AnswerRow:
    """A row, built from what all kinds of files have in common; `where` names it in errors.

    Whether it is truncated follows from its finish_reason, if any, else from the end of its text.

    Raises:
        InputError: the recorded input size or the log-probabilities are invalid.
    """
    truncated = (
        finish_reason == "length" if isinstance(finish_reason, str) else looks_truncated(text)
    )
    return AnswerRow(
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
            f'"processed_size") to be width and height in whole pixels, got {written}: correct the '
            "columns or leave them out"
        )
    return written[0], written[1]
