"""How much the steps of a run could teach: groups whose answers earn the same teach nothing."""

from collections.abc import Iterator
from statistics import mean

from results import Result, Results
from run_list import RunList

LAST = 4  # steps that the final KL is the mean of
HEAD = ("setting", "base", "no spread, first half", "no spread, second half", "KL at the end")


def spread_rows(results: Results, runs: RunList) -> Iterator[list[str]]:
    """One row for each setting and base: the share of groups without spread in each half of the
    run, and the KL divergence from the base in the last steps; means over seeds."""
    for setting in runs.settings:
        for base in runs.bases:
            curves = [one["curve"] for one in results.of(base, setting.name)]
            curves = [curve for curve in curves if "no_spread" in curve]
            if curves:
                first, second = (mean(values) for values in zip(*map(halves, curves), strict=True))
                kl = mean(mean(curve["kl"][-LAST:]) for curve in curves)
                shown = [f"{100 * first:.0f}", f"{100 * second:.0f}", f"{kl:.3f}"]
                yield [f"`{setting.name}`", base, *shown]


def halves(curve: Result) -> tuple[float, float]:
    """The mean share of groups without spread, in the first and in the second half of the steps."""
    values = curve["no_spread"]
    middle = len(values) // 2
    return mean(values[:middle] or values), mean(values[middle:])
