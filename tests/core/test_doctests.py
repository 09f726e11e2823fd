"""The examples in the docstrings of the paper's equations, of other works' rewards and of metrics
run."""

import doctest
import importlib
import pkgutil

import pytest

from mmdet_eval.answers import numbers, scorers
from mmdet_eval.asking import box_views, verification
from mmdet_eval.metrics import calibration, counting, refusal
from swift_plugin_visionr1.reward import equations, matching, moving, schedule, zoo


@pytest.mark.parametrize(
    ("module", "examples"),
    [(equations, 4), (matching, 4), (schedule, 6), (moving, 4)],
    ids=lambda case: str(case),
)
def test_examples_give_what_they_say(module: object, examples: int) -> None:
    result = doctest.testmod(module)  # type: ignore[arg-type]
    assert (result.failed, result.attempted) == (0, examples)


@pytest.mark.parametrize(
    "module", [box_views, calibration, counting, numbers, refusal, scorers, verification], ids=str
)
def test_examples_of_metrics_hold(module: object) -> None:
    result = doctest.testmod(module)  # type: ignore[arg-type]
    assert not result.failed
    assert result.attempted


WITHOUT = {"answer", "peers"}  # which have nothing to compute


@pytest.mark.parametrize(
    "name", sorted({module.name for module in pkgutil.iter_modules(zoo.__path__)} - WITHOUT)
)
def test_each_reward_of_another_work_has_examples_that_hold(name: str) -> None:
    result = doctest.testmod(importlib.import_module(f"{zoo.__name__}.{name}"))
    assert not result.failed
    assert result.attempted
