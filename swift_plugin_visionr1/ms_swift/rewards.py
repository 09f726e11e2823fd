"""The rewards as ms-swift's ORM classes: thin views on one shared pass over the completions."""

from collections.abc import Sequence
from typing import Any, ClassVar

from swift.rewards.orm import ORM, orms
from swift.utils import get_logger

from ..errors import SettingsError
from ..reward.equations import RewardBreakdown
from ..reward.schedule import Standard
from ..reward.scorer import Scorer
from ..text import listed
from .run_context import RunContext, current_run

logger = get_logger()
SUMMED = {"format", "recall", "precision"}  # the parts of `vision_r1`


class VisionR1(ORM):  # type: ignore[misc]
    """`vision_r1`: format + recall + precision (Eq. 7), in [0, 3]; or what another work pays, by
    its rules.

    Settings are read from the environment variable VISION_R1_CONFIG when the reward is built. The
    format and the frame are those of the run's model type, the processed size follows the
    template's max_pixels, the model's image processor and MAX_PIXELS and its kin.

    Raises:
        SettingsError: the settings cannot be used or contradict the run, or neither they nor the
            run determine the model or the stage.
    """

    part: ClassVar[str] = "total"

    def __init__(self, args: Any = None, **kwargs: Any) -> None:
        super().__init__(args, **kwargs)
        self.run: RunContext = current_run(args)
        rules = self.scorer.settings.rules
        if self.part in SUMMED and self.scorer.settings.peer:
            raise SettingsError(
                f"expected the reward vision_r1 with the rules {rules}, which pay one sum, got "
                f"vision_r1_{self.part}, a part of the paper's"
            )
        if not self.run.tells_step:
            self._standard(None)

    @property
    def scorer(self) -> Scorer:
        """The run's."""
        return self.run.scorer

    def __call__(
        self, completions: Sequence[Any], trainer_state: Any = None, **columns: Any
    ) -> list[float | None]:
        """One reward per completion; None, which ms-swift leaves out of its sums, where the row is
        left to other rewards.

        Args:
            completions: the texts; anything else scores as an empty text.
            trainer_state: the trainer's `global_step` and `max_steps`, from which the stage
                follows.
            columns: the data set's columns, one value per completion; `solution` holds the
                annotations, `task` what the row asks for.

        Raises:
            SettingsError: there is no trainer state, and the criteria depend on the step.
            SolutionError: a row's annotations cannot be used.
        """
        step = getattr(trainer_state, "global_step", None)
        breakdowns = self.scorer(completions, columns, self._standard(trainer_state), step)
        return [self._value(breakdown) for breakdown in breakdowns]

    def _value(self, breakdown: RewardBreakdown | None) -> float | None:
        return None if breakdown is None else float(getattr(breakdown, self.part))

    def _standard(self, state: Any) -> Standard | None:
        """The criteria that hold; None where each group has its own."""
        schedule, max_steps = self.scorer.schedule, getattr(state, "max_steps", None) or 0
        if schedule.needs == "group":
            return None
        if schedule.needs == "nothing":
            return schedule.at(0, 1)
        if max_steps > 0:
            return schedule.at(state.global_step, max_steps)
        raise SettingsError(
            "expected a trainer_state with global_step and max_steps to tell the criteria of "
            f"`schedule: {self.scorer.settings.schedule}`, got none: this trainer passes none to "
            "rewards, so declare `fixed_stage: beginner` or `advanced` in the settings file, or "
            "`schedule: adaptive`, which needs no step"
        )


def warn_of_double_counting(rewards: Sequence[Any], weights: Sequence[float] | None) -> None:
    """Warn if both the total and its parts count."""
    pairs = zip(rewards, weights or [1.0] * len(rewards), strict=False)
    counting = {reward.part for reward, weight in pairs if isinstance(reward, VisionR1) and weight}
    twice = sorted(counting & SUMMED)
    if "total" in counting and twice:
        logger.warning(
            "Vision-R1: vision_r1 is already the sum of vision_r1_format, vision_r1_recall and "
            f"vision_r1_precision; listed beside it, {listed(twice)} count twice. List the total "
            "or its parts, or give the parts --reward_weights of 0"
        )


class VisionR1Format(VisionR1):
    """`vision_r1_format`: the dual-format reward, 0 or 1 (Eq. 4)."""

    part = "format"


class VisionR1Recall(VisionR1):
    """`vision_r1_recall`: the recall reward in [0, 1] (Eq. 5 and 8)."""

    part = "recall"


class VisionR1Precision(VisionR1):
    """`vision_r1_precision`: the precision reward in [0, 1] (Eq. 6 and 8)."""

    part = "precision"


class VisionR1Count(VisionR1):
    """`vision_r1_count`: 1 when as many boxes were predicted as there are (Table 4's ablation)."""

    part = "count"


orms.update(
    {
        "vision_r1": VisionR1,
        "vision_r1_format": VisionR1Format,
        "vision_r1_recall": VisionR1Recall,
        "vision_r1_precision": VisionR1Precision,
        "vision_r1_count": VisionR1Count,
    }
)
