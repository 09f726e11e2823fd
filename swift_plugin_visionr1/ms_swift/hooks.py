"""The methods of ms-swift that are wrapped, so that rewards and rows learn what they belong to.

Nothing else changes: each method still does what it did, and a run without our rewards is
unaffected.
"""

from collections.abc import Callable
from functools import wraps
from typing import Any

from swift.utils import get_logger, is_master

from ..runs.run_record import keep_record, record_of
from .dataset_check import check_datasets
from .run_context import Building, RunContext, building_rewards, loading, run_of_rewards

logger = get_logger()


def wrap_trainer(trainer_class: Any) -> None:
    """Give the rewards that a trainer builds their run, and begin the run once they are built."""

    def around(build: Callable[..., None]) -> Callable[..., None]:
        def prepare_rewards(trainer: Any, *args: Any, **kwargs: Any) -> None:
            with building_rewards(trainer) as building:
                build(trainer, *args, **kwargs)
            _begin(trainer, building)

        return prepare_rewards

    _wrap(trainer_class, "_prepare_rewards", around)


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
