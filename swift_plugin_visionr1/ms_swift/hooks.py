"""The methods of ms-swift that are wrapped, so that rewards and rows learn what they belong to.

Nothing else changes: each method still does what it did, and a run without our rewards is
unaffected.
"""

from collections import deque
from collections.abc import Callable, Sequence
from functools import wraps
from typing import Any

from swift.utils import get_logger, is_master

from ..data.row_census import other_rewards
from ..runs.run_record import keep_record, record_of
from .dataset_check import check_datasets
from .run_context import (
    Building,
    RunContext,
    building_rewards,
    loading,
    run_of_rewards,
)

LACKING = object()  # where a row has no column

logger = get_logger()


def wrap_trainer(trainer_class: Any) -> None:
    """Give the rewards that a trainer builds their run, and begin the run once they are built."""

    def around(build: Callable[..., None]) -> Callable[..., None]:
        def prepare_rewards(trainer: Any, *args: Any, **kwargs: Any) -> None:
            with building_rewards(trainer, _others(trainer, *args, **kwargs)) as building:
                build(trainer, *args, **kwargs)
            _begin(trainer, building)

        return prepare_rewards

    _wrap(trainer_class, "_prepare_rewards", around)


def _others(
    trainer: Any, reward_funcs: Any = None, reward_model: Any = None, *rest: Any, **kwargs: Any
) -> tuple[str, ...]:
    """Which other rewards the method will build, from its arguments; Megatron's and Ray's trainers
    have them in theirs."""
    asked = reward_funcs or getattr(trainer.args, "reward_funcs", None) or []
    others = other_rewards(asked if isinstance(asked, list) else [asked])
    gym = getattr(trainer.args, "use_gym_env", None)
    return others + ("a reward model",) * bool(reward_model) + ("the gym environment",) * bool(gym)


def _begin(trainer: Any, building: Building) -> None:
    """What is done once per run with our rewards, before its first rollout."""
    from .rewards import warn_of_double_counting

    if not building.has_run:
        return
    run: RunContext = building.run
    check_datasets(run, run.datasets)
    _record(run)
    warn_of_double_counting(trainer.reward_funcs, trainer.args.reward_weights)


def _record(run: RunContext) -> None:
    """Keep what decides the rewards in the run's folder, for whoever explains them later."""
    if run.folder is None or not is_master():
        return
    record = record_of(run.scorer.settings, run.model_type, run.chat, run.limits)
    if keep_record(run.folder, record):
        logger.warning(
            f"Vision-R1: the settings are not those with which {run.folder} was begun; from here "
            f"on they are {record.describe()}"
        )


def wrap_rollout_log(trainer_class: Any) -> None:
    """Write the task of each completion into completions.jsonl, beside the solution that ms-swift
    writes: without it nobody could tell later what the completion was judged as."""

    def around(log: Callable[..., None]) -> Callable[..., None]:
        def log_rollout(trainer: Any, samples: Sequence[Any], *args: Any, **kwargs: Any) -> None:
            log(trainer, samples, *args, **kwargs)
            tasks = [sample.extra.get("task", LACKING) for sample in samples]
            if run_of_rewards(trainer.reward_funcs) is None or LACKING in tasks:
                return
            empty: deque[Any] = deque(maxlen=trainer.args.generation_batch_size)
            every = trainer._gather_and_flatten(tasks, flatten_level=0)
            trainer._logs.setdefault("task", empty).extend(every)

        return log_rollout

    if hasattr(trainer_class, "_log_rollout"):
        _wrap(trainer_class, "_log_rollout", around)


def wrap_megatron_train(trainer_class: Any) -> None:
    """Check the data sets of Megatron's trainer, which it gets only when it starts to train."""

    def around(train: Callable[..., None]) -> Callable[..., None]:
        def check_and_train(trainer: Any, train_dataset: Any, val_dataset: Any) -> None:
            run = run_of_rewards(trainer.reward_funcs)
            if run is not None:
                data = {"train_dataset": train_dataset, "val_dataset": val_dataset}
                check_datasets(run, data)
            train(trainer, train_dataset, val_dataset)

        return check_and_train

    _wrap(trainer_class, "train", around)


def wrap_arguments(arguments_class: Any) -> None:
    """Tell the loader of data sets which rewards they are for."""

    def around(load: Callable[..., Any]) -> Callable[..., Any]:
        def load_dataset(args: Any) -> Any:
            with loading(rewards=tuple(getattr(args, "reward_funcs", None) or ())):
                return load(args)

        return load_dataset

    _wrap(arguments_class, "load_dataset", around)


def wrap_loader(loader_class: Any) -> None:
    """Tell the reader of rows which file, folder or hub id they come from."""

    def around(load: Callable[..., Any]) -> Callable[..., Any]:
        def load_source(loader: Any, dataset_syntax: Any, *args: Any, **kwargs: Any) -> Any:
            with loading(source=dataset_syntax.dataset):
                return load(loader, dataset_syntax, *args, **kwargs)

        return load_source

    _wrap(loader_class, "load", around)


def _wrap(owner: Any, name: str, around: Callable[[Any], Any]) -> None:
    method = getattr(owner, name)
    if not hasattr(method, "vision_r1"):
        wrapped: Any = wraps(method)(around(method))
        wrapped.vision_r1 = True
        setattr(owner, name, wrapped)
