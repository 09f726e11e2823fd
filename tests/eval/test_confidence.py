"""Confidence policies: what the tokens or the model itself say about each box."""

import json
import math
from typing import Any

import pytest

from mmdet_eval import Answer, Converted, InputError, to_coco_results
from mmdet_eval.answers.answer import Token
from mmdet_eval.answers.tokens import locate, read_tokens
from mmdet_eval.coco.annotations import Image
from swift_plugin_visionr1 import Settings, model_io

IMAGE = Image(4, "x.png", (560, 280))
TEXT = '[{"bbox_2d": [1, 2, 30, 40], "label": "cat"}, {"bbox_2d": [5, 6, 70, 80], "label": "dog"}]'


def tokens(*pairs: tuple[str, float]) -> tuple[Token, ...]:
    return tuple(Token(text, math.log(probability)) for text, probability in pairs)


def convert(text: str, policy: str, written: tuple[Token, ...] | None = None) -> Converted:
    answer = Answer(IMAGE, text, False, 1, tokens=written)
    categories = {1: "cat", 2: "dog", 3: "über"}
    return to_coco_results([answer], model_io(Settings()), categories, 1, policy)


def scores(found: Converted) -> list[float]:
    return [result["score"] for result in found.results]


def test_only_the_tokens_of_coordinates_and_label_count() -> None:
    written = tokens(
        ('[{"', 0.1),
        ("bbox_2d", 0.1),
        ('": [', 0.1),
        ("1", 0.5),
        (",", 0.1),
        (" 2", 0.8),
        (", ", 0.1),
        ("30", 1),
        (", ", 0.1),
        ("4", 0.4),
        ("0", 1),
        ('], "label": "', 0.1),
        ("cat", 0.9),
        ('"}, {"bbox_2d": [', 0.1),
        ("5", 0.25),
        (", ", 0.1),
        ("6", 0.25),
        (", ", 0.1),
        ("70", 0.25),
        (", ", 0.1),
        ("80", 0.25),
        ('], "label": "', 0.1),
        ("dog", 0.25),
        ('"}]', 0.1),
        ("<|im_end|>", 0.1),
    )
    assert "".join(token.text for token in written).startswith(TEXT)
    assert scores(convert(TEXT, "logprob", written)) == pytest.approx(
        [(0.5 * 0.8 * 0.4 * 0.9) ** (1 / 6), 0.25]
    )


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(f"Sure!\n```json\n{TEXT}\n```", id="chatty"),
        pytest.param(TEXT[:-2], id="truncated"),
        pytest.param(TEXT.replace('"', "'"), id="single-quotes"),
    ],
)
def test_broken_answers_have_confidences_too(text: str) -> None:
    written = tokens(*[(letter, 0.25 if letter in "5678dog" else 0.75) for letter in text])
    first, second = scores(convert(text, "logprob", written))
    assert second == pytest.approx(0.25 ** (7 / 9) * 0.75 ** (2 / 9))  # 5 6 7(0) 8(0) d o g
    assert first == pytest.approx(0.75)


@pytest.mark.parametrize(
    ("written", "text", "spans"),
    [
        pytest.param(["ab", "c"], "abc", [(0, 2), (2, 3)], id="plain"),
        pytest.param(["ab", "c", "<eos>"], "abc", [(0, 2), (2, 3), (3, 3)], id="end-of-turn"),
        pytest.param(
            ["a", "\ufffd", "\ufffd", "b"],
            "a\U0001f600b",
            [(0, 1), (1, 2), (1, 2), (2, 3)],
            id="split",
        ),
        pytest.param(
            ["a \ufffd", "\ufffd", "<eos>"], "a é", [(0, 3), (0, 3), (3, 3)], id="split-at-the-end"
        ),
        pytest.param(["\ufffd"], "\ufffd", [(0, 1)], id="a-real-replacement-character"),
        pytest.param(["", "é"], "é", [(0, 0), (0, 1)], id="bytes-completed-later"),
        pytest.param([], "", [], id="nothing"),
        pytest.param(["ab"], "abc", None, id="too-few"),
        pytest.param(["ab", "x"], "abc", None, id="other-tokens"),
        pytest.param(["\ufffd", "c"], "abbbc", None, id="more-than-a-part-can-hold"),
    ],
)
def test_tokens_are_found_in_the_text(
    written: list[str], text: str, spans: list[tuple[int, int]] | None
) -> None:
    assert locate([Token(token, 0.0) for token in written], text) == spans


def test_bytes_rebuild_split_characters() -> None:
    raw = "é😀".encode()
    content = [{"token": "?", "logprob": -1, "bytes": [byte]} for byte in raw]
    found = (
        read_tokens(
            {"content": [*content, {"token": "<eos>", "logprob": -1, "bytes": None}]}, "line 1"
        )
        or ()
    )
    assert [token.text for token in found] == ["", "é", "", "", "", "😀", "<eos>"]


def test_all_bytes_of_a_label_count() -> None:
    text = '[{"bbox_2d": [1, 1, 9, 9], "label": "über"}]'
    start = text.index("ü")
    written = tokens((text[:start], 1), ("", 0.5), ("ü", 0.5), (text[start + 1 :], 1))
    assert scores(convert(text, "logprob", written)) == pytest.approx([0.25 ** (1 / 4)])


def test_tokens_that_are_not_the_texts_score_the_whole_answer() -> None:
    found = convert(TEXT, "logprob", tokens(("token_id:7", 0.9), ("token_id:8", 0.4)))
    assert scores(found) == pytest.approx([0.6, 0.6])
    assert (found.counts.whole_answer_scores, found.counts.without_confidence) == (2, 0)


def test_rows_without_logprobs_are_refused() -> None:
    with pytest.raises(InputError, match="line 1: .*swift infer --logprobs true"):
        convert(TEXT, "logprob")
    assert convert("[]", "logprob").results == [], "an answer without boxes needs none"


def with_confidences(*values: Any) -> str:
    entries = [{"bbox_2d": [1, 1, 9, 9], "label": "cat", "confidence": value} for value in values]
    return json.dumps(entries)


def test_written_confidences_outside_0_to_1_rank_last_and_are_counted() -> None:
    found = convert(with_confidences(0.5, 95, -1, "0.25", None, 1, float("nan")), "text")
    assert scores(found) == [0.5, 0, 0, 0.25, 0, 1, 0]
    assert found.counts.without_confidence == 4


@pytest.mark.parametrize(
    ("policy", "text", "written"),
    [
        pytest.param("text", TEXT, None, id="text"),
        pytest.param("text", with_confidences(95, 80), None, id="percent"),
        pytest.param("logprob", TEXT, (Token(TEXT, float("nan")),), id="logprob"),
    ],
)
def test_no_confidence_at_all_is_refused(
    policy: str, text: str, written: tuple[Token, ...] | None
) -> None:
    with pytest.raises(
        InputError, match=f"--score {policy}, got 2 boxes without one: use --score const"
    ):
        convert(text, policy, written)


def test_nothing_read_is_no_error() -> None:
    assert convert("none", "text").counts.boxes_read == 0


GRIFFON = "t-shirt-[0.100,0.200,0.300,0.400]&[0.500,0.500,0.600,0.600]"


def test_griffons_score_is_the_root_of_location_times_class() -> None:
    """By hand: .5 * .8 for the first box's place and .9 * .4 for its label; the second, without a
    label, has its place alone."""
    written = tokens(
        *(("t", 0.9), ("-shirt", 0.4), ("-[", 0.1), ("0.100", 0.5), (",", 0.1), ("0.200", 0.8)),
        *((",", 0.1), ("0.300", 1), (",", 0.1), ("0.400", 1), ("]&[", 0.1), ("0.500", 0.25)),
        *((",", 0.1), ("0.500", 1), (",", 0.1), ("0.600", 1), (",", 0.1), ("0.600", 1), ("]", 0.1)),
    )
    answer = Answer(IMAGE, GRIFFON, False, 1, tokens=written)
    io = model_io(Settings(), "griffon_g")
    given = to_coco_results([answer], io, {1: "t-shirt", 2: "target"}, 1, "griffon")
    assert scores(given) == pytest.approx([math.sqrt(0.5 * 0.8 * 0.9 * 0.4), math.sqrt(0.25)])


@pytest.mark.parametrize("policy", ["logprob", "griffon"])
def test_scores_by_tokens_need_log_probabilities(policy: str) -> None:
    answer = Answer(IMAGE, GRIFFON, False, 1)
    io = model_io(Settings(), "griffon_g")
    with pytest.raises(InputError, match="logprobs true"):
        to_coco_results([answer], io, {1: "t-shirt", 2: "target"}, 1, policy)
