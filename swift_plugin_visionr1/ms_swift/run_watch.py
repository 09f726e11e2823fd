"""Warns of a run that learns nothing, with the command that shows why."""

from collections.abc import Mapping
from pathlib import Path

from swift.utils import get_logger

from ..reward.other_frame import OtherFrame, other_frame
from ..runs.alarms import CAUSES, Alarm, Alarms, cause_of
from ..runs.run_record import keep_alarm, past_alarms
from .run_context import RunContext

LOG = "completions.jsonl"
FOUND = 0.5  # recall from which nobody has to doubt the frame

logger = get_logger()


class RunWatch:
    """Looks at the results of each step; in the main process only.

    Args:
        run: the run.
        resumed: whether it resumes from a checkpoint; then earlier warnings are not repeated.
    """

    def __init__(self, run: RunContext, resumed: bool) -> None:
        self.run = run
        self.alarms = Alarms(past_alarms(run.folder) if resumed and run.folder else None)

    def after_step(self, step: int, values: Mapping[str, float]) -> None:
        """Warn if a warning is due.

        Args:
            step: number of finished optimisation steps.
            values: the callback's means and the trainer's own of the step, by their names.
        """
        other = self._other_frame(values)
        alarm = self.alarms.after_step(step, cause_of(values, other))
        if alarm is None:
            return
        logger.warning(f"Vision-R1: {self._words(alarm, step, other)}")
        if self.run.folder is not None:
            keep_alarm(self.run.folder, alarm.cause, step)

    def _other_frame(self, values: Mapping[str, float]) -> OtherFrame | None:
        batch, scorer = self.run.scorer.last, self.run.scorer
        if (
            batch is None
            or values.get("recall", 1.0) > FOUND
            or scorer.settings.rules == "official"
        ):
            return None
        return other_frame(batch.breakdowns, batch.truths, scorer.io)

    def _words(self, alarm: Alarm, step: int, other: OtherFrame | None) -> str:
        seen, likely = CAUSES[alarm.cause]
        scorer = self.run.scorer
        standards = (scorer.last and scorer.last.standards) or scorer.schedule.standards
        told = {
            "frame": other.name if other else "",
            "format": scorer.io.format.name,
            "xi0": min(standard.criteria.xi0 for standard in standards),
        }
        numbers = f" (mean IoU {other.iou:.2f} for {other.as_read:.2f})" if other else ""
        return (
            f"{seen}{numbers}, in each of the last {alarm.steps} steps up to step {step}. Most "
            f"likely {likely.format(**told)}. Look at {self._commands(alarm)}"
        )

    def _commands(self, alarm: Alarm) -> str:
        data = f" --dataset {self.run.sources[0]}" if self.run.sources else ""
        ask = f"`vision-r1 doctor RECIPE.yaml{data} --sample`"
        folder = self.run.folder or Path("OUTPUT_DIR")
        if not (folder / LOG).is_file():
            return f"{ask}, or run with --log_completions true and explain a completion"
        with (folder / LOG).open(encoding="utf-8", errors="replace") as file:
            lines = sum(1 for _ in file)
        show = f"`vision-r1 explain --row {folder / LOG}:{max(lines, 1)}`"
        return f"{ask}; {show}" if alarm.cause == "spread" else f"{show}; {ask}"
