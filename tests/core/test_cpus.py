"""How many processes are started by default."""

import os
from pathlib import Path

import pytest

from swift_plugin_visionr1 import cpus


@pytest.mark.parametrize(
    ("limit", "expected"),
    [("200000 100000", 2), ("50000 100000", 1), ("900000 100000", 4), ("max 100000", 4), (None, 4)],
    ids=["two", "half", "more than there are", "no limit", "no container"],
)
def test_affinity_and_the_limit_of_a_container(
    limit: str | None, expected: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0, 1, 2, 7}, raising=False)
    monkeypatch.setattr(cpus, "CPU_LIMIT", tmp_path / "cpu.max")
    if limit is not None:
        (tmp_path / "cpu.max").write_text(limit)
    assert cpus.usable_cpus() == expected
