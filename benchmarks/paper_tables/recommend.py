"""Which settings of the reward the results support: configs/reward/recommended.yaml."""

from dataclasses import dataclass
from typing import Any

import yaml
from intervals import Samples, Verdict, judge
from results import Results
from run_list import Hypothesis, RunList, Setting

from swift_plugin_visionr1.reward.settings import settings_from

DEFAULT = {"preset": "paper"}
HEAD = """\
# The settings of the reward that docs/evidence.md supports; `vision-r1 settings --recommend` prints
# them. Written by benchmarks/paper_tables/evidence.py.
"""


@dataclass(frozen=True)
class Candidate:
    """A reward that may be recommended, against the default on each base."""

    reward: dict[str, Any]
    verdicts: dict[str, Verdict]

    @property
    def is_better(self) -> bool:
        """Whether it beats the default on one base, and has the higher mean on every base."""
        verdicts = self.verdicts.values()
        told = all(one.difference > 0 and one.seeds > 1 for one in verdicts)
        return told and any(one.word == "holds" for one in verdicts)

    @property
    def gain(self) -> float:
        """The mean over bases of its difference from the default."""
        return sum(one.difference for one in self.verdicts.values()) / len(self.verdicts)


def recommended(results: Results, runs: RunList, drawn: Samples) -> str:
    """The file's text: settings as YAML, under the figures that they rest on.

    Candidates are the rewards by Vision-R1's rules, trained with the common recipe, each at the
    best of its learning rates.
    """
    defaults = at_all_rates(runs, DEFAULT)
    candidates = []
    for setting in filter(is_candidate, runs.settings):
        better = at_all_rates(runs, setting.reward)
        claims = {base: claim(better, base, defaults) for base in runs.bases}
        verdicts = {base: judge(one, results, drawn) for base, one in claims.items()}
        candidates.append(Candidate(setting.reward, verdicts))
    better = [one for one in candidates if one.is_better]
    if not better:
        tried = sum(all(one.seeds > 1 for one in other.verdicts.values()) for other in candidates)
        why = f"# Nothing is clearly better: {tried} settings were compared with two seeds.\n"
        return HEAD + why + yaml.safe_dump(DEFAULT)
    best = max(better, key=lambda one: one.gain)
    lines = [f"# {base} base: {figures(one)}\n" for base, one in best.verdicts.items()]
    return HEAD + "".join(lines) + yaml.safe_dump(best.reward, sort_keys=False)


def is_candidate(setting: Setting) -> bool:
    """Whether it differs from the default by settings of Vision-R1's rules alone."""
    if setting.method != "grpo" or setting.options or setting.reward == DEFAULT:
        return False
    return settings_from(setting.reward).peer is None


def at_all_rates(runs: RunList, reward: dict[str, Any]) -> tuple[str, ...]:
    """The settings with this reward, whatever their learning rate; the best of them counts."""
    rates = [one for one in runs.settings if set(one.options) <= {"learning_rate"}]
    return tuple(one.name for one in rates if one.reward == reward)


def claim(better: tuple[str, ...], base: str, defaults: tuple[str, ...]) -> Hypothesis:
    """That it has more mAP than the default."""
    return Hypothesis("is better", "this project", better, defaults, base)


def figures(verdict: Verdict) -> str:
    """What a verdict rests on, in a line."""
    return (
        f"`{verdict.better}` {100 * verdict.difference:+.1f} points of mAP over "
        f"`{verdict.worse}` (interval {100 * verdict.low:+.1f} to {100 * verdict.high:+.1f}, "
        f"{verdict.seeds} seeds)"
    )
