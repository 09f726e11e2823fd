"""The format and the processed sizes of a run: what its settings say, else what its model type is
known for."""

from dataclasses import dataclass
from typing import Protocol

from ..errors import SettingsError
from ..formats import Format, JsonLayout, Reasoning, get_format
from ..geometry.frames import FRAMES
from ..geometry.resize import PaddedSquare, Resize, Unchanged
from ..text import did_you_mean
from .chat import ChatOptions
from .families import FAMILIES, Family, Limits, model_type_of

DEFAULT_MODEL_TYPE = "qwen2_5_vl"  # the paper's


class AnswerSettings(Protocol):
    """What the settings of the rewards may say about a model; null leaves it to the model type."""

    @property
    def model_type(self) -> str | None: ...
    @property
    def format(self) -> str | None: ...
    @property
    def frame(self) -> str | None: ...
    @property
    def reasoning(self) -> Reasoning | None: ...
    @property
    def json(self) -> JsonLayout | None: ...


@dataclass(frozen=True)
class ModelIO:
    """How a model sees images and writes boxes."""

    format: Format
    resize: Resize


def model_io(
    settings: AnswerSettings,
    model_type: str | None = None,
    limits: Limits | None = None,
    chat: ChatOptions | None = None,
    default: str | None = DEFAULT_MODEL_TYPE,
) -> ModelIO:
    """The format and the processed sizes of a run: what the settings say, else what its model type
    is known for.

    Args:
        settings: `format`, `frame`, `reasoning` and `json` there win over the family's own;
            `model_type` there is for callers that know none.
        model_type: ms-swift's name for the run's model; None if unknown.
        limits: of the run.
        chat: the run's template and what it is told about thinking, if known; they decide what
            stands around the answer.
        default: the model type if neither `model_type` nor the settings give one; None makes that
            an error.

    Raises:
        SettingsError: the model type is not known, contradicts the settings' own, or the limits
            cannot be used.
    """
    if model_type and settings.model_type not in (None, model_type):
        raise SettingsError(
            f"expected the settings' model_type to be the run's, {model_type!r}, got "
            f"{settings.model_type!r}: leave it out of the settings, the reward reads the run's own"
        )
    name = model_type or settings.model_type or default
    family = FAMILIES.get(name or "") or _from_settings(settings, name)
    usual = (chat or ChatOptions()).reasoning(name or "", family.reasoning)
    reasoning = settings.reasoning or usual
    format = get_format(settings.format or family.format, settings.frame, reasoning, settings.json)
    try:
        return ModelIO(format, family.resize(limits or Limits()))
    except ValueError as error:
        raise SettingsError(str(error)) from None


def _from_settings(settings: AnswerSettings, model_type: str | None) -> Family:
    """A family about whose images nothing is known; padded frames assume padding to a square."""
    if settings.format is None or settings.frame in (None, "processed"):
        if model_type is None:
            came = "none: set `model_type` in the settings to ms-swift's name of it"
        else:
            came = f"{model_type!r}{did_you_mean(model_type, FAMILIES)}"
        raise SettingsError(
            f"expected a model_type that is known, got {came}; or set "
            "`format` and `frame` in the settings to what the model writes, with any frame but "
            f"processed. Known are {', '.join(FAMILIES)}"
        )
    resize = PaddedSquare() if FRAMES[settings.frame].padded else Unchanged()
    return Family(settings.format, lambda _: resize)


__all__ = [
    "DEFAULT_MODEL_TYPE",
    "FAMILIES",
    "ChatOptions",
    "Family",
    "Limits",
    "ModelIO",
    "model_io",
    "model_type_of",
]
