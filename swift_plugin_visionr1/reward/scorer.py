"""A batch of completions through parser, frame, matcher and equations, once for all rewards that
ask."""

from collections import Counter, deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ..data.ground_truth import GroundTruth, solutions_of
from ..errors import SettingsError
from ..formats import Format
from ..geometry.boxes import as_boxes, iou
from ..geometry.frames import View
from ..models.model_io import ModelIO
from .equations import RewardBreakdown
from .released_code import require_official_format, score_official
from .rollout_group import RolloutGroup, telling_group
from .schedule import Stage
from .scoring import match_readings, read_completion, score_matched
from .settings import Settings

PARTS = ("format", "recall", "precision", "predicted", "truths")
# reward calls of one step whose group is kept: gradient accumulation and dynamic sampling make
# several
REMEMBERED = 32


@dataclass(frozen=True, eq=False)
class ScoredBatch:
    """The completions of one reward call, which each reward of the run is called with.

    Attributes:
        completions: the trainer's own list: it hands the same one to each of its rewards.
        ids: ms-swift's `request_id` of each, unique to the completion; empty if the trainer gives
            none.
        moment: stage and step.
        truths: the annotation of each.
        breakdowns: what each earned.
    """

    completions: Sequence[object]
    ids: tuple[str, ...]
    moment: tuple[Stage, int | None]
    truths: Sequence[GroundTruth]
    breakdowns: list[RewardBreakdown]

    def is_asked_again(
        self, completions: Sequence[object], ids: tuple[str, ...], moment: object
    ) -> bool:
        """Whether another reward asks for this batch. Equal texts do not prove it: several images
        may get the same answer."""
        same = ids == self.ids if ids else completions is self.completions
        return same and moment == self.moment


class Scorer:
    """Scores batches and remembers the last one, so that rewards listed side by side share one
    pass.

    Args:
        settings: the rules.
        io: how the model sees images and writes boxes.

    Attributes:
        last: the batch that was scored last; None before the first.

    Raises:
        SettingsError: the format cannot be scored by the rules, or cannot write boxes in its frame.
    """

    def __init__(self, settings: Settings, io: ModelIO) -> None:
        if settings.rules == "official":
            require_official_format(io.format)
        _require_writable(io.format)
        self.settings, self.io = settings, io
        self.schedule = settings.schedule
        self.last: ScoredBatch | None = None
        self._sums: Counter[str] = Counter()
        self._issues: set[str] = set()
        self._groups: deque[RolloutGroup] = deque(maxlen=REMEMBERED)

    def __call__(
        self,
        completions: Sequence[object],
        columns: dict[str, Any],
        stage: Stage,
        step: int | None = None,
    ) -> list[RewardBreakdown]:
        """One breakdown per completion.

        Args:
            completions: the texts; anything else scores as an empty text.
            columns: the dataset's columns, each as long as `completions`; `solution` is read,
                `width` and `height` for the authors' form of it, and `request_id`, which tells
                batches apart.
            stage: whose criteria apply.
            step: the trainer's step; the same batch at another step counts anew in `take_sums`.

        Raises:
            SolutionError: a row's annotations cannot be used.
        """
        ids, moment = _request_ids(columns, len(completions)), (stage, step)
        if self.last is None or not self.last.is_asked_again(completions, ids, moment):
            truths = solutions_of(columns, len(completions))
            breakdowns = self._score_batch(completions, columns, truths, stage, step)
            self.last = ScoredBatch(completions, ids, moment, truths, breakdowns)
        return self.last.breakdowns

    def _score_batch(
        self,
        completions: Sequence[object],
        columns: dict[str, Any],
        truths: Sequence[GroundTruth],
        stage: Stage,
        step: int | None,
    ) -> list[RewardBreakdown]:
        texts = [text if isinstance(text, str) else "" for text in completions]
        breakdowns = self.score_all(texts, truths, (stage,))[stage]
        self._add_up(breakdowns)
        if self.settings.pictures and texts:
            self._groups.append(telling_group(texts, columns, truths, breakdowns, stage, step))
        return breakdowns

    def _add_up(self, breakdowns: list[RewardBreakdown]) -> None:
        self._sums["completions"] += len(breakdowns)
        for breakdown in breakdowns:
            self._sums.update({part: getattr(breakdown, part) for part in PARTS})
            issues = [f"issues/{issue}" for issue in breakdown.issues]
            self._sums.update(issues)
            self._issues.update(issues)

    def take_sums(self) -> Counter[str]:
        """Sums over what was scored since the last call: `completions`, rewards, boxes, issues.

        An issue that was ever seen is included even at 0, for trainers that average over steps.
        """
        sums, self._sums = self._sums, Counter()
        return Counter(
            {name: sums[name] for name in ("completions", *PARTS, *sorted(self._issues))}
        )

    def take_groups(self) -> list[RolloutGroup]:
        """A group of each batch that was scored since the last call, for pictures; empty with
        `pictures: 0`."""
        groups, self._groups = list(self._groups), deque(maxlen=REMEMBERED)
        return groups

    def score(self, text: str, truth: GroundTruth, stage: Stage) -> RewardBreakdown:
        """The breakdown of one completion."""
        return self.score_stages(text, truth, (stage,))[stage]

    def score_stages(
        self, text: str, truth: GroundTruth, stages: Sequence[Stage]
    ) -> dict[Stage, RewardBreakdown]:
        """The breakdown of one completion under each of the stages."""
        scored = self.score_all([text], [truth], stages)
        return {stage: breakdowns[0] for stage, breakdowns in scored.items()}

    def score_all(
        self, texts: Sequence[str], truths: Sequence[GroundTruth], stages: Sequence[Stage]
    ) -> dict[Stage, list[RewardBreakdown]]:
        """The breakdowns of completions under several stages, which share one parse and match."""
        criteria = {stage: self.schedule.criteria(stage) for stage in stages}
        rules = self.settings
        if rules.rules == "official":
            return {
                stage: [
                    score_official(
                        text, truth, self._view(truth).processed, each, rules.differentiation
                    )
                    for text, truth in zip(texts, truths, strict=True)
                ]
                for stage, each in criteria.items()
            }
        format = self.io.format
        readings = [
            read_completion(format.parse(text), format, truth, self._view(truth), rules)
            for text, truth in zip(texts, truths, strict=True)
        ]
        matched = match_readings(readings, rules)
        return {
            stage: [score_matched(one, each, rules) for one in matched]
            for stage, each in criteria.items()
        }

    def _view(self, truth: GroundTruth) -> View:
        return self.io.resize.view(truth.size)


def _request_ids(columns: dict[str, Any], count: int) -> tuple[str, ...]:
    ids = columns.get("request_id") or ()
    return tuple(ids) if len(ids) == count and all(ids) else ()


def means(sums: Sequence[Counter[str]]) -> dict[str, float]:
    """The means over all completions that `Scorer.take_sums` counted in several processes; empty
    without completions.

    The names are sorted, so that they do not depend on the order of the processes.
    """
    total: Counter[str] = Counter()
    for each in sums:
        total.update(each)
    count = total.pop("completions", 0)
    return {name: total[name] / count for name in sorted(total)} if count else {}


def _require_writable(format: Format) -> None:
    """Raise SettingsError if the format's numbers are too coarse for any answer in the frame to be
    right."""
    box, view = as_boxes([[250, 200, 750, 600]]), View((1000, 800), (1000, 800))
    parsed = format.parse(format.write(format.frame.from_image(box, view), ["cat"]))
    if len(parsed.boxes) != 1 or iou(format.frame.to_image(parsed.boxes, view), box) < 0.5:
        raise SettingsError(
            f"expected a frame that the format {format.name} has numbers for, got "
            f"{format.frame.describe()}: "
            "leave `frame` out, or for fractions set `format: json` and `json: {decimals: 3}`"
        )
