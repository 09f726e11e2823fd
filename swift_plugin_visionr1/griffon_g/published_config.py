"""config.json of the published checkpoints, and what it says of our configuration."""

from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from huggingface_hub.errors import StrictDataclassError
from transformers import CONFIG_MAPPING, CLIPVisionConfig

from ..errors import InputError
from .chat import CHATS
from .configuration import PADDING, PUBLISHED_TOWER, GriffonGConfig

# What older versions of transformers wrote besides a configuration's own fields.
_OLDER = {"rope_theta", "rope_scaling", "use_sliding_window", "max_window_layers"}


def is_published(config: Mapping[str, Any]) -> bool:
    """Whether config.json is of the published layout."""
    written = str(config.get("model_type", "")).lower()
    return "griffon" in written and written.startswith(tuple(CHATS))


def language_of(config: Mapping[str, Any]) -> str:
    """`gemma2` or `qwen2`.

    Raises:
        InputError: the checkpoint is not a Griffon-G.
    """
    if is_published(config):
        return next(name for name in CHATS if config["model_type"].lower().startswith(name))
    raise InputError(
        "expected a config.json with the model_type gemma2_Griffon or qwen2_Griffon, got "
        f"{config.get('model_type')!r}: give the folder of a published Griffon-G"
    )


def our_config(
    published: Mapping[str, Any], tower: Mapping[str, Any] | None, side: int | None
) -> GriffonGConfig:
    """Our configuration.

    Args:
        published: config.json of the checkpoint.
        tower: config.json of the vision tower; None for the published one.
        side: of the images, by the vision tower's preprocessor_config.json; None if unknown.

    Raises:
        InputError: a field asks for what this model cannot do.
    """
    kind = language_of(published)
    _refuse_others(published)
    text = CONFIG_MAPPING[kind]
    known = {field.name for field in fields(text)} | _OLDER
    language = {k: v for k, v in published.items() if k in known and k != "model_type"}
    for name in ("architectures", "dtype"):  # the whole's, not the language model's
        language.pop(name, None)
    try:
        return GriffonGConfig(
            text_config=text(**language),
            vision_config=CLIPVisionConfig(**_vision(tower)),
            image_size=side,
            projector_type=published.get("mm_projector_type", "conv_reduce"),
            vision_feature_layer=published.get("mm_vision_select_layer", -2),
            published=dict(published),
        )
    except (StrictDataclassError, ValueError, TypeError) as error:
        raise InputError(f"config.json does not fit Griffon-G: {error}") from None


def their_config(config: GriffonGConfig) -> dict[str, Any]:
    """config.json of the published layout: the one it came from, or one like it."""
    if config.published:
        return dict(config.published)
    text: dict[str, Any] = config.text_config.to_dict()
    kind = text.pop("model_type")
    rope = text.pop("rope_parameters", None) or {}
    return text | {
        "model_type": f"{kind}_Griffon",
        "rope_theta": rope.get("rope_theta", 10000.0),
        "mm_vision_tower": "vision_tower",
        "mm_projector_type": config.projector_type,
        "mm_hidden_size": config.vision_config.hidden_size,
        "mm_vision_select_layer": config.vision_feature_layer,
        "mm_vision_select_feature": "patch",
        "mm_use_im_start_end": False,
        "mm_use_im_patch_token": False,
    }


def _refuse_others(published: Mapping[str, Any]) -> None:
    wanted: dict[str, tuple[Any, ...]] = {
        "mm_projector_type": tuple(PADDING),
        "mm_vision_select_feature": ("patch",),
        "mm_use_im_start_end": (False, None),
        "mm_use_im_patch_token": (False, None),
    }
    for name, values in wanted.items():
        value = published.get(name, values[0])
        if value not in values:
            raise InputError(
                f"expected {name} to be {' or '.join(map(str, values[:2]))} in config.json, got "
                f"{value!r}: no published Griffon-G has that, and it would change the prompt or "
                "the visual tokens"
            )


def _vision(tower: Mapping[str, Any] | None) -> dict[str, Any]:
    """Of CLIPVisionModel's own config.json, or of the whole of CLIP's."""
    given = dict(tower or PUBLISHED_TOWER)
    given = dict(given.get("vision_config") or given)
    known = {field.name for field in fields(CLIPVisionConfig)}
    return {k: v for k, v in given.items() if k in known and k not in ("architectures", "dtype")}
