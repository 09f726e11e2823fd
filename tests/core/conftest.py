"""Fixtures of the doctor's tests."""

import importlib.util
import json
import os
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest import mock

import pytest

from swift_plugin_visionr1.commands import doctor
from swift_plugin_visionr1.doctor import report
from swift_plugin_visionr1.doctor.report import Report
from swift_plugin_visionr1.geometry.resize import FRAME_VARIABLES

from .planted import Row, run


@pytest.fixture
def environment() -> Iterator[None]:
    """The command makes its process the training process: undone after each test."""
    with mock.patch.dict(os.environ):
        for name in (*FRAME_VARIABLES, "VISION_R1_CONFIG"):
            os.environ.pop(name, None)
        yield


@pytest.fixture(scope="session")
def scenes(tmp_path_factory: pytest.TempPathFactory, checkpoint: Path) -> list[Row]:
    """40 rows of the example's scenes."""
    folder = tmp_path_factory.mktemp("scenes")
    spec = importlib.util.spec_from_file_location("scenes", checkpoint.parent / "scenes.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules["scenes"] = module  # dataclasses look their module up
    spec.loader.exec_module(module)
    module.write_split(folder, "train", 40, seed=3)
    return [json.loads(line) for line in (folder / "train.jsonl").read_text().splitlines()]


@dataclass(frozen=True)
class Examined:
    """What the doctor said.

    Attributes:
        code: of exit.
        text: what it printed.
        findings: state and code of each finding, as in `problem rows` -> what it says.
    """

    code: int
    text: str
    findings: dict[str, str]

    @property
    def warnings(self) -> list[str]:
        """The codes of the warnings."""
        return [name.split()[1] for name in self.findings if name.startswith("warning ")]


@pytest.fixture
def examine(
    environment: None,
    tmp_path: Path,
    checkpoint: Path,
    capsys: pytest.CaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> Callable[..., Examined]:
    """`examine(rows, *options, **recipe lines)`: the doctor on these rows; the model is not
    asked."""
    reports: list[Report] = []

    def keep(*args: Any) -> Report:
        reports.append(report.examine(*args))
        return reports[-1]

    monkeypatch.setattr(doctor, "examine", keep)

    def command(rows: list[Row], *options: object, **recipe: object) -> Examined:
        data, file = tmp_path / "train.jsonl", tmp_path / "recipe.yaml"
        data.write_text("".join(json.dumps(row) + "\n" for row in rows))
        lines = {
            "rlhf_type": "grpo",
            "model": str(checkpoint),
            "model_type": "qwen2_5_vl",
            "reward_funcs": "vision_r1",
            "callbacks": "vision_r1",
            "dataset": str(data),
            "num_generations": 4,
            **recipe,
        }
        file.write_text(json.dumps(lines))  # JSON is YAML
        code = run(file, "--no-sample", *options)
        findings = {f"{each.state} {each.code}": each.text for each in reports[-1].findings}
        return Examined(code, capsys.readouterr().out, findings)

    return command
