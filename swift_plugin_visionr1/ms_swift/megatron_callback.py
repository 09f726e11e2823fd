"""The callback `vision_r1` for Megatron's trainer, which has its own kind of callback."""

from collections import Counter
from typing import Any

import torch.distributed
from swift.megatron.callbacks.base import MegatronCallback
from swift.megatron.callbacks.mapping import megatron_callbacks_map
from swift.utils import is_master

from ..errors import SettingsError
from ..reward.batch_rows import NamedSums, means_by_name
from ..reward.scorer import means
from .callback import VisionR1Callback


class MegatronVisionR1Callback(MegatronCallback):  # type: ignore[misc]
    """States the plan, announces a switch, and logs what `VisionR1Callback` logs, without pictures.

    Raises:
        SettingsError: this is a worker of the Ray driver; see `VisionR1Callback` for those of a run
            that begins.
    """

    def __init__(self, trainer: Any) -> None:
        super().__init__(trainer)
        if self.args.use_ray:
            raise SettingsError(
                "expected no callback vision_r1 with --use_ray, whose workers score nothing: leave "
                "`callbacks` out; the means of the rewards are logged without it"
            )
        self.observer = VisionR1Callback(self.args, trainer)
        self.sums: Counter[str] = Counter()
        self.named: NamedSums = Counter()
        self.evaluating = False

    def on_train_begin(self) -> None:
        """State the plan."""
        self.observer.state_plan(self.state)

    def on_step_begin(self) -> None:
        """Announce a switch and log the criteria of the step that begins."""
        self.observer.on_step_begin(self.args, self.state, None)

    def on_step_end(self) -> None:
        """Take what this process scored, before an evaluation adds its own."""
        scorer = self.observer.run.scorer
        self.sums.update(scorer.take_sums())
        self.named.update(scorer.take_named_sums())

    def on_log(self, logs: dict[str, Any]) -> None:
        """Add the means over all processes since the last log.

        They do not go through the trainer's metrics, which it stacks and averages over processes by
        their place:
        which issues there are differs from process to process.
        """
        if self.evaluating:
            return
        every: list[Any] = [None] * torch.distributed.get_world_size()
        torch.distributed.all_gather_object(every, (self.sums, self.named))
        self.sums, self.named = Counter(), Counter()
        values = means([sums for sums, _ in every])
        named = means_by_name([sums for _, sums in every])
        logs.update({f"vision_r1/{name}": value for name, value in (values | named).items()})
        if values and is_master():
            self.observer.watch_step(self.state, values, logs)

    def on_eval_begin(self) -> None:
        """Leave the logs of the evaluation alone."""
        self.evaluating = True

    def on_eval_end(self) -> None:
        """Keep what the evaluation scored out of the training curves."""
        self.evaluating = False
        self.observer.run.scorer.take_sums()
        self.observer.run.scorer.take_named_sums()


megatron_callbacks_map["vision_r1"] = MegatronVisionR1Callback
