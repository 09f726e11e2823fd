"""Settings of the rewards: presets, YAML files over a preset, and validation with suggestions."""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, fields, replace
from fractions import Fraction
from pathlib import Path
from typing import Any, Literal, get_args, get_type_hints

import yaml

from ..declared import check_value, read_declared
from ..errors import InputError, SettingsError
from ..files import load_yaml
from ..formats import JsonLayout, Reasoning, get_format
from ..shipped import shipped
from ..text import did_you_mean, short
from .logging_settings import LoggingSettings
from .schedule import Criteria, Schedule, Stage
from .schedule_reading import plain_schedule, read_schedule, unused_names
from .schedule_settings import (
    AdaptiveSettings,
    ContinuousSettings,
    ScheduleName,
    StageSettings,
    check_schedule,
    make_schedule,
)
from .zoo.peers import PEERS, Peer, PeerRules

ENVIRONMENT_VARIABLE = "VISION_R1_CONFIG"


@contextmanager
def _as_settings_error(name: str = "settings") -> Iterator[None]:
    try:
        yield
    except SettingsError:
        raise
    except InputError as error:
        raise SettingsError(str(error)) from None
    except ValueError as error:  # raised by a dataclass, which does not know its name
        raise SettingsError(f"{name}: {error}") from None


@dataclass(frozen=True)
class Settings:
    """All rules of the reward.

    Attributes:
        rules: the paper's equations, the released code's behaviour, or the reward of another work.
        model_type: the model's family, by ms-swift's name; only needed if the run does not tell it.
        format: how the model writes boxes; null for the way of its family.
        frame: what its coordinates mean; null for what they usually mean in the format.
        reasoning: what the model writes around its answer: `none`, `think` or `think_answer`; null
            for what its family writes.
        json: for `format: json`: the keys of box and label, the order of the coordinates, and how
            many decimals they have.
        schedule: how the criteria become stricter. `two_stage` is the paper's schedule (`step`),
            `stages` has any number of stages, `continuous` moves the thresholds as the run
            progresses, and `adaptive` gives each group of completions its own thresholds, by how
            well it does.
        step: STEP, the fraction of the run after which the advanced stage begins, such as "1/2".
            With 1 it never begins.
        switch_step: the global step at which the advanced stage begins, instead of `step`.
        beginner: the thresholds xi0, xi1 and xi2 of the beginner stage.
        advanced: the thresholds of the advanced stage.
        stages: for `schedule: stages`: the thresholds of each stage, and when it begins.
        continuous: for `schedule: continuous`: when the thresholds leave `beginner`, and when they
            arrive at `advanced`.
        adaptive: for `schedule: adaptive`: how well a group has to do for stricter thresholds.
        differentiation: whether to apply f of Eq. 8. Without it, recall and precision are those of
            Eq. 5 and 6.
        matcher: `box` matches by location alone, `box_label` adds the class term (Table 3).
        wrong_label: `ignore` pays for a box whatever its label; `unmatched` counts a pair with
            different labels as IoU 0.
        precision_over: what the sum in Eq. 6 is divided by: the number of `matched` pairs (the
            paper's M), of `valid` ones, of all `predicted` boxes, or the `larger` of the numbers of
            predicted and annotated boxes.
        salvage: whether the boxes that can be read from an answer with a broken format still earn
            recall and precision.
        fixed_stage: one stage for the whole run. You need it, or `schedule: adaptive`, with a
            trainer that does not tell rewards the step (ms-swift's Ray driver).
        max_pixels: ms-swift's --max_pixels; only needed if the reward cannot see the run's own.
    """

    rules: Literal["paper", "official"] | PeerRules = "paper"
    model_type: str | None = None
    format: str | None = None
    frame: str | None = None
    reasoning: Reasoning | None = None
    json: JsonLayout | None = None
    schedule: ScheduleName = "two_stage"
    step: Fraction = Fraction(1, 2)
    switch_step: int | None = None
    beginner: Criteria = Criteria(0.5, 0.5, 0.75)
    advanced: Criteria = Criteria(0.75, 0.75, 0.9)
    stages: tuple[StageSettings, ...] | None = None
    continuous: ContinuousSettings | None = None
    adaptive: AdaptiveSettings | None = None
    differentiation: bool = True
    matcher: Literal["box", "box_label"] = "box"
    wrong_label: Literal["ignore", "unmatched"] = "ignore"
    precision_over: Literal["matched", "valid", "predicted", "larger"] = "matched"
    salvage: bool = True
    fixed_stage: Stage | None = None
    max_pixels: int | None = None
    source: str = field(default="preset paper", compare=False)

    def __post_init__(self) -> None:
        with _as_settings_error():
            for name, kind in get_type_hints(Settings).items():
                check_value(getattr(self, name), kind, name)
        if self.json is not None and self.format != "json":
            raise SettingsError(
                f"expected `format: json` with the layout `json`, got the format {self.format!r}"
            )
        try:
            get_format(self.format or "qwen2_5_vl", self.frame, self.reasoning or "none", self.json)
        except ValueError as error:
            raise SettingsError(str(error)) from None
        if self.rules == "official":
            self._check_official()
        with _as_settings_error():
            check_schedule(self)
        if self.peer is not None:
            self._check_peer(self.peer)

    def _check_official(self) -> None:
        fixed = {
            "matcher": "box",
            "wrong_label": "ignore",
            "precision_over": "matched",
            "salvage": True,
        }
        for name, value in fixed.items():
            if getattr(self, name) != value:
                raise SettingsError(
                    f"expected {name} left out with the official rules, which have their own, "
                    f"got {getattr(self, name)!r}: use `preset: paper`"
                )

    def _check_peer(self, peer: Peer) -> None:
        for setting in fields(self):
            if setting.name in peer.unused and getattr(self, setting.name) != setting.default:
                raise SettingsError(
                    f"expected {setting.name} left out with the rules {self.rules}, which have "
                    f"their own, got {getattr(self, setting.name)!r}: use `preset: {self.rules}`"
                )

    @property
    def peer(self) -> Peer | None:
        """The other work whose reward is paid; None by the paper's and the released code's
        rules."""
        return PEERS.get(self.rules)

    @property
    def highest(self) -> float:
        """The greatest reward that an answer can earn."""
        return self.peer.highest if self.peer else 3.0

    @property
    def pays_denial(self) -> bool:
        """Whether the right answer that nothing is there earns the greatest reward."""
        return self.peer.pays_denial if self.peer else self.rules == "paper"

    @property
    def reads_labels(self) -> bool:
        """Whether labels change the reward."""
        if self.peer:
            return self.peer.reads_labels
        return self.matcher == "box_label" or self.wrong_label == "unmatched"

    @property
    def refinement(self) -> Schedule:
        """The schedule itself; see `make_schedule`."""
        return self.peer.schedule(self.fixed_stage) if self.peer else make_schedule(self)


_PRESETS: dict[str, dict[str, Any]] = {
    "paper": {},
    "official": {"rules": "official", "step": Fraction(1), "differentiation": False},
    "official-adaptive": {"rules": "official", "switch_step": 1500},
    "strict": {"matcher": "box_label", "wrong_label": "unmatched", "precision_over": "larger"},
    **{name: {"rules": name} for name in get_args(PeerRules)},
}
_LOGGING = tuple(f.name for f in fields(LoggingSettings))
PRESETS = {name: Settings(**values, source=f"preset {name}") for name, values in _PRESETS.items()}


def load_settings(spec: str | None = None) -> Settings:
    """The settings that `spec` names: a preset, or a YAML file with settings over one
    (`preset: paper`).

    Args:
        spec: None reads the environment variable VISION_R1_CONFIG, and means `paper` if that is
            unset.

    Raises:
        SettingsError: what was expected and what came.
    """
    return load_settings_file(spec)[0]


def load_settings_file(spec: str | None = None) -> tuple[Settings, LoggingSettings]:
    """All that `spec` says, of the rules and of what is logged; see `load_settings`."""
    spec = spec if spec is not None else os.environ.get(ENVIRONMENT_VARIABLE) or "paper"
    if spec in PRESETS:
        return PRESETS[spec], LoggingSettings()
    path = shipped(Path(spec))
    if path.suffix not in (".yaml", ".yml") and not path.is_file():
        raise SettingsError(
            f"expected {ENVIRONMENT_VARIABLE} to be a preset ({', '.join(PRESETS)}) or a YAML "
            f"file, got {spec!r}" + did_you_mean(spec, PRESETS)
        )
    with _as_settings_error():
        data = load_yaml(path) or {}
    if not isinstance(data, dict):
        raise SettingsError(f"expected `name: value` lines in {path}, got a {type(data).__name__}")
    return replace(settings_from(data), source=str(path)), logging_from(data)


def settings_from(data: Mapping[str, Any]) -> Settings:
    """Settings from a mapping of names to plain values, over the preset that its `preset` names.
    What it says of logging is checked and left out.

    Raises:
        SettingsError: what was expected and what came.
    """
    logging_from(data)
    values = {name: value for name, value in data.items() if name not in _LOGGING}
    preset = values.pop("preset", "paper")
    if not isinstance(preset, str) or preset not in PRESETS:
        raise SettingsError(
            f"expected preset to be one of {', '.join(PRESETS)}, got "
            f"{short(preset)!r}{did_you_mean(preset, PRESETS)}"
        )
    rules = [f.name for f in fields(Settings) if f.name != "source"]
    names = [*rules, *_LOGGING]
    for name in values:
        if name not in rules:
            raise SettingsError(
                f"unknown setting {short(name)!r}{did_you_mean(name, names)}; there are "
                f"{', '.join(names)}"
            )
    with _as_settings_error():
        values = read_schedule(values, PRESETS[preset])
    if values.get("json") is not None:
        values["json"] = _layout(values["json"])
    return replace(PRESETS[preset], **values)


def logging_from(data: Mapping[str, Any]) -> LoggingSettings:
    """What a mapping of all settings says of logging; raises SettingsError as `settings_from`."""
    with _as_settings_error():
        return LoggingSettings(**{name: data[name] for name in _LOGGING if name in data})


def describe(settings: Settings, logging: LoggingSettings | None = None) -> str:
    """The settings as YAML that `load_settings_file` reads back."""
    plain = plain_settings(settings) | asdict(logging or LoggingSettings())
    return f"# {settings.source}\n" + yaml.safe_dump(
        plain, sort_keys=False, default_flow_style=None
    )


def plain_settings(settings: Settings) -> dict[str, Any]:
    """The rules as plain values that `settings_from` reads back, all but their source."""
    plain = asdict(settings) | plain_schedule(settings)
    del plain["source"]
    unused = settings.peer.unused if settings.peer else ()
    for name in {*unused_names(settings), *unused}:
        del plain[name]
    return plain


def _layout(value: Any) -> JsonLayout:
    with _as_settings_error("json"):
        return read_declared(JsonLayout, value, "json")
