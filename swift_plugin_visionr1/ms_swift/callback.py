"""The callback `vision_r1`: states the plan of progressive rule refinement, checks it, and logs its
progress."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from accelerate.utils import gather_object
from swift.callbacks.base import TrainerCallback
from swift.callbacks.mapping import callbacks_map
from swift.utils import get_logger

from ..errors import SettingsError
from ..reward.schedule import Stage
from ..reward.scorer import means
from ..runs.alarms import CLIPPED, SPREAD
from .resume_check import check_resumed
from .rollout_pictures import RolloutPictures
from .run_context import RunContext, run_of_rewards
from .run_watch import RunWatch

logger = get_logger()


class VisionR1Callback(TrainerCallback):  # type: ignore[misc]
    """Observes only: the stage itself is a function of the trainer's step (`Schedule.stage`).

    Logged with the trainer's own metrics, so that every reporter sees them: `vision_r1/stage` (1
    beginner, 2 advanced), `vision_r1/xi0`, `xi1`, `xi2`, the means of the reward parts and of the
    numbers of predicted and annotated boxes, and `vision_r1/issues/<code>`, the share of
    completions with that format issue. Every `pictures` steps (a setting) also `vision_r1/rollout`,
    a picture.
    """

    def __init__(self, args: Any, trainer: Any) -> None:
        super().__init__(args, trainer)
        self.stage: Stage | None = None
        self.pictures = RolloutPictures(trainer)
        self.watch: RunWatch | None = None

    def on_train_begin(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """State the plan.

        Raises:
            SettingsError: a checkpoint to resume from whose weights the trainer does not load; see
                also `state_plan`.
        """
        self.state_plan(state)
        check_resumed(self.trainer)

    def state_plan(self, state: Any) -> None:
        """Check the run, of any trainer with such a state, and say what it will do.

        Raises:
            SettingsError: settings that contradict each other or the run.
        """
        self.watch = RunWatch(self.run, resumed=state.global_step > 0)
        scorer = self.run.scorer
        schedule, settings = scorer.schedule, scorer.settings
        first = schedule.first_advanced_step(state.max_steps)
        if first is not None and first >= state.max_steps:
            if schedule.switch_step is not None:
                raise SettingsError(
                    f"expected switch_step within the run of {state.max_steps} steps, got "
                    f"{schedule.switch_step}: the advanced stage would never come; set "
                    "`step: 1/2` or train longer"
                )
            logger.warning(
                f"Vision-R1: the run of {state.max_steps} steps is too short for its advanced stage"
            )
        logger.info(
            f"Vision-R1 ({settings.source}): "
            f"{schedule.criteria(schedule.stage(0, state.max_steps))} from step 0"
            + (f", {schedule.criteria('advanced')} from step {first}" if first else " to the end")
            + f", of {state.max_steps} steps; now at step {state.global_step}; "
            f"{_model(self.run)}"
        )

    def on_step_begin(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Announce a switch and log the criteria of the step that begins."""
        scorer = self.run.scorer
        stage = scorer.schedule.stage(state.global_step, state.max_steps)
        criteria = asdict(scorer.schedule.criteria(stage))
        if stage != self.stage:
            logger.info(f"Vision-R1: {stage} stage from step {state.global_step}: {criteria}")
            self.stage = stage
        self._log({"stage": 2.0 if stage == "advanced" else 1.0, **criteria})

    def on_step_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Log the means of what all processes scored since the last step, and a picture if one is
        due."""
        scorer = self.run.scorer
        values = means(gather_object([scorer.take_sums()]))
        self._log(values)
        if values and self.trainer.is_world_process_zero():
            metrics = self.trainer._metrics["train"]
            newest = {name: metrics[name][-1] for name in (SPREAD, CLIPPED) if metrics.get(name)}
            self.watch_step(state, values, newest)
        self.pictures.after_step(scorer, state.global_step)

    def watch_step(self, state: Any, values: dict[str, float], metrics: Mapping[str, Any]) -> None:
        """Warn if a step shows that nothing is learnt.

        Args:
            state: the trainer's.
            values: means over all processes, of the step.
            metrics: the trainer's own.
        """
        if self.watch is not None:
            own = {name: metrics[name] for name in (SPREAD, CLIPPED) if name in metrics}
            self.watch.after_step(state.global_step, values | own)

    def on_evaluate(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Keep what the evaluation scored out of the training curves and pictures."""
        scorer = self.run.scorer
        scorer.take_sums()
        scorer.take_groups()

    def _log(self, values: dict[str, float]) -> None:
        for name, value in values.items():
            self.trainer._metrics["train"][f"vision_r1/{name}"].append(value)

    @property
    def run(self) -> RunContext:
        """The run of the trainer's rewards, which are built after its callbacks.

        Raises:
            SettingsError: the run has no vision_r1 reward.
        """
        run = run_of_rewards(getattr(self.trainer, "reward_funcs", ()))
        if run is None:
            raise SettingsError(
                "expected a vision_r1 reward beside the callback vision_r1, got none: add "
                "--reward_funcs vision_r1"
            )
        return run


def _model(run: RunContext) -> str:
    """How the model is assumed to answer, which is the first thing to check if a reward stays 0."""
    format = run.scorer.io.format
    return (
        f"model type {run.model_type or 'not known'}; answers in the format {format.name}, "
        f"{format.frame.describe()}; {run.scorer.io.resize.describe()}"
    )


callbacks_map["vision_r1"] = VisionR1Callback
