"""Reads runs.yaml: settings to compare, bases, seeds, and what is expected."""

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from swift_plugin_visionr1.declared import read_declared
from swift_plugin_visionr1.errors import InputError
from swift_plugin_visionr1.files import load_yaml
from swift_plugin_visionr1.recipes.overlays import load
from swift_plugin_visionr1.reward.settings import settings_from
from swift_plugin_visionr1.text import did_you_mean

HERE = Path(__file__).parent
Method = Literal["none", "sft", "grpo"]
METRICS = ("mAP", "AP50", "AP75", "AR@100")  # that a hypothesis may be about


@dataclass(frozen=True)
class Setting:
    """One row of the tables.

    Attributes:
        name: of the row.
        table: what of the paper or of this project it is about.
        tier: runs of tier 1 come before those of tier 2.
        seeds: how many of the list's seeds, the first ones; None for all.
        bases: those that it is run on; None for all.
        method: how the base is trained; `none` evaluates it as it is.
        options: an overlay of the recipe grpo.yaml or sft.yaml.
        reward: settings of the reward, as in a file that VISION_R1_CONFIG names.
    """

    name: str
    table: str
    tier: int = 1
    seeds: int | None = None
    bases: tuple[str, ...] | None = None
    method: Method = "grpo"
    options: dict[str, Any] = field(default_factory=dict)
    reward: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Hypothesis:
    """What was expected before the runs: `better` beats `worse` on a base, by a metric.

    Attributes:
        says: the claim in words.
        by: whose it is.
        better, worse: names of settings; of several, the one with the higher mean counts.
        base: name of a base.
        metric: one of `METRICS`.
        data: name of an evaluated set.
        margin: "no worse" claims hold if the interval stays above minus this.
    """

    says: str
    by: str
    better: tuple[str, ...]
    worse: tuple[str, ...]
    base: str
    metric: str = "mAP"
    data: str = "in_domain"
    margin: float = 0.0


@dataclass(frozen=True)
class RunList:
    """A list of runs; `bases` gives each base its options, such as the learning rate."""

    seeds: tuple[int, ...]
    bases: dict[str, dict[str, Any]]
    settings: tuple[Setting, ...]
    hypotheses: tuple[Hypothesis, ...]

    def seeds_of(self, setting: Setting) -> tuple[int, ...]:
        """Those that a setting is run with; an untrained base does not depend on one."""
        return self.seeds[: 1 if setting.method == "none" else setting.seeds]

    def bases_of(self, setting: Setting) -> dict[str, dict[str, Any]]:
        """Those that a setting is run on, with their options."""
        chosen = setting.bases or tuple(self.bases)
        return {name: options for name, options in self.bases.items() if name in chosen}


@dataclass(frozen=True)
class TableRun:
    """One training run and its evaluation, or the evaluation of a base."""

    base: str
    setting: Setting
    seed: int
    options: dict[str, Any]

    @property
    def name(self) -> str:
        """The name of its result."""
        return f"{self.base}-{self.setting.name}-seed{self.seed}"

    @property
    def completions(self) -> int:
        """Completions that the training samples; 0 without sampling."""
        if self.setting.method != "grpo":
            return 0
        return int(self.options["max_steps"] * self.options["per_device_train_batch_size"])

    def fingerprint(self, base_sha256: str, data: Mapping[str, Any]) -> str:
        """Of everything that decides its numbers, apart from machine and versions."""
        setting = self.setting
        what = [setting.method, setting.reward, self.options, self.seed, base_sha256, dict(data)]
        return hashlib.sha256(json.dumps(what, sort_keys=True).encode()).hexdigest()[:16]


def read_run_list(path: Path) -> RunList:
    """Read and check a list.

    Raises:
        InputError: it has an unknown name, a value of another kind, or names an unknown setting.
    """
    data = load_yaml(path)
    if not isinstance(data, Mapping):
        raise InputError(f"expected `name: value` lines in {path}, got a {type(data).__name__}")
    values = dict(data)
    for name, kind in (("settings", Setting), ("hypotheses", Hypothesis)):
        if isinstance(values.get(name), list):
            values[name] = [
                read_declared(kind, item, f"{name} {number} of {path}")
                for number, item in enumerate(values[name], 1)
            ]
    runs = read_declared(RunList, values, str(path))
    _check(runs, path)
    return runs


def _check(runs: RunList, path: Path) -> None:
    names = [setting.name for setting in runs.settings]
    twice = {name for name in names if names.count(name) > 1}
    if twice:
        raise InputError(f"expected each name once in {path}, got {sorted(twice)[0]!r} twice")
    for setting in runs.settings:
        settings_from(setting.reward)
        for base in setting.bases or ():
            _check_known(base, list(runs.bases), f"bases of {path}")
    for hypothesis in runs.hypotheses:
        _check_known(hypothesis.base, list(runs.bases), f"bases of {path}")
        _check_known(hypothesis.metric, METRICS, "metrics")
        for name in (*hypothesis.better, *hypothesis.worse):
            _check_known(name, names, f"settings of {path}")


def _check_known(name: str, known: Any, where: str) -> None:
    if name not in known:
        raise InputError(
            f"expected one of the {where} ({', '.join(known)}), got "
            f"{name!r}{did_you_mean(name, list(known))}"
        )


def each_run(runs: RunList, over: Mapping[str, Any]) -> Iterator[TableRun]:
    """All runs: by tier, then by seed, so that early results cover every setting.

    Args:
        over: values of the recipes' options that replace all others.
    """
    recipes = {method: load(HERE / f"{method}.yaml") for method in ("grpo", "sft")}
    for tier in sorted({setting.tier for setting in runs.settings}):
        for seed in runs.seeds:
            for setting in runs.settings:
                if setting.tier != tier or seed not in runs.seeds_of(setting):
                    continue
                for base, of_base in runs.bases_of(setting).items():
                    recipe = recipes.get(setting.method, {})
                    options = recipe | (of_base if recipe else {}) | setting.options
                    fitting = {name: value for name, value in over.items() if name in options}
                    yield TableRun(base, setting, seed, options | fitting)
