"""Which model it is, and therefore which format and frame. Three sources may disagree: recipe,
checkpoint and settings."""

import re
from dataclasses import dataclass, replace

from ..errors import SettingsError
from ..models.chat import ChatOptions
from ..models.checkpoint import Checkpoint, find_checkpoint
from ..models.model_io import FAMILIES, Limits, ModelIO, model_io
from ..recipes.training_command import Recipe
from ..reward.scorer import Scorer
from ..reward.settings import Settings
from .findings import Finding, note, ok, problem, warning


@dataclass(frozen=True)
class TrainedModel:
    """The run's model.

    Attributes:
        name: hub id or folder.
        checkpoint: what its files and name tell.
        type: ms-swift's model type as the run would have it; None if unknown.
        io: format and resize; None if unknown.
    """

    name: str | None
    checkpoint: Checkpoint
    type: str | None
    io: ModelIO | None


def find_model(recipe: Recipe, settings: Settings) -> tuple[TrainedModel, list[Finding]]:
    """The model with what is wrong about it."""
    name, said = recipe.one("model"), recipe.one("model_type")
    checkpoint = find_checkpoint(name)
    model_type, source = checkpoint.model_type, checkpoint.source
    kind = said or model_type
    try:
        io = _io(recipe, settings, kind, checkpoint)
    except SettingsError as error:
        also = f"; {source} says {model_type}" if model_type and model_type != said else ""
        return TrainedModel(name, checkpoint, kind, None), [
            problem("model", f"model: {error}{also}")
        ]
    model = TrainedModel(name, checkpoint, kind, io)
    if (
        said
        and model_type
        and said != model_type
        and _io_of_other(recipe, settings, model_type, checkpoint) != io
    ):
        text = (
            f"model_type is {said}, but {source} says {model_type}: boxes would be read in the "
            "wrong format or frame. "
        )
        return model, [
            problem("model_type", f"{text}Leave model_type out, or set it to {model_type}")
        ]
    return model, _about(name, kind, source if not said else "the recipe", settings, io)


def scorer_with(
    recipe: Recipe, settings: Settings, model: TrainedModel, pixels: int, is_least: bool
) -> Scorer | None:
    """The scorer of the same run with another least or greatest area of images in pixels; None if
    its model has no such limit."""
    environ = dict(recipe.environ)
    for bound in ("MIN", "MAX") if is_least else ("MAX",):
        environ.pop(f"IMAGE_{bound}_TOKEN_NUM", None)
        environ[f"{bound}_PIXELS"] = str(pixels)
    options = {**recipe.options}
    if recipe.integer("max_pixels"):
        options["max_pixels"] = (str(pixels),)
    other = replace(recipe, environ=environ, options=options)
    try:
        return Scorer(settings, _io(other, settings, model.type, model.checkpoint))
    except SettingsError:
        return None


def _io(recipe: Recipe, settings: Settings, kind: str | None, checkpoint: Checkpoint) -> ModelIO:
    told = {name: recipe.one(name) for name in ("template", "enable_thinking", "response_prefix")}
    chat = ChatOptions.of(told).over(ChatOptions(checkpoint.chat.template))
    io = model_io(settings, kind, _limits(recipe, checkpoint), chat)
    if recipe.is_grpo:
        Scorer(settings, io)  # raises for what the reward would refuse at the start of the run
    return io


def _io_of_other(
    recipe: Recipe, settings: Settings, kind: str, checkpoint: Checkpoint
) -> ModelIO | None:
    try:
        return _io(recipe, settings, kind, checkpoint)
    except SettingsError:
        return None


def _about(
    name: str | None, kind: str | None, source: str, settings: Settings, io: ModelIO
) -> list[Finding]:
    if name is None:
        return [problem("model", "no model: add --model HUB_ID or FOLDER")]
    if kind == "griffon" or name.startswith("JefferyZhan/Griffon"):
        text = f"{name} is a Griffon as its authors publish it, which ms-swift cannot load"
        return [problem("model", f"{text}: vision-r1 convert griffon-g FOLDER NEW_FOLDER")]
    if kind is None and settings.model_type is None:
        text = (
            f"nothing says which model type {name} is: it is read as {io.format.name} in "
            f"{_frame(io)}, and image "
        )
        return [note("model", f"{text}sizes are taken as {io.resize.describe()}; add --model_type")]
    kind = kind or settings.model_type
    text = (
        f"model: {name}, model type {kind} (from {source}), writes {io.format.name} in {_frame(io)}"
    )
    text += " (the settings' frame)" if settings.frame else ""
    findings = [ok("model", f"{text}; {io.resize.describe()}")]
    if _writes_otherwise(name, io):
        text = (
            f"{name} is of Qwen2.5-VL's architecture but writes rex_omni, and not {io.format.name}"
        )
        findings.append(warning("format", f"{text}: set `format: rex_omni` in the settings"))
    family = FAMILIES.get(kind or "")
    if family and family.format != io.format.name:
        text = f"settings say format {io.format.name}, but {kind} models write {family.format}"
        findings.append(
            note("format", f"{text}: right only if this checkpoint was trained to write it")
        )
    return findings


def _writes_otherwise(name: str, io: ModelIO) -> bool:
    """Whether Rex-Omni is read as Qwen2.5-VL, from which only its name distinguishes it."""
    return re.search("rex[._-]?omni", name, re.IGNORECASE) is not None and (
        io.format.name != "rex_omni"
    )


def _frame(io: ModelIO) -> str:
    units = io.format.frame.units
    return f"pixels of the {units} image" if isinstance(units, str) else f"0-{units:g}"


def _limits(recipe: Recipe, checkpoint: Checkpoint) -> Limits:
    return Limits(recipe.environ, recipe.integer("max_pixels"), checkpoint.processor)
