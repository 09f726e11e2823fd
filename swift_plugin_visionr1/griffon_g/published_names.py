"""The names of weights in the published checkpoints, and in ours."""

TOWER = "model.vision_tower."
_TO_OURS = (
    ("model.vision_tower.vision_tower.vision_model.", TOWER),
    ("model.mm_projector.", "model.multi_modal_projector."),
    ("model.embed_tokens.", "model.language_model.embed_tokens."),
    ("model.layers.", "model.language_model.layers."),
    ("model.norm.", "model.language_model.norm."),
    ("lm_head.", "lm_head."),
)
# The optional counting branch, and what older versions of transformers kept beside the weights.
_COUNTING = ("unshared_visual_encoder", "prompt_visual_encoder", "prompt_projector")
_BUFFERS = (".position_ids", ".inv_freq")
# A vision tower in a folder of its own, as CLIPVisionModel or the whole of CLIP.
TOWER_ALONE = "vision_model."
_REST_OF_CLIP = ("text_model.", "text_projection.", "visual_projection.", "logit_scale")


def to_ours(name: str) -> str | None:
    """Our name of a published weight; None for unknown ones.

    >>> to_ours("model.mm_projector.conv.bias")
    'model.multi_modal_projector.conv.bias'
    """
    return next((new + name[len(old) :] for old, new in _TO_OURS if name.startswith(old)), None)


def to_published(name: str) -> str:
    """The published name of one of our weights.

    >>> to_published("model.vision_tower.pre_layrnorm.bias")
    'model.vision_tower.vision_tower.vision_model.pre_layrnorm.bias'
    """
    return next(old + name[len(new) :] for old, new in _TO_OURS if name.startswith(new))


def from_tower(name: str) -> str | None:
    """Our name of a weight in the vision tower's own folder; None for unknown ones."""
    return TOWER + name[len(TOWER_ALONE) :] if name.startswith(TOWER_ALONE) else None


def is_counting(name: str) -> bool:
    """Whether a weight is of the counting branch."""
    return any(part in _COUNTING for part in name.split("."))


def is_needless(name: str) -> bool:
    """Whether a weight is recomputed, or belongs to the part of CLIP that reads text."""
    return name.endswith(_BUFFERS) or name.startswith(_REST_OF_CLIP)
