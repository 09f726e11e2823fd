"""The callback `vision_r1_eval`: mAP on held-out rows at every evaluation of a GRPO run.

    swift rlhf ... --callbacks vision_r1 vision_r1_eval \
        --val_dataset held_out.jsonl --eval_strategy steps --eval_steps 100 \
        --num_generations_eval 1 --metric_for_best_model eval_mAP --load_best_model_at_end true

ms-swift's own evaluation comes first: it samples `num_generations_eval` answers to each row and
logs their rewards.
It cannot be skipped, but --num_generations_eval 1 (and a large --per_device_eval_batch_size) keeps
it short.
"""

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from accelerate.utils import broadcast_object_list, gather_object
from swift.callbacks.base import TrainerCallback
from swift.utils import get_logger
from transformers import Trainer

from swift_plugin_visionr1.data.ground_truth import GroundTruth
from swift_plugin_visionr1.data.row_tasks import target_of
from swift_plugin_visionr1.errors import InputError
from swift_plugin_visionr1.ms_swift.run_context import run_io
from swift_plugin_visionr1.reward.settings import load_settings
from swift_plugin_visionr1.writing import write_file

from ..asking.reading_record import HELD_OUT
from ..metrics.measure import Engine
from .held_out import HeldOut, held_out

logger = get_logger()


class VisionR1EvalCallback(TrainerCallback):  # type: ignore[misc]
    """Answers the rows of --val_dataset greedily with the trainer's rollout engine and evaluates
    the answers.

    Logged, and usable as --metric_for_best_model: eval_mAP, eval_AP50, eval_AP75, eval_AR@100,
    eval_precision@.5, eval_recall@.5, eval_F1@.5, all in [0, 1]; eval_unparsed, the share of
    answers that cannot be read; and eval_refused_where_absent and eval_refused_where_present, the
    shares of answers that say that there is nothing, of rows without boxes and of the others. The
    categories are the labels in the rows' solutions; answers are as long as in training
    (--max_completion_length).
    """

    def __init__(self, args: Any, trainer: Any) -> None:
        super().__init__(args, trainer)
        # annotations.json, and the answers of each evaluation
        self.folder = Path(args.output_dir) / HELD_OUT
        self.held_out: HeldOut | None = None
        self.rows: Sequence[Any] = ()

    def on_train_begin(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Read the held-out rows, and check that they can be evaluated.

        Raises:
            InputError: the run's options leave nothing to evaluate, or the rows cannot be used.
            MissingBackend: MMDetection cannot be imported.
            SolutionError: a row's annotations cannot be used.
        """
        every = self.trainer.eval_dataset
        _check_options(args, every)
        self.rows = rows = rows_with_boxes(every)
        if not state.is_world_process_zero:
            return
        _, _, io = run_io(load_settings(), args, self.trainer.template)
        # With several processes, mmengine's metrics wait for all of them; hotcoco gives the same
        # numbers on one.
        engine: Engine = "mmdet" if self.trainer.accelerator.num_processes == 1 else "hotcoco"
        self.held_out = held_out(rows, self.folder / "annotations.json", io, engine)
        self.held_out.dry_run()
        categories = ", ".join(self.held_out.annotations.categories.values())
        logger.info(
            f"Vision-R1: mAP on {len(rows)} held-out rows with boxes, of {len(every)}, at each "
            f"evaluation, of: {categories}; "
            f"{io.resize.describe()}"
        )

    def on_evaluate(
        self, args: Any, state: Any, control: Any, metrics: Any = None, **kwargs: Any
    ) -> None:
        """Evaluate, add the numbers to `metrics`, and log them."""
        answers = answer(self.trainer, self.rows)
        scores: list[dict[str, float]] = [{}]
        if self.held_out is not None:
            self._write(answers, state.global_step)
            scores = [self.held_out.scores(answers)]
        logged = {f"eval_{name}": value for name, value in broadcast_object_list(scores)[0].items()}
        if metrics is not None:
            metrics.update(logged)
        # Not the trainer's log(): it would write its table of sampled completions a second time.
        Trainer.log(self.trainer, logged)

    def _write(self, answers: Sequence[tuple[str, bool]], step: int) -> None:
        """Write the answers as `swift infer` would, to inspect or to evaluate in another way."""
        rows = [
            {
                "image_id": number,
                "response": text,
                "finish_reason": "length" if truncated else "stop",
            }
            for number, (text, truncated) in enumerate(answers, 1)
        ]
        text = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
        write_file(self.folder / f"step-{step}.jsonl", text)


def _check_options(args: Any, rows: Any) -> None:
    if getattr(args.eval_strategy, "value", args.eval_strategy) == "no" or rows is None:
        raise InputError(
            "expected held-out rows and an evaluation strategy for the callback vision_r1_eval, "
            "got --eval_strategy no or no rows: add --val_dataset held_out.jsonl --eval_strategy "
            "steps --eval_steps N"
        )
    if not hasattr(rows, "__len__") or isinstance(rows, dict):
        raise InputError(
            "expected one --val_dataset whose rows can be counted for the callback vision_r1_eval, "
            f"got a {type(rows).__name__}: leave out --streaming"
        )
    if getattr(args, "async_generate", False):
        raise InputError(
            "expected synchronous rollouts with the callback vision_r1_eval, got --async_generate "
            "true: leave one of the two out"
        )


def rows_with_boxes(rows: Sequence[Any]) -> Sequence[Any]:
    """The rows that ask for boxes: those of other tasks have no mAP.

    Raises:
        SolutionError: a row's annotations cannot be used.
    """
    targets = [target_of(row, mixed="task" in row) for row in rows]
    places = [place for place, one in enumerate(targets) if isinstance(one, GroundTruth)]
    if len(places) == len(rows):
        return rows
    return [rows[place] for place in places]


def answer(trainer: Any, rows: Sequence[Any]) -> list[tuple[str, bool]]:
    """Greedy answers to held-out rows, in order: the text, and whether it was cut off.

    Every process answers its share and gets all answers.
    """
    processes = trainer.accelerator.num_processes
    share = -(-len(rows) // processes)
    # The same number for every process, because generation may be collective; the surplus repeats
    # the first rows.
    indices = [
        (trainer.accelerator.process_index * share + place) % len(rows) for place in range(share)
    ]
    # vLLM schedules requests itself; the transformers engine would put everything into one batch.
    batch = share if trainer.use_fast_infer else trainer.args.per_device_eval_batch_size
    answered: list[tuple[int, str, bool]] = []
    with _greedy(trainer):
        for start in range(0, share, batch):
            chosen = indices[start : start + batch]
            samples = trainer._generate_completions(
                trainer.to_samples([rows[index] for index in chosen])
            )
            answered += [
                (index, _text(sample), sample.is_truncated)
                for index, sample in zip(chosen, samples, strict=True)
            ]
    by_index = {index: (text, truncated) for index, text, truncated in gather_object(answered)}
    return [by_index[index] for index in range(len(rows))]


@contextmanager
def _greedy(trainer: Any) -> Iterator[None]:
    """While open, the trainer's rollouts are greedy. The trainer reads its own request_config and
    ignores the one passed in."""
    sampling = trainer.request_config
    trainer.request_config = replace(sampling, temperature=0.0, logprobs=False)
    try:
        yield
    finally:
        trainer.request_config = sampling


def _text(sample: Any) -> str:
    content = sample.messages[-1]["content"]
    return content if isinstance(content, str) else ""
