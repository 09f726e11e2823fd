"""Reads the tokens of an answer from a row's log-probabilities and locates them in its text."""

import codecs
from collections.abc import Mapping, Sequence
from typing import Any

from swift_plugin_visionr1.errors import InputError
from swift_plugin_visionr1.formats import Span

from .answer import Token

UNKNOWN = "\N{REPLACEMENT CHARACTER}"  # stands for a token that holds only part of a character


def read_tokens(logprobs: Any, where: str) -> tuple[Token, ...] | None:
    """Tokens from `logprobs` in the form of chat answers ("content") or plain completions
    ("tokens").

    If the entries have "bytes", a character that is split over tokens belongs to the last of them.
    None without log-probabilities.

    Raises:
        InputError: it has neither form.
    """
    if logprobs is None:
        return None
    try:
        if logprobs.get("content") is not None:
            return _chat_tokens(logprobs["content"])
        pairs = zip(logprobs["tokens"], logprobs["token_logprobs"], strict=True)
        return tuple(Token(str(text), _number(value)) for text, value in pairs)
    except (AttributeError, KeyError, TypeError, ValueError):
        raise InputError(
            f'{where}: expected "logprobs" to be {{"content": [{{"token": ..., "logprob": ...}}, '
            f"...]}}, got {str(logprobs)[:80]}: leave the column out or infer again"
        ) from None


def _chat_tokens(content: Sequence[Mapping[str, Any]]) -> tuple[Token, ...]:
    decoder = codecs.getincrementaldecoder("utf-8")("replace")
    tokens = []
    for entry in content:
        raw = entry.get("bytes")
        text = str(entry["token"]) if raw is None else decoder.decode(bytes(raw))
        tokens.append(Token(text, _number(entry["logprob"])))
    return tuple(tokens)


def _number(value: Any) -> float:
    return (
        float("nan") if value is None else float(value)
    )  # the first token of an echoed prompt has no log-probability


def locate(tokens: Sequence[Token], text: str) -> list[Span] | None:
    """The characters of `text` that each token wrote; None if the tokens do not match the text.

    Tokens after the end of the text (the end-of-turn token) get an empty range. Tokens that hold
    parts of characters (ms-swift and vLLM write such parts as U+FFFD) share the characters up to
    the next token that can be found.
    """
    spans: list[Span] = []
    at = 0
    parts = room = (
        0  # tokens at the end of `spans` that hold parts of characters, and how many they may cover
    )

    def settle(end: int) -> None:
        spans[len(spans) - parts :] = [(at, end)] * parts

    for token in tokens:
        length = len(token.text)
        start = text.find(token.text, at, at + room + length)
        if start < 0 and (UNKNOWN in token.text) and at < len(text):
            spans.append((at, at))
            parts, room = parts + 1, room + length
            continue
        if start < 0:
            if len(text) - at > room:
                return None
            start, length = len(text), 0
        settle(start)
        spans.append((start, start + length))
        at, parts, room = start + length, 0, 0
    settle(len(text))
    return spans if len(text) - at <= room else None
