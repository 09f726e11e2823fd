"""Whether the weights of a checkpoint are those that the model has, by name and shape."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import torch

from ..errors import InputError
from ..text import listed
from .configuration import GriffonGConfig
from .modeling import GriffonGForConditionalGeneration
from .published_names import is_counting, is_needless
from .weight_files import Weight, WeightFile

HEAD, WORDS = "lm_head.weight", "model.language_model.embed_tokens.weight"
_ROWS = 4096  # of two embeddings that are compared at a time


@dataclass(frozen=True)
class Matched:
    """Weights with their new names.

    Attributes:
        weights: by our name.
        counting: how many of the counting branch were left out.
    """

    weights: dict[str, Weight]
    counting: int


def expected_shapes(config: GriffonGConfig) -> dict[str, tuple[int, ...]]:
    """The shape of each weight of the model, by our name."""
    with torch.device("meta"):
        model = GriffonGForConditionalGeneration(config)
    shapes = {name: tuple(value.shape) for name, value in model.state_dict().items()}
    if config.tie_word_embeddings:
        del shapes[HEAD]
    return shapes


def rename(weights: Iterable[Weight], to_ours: Callable[[str], str | None]) -> Matched:
    """The weights by our names, without those that the model does not need.

    Raises:
        InputError: names that are not of Griffon-G.
    """
    renamed: dict[str, Weight] = {}
    unknown, counting = [], 0
    for weight in weights:
        if is_counting(weight.name):
            counting += 1
        elif not is_needless(weight.name):
            name = to_ours(weight.name)
            if name is None:
                unknown.append(weight.name)
            else:
                renamed[name] = weight
    if unknown:
        raise InputError(f"expected the weights of a Griffon-G, got also {listed(unknown)}")
    return Matched(renamed, counting)


def check(weights: dict[str, Weight], config: GriffonGConfig) -> dict[str, Weight]:
    """The weights of the model, of which each is there, and in the right shape.

    Raises:
        InputError: names that are missing or too many, or shapes that differ from the
            configuration's; or a head that should be, and is not, the embedding of words.
    """
    shapes = expected_shapes(config)
    if config.tie_word_embeddings and HEAD in weights and WORDS in weights:
        _check_tied(weights[HEAD], weights[WORDS])
        weights = {name: weight for name, weight in weights.items() if name != HEAD}
    faults = [
        f"{listed(those, 3)} {fault}"
        for those, fault in (
            (sorted(set(shapes) - set(weights)), "missing"),
            (sorted(set(weights) - set(shapes)), "too many"),
            (_wrong(weights, shapes), "by config.json"),
        )
        if those
    ]
    if faults:
        raise InputError(
            f"expected the weights that config.json describes, got {'; '.join(faults)}"
        )
    return weights


def _wrong(weights: dict[str, Weight], shapes: dict[str, tuple[int, ...]]) -> list[str]:
    return [
        f"{weight.name} of shape {weight.shape} instead of {shapes[name]}"
        for name, weight in sorted(weights.items())
        if name in shapes and weight.shape != shapes[name]
    ]


def _check_tied(head: Weight, words: Weight) -> None:
    one, other = WeightFile(head.file).read(head.name), WeightFile(words.file).read(words.name)
    if one.shape != other.shape or not all(
        torch.equal(one[row : row + _ROWS], other[row : row + _ROWS])
        for row in range(0, len(one), _ROWS)
    ):
        raise InputError(
            f"expected {head.name} to equal {words.name}, since tie_word_embeddings is true, got "
            "two that differ: set tie_word_embeddings to false in config.json if it was trained so"
        )
