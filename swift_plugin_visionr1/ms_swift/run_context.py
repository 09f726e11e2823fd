"""The run that rewards, callback and checks belong to, found once, when ms-swift builds its
rewards.

ms-swift hands a reward nothing but the trainer's arguments, and these know neither the data sets
nor the template. So the method in which each of its trainers builds its rewards is wrapped; what is
constructed meanwhile finds its run with `current_run`. In the same way rows learn which file they
come from and which rewards they are loaded for. docs/engines.md has the change to ms-swift that
would make this unnecessary.
"""

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import torch.distributed
from swift.utils import get_logger

from ..data.row_census import OURS
from ..errors import SettingsError
from ..models.chat import ChatOptions
from ..models.model_io import DEFAULT_MODEL_TYPE, Limits, ModelIO, model_io
from ..reward.logging_settings import LoggingSettings
from ..reward.moving import Achieved
from ..reward.scorer import Scorer
from ..reward.settings import Settings, load_settings, load_settings_file
from ..runs.run_folder import run_arguments
from .pieces import lacking, sentence, tells_step

DATASETS = ("train_dataset", "eval_dataset", "val_dataset")

logger = get_logger()


@dataclass(frozen=True, eq=False)
class RunContext:
    """One run of one trainer, in this process.

    Attributes:
        model_type: ms-swift's name of the model's family; None if only the settings tell how it
            answers.
        chat: its template, and what that puts before every response.
        limits: of image sizes.
        scorer: the rules, how the model answers, and everything that is counted.
        logging: what the callback logs.
        tells_step: whether the trainer tells rewards its step; ms-swift's Ray driver does not.
        datasets: by `DATASETS`, as far as the trainer has them when it builds its rewards.
        sources: the files that they were loaded from.
        folder: the run's output_dir.
        other_rewards: names of the run's rewards that are not ours, and judge answers.
    """

    model_type: str | None
    chat: ChatOptions
    limits: Limits
    scorer: Scorer
    logging: LoggingSettings = LoggingSettings()
    tells_step: bool = True
    datasets: Mapping[str, Any] = field(default_factory=dict)
    sources: tuple[Path, ...] = ()
    folder: Path | None = None
    other_rewards: tuple[str, ...] = ()


def run_without_trainer(args: Any) -> RunContext:
    """The run of a reward that no trainer of ms-swift builds: `args` are all that is known.

    Raises:
        SettingsError: an adaptive schedule would not see whole groups; see also `run_io`.
    """
    _warn_of_missing_pieces()
    settings = load_settings()
    _require_whole_groups(settings)
    kind, limits, io = run_io(settings, args, None)
    return RunContext(kind, ChatOptions(), limits, Scorer(settings, io), tells_step=tells_step())


def _warn_of_missing_pieces() -> None:
    for piece in lacking(load=False):
        logger.warning(sentence(piece))


def run_of_trainer(trainer: Any, others: tuple[str, ...] = ()) -> RunContext:
    """The run of a trainer that is building its rewards, beside `others` that judge answers.

    Raises:
        SettingsError: there are no groups for an adaptive schedule; see also `run_io`.
    """
    _warn_of_missing_pieces()
    settings, logging = load_settings_file()
    args, known = trainer.args, vars(trainer)
    _require_groups(settings, trainer)
    on_ray = "_data_info" in known
    template = trainer.template
    kind, limits, io = run_io(settings, args, template)
    data = known["_data_info"] if on_ray else known
    folder = getattr(args, "output_dir", None)
    return RunContext(
        kind,
        chat_options(template),
        limits,
        Scorer(
            settings,
            io,
            gather_completions,
            keeps_groups=logging.pictures > 0,
            mixed=bool(others),
        ),
        logging,
        tells_step=not on_ray and tells_step(),
        datasets={name: data[name] for name in DATASETS if data.get(name) is not None},
        sources=_sources(args),
        folder=Path(folder) if folder else None,
        other_rewards=others,
    )


def gather_completions(completions: list[Achieved]) -> list[Achieved]:
    """The completions of all processes: a group may be spread over several. Every process calls its
    rewards at the same time, as ms-swift gathers their values afterwards; the driver of Ray has all
    of them anyway."""
    if not (torch.distributed.is_available() and torch.distributed.is_initialized()):
        return completions
    every: list[Any] = [None] * torch.distributed.get_world_size()
    torch.distributed.all_gather_object(every, completions)
    return [one for each in every for one in each]


def _require_groups(settings: Settings, trainer: Any) -> None:
    """Raise SettingsError if the criteria follow from the group and there are no groups."""
    count = getattr(trainer, "num_generations", None)
    if settings.schedule == "adaptive" and count == 1:
        raise SettingsError(
            "expected --num_generations of at least 2 with `schedule: adaptive`, whose criteria "
            "follow from what a group of completions achieves, got 1: sample groups, or use "
            "`schedule: continuous`"
        )


def _require_whole_groups(settings: Settings) -> None:
    """Raise SettingsError if groups may be spread over processes that do not meet."""
    processes = int(os.environ.get("WORLD_SIZE") or 1)
    if settings.schedule == "adaptive" and processes > 1:
        raise SettingsError(
            "expected a GRPO trainer of ms-swift with `schedule: adaptive` in several processes, "
            f"got {processes} processes and a reward that no such trainer builds: a group may be "
            "spread over processes, and whether they score at the same time is not known; use "
            "`schedule: two_stage` or `continuous`"
        )


def run_io(settings: Settings, args: Any, template: Any) -> tuple[str | None, Limits, ModelIO]:
    """The model type of a run, its limits of image sizes, and how its model answers.

    Args:
        settings: of the rewards.
        args: the trainer's; None without a trainer.
        template: the trainer's; None if it is not available.

    Raises:
        SettingsError: neither the run nor the settings tell the model, or they contradict each
            other.
    """
    meta = getattr(template, "model_meta", None)
    kind = getattr(meta, "model_type", None) or getattr(args, "model_type", None)
    limits = Limits(os.environ, _max_pixels(settings, template, args), image_processor(template))
    default = None
    if args is None and template is None:
        default = DEFAULT_MODEL_TYPE
        if not (settings.model_type or settings.format):
            logger.warning(
                "Vision-R1: a reward is built outside of any run, so answers are read as those of "
                f"{default}; set `model_type` in the settings for another model"
            )
    io = model_io(settings, kind, limits, chat_options(template), default=default)
    return kind or settings.model_type, limits, io


def _max_pixels(settings: Settings, template: Any, args: Any) -> int | None:
    """The run's --max_pixels: the template's, else that of the arguments, else the settings'."""
    if template is None and getattr(args, "max_pixels", None) is None:
        return settings.max_pixels
    seen = getattr(args, "max_pixels", None) if template is None else template.max_pixels
    if settings.max_pixels not in (None, seen):
        raise SettingsError(
            f"expected the settings' max_pixels to be the run's --max_pixels, {seen}, got "
            f"{settings.max_pixels}: leave it out of the settings, the reward reads the run's own"
        )
    return int(seen) if seen is not None else None


def chat_options(template: Any) -> ChatOptions:
    """The run's template, and what it puts before every response: by --enable_thinking, or what
    --response_prefix says."""
    if template is None:
        return ChatOptions()
    name, prefix = template.template_meta.template_type, template._get_response_prefix()
    return ChatOptions(name, response_prefix=prefix)


def image_processor(template: Any) -> dict[str, Any]:
    """The fields of the model's image processor, or of a processor that is one itself; empty
    without one."""
    processor = getattr(template, "processor", None)
    inner = getattr(processor, "image_processor", None)
    return dict(inner.to_dict()) if inner is not None else dict(getattr(processor, "__dict__", {}))


def _sources(args: Any) -> tuple[Path, ...]:
    """The files of --dataset and --val_dataset. The plain trainer's arguments do not name them, but
    ms-swift has written its own into the output folder by then."""
    folder = getattr(args, "output_dir", None)
    named = vars(args) if hasattr(args, "dataset") else run_arguments(Path(folder or "."))
    names = [name for key in ("dataset", "val_dataset") for name in named.get(key) or ()]
    paths = [dataset_path(str(name)) for name in names]
    return tuple(path for path in paths if path.is_file())


def dataset_path(name: str) -> Path:
    """The path in a value of --dataset, which is `path`, or `path#100` for a sample."""
    return Path(name) if Path(name).exists() else Path(name.rsplit("#", 1)[0])


class Building:
    """A trainer that is building its rewards. Its run is found when the first of ours asks."""

    def __init__(self, trainer: Any, others: tuple[str, ...]) -> None:
        self.trainer, self.others = trainer, others

    @cached_property
    def run(self) -> RunContext:
        """Raises SettingsError as `run_io` does."""
        return run_of_trainer(self.trainer, self.others)

    @property
    def has_run(self) -> bool:
        """Whether a reward of ours was built."""
        return "run" in vars(self)


@dataclass(frozen=True)
class Loading:
    """What ms-swift is loading a data set for.

    Attributes:
        rewards: names of the run's rewards.
        source: the file, folder or id that is being read.
    """

    rewards: tuple[Any, ...] = ()
    source: str = "the data set"

    @property
    def has_our_reward(self) -> bool:
        """Whether the run has a vision_r1 reward."""
        return any(isinstance(name, str) and name.startswith(OURS) for name in self.rewards)


NOTHING = Loading()
# Set only while ms-swift builds rewards, or loads a data set.
_BUILDING: ContextVar[Building | None] = ContextVar("vision_r1_building", default=None)
_LOADING: ContextVar[Loading] = ContextVar("vision_r1_loading", default=NOTHING)


def current_run(args: Any) -> RunContext:
    """The run that a reward with the trainer's `args` is being constructed for.

    Raises:
        SettingsError: see `run_io`.
    """
    building = _BUILDING.get()
    return building.run if building is not None else run_without_trainer(args)


@contextmanager
def building_rewards(trainer: Any, others: tuple[str, ...] = ()) -> Iterator[Building]:
    """While open, rewards that are constructed belong to the run of `trainer`, which has `others`,
    too."""
    token = _BUILDING.set(building := Building(trainer, others))
    try:
        yield building
    finally:
        _BUILDING.reset(token)


@contextmanager
def loading(**known: Any) -> Iterator[None]:
    """While open, `current_loading` knows this, too."""
    token = _LOADING.set(replace(_LOADING.get(), **known))
    try:
        yield
    finally:
        _LOADING.reset(token)


def current_loading() -> Loading:
    """What ms-swift is loading a data set for."""
    return _LOADING.get()


def run_of_rewards(rewards: Sequence[Any]) -> RunContext | None:
    """The run of the first vision_r1 reward, if there is one."""
    runs = (getattr(reward, "run", None) for reward in rewards)
    return next((run for run in runs if isinstance(run, RunContext)), None)
