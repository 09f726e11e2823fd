"""Pictures of rollouts for TensorBoard, Weights & Biases and SwanLab, whichever of them the run
reports to."""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray
from swift.template.vision_utils import load_image
from swift.utils import get_logger, swanlab_get_run
from transformers.integrations.integration_utils import TensorBoardCallback

from ..data.images import local_image
from ..errors import ImageError
from ..explain.rollout import rollout_picture
from ..reward.rollout_group import RolloutGroup
from ..reward.scorer import Scorer

NAME = "train/vision_r1/rollout"
Send = Callable[[NDArray[np.uint8], str, int], None]

logger = get_logger()


class RolloutPictures:
    """Shows, after the first step and every so many, a group of completions that was trained
    on.

    In the main process only, and only what that process sampled. A failure is warned about once and
    ends the pictures; training goes on.

    Args:
        trainer: ms-swift's GRPO trainer.
    """

    def __init__(self, trainer: Any) -> None:
        self.trainer = trainer
        self._group: RolloutGroup | None = None
        self._failed = False

    def after_step(self, scorer: Scorer, step: int, every: int) -> None:
        """Keep the group of the newest rollouts, and show it where a picture is due.

        Args:
            scorer: of the run.
            step: number of optimisation steps that are done.
            every: a picture is due after so many steps; 0 for never.
        """
        groups = scorer.take_groups()
        if not every or self._failed or not self.trainer.is_world_process_zero():
            return
        try:
            self._group = next(filter(self._is_trained_on, groups), self._group)
            if step == 1 or step % every == 0:
                self._show(scorer, step)
        except Exception as error:  # whatever it is, no picture is worth a run
            self._failed = True
            logger.warning(f"Vision-R1: no more pictures of rollouts, training goes on: {error!r}")

    def _is_trained_on(self, group: RolloutGroup) -> bool:
        """Whether ms-swift took the group: dynamic sampling scores some that it drops."""
        logs = self.trainer._logs
        taken = set(zip(logs["completion"], logs["solution"], strict=True))
        return all((text, group.row["solution"]) in taken for text in group.texts)

    def _show(self, scorer: Scorer, step: int) -> None:
        group, reporters = self._group, _reporters(self.trainer)
        if group is None or not reporters:
            return
        sampled = "" if group.step in (None, step - 1) else f", sampled at step {group.step + 1}"
        title = f"step {step}{sampled}"
        try:
            is_local = local_image(group.image) is not None
            image = group.image if is_local else load_image(group.image)
            picture = rollout_picture(group, scorer, image, title)
        except ImageError as error:
            logger.warning(f"Vision-R1: no picture at step {step}: {error}")
            return
        for send in reporters:
            names = " + ".join(group.breakdowns[0].paid)
            send(picture, f"{title}, {names}: {_rewards(group)}", step)


def _rewards(group: RolloutGroup) -> str:
    paid = (breakdown.paid.values() for breakdown in group.breakdowns)
    return ", ".join(" + ".join(f"{value:.2g}" for value in values) for values in paid)


def _reporters(trainer: Any) -> list[Send]:
    """How to send a picture with its caption to each reporter of the run."""
    names = trainer.args.report_to
    senders: list[Send] = [
        _tensorboard(c.tb_writer) for c in trainer.callback_handler.callbacks if _writes(c)
    ]
    if "wandb" in names:
        import wandb

        senders += [_wandb(wandb)] if wandb.run is not None else []
    if "swanlab" in names and swanlab_get_run() is not None:
        import swanlab

        senders.append(_swanlab(swanlab))
    return senders


def _writes(callback: Any) -> bool:
    return isinstance(callback, TensorBoardCallback) and callback.tb_writer is not None


def _tensorboard(writer: Any) -> Send:
    def send(picture: NDArray[np.uint8], caption: str, step: int) -> None:
        writer.add_image(NAME, picture, step, dataformats="HWC")

    return send


def _wandb(wandb: Any) -> Send:
    def send(picture: NDArray[np.uint8], caption: str, step: int) -> None:
        # As transformers' own callback logs: wandb counts calls, not steps.
        wandb.log({NAME: wandb.Image(picture, caption=caption), "train/global_step": step})

    return send


def _swanlab(swanlab: Any) -> Send:
    def send(picture: NDArray[np.uint8], caption: str, step: int) -> None:
        swanlab.log({NAME: swanlab.Image(picture, caption=caption)}, step=step)

    return send
