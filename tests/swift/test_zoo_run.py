"""`swift rlhf` on the reward of another work."""

from collections.abc import Callable
from pathlib import Path

import pytest

pytest.importorskip("swift", reason="needs the extra `swift`")
pytestmark = pytest.mark.slow


def test_training_pays_what_the_other_work_pays(grpo: Callable, rows: list, tmp_path: Path) -> None:
    reward = ["--reward_funcs", "vision_r1", "--callbacks", "vision_r1", "--max_steps", 2]
    run = grpo(rows, tmp_path, *reward, VISION_R1_CONFIG="vlm_r1")
    assert run.code == 0, run.text[-3000:]
    for row in run.steps:
        paid = [row[f"vision_r1/paid/{term}"] for term in ("format", "accuracy")]
        assert row["rewards/VisionR1/mean"] == pytest.approx(sum(paid), abs=1e-5)
        assert 0 <= row["vision_r1/precision"] <= 1
    assert any(row["grad_norm"] > 0 for row in run.steps)
