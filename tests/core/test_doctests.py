"""The examples in the docstrings of the paper's equations run."""

import doctest

import pytest

from swift_plugin_visionr1.reward import equations, matching, moving, schedule


@pytest.mark.parametrize(
    ("module", "examples"),
    [(equations, 4), (matching, 4), (schedule, 6), (moving, 4)],
    ids=lambda case: str(case),
)
def test_examples_give_what_they_say(module: object, examples: int) -> None:
    result = doctest.testmod(module)  # type: ignore[arg-type]
    assert (result.failed, result.attempted) == (0, examples)
