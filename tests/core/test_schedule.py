"""STEP: when the advanced stage begins."""

from fractions import Fraction

import pytest

from swift_plugin_visionr1 import Schedule
from swift_plugin_visionr1.reward.schedule import Stage


@pytest.mark.parametrize(
    ("step", "max_steps", "first"),
    [
        pytest.param(Fraction(1, 2), 100, 50, id="half"),
        pytest.param(Fraction(1, 2), 101, 51, id="half of an odd number rounds up"),
        pytest.param(Fraction(1, 3), 99, 33, id="a third is exact"),
        pytest.param(Fraction(1, 3), 100, 34, id="a third rounds up"),
        pytest.param(Fraction(1), 100, None, id="1 is never"),
    ],
)
def test_first_advanced_step(step: Fraction, max_steps: int, first: int | None) -> None:
    schedule = Schedule(step=step)
    assert schedule.first_advanced_step(max_steps) == first
    stages = [schedule.stage(at, max_steps) for at in range(max_steps)]
    assert stages.count("beginner") == (max_steps if first is None else first)
    assert "beginner" not in stages[stages.count("beginner") :]


def test_an_absolute_switch_ignores_the_length_of_the_run() -> None:
    schedule = Schedule(switch_step=1500)
    assert [schedule.stage(at, 10**6) for at in (0, 1499, 1500)] == [
        "beginner",
        "beginner",
        "advanced",
    ]


@pytest.mark.parametrize("stage", ["beginner", "advanced"])
def test_a_fixed_stage_holds_at_every_step(stage: Stage) -> None:
    schedule = Schedule(fixed=stage)
    assert {schedule.stage(at, 100) for at in range(100)} == {stage}
    assert not schedule.has_two_stages
