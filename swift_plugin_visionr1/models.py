"""Which format a model writes and how it sees an image, by ms-swift's `model_type`."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from .formats import Format, Reasoning, get_format
from .resize import QwenResize, Resize
from .settings import Settings, SettingsError

DEFAULT_MODEL_TYPE = "qwen2_5_vl"  # the paper's


@dataclass(frozen=True)
class Limits:
    """What decides a family's processed size in one run.

    Attributes:
        environ: environment variables, for MAX_PIXELS and its kin as ms-swift reads them.
        max_pixels: ms-swift's own --max_pixels, which rescales before anything else; None is no limit.
        processor: the fields of the checkpoint's image processor (preprocessor_config.json); empty where not known.
    """

    environ: Mapping[str, str] = field(default_factory=dict)
    max_pixels: int | None = None
    processor: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Family:
    """Models that see and write alike.

    Attributes:
        format: a key of FORMATS.
        resize: makes the rule of the processed size from a run's limits; raises ValueError for limits it cannot have.
        reasoning: what the model writes around its answer.
    """

    format: str
    resize: Callable[[Limits], Resize]
    reasoning: Reasoning = "none"


@dataclass(frozen=True)
class ModelIO:
    """How a model sees images and writes boxes."""

    format: Format
    resize: Resize


def _qwen(limits: Limits) -> Resize:
    return QwenResize.from_environment(limits.environ, limits.max_pixels)


FAMILIES: dict[str, Family] = {
    "qwen2_5_vl": Family("qwen2_5_vl", _qwen),
}


def model_io(settings: Settings, model_type: str | None = None, limits: Limits | None = None) -> ModelIO:
    """The format and the processed sizes of a run: what the settings say, else what its model type is known for.

    Args:
        settings: `format`, `frame`, `reasoning` and `json` there win over the family's own; `model_type` there is
            for callers that know none.
        model_type: ms-swift's name for the run's model; where nobody knows it, it is the paper's Qwen2.5-VL.
        limits: of the run.

    Raises:
        SettingsError: the model type is not known, contradicts the settings' own, or the limits cannot be used.
    """
    if model_type and settings.model_type not in (None, model_type):
        raise SettingsError(
            f"expected the settings' model_type to be the run's, {model_type!r}, got {settings.model_type!r}: "
            "leave it out of the settings, the reward reads the run's own"
        )
    family = _family(model_type or settings.model_type or DEFAULT_MODEL_TYPE)
    format = get_format(
        settings.format or family.format, settings.frame, settings.reasoning or family.reasoning, settings.json
    )
    try:
        return ModelIO(format, family.resize(limits or Limits()))
    except ValueError as error:
        raise SettingsError(str(error)) from None


def _family(model_type: str) -> Family:
    if model_type not in FAMILIES:
        raise SettingsError(f"expected a model_type that is known ({', '.join(FAMILIES)}), got {model_type!r}")
    return FAMILIES[model_type]
