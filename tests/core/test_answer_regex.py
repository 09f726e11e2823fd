"""Patterns for structured outputs: what matches is read, and what is written matches."""

import re

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from swift_plugin_visionr1.formats import FORMATS
from swift_plugin_visionr1.formats.answer_regex import answer_regex
from swift_plugin_visionr1.geometry.boxes import as_boxes
from swift_plugin_visionr1.geometry.frames import View

DEGENERATE = {"corner_order", "empty_answer"}  # the latter is a JSON box of four zeros
NAMES = sorted(set(FORMATS) - {"kosmos2"})  # whose boxes are two numbers
VIEW = View((1000, 1000), (1000, 1000))
ALPHABET = st.characters(codec="latin-1", exclude_categories=["Cc"]) | st.sampled_from("\n\t")
label = st.from_regex(r"[a-z]{1,9}( [a-z0-9'.-]{1,9}[a-z])?", fullmatch=True)


@pytest.mark.parametrize("name", NAMES)
def test_a_match_breaks_no_rule_of_the_syntax(name: str) -> None:
    format, texts = (
        FORMATS[name],
        st.from_regex(answer_regex(FORMATS[name]), fullmatch=True, alphabet=ALPHABET),
    )

    @given(text=texts)
    @settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
    def check(text: str) -> None:
        assert set(format.parse(text).issues) <= DEGENERATE, text

    check()


@pytest.mark.parametrize("name", NAMES)
@given(labels=st.lists(label, max_size=5))
@example(labels=["cat", "cat", "dog", "cat"])
@settings(max_examples=15, deadline=None)
def test_what_the_format_writes_matches(name: str, labels: list[str]) -> None:
    format = FORMATS[name]
    boxes = as_boxes([[place + 1, 7, 500 + place, 998] for place in range(len(labels))])
    written = format.write(format.frame.from_image(boxes, VIEW), labels)
    assert re.fullmatch(answer_regex(format), written), written


def test_a_format_of_two_numbers_has_none() -> None:
    with pytest.raises(ValueError, match="four numbers"):
        answer_regex(FORMATS["kosmos2"])
