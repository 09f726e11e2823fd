"""Everything that the reports of a run show, gathered once."""

from collections.abc import Sequence
from dataclasses import dataclass

from ..evaluation import Evaluation
from .faults import ReportedFault, find_faults
from .intervals import Uncertainty, measure_uncertainty
from .judged import JudgedAnswer, judge


@dataclass(frozen=True, eq=False)
class ReportParts:
    """What summary.md, report.html and metrics.json are written from.

    Attributes:
        evaluations: at least one data set, in the order of the suite.
        suite: its name; None for a single data set.
        left_out: names of data sets of the suite that are missing.
        judged: the answers of each data set.
        faults: what went wrong in all of them, the most frequent first.
        uncertainty: intervals of the headline numbers.
    """

    evaluations: Sequence[Evaluation]
    suite: str | None
    left_out: Sequence[str]
    judged: Sequence[Sequence[JudgedAnswer]]
    faults: Sequence[ReportedFault]
    uncertainty: Uncertainty

    @property
    def title(self) -> str:
        """The suite's name, or that of the data set."""
        return self.suite or self.evaluations[0].name


def make_report(
    evaluations: Sequence[Evaluation], suite: str | None = None, left_out: Sequence[str] = ()
) -> ReportParts:
    """Judge the answers, find the faults and measure the intervals."""
    judged = [judge(evaluation) for evaluation in evaluations]
    faults = find_faults(evaluations, judged)
    uncertainty = measure_uncertainty(evaluations)
    return ReportParts(evaluations, suite, left_out, judged, faults, uncertainty)
