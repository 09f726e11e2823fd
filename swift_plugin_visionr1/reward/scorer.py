"""A batch of completions through parser, frame, matcher and equations, once for all rewards that
ask."""

from collections import Counter, deque
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from ..data.ground_truth import GroundTruth
from ..data.row_tasks import CountTruth, PointTruth, Target, targets_of
from ..errors import SettingsError
from ..formats import Format
from ..geometry.boxes import as_boxes, iou
from ..geometry.frames import View
from ..models.model_io import ModelIO
from .batch_rows import NAMED_BY, PARTS, BatchRows, NamedSums, chosen, sums_by_name
from .equations import RewardBreakdown
from .moving import Achieved, Adaptive, group_of
from .other_answers import score_count, score_points
from .peer_scoring import answer_of, score_peer
from .released_code import read_official, require_official_format, score_official
from .rollout_group import RolloutGroup, asked_first, telling_group
from .schedule import Criteria, Standard
from .scoring import match_readings, read_completion, score_matched
from .settings import Settings

# of groups with annotated boxes, where each group has its own criteria
OF_GROUPS = ("achieved", "stage", "xi0", "xi1", "xi2")
# reward calls of one step whose group is kept: gradient accumulation and dynamic sampling make
# several
REMEMBERED = 32

Judge = Callable[[Criteria], RewardBreakdown]  # of one completion that was read and matched
Gather = Callable[[list[Achieved]], list[Achieved]]


@dataclass(frozen=True, eq=False)
class ScoredBatch:
    """The completions of one reward call, which each reward of the run is called with.

    `truths`, `standards` and `breakdowns` are of the completions whose rows ask for boxes.

    Attributes:
        completions: the trainer's own list: it hands the same one to each of its rewards.
        ids: ms-swift's `request_id` of each, unique to the completion; empty if the trainer gives
            none.
        moment: the criteria, None where each group has its own, and the step.
        truths: the annotation of each.
        standards: the criteria that applied to each.
        breakdowns: what each earned.
        earned: what every completion of the call earned; None where that is left to other rewards.
    """

    completions: Sequence[object]
    ids: tuple[str, ...]
    moment: tuple[Standard | None, int | None]
    truths: Sequence[GroundTruth]
    standards: Sequence[Standard]
    breakdowns: list[RewardBreakdown]
    earned: list[RewardBreakdown | None]

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
        gather: the completions of all processes, from this one's; for an adaptive schedule, whose
            groups may be spread over processes. Without it, this process has whole groups.
        keeps_groups: whether a group of each batch is kept for `take_groups`.
        mixed: whether rows without annotations are left to other reward functions.

    Attributes:
        last: the batch that was scored last; None before the first.
        named_by: columns by whose values the means are counted apart, too.

    Raises:
        SettingsError: the format cannot be scored by the rules, or cannot write boxes in its frame.
    """

    def __init__(
        self,
        settings: Settings,
        io: ModelIO,
        gather: Gather | None = None,
        *,
        keeps_groups: bool = False,
        mixed: bool = False,
    ) -> None:
        if settings.rules == "official":
            require_official_format(io.format)
        _require_writable(io.format)
        self.settings, self.io = settings, io
        self.schedule = settings.refinement
        self._gather = gather or list
        self._keeps_groups = keeps_groups
        self.mixed = mixed
        self.named_by: tuple[str, ...] = NAMED_BY
        self._named: NamedSums = Counter()
        self.last: ScoredBatch | None = None
        self._sums: Counter[str] = Counter()
        self._issues: set[str] = set()
        self._groups: deque[RolloutGroup] = deque(maxlen=REMEMBERED)

    def __call__(
        self,
        completions: Sequence[object],
        columns: dict[str, Any],
        stage: str | Standard | None,
        step: int | None = None,
    ) -> list[RewardBreakdown | None]:
        """One breakdown per completion; None where its row is left to other rewards.

        Args:
            completions: the texts; anything else scores as an empty text.
            columns: the dataset's columns, each as long as `completions`; `solution` and `task` are
                read, `width` and `height` for the authors' form of the solution, and `request_id`,
                which tells batches apart.
            stage: whose criteria apply; None where each group has its own (`Adaptive`).
            step: the trainer's step; the same batch at another step counts anew in `take_sums`.

        Raises:
            SolutionError: a row's annotations cannot be used.
        """
        standard = self.schedule.named(stage) if isinstance(stage, str) else stage
        ids, moment = _request_ids(columns, len(completions)), (standard, step)
        if self.last is None or not self.last.is_asked_again(completions, ids, moment):
            self.last = self._score(completions, ids, columns, moment)
        return self.last.earned

    def _score(
        self,
        completions: Sequence[object],
        ids: tuple[str, ...],
        columns: dict[str, Any],
        moment: tuple[Standard | None, int | None],
    ) -> ScoredBatch:
        texts = [text if isinstance(text, str) else "" for text in completions]
        every = BatchRows(texts, columns, targets_of(columns, len(texts), self.mixed))
        judged = every.judged
        rows = every.take(judged)
        standards, breakdowns = self._score_batch(rows, moment[0])
        self._add_up(breakdowns, standards)
        self._named.update(sums_by_name(rows, breakdowns, self.named_by))
        earned: list[RewardBreakdown | None] = [None] * len(texts)
        for place, breakdown in zip(judged, breakdowns, strict=True):
            earned[place] = breakdown
        places = rows.with_boxes
        boxes = rows.take(places)
        scored = chosen(breakdowns, places), chosen(standards, places)
        truths = [target for target in boxes.targets if isinstance(target, GroundTruth)]
        if self._keeps_groups and truths:
            group = telling_group(boxes.texts, boxes.columns, truths, *scored, moment[1])
            self._groups.append(group)
        return ScoredBatch(completions, ids, moment, truths, scored[1], scored[0], earned)

    def _score_batch(
        self, rows: BatchRows, standard: Standard | None
    ) -> tuple[list[Standard], list[RewardBreakdown]]:
        targets = [target for target in rows.targets if target is not None]
        judges = self.judges(rows.texts, targets)
        if standard is None:
            prompts = asked_first(rows.columns, len(rows.texts))
            groups = [group_of(*each) for each in zip(prompts, targets, strict=True)]
            standards = self.standards_of_groups(judges, groups)
        else:
            standards = [standard] * len(rows.texts)
        pairs = zip(judges, standards, strict=True)
        return standards, [judge(standard.criteria) for judge, standard in pairs]

    def standards_of_groups(
        self, judges: Sequence[Judge], groups: Sequence[Hashable]
    ) -> list[Standard]:
        """The criteria of each completion under an adaptive schedule, from what its whole group
        achieves.

        Args:
            judges: of the completions.
            groups: the group of each.

        Raises:
            TypeError: the schedule is another one.
        """
        if not isinstance(self.schedule, Adaptive):
            raise TypeError(f"expected an adaptive schedule, got {self.schedule}")
        easiest = self.schedule.standards[0].criteria
        achieved = [judge(easiest).achieved for judge in judges]
        every = self._gather(list(zip(groups, achieved, strict=True)))
        by_group = self.schedule.by_group(every)
        return [by_group[group] for group in groups]

    def _add_up(self, breakdowns: Sequence[RewardBreakdown], standards: Sequence[Standard]) -> None:
        adaptive = self.schedule.needs == "group"
        self._sums["completions"] += len(breakdowns)
        for breakdown, standard in zip(breakdowns, standards, strict=True):
            self._sums.update({part: getattr(breakdown, part) for part in PARTS})
            if breakdown.terms is not None:
                paid = {f"paid/{name}": value for name, value in breakdown.terms.items()}
                self._sums.update(paid)
            issues = [f"issues/{issue}" for issue in breakdown.issues]
            self._sums.update(issues)
            self._issues.update(issues)
            if adaptive and breakdown.achieved is not None:
                self._sums.update({"annotated": 1, "achieved": breakdown.achieved})
                self._sums.update(standard.logged)

    def take_sums(self) -> Counter[str]:
        """Sums over what was scored since the last call: `completions`, rewards, boxes, issues, and
        what groups achieve where they have their own criteria.

        An issue that was ever seen is included even at 0, for trainers that average over steps.
        """
        sums, self._sums = self._sums, Counter()
        groups = ("annotated", *OF_GROUPS) if self.schedule.needs == "group" else ()
        paid = [name for name in sums if name.startswith("paid/")]
        names = ("completions", *PARTS, *groups, *paid, *sorted(self._issues))
        return Counter({name: sums[name] for name in names})

    def take_named_sums(self) -> NamedSums:
        """The same sums of the reward's parts, for each value of the columns `named_by`."""
        sums, self._named = self._named, Counter()
        return sums

    def take_groups(self) -> list[RolloutGroup]:
        """A group of each batch that was scored since the last call, for pictures; empty unless the
        scorer keeps them."""
        groups, self._groups = list(self._groups), deque(maxlen=REMEMBERED)
        return groups

    def score(self, text: str, truth: GroundTruth, stage: str) -> RewardBreakdown:
        """The breakdown of one completion."""
        return self.score_stages(text, truth, (stage,))[stage]

    def score_stages(
        self, text: str, truth: GroundTruth, stages: Sequence[str]
    ) -> dict[str, RewardBreakdown]:
        """The breakdown of one completion under each of the stages."""
        scored = self.score_all([text], [truth], stages)
        return {stage: breakdowns[0] for stage, breakdowns in scored.items()}

    def score_all(
        self, texts: Sequence[str], truths: Sequence[GroundTruth], stages: Sequence[str]
    ) -> dict[str, list[RewardBreakdown]]:
        """The breakdowns of completions under several stages, which share one parse and match."""
        judges = self.judges(texts, truths)
        criteria = {stage: self.schedule.criteria(stage) for stage in stages}
        return {stage: [judge(each) for judge in judges] for stage, each in criteria.items()}

    def judges(self, texts: Sequence[str], targets: Sequence[Target]) -> list[Judge]:
        """Read and match completions; each of the functions returned gives one's breakdown under
        some criteria."""
        boxes = [place for place, one in enumerate(targets) if isinstance(one, GroundTruth)]
        truths = [target for target in targets if isinstance(target, GroundTruth)]
        if len(boxes) == len(texts):
            return self._box_judges(texts, truths)
        of_boxes = iter(self._box_judges(chosen(texts, boxes), truths))
        return [
            next(of_boxes) if isinstance(target, GroundTruth) else self._other_judge(text, target)
            for text, target in zip(texts, targets, strict=True)
        ]

    def _box_judges(self, texts: Sequence[str], truths: Sequence[GroundTruth]) -> list[Judge]:
        rules, format = self.settings, self.io.format
        pairs = list(zip(texts, truths, strict=True))
        if rules.rules == "official":
            return [self._official_judge(*pair) for pair in pairs]
        readings = [
            read_completion(format.parse(text), format, truth, self._view(truth), rules)
            for text, truth in pairs
        ]
        matched = match_readings(readings, rules)
        if (peer := rules.peer) is None:
            return [partial(score_matched, one, settings=rules) for one in matched]
        answers = (answer_of(*each, format, peer) for each in zip(texts, readings, strict=True))
        return [
            partial(score_peer, one, answer, settings=rules, peer=peer)
            for one, answer in zip(matched, answers, strict=True)
        ]

    def _other_judge(self, text: str, target: PointTruth | CountTruth) -> Judge:
        """The same under all criteria."""
        format, salvage = self.io.format, self.settings.salvage
        if isinstance(target, CountTruth):
            breakdown: RewardBreakdown = score_count(text, target, format, salvage)
        else:
            breakdown = score_points(text, target, format, self._view(target.truth), salvage)
        return lambda criteria: breakdown

    def _official_judge(self, text: str, truth: GroundTruth) -> Judge:
        reading = read_official(text, truth, self._view(truth).processed)
        return partial(score_official, reading, differentiation=self.settings.differentiation)

    def _view(self, truth: GroundTruth) -> View:
        return self.io.resize.view(truth.size)


def _request_ids(columns: dict[str, Any], count: int) -> tuple[str, ...]:
    ids = columns.get("request_id") or ()
    return tuple(ids) if len(ids) == count and all(ids) else ()


def means(sums: Sequence[Counter[str]]) -> dict[str, float]:
    """The means over all completions that `Scorer.take_sums` counted in several processes, those of
    `OF_GROUPS` over the ones with annotated boxes; empty without completions.

    The names are sorted, so that they do not depend on the order of the processes.
    """
    total: Counter[str] = Counter()
    for each in sums:
        total.update(each)
    count, annotated = total.pop("completions", 0), total.pop("annotated", 0)
    over = {name: annotated if name in OF_GROUPS else count for name in total}
    return {name: total[name] / over[name] for name in sorted(total) if over[name]}


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
