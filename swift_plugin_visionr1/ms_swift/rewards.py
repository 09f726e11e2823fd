"""The rewards as ms-swift's ORM classes: thin views on one shared pass over the completions."""

import os
from collections.abc import Sequence
from functools import lru_cache
from typing import Any, ClassVar

from swift.rewards.orm import ORM, orms
from swift.utils import get_logger

from ..errors import SettingsError
from ..models.model_io import Limits, ModelIO, model_io
from ..reward.equations import RewardBreakdown
from ..reward.schedule import Stage
from ..reward.scorer import Scorer
from ..reward.settings import Settings, load_settings
from .run_context import (
    chat_options,
    check_datasets,
    image_processor,
    loaded_data,
    model_type,
    running_template,
    tells_no_step,
)

logger = get_logger()


@lru_cache(maxsize=8)
def shared_scorer(settings: Settings, io: ModelIO) -> Scorer:
    """One scorer for all rewards with the same rules, so that they share each batch's pass."""
    return Scorer(settings, io)


class VisionR1(ORM):  # type: ignore[misc]
    """`vision_r1`: format + recall + precision (Eq. 7), in [0, 3].

    Settings are read from the environment variable VISION_R1_CONFIG when the reward is built. The
    format and the frame are those of the run's model type, the processed size follows the
    template's max_pixels, the model's image processor and MAX_PIXELS and its kin.

    Raises:
        SettingsError: the settings cannot be used, contradict the run, leave an unknown model
            type's format open, or leave the stage open where the trainer tells no step.
        SolutionError: a row of the trainer's data sets cannot be used.
    """

    part: ClassVar[str] = "total"
    built: ClassVar[tuple[Any, set[str]]] = (
        None,
        set(),
    )  # the parts built for one trainer's arguments

    def __init__(self, args: Any = None, **kwargs: Any) -> None:
        super().__init__(args, **kwargs)
        self.settings = load_settings()
        self.model_type, io = run_io(self.settings, args)
        self.scorer = shared_scorer(self.settings, io)
        self._warn_of_double_counting(args)
        if tells_no_step(args):
            self._stage(None)
        if (loaded := loaded_data(args)) is not None:
            check_datasets(*loaded, self.scorer.io.resize)

    def __call__(
        self, completions: Sequence[Any], trainer_state: Any = None, **columns: Any
    ) -> list[float]:
        """One reward per completion.

        Args:
            completions: the texts; anything else scores as an empty text.
            trainer_state: the trainer's `global_step` and `max_steps`, from which the stage
                follows.
            columns: the data set's columns, one value per completion; `solution` holds the
                annotations.

        Raises:
            SettingsError: there is no trainer state, several stages and no `fixed_stage`.
            SolutionError: a row's annotations cannot be used.
        """
        texts = [text if isinstance(text, str) else "" for text in completions]
        step = getattr(trainer_state, "global_step", None)
        breakdowns = self.scorer(texts, columns, self._stage(trainer_state), step)
        return [self._value(breakdown) for breakdown in breakdowns]

    def _value(self, breakdown: RewardBreakdown) -> float:
        return float(getattr(breakdown, self.part))

    def _stage(self, state: Any) -> Stage:
        schedule, max_steps = self.scorer.schedule, getattr(state, "max_steps", None) or 0
        if not schedule.has_two_stages:
            return schedule.stage(0, 1)
        if max_steps > 0:
            return schedule.stage(state.global_step, max_steps)
        raise SettingsError(
            "expected a trainer_state with global_step and max_steps to tell the stage, got none: "
            "this trainer "
            "passes none to rewards, so declare `fixed_stage: beginner` or `advanced` in the "
            "settings file"
        )

    def _warn_of_double_counting(self, args: Any) -> None:
        known, parts = VisionR1.built
        parts = (parts if known is args else set()) | {self.part}
        VisionR1.built = args, parts
        twice = "total" in parts and parts & {"format", "recall", "precision"}
        if args is not None and twice and 0 not in (getattr(args, "reward_weights", None) or ()):
            logger.warning(
                "Vision-R1: vision_r1 is already the sum of vision_r1_format, vision_r1_recall and "
                f"vision_r1_precision; listed beside it, {' and '.join(sorted(parts - {'total'}))} "
                "count twice. "
                "List the total or its parts, or give the parts --reward_weights of 0"
            )


def run_io(settings: Settings, args: Any, template: Any = None) -> tuple[str | None, ModelIO]:
    """The model type of a run, None where nothing tells it, and its format and resize.

    Args:
        args: the trainer's.
        template: the trainer's, where it is at hand; else that of the trainer that constructs a
            reward with `args`.

    Raises:
        SettingsError: see `VisionR1`.
    """
    template = template or running_template(args)
    kind = model_type(template, args)
    limits = Limits(os.environ, _max_pixels(settings, template, args), image_processor(template))
    return kind, model_io(settings, kind, limits, chat_options(template))


def _max_pixels(settings: Settings, template: Any, args: Any) -> int | None:
    """The run's --max_pixels: the template's, else that of the arguments, else the settings'."""
    if template is None and getattr(args, "max_pixels", None) is None:
        return settings.max_pixels
    seen = getattr(args, "max_pixels", None) if template is None else template.max_pixels
    if settings.max_pixels not in (None, seen):
        raise SettingsError(
            f"expected the settings' max_pixels to be the run's --max_pixels, {seen}, got "
            f"{settings.max_pixels}: "
            "leave it out of the settings, the reward reads the run's own"
        )
    return int(seen) if seen is not None else None


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
