"""Whether the engine that writes the completions reads the same prompts as the trainer, and gives
its tokens the same probabilities.

GRPO's gradient takes the completions as the trainer's own. If the engine was asked something else,
or saw the image at another size, the gradient is of answers that the trainer would not have given,
and nothing says so.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import groupby

import numpy as np

from ...geometry.frames import Size
from ...text import clipped
from ..findings import Finding, note, ok, problem, warning

# Nats, of the mean absolute difference of a token's log-probability. bfloat16 keeps 8 bits: two
# ways to compute the example's small model differ by 0.002, and large ones get more room.
LIMIT = 0.1


@dataclass(frozen=True)
class Side:
    """What the trainer, or the engine, makes of a row.

    Attributes:
        prompt: token ids, with all visual tokens of the image; empty if they are not told.
        length: how many they are.
        size: (width, height) of the image as it is handed to the image processor; None if unknown.
        logprobs: of the answer's tokens; empty if they are not told.
    """

    prompt: tuple[int, ...]
    length: int
    size: Size | None
    logprobs: tuple[float, ...]


@dataclass(frozen=True)
class Pair:
    """A row as both see it.

    Attributes:
        place: names the row.
        around: the trainer's prompt before and behind its system prompt, as text; None if its
            template has no place for one.
        without: the trainer's prompt without a system prompt, as text.
    """

    place: str
    trainer: Side
    engine: Side
    around: tuple[str, str] | None
    without: str


@dataclass(frozen=True)
class Words:
    """The trainer's tokenizer: ids to text, and which of them are special."""

    decode: Callable[[Sequence[int]], str]
    special: frozenset[int]


def trust_findings(engine: str, pairs: Sequence[Pair], words: Words) -> list[Finding]:
    """What differs between the trainer and the engine, which `engine` names."""
    named: dict[str, list[str]] = {}
    for pair in pairs:
        for code, text in _differences(pair, words):
            named.setdefault(code, []).append(f"{pair.place}: {text}")
    shares = {code: f"{len(texts)} of {len(pairs)} prompts" for code, texts in named.items()}
    findings = [
        problem(code, f"{engine} and the trainer differ in {shares[code]}, {_KINDS[code]}. {text}")
        for code, (text, *_) in named.items()
    ]
    distance = mean_distance(pairs)
    if distance is None:
        text = f"{engine} does not tell its tokens and their log-probabilities: the lengths of "
        return [*findings, note("trust", f"{text}{len(pairs)} prompts were compared, no more")]
    told = f"the answers' log-probabilities differ by {distance:.4f} a token on average"
    if findings:
        return [*findings, note("logprobs", f"therefore {told}")]
    return [
        _same_prompts(
            f"{engine} and the trainer read the same {len(pairs)} prompts", told, distance
        )
    ]


def _same_prompts(same: str, told: str, distance: float) -> Finding:
    """About the log-probabilities of the answers to prompts in which nothing differs."""
    if distance <= LIMIT:
        return ok("trust", f"{same}; {told}")
    text = (
        f"{same}, and yet {told}, more than the {LIMIT:g} that rounding explains: other weights "
        "(an adapter, an older checkpoint), quantisation, or other pixels at the same size"
    )
    return warning("logprobs", text)


_KINDS = {
    "resize": "in the size of the image: other limits (MAX_PIXELS, MIN_PIXELS, --max_pixels), or "
    "another preprocessor_config.json",
    "system_prompt": "in the system prompt (--system)",
    "special_tokens": "in special tokens (the tokenizer's settings)",
    "tokenizer": "in the tokenizer: the same text is cut into other tokens",
    "chat_template": "in the chat template (--template)",
    "prompt_length": "in their number of tokens: another size of the image, system prompt, chat "
    "template or special tokens. `swift deploy` tells which",
}


def mean_distance(pairs: Sequence[Pair]) -> float | None:
    """The mean absolute difference of a token's log-probability; None if none is known.

    >>> sides = [Side((), 0, None, told) for told in ((-1.0, -2.0), (-1.5, -2.0))]
    >>> mean_distance([Pair("row 1", *sides, None, "")])
    0.25
    """
    differences = [
        abs(one - other)
        for pair in pairs
        for one, other in zip(pair.trainer.logprobs, pair.engine.logprobs, strict=False)
    ]
    return float(np.mean(differences)) if differences else None


def _differences(pair: Pair, words: Words) -> list[tuple[str, str]]:
    one, other = pair.trainer, pair.engine
    if not other.prompt:
        if one.length == other.length:
            return []
        return [("prompt_length", f"{one.length} in the trainer, {other.length} in the engine")]
    visual = visual_token(one.prompt)
    seen, shown = (list(side.prompt).count(visual) for side in (one, other))
    texts = _text_differences(pair, shorten(one.prompt), shorten(other.prompt), words)
    if seen == shown and (one.size is None or other.size is None or one.size == other.size):
        return texts
    text = f"{_image(one, seen)} in the trainer, {_image(other, shown)} in the engine"
    return [("resize", text), *texts]


def _image(side: Side, tokens: int) -> str:
    size = f" ({side.size[0]} x {side.size[1]})" if side.size else ""
    return f"{tokens} visual tokens{size}"


def visual_token(prompt: Sequence[int]) -> int:
    """The token that is repeated most often in a row: an image's."""
    runs = [(len(list(run)), token) for token, run in groupby(prompt)]
    return max(runs, default=(0, -1))[1]


def shorten(prompt: Sequence[int]) -> list[int]:
    """The prompt with one visual token for each run of them."""
    visual = visual_token(prompt)
    return [t for n, t in enumerate(prompt) if t != visual or n == 0 or prompt[n - 1] != visual]


def _text_differences(
    pair: Pair, one: list[int], other: list[int], words: Words
) -> list[tuple[str, str]]:
    if one == other:
        return []
    text, told = words.decode(one), words.decode(other)
    if text == told:
        return [("tokenizer", f"{len(one)} tokens in the trainer, {len(other)} in the engine")]
    system = _system_difference(pair, text, told)
    if system:
        return [("system_prompt", system)]
    plain = [[token for token in ids if token not in words.special] for ids in (one, other)]
    if plain[0] == plain[1]:
        return [("special_tokens", _special_difference(one, other, words))]
    return [("chat_template", _first_difference(text, told))]


def _system_difference(pair: Pair, text: str, told: str) -> str | None:
    """What the two have as system prompt; None if that does not explain the difference."""
    systems = []
    for prompt in (text, told):
        inside = _between(prompt, *pair.around) if pair.around else None
        if inside is None and prompt != pair.without:
            return None
        systems.append("none" if inside is None else repr(clipped(inside)))
    return f"{systems[0]} in the trainer, {systems[1]} in the engine"


def _between(text: str, before: str, after: str) -> str | None:
    inside = text[len(before) : len(text) - len(after)]
    return inside if text == before + inside + after else None


def _special_difference(one: list[int], other: list[int], words: Words) -> str:
    counts = Counter(one), Counter(other)
    more, fewer = counts[1] - counts[0], counts[0] - counts[1]
    parts = [
        f"the engine has {words.decode([token])} {count} times {word}"
        for surplus, word in ((more, "more"), (fewer, "less"))
        for token, count in surplus.items()
    ]
    return ", ".join(parts) or "they stand in another order"


def _first_difference(text: str, told: str) -> str:
    same = next((n for n, (a, b) in enumerate(zip(text, told, strict=False)) if a != b), None)
    start = max(0, (min(len(text), len(told)) if same is None else same) - 20)
    parts = (repr(clipped(prompt[start:], 80)) for prompt in (text, told))
    return "{} in the trainer, {} in the engine".format(*parts)
