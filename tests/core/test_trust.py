"""What is said of an engine whose prompts or probabilities are not the trainer's."""

from collections.abc import Sequence

import pytest

from swift_plugin_visionr1.doctor.checks.trust import LIMIT, Pair, Side, Words, trust_findings

IMAGE = "<image>"
SPECIAL = (IMAGE, "<start>", "<end>", "<bos>")
TEXTS = (*SPECIAL, *"abcdefghijklmnopqrstuvwxyz :.|", "cat")
WORDS = Words(
    lambda ids: "".join(TEXTS[token] for token in ids),
    frozenset(map(TEXTS.index, SPECIAL)),
)
AROUND = ("<start>system ", "<end><start>user <image>where is it<end>")
WITHOUT = "<start>user <image>where is it<end>"


def ids(text: str, visual: int = 16) -> tuple[int, ...]:
    """Tokens of a prompt: special ones, letters, and one image."""
    made: list[int] = []
    while text:
        token = next((word for word in SPECIAL if text.startswith(word)), text[0])
        made += [TEXTS.index(token)] * (visual if token == IMAGE else 1)
        text = text[len(token) :]
    return tuple(made)


def side(prompt: Sequence[int], size: tuple[int, int] | None = None, logprob: float = -1.0) -> Side:
    return Side(tuple(prompt), len(prompt), size, (logprob, -2.0))


USUAL = "be kind".join(AROUND)


def codes(engine: Side, trainer: str = USUAL, around: tuple[str, str] | None = AROUND) -> list[str]:
    pair = Pair("row 1", side(ids(trainer)), engine, around, WITHOUT)
    findings = trust_findings("vllm", [pair], WORDS)
    return [finding.code for finding in findings if finding.state in ("problem", "warning")]


@pytest.mark.parametrize(
    ("engine", "code"),
    [
        pytest.param(ids(USUAL, 9), "resize", id="fewer visual tokens"),
        pytest.param(ids("be brief".join(AROUND)), "system_prompt", id="another system prompt"),
        pytest.param(ids(WITHOUT), "system_prompt", id="no system prompt"),
        pytest.param(ids("<bos>" + USUAL), "special_tokens", id="one more at the start"),
        pytest.param(ids(USUAL.removesuffix("<end>")), "special_tokens", id="one less at the end"),
        pytest.param(
            ids("system: be kind user: <image>where is it"), "chat_template", id="another template"
        ),
        pytest.param(ids(USUAL.replace("where", "there")), "chat_template", id="another question"),
    ],
)
def test_the_cause_is_named(engine: tuple[int, ...], code: str) -> None:
    assert codes(side(engine, logprob=-4.0)) == [code]  # and not the probabilities that follow


def test_two_causes_are_both_named() -> None:
    assert codes(side(ids("be brief".join(AROUND), 9))) == ["resize", "system_prompt"]


def test_a_system_prompt_that_only_the_engine_has_is_named() -> None:
    assert codes(side(ids(USUAL)), trainer=WITHOUT) == ["system_prompt"]


def test_a_template_without_a_system_prompt() -> None:
    assert codes(side(ids("<bos>" + USUAL)), around=None) == ["special_tokens"]
    assert codes(side(ids("be brief".join(AROUND))), around=None) == ["chat_template"]


def test_the_same_text_in_other_tokens_is_the_tokenizer() -> None:
    letters = USUAL.replace("kind", "cat")
    at = len(ids(letters.split("cat")[0]))
    merged = (*ids(letters)[:at], TEXTS.index("cat"), *ids(letters)[at + 3 :])
    assert codes(side(merged), trainer=letters) == ["tokenizer"]


def test_sizes_of_as_many_visual_tokens() -> None:
    sides = [side(ids(USUAL), size) for size in ((56, 224), (112, 112))]
    pair = Pair("row 1", *sides, AROUND, WITHOUT)
    assert next(finding.code for finding in trust_findings("vllm", [pair], WORDS)) == "resize"


@pytest.mark.parametrize(
    ("distance", "expected"),
    [(0.0, []), (2 * LIMIT - 0.01, []), (2 * LIMIT + 0.01, ["logprobs"])],
    ids=["equal", "rounding", "other weights"],
)
def test_probabilities_of_the_same_prompt(distance: float, expected: list[str]) -> None:
    assert codes(side(ids(USUAL), logprob=-1.0 - distance)) == expected  # one of two tokens


def test_a_server_that_tells_only_lengths() -> None:
    told = len(ids(USUAL))
    assert codes(Side((), told, None, ())) == []
    assert codes(Side((), told + 2, None, ())) == ["prompt_length"]
