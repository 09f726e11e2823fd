"""What scripted policies earn under each preset, as docs/rewards.md shows it."""

from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture
def scripts_on_the_path(monkeypatch: pytest.MonkeyPatch) -> None:
    for folder in ("benchmarks", "docs"):
        monkeypatch.syspath_prepend(str(ROOT / folder))


@pytest.mark.usefixtures("scripts_on_the_path")
def test_the_tables_are_what_the_script_gives() -> None:
    import hacks

    page = (ROOT / "docs" / "rewards.md").read_text("utf-8")
    assert hacks.with_tables(page) == page, "run python docs/hacks.py"


@pytest.mark.usefixtures("scripts_on_the_path")
def test_no_bad_answer_earns_more_than_the_right_one() -> None:
    import reward_hacks

    earned = reward_hacks.earn(10)
    assert np.allclose(earned.objects[0], 1)
    assert (earned.objects <= 1 + 1e-9).all()
    assert (earned.negatives >= 0).all()
