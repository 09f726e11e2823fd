"""The callback `vision_r1`: states the plan of progressive rule refinement, checks it, and logs its
progress."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from accelerate.utils import gather_object
from swift.callbacks.base import TrainerCallback
from swift.callbacks.mapping import callbacks_map
from swift.utils import get_logger

from ..errors import SettingsError
from ..reward.batch_rows import NamedSums, means_by_name
from ..reward.moving import Adaptive, Continuous
from ..reward.schedule import Schedule, Stages
from ..reward.scorer import means
from ..runs.alarms import CLIPPED, SPREAD
from .resume_check import check_resumed
from .rollout_pictures import RolloutPictures
from .run_context import RunContext, run_of_rewards
from .run_watch import RunWatch

logger = get_logger()


class VisionR1Callback(TrainerCallback):  # type: ignore[misc]
    """Observes only: the criteria are a function of the trainer's step, or of each group.

    Logged with the trainer's own metrics, so that every reporter sees them: `vision_r1/stage` (1
    beginner, 2 advanced, and what is between), `vision_r1/xi0`, `xi1`, `xi2` (means over
    completions with annotated boxes where each group has its own, and then `vision_r1/achieved`,
    which they follow), the means of the reward parts and of the
    numbers of predicted and annotated boxes, and `vision_r1/issues/<code>`, the share of
    completions with that format issue. Of rows with a column `source` or `task`, the parts are
    logged for each of its values, too: `vision_r1/<source>/recall`. Every `pictures` steps (a
    setting) also `vision_r1/rollout`, a picture.
    """

    def __init__(self, args: Any, trainer: Any) -> None:
        super().__init__(args, trainer)
        self.title: str | None = None
        self.pictures = RolloutPictures(trainer)
        self.watch: RunWatch | None = None
        self.named: NamedSums = Counter()

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
        if isinstance(schedule, Stages):
            _check_stages(schedule, state.max_steps)
        logger.info(
            f"Vision-R1 ({settings.source}): {_plan(schedule, state.max_steps)}, of "
            f"{state.max_steps} steps; now at step {state.global_step}; {_model(self.run)}"
        )

    def on_step_begin(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Announce a switch and log the criteria of the step that begins."""
        schedule = self.run.scorer.schedule
        if schedule.needs == "group":
            return  # `on_step_end` logs what each group had
        standard = schedule.at(state.global_step, state.max_steps)
        title = standard.title if standard.name else "thresholds move"
        if title != self.title:
            criteria = asdict(standard.criteria)
            logger.info(f"Vision-R1: {title} from step {state.global_step}: {criteria}")
            self.title = title
        self._log(standard.logged)

    def on_step_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Log the means of what all processes scored since the last step, and a picture if one is
        due."""
        scorer = self.run.scorer
        values = means(gather_object([scorer.take_sums()]))
        self._log(values)
        self.named.update(scorer.take_named_sums())
        self._log_named(control)
        if values and self.trainer.is_world_process_zero():
            metrics = self.trainer._metrics["train"]
            newest = {name: metrics[name][-1] for name in (SPREAD, CLIPPED) if metrics.get(name)}
            self.watch_step(state, values, newest)
        self.pictures.after_step(scorer, state.global_step, self.run.logging.pictures)

    def on_epoch_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Log the means by source and task, if the trainer logs once an epoch."""
        self._log_named(control)

    def _log_named(self, control: Any) -> None:
        """Log means over all completions since the last log: a source may be missing in a step, so
        that a mean over steps would weigh its completions differently."""
        if control.should_log:
            sums, self.named = self.named, Counter()
            self._log(means_by_name(gather_object([sums])))

    def watch_step(self, state: Any, values: dict[str, float], metrics: Mapping[str, Any]) -> None:
        """Warn if a step shows that nothing is learnt.

        Args:
            state: the trainer's.
            values: means over all processes, of the step.
            metrics: the trainer's own.
        """
        if self.watch is not None:
            of_trainer = {name: metrics[name] for name in (SPREAD, CLIPPED) if name in metrics}
            self.watch.after_step(state.global_step, values | of_trainer)

    def on_evaluate(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Keep what the evaluation scored out of the training curves and pictures."""
        scorer = self.run.scorer
        scorer.take_sums()
        scorer.take_named_sums()
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
                "expected a vision_r1 reward with the callback vision_r1, got none: add "
                "--reward_funcs vision_r1"
            )
        return run


def _check_stages(schedule: Stages, max_steps: int) -> None:
    """Raise SettingsError for a stage that begins at a step after the run's last; warn if the run
    is too short for one that begins at a fraction of it."""
    for name, first in schedule.first_steps(max_steps).items():
        if first < max_steps:
            continue
        if first in schedule.begins:  # a step, not a fraction
            raise SettingsError(
                f"expected switch_step within the run of {max_steps} steps, got {first}: the "
                f"{name} stage would never come; set `step: 1/2` or train longer"
            )
        logger.warning(f"Vision-R1: the run of {max_steps} steps is too short for its {name} stage")


def _plan(schedule: Schedule, max_steps: int) -> str:
    """Which criteria hold when."""
    beginner, advanced = schedule.standards[0].criteria, schedule.standards[-1].criteria
    if isinstance(schedule, Adaptive):
        return (
            f"each group by its own criteria, from {beginner} where it achieves up to "
            f"{schedule.low:g} (mean IoU over annotated boxes) to {advanced} from {schedule.high:g}"
        )
    if isinstance(schedule, Continuous):
        first, last = (
            round(float(part * max_steps), 1) for part in (schedule.begins, schedule.ends)
        )
        return f"{beginner} up to step {first:g}, on to {advanced} at step {last:g}"
    begun = schedule.first_steps(max_steps) if isinstance(schedule, Stages) else {}
    each = [f"{schedule.criteria(name)} from step {first}" for name, first in begun.items()]
    return ", ".join(each) + (" to the end" if len(each) == 1 else "")


def _model(run: RunContext) -> str:
    """How the model is assumed to answer, which is the first thing to check if a reward stays 0."""
    format = run.scorer.io.format
    return (
        f"model type {run.model_type or 'not known'}; answers in the format {format.name}, "
        f"{format.frame.describe()}; {run.scorer.io.resize.describe()}"
    )


callbacks_map["vision_r1"] = VisionR1Callback
