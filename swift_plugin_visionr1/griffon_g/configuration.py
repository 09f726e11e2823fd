"""The configuration of Griffon-G: CLIP's vision tower, a convolution, and Gemma 2 or Qwen2."""

from typing import Any, ClassVar

from huggingface_hub.dataclasses import strict
from transformers import CONFIG_MAPPING, AutoConfig, PreTrainedConfig

from .chat import CHATS

# The vision tower that the authors publish: CLIP ViT-L/14, enlarged from 336 to 1022 pixels.
PUBLISHED_TOWER = {
    "model_type": "clip_vision_model",
    "hidden_size": 1024,
    "intermediate_size": 4096,
    "projection_dim": 768,
    "num_hidden_layers": 24,
    "num_attention_heads": 16,
    "image_size": 1022,
    "patch_size": 14,
}
PADDING = {"conv_reduce": 1, "conv_reduce_wo_pad": 0}  # of each projector's convolution
KERNEL, STRIDE = 3, 2


@strict
class GriffonGConfig(PreTrainedConfig):
    """All of Griffon-G.

    Attributes:
        vision_config: of the CLIP vision tower; default: the published one.
        text_config: of a Gemma 2 or Qwen2; default: transformers' Gemma 2.
        image_token_id: the token that stands for one visual token in a prompt. It may lie beyond
            the language model's vocabulary: it is never looked up.
        image_size: pixels along a side of the images, which are squares; None for the tower's own.
            The position embeddings are interpolated where the two differ.
        projector_type: `conv_reduce`, or `conv_reduce_wo_pad` for a convolution without padding.
        vision_feature_layer: the layer whose hidden states are projected, as CLIP's
            `hidden_states` count them.
        published: config.json of the published checkpoint that this one was converted from.
    """

    model_type = "griffon_g"
    sub_configs: ClassVar[dict[str, Any]] = {"text_config": AutoConfig, "vision_config": AutoConfig}

    vision_config: Any = None
    text_config: Any = None
    image_token_id: int = 256000
    image_size: int | None = None
    projector_type: str = "conv_reduce"
    vision_feature_layer: int = -2
    tie_word_embeddings: bool = False
    published: dict[str, Any] | None = None

    def __post_init__(self, **kwargs: Any) -> None:
        self.vision_config = _config(self.vision_config or PUBLISHED_TOWER, "clip_vision_model")
        self.text_config = _config(self.text_config or {}, "gemma2")
        self.tie_word_embeddings = self.text_config.tie_word_embeddings
        if self.image_size is None:
            self.image_size = self.vision_config.image_size
        super().__post_init__(**kwargs)

    def validate_architecture(self) -> None:
        """Refuse what the model is not made for; transformers calls this.

        Raises:
            ValueError: another projector, language model or vision tower, or a layer or a size that
                does not exist.
        """
        _expect("projector_type", self.projector_type, tuple(PADDING))
        _expect("text_config's model_type", self.text_config.model_type, tuple(CHATS))
        _expect("vision_config's model_type", self.vision_config.model_type, ("clip_vision_model",))
        layers = self.vision_config.num_hidden_layers
        if not -layers - 1 <= self.vision_feature_layer <= layers:
            raise ValueError(
                f"expected vision_feature_layer from {-layers - 1} to {layers}, since the vision "
                f"tower has {layers} layers, got {self.vision_feature_layer}"
            )
        if self.tokens_along_side < 1:
            raise ValueError(
                f"expected images of at least {KERNEL} patches along a side, got {self.image_size} "
                f"pixels in patches of {self.vision_config.patch_size}"
            )

    @property
    def tower_layers(self) -> int:
        """How many layers of the vision tower are used."""
        layer = self.vision_feature_layer
        return layer if layer >= 0 else int(self.vision_config.num_hidden_layers) + 1 + layer

    @property
    def tokens_along_side(self) -> int:
        """Visual tokens along a side of an image: 37 of the published model's 73 patches."""
        patches = int(self.image_size or 0) // int(self.vision_config.patch_size)
        return (patches + 2 * PADDING[self.projector_type] - KERNEL) // STRIDE + 1

    @property
    def image_seq_length(self) -> int:
        """Visual tokens of an image: 1369 for the published model."""
        return self.tokens_along_side**2


def _config(given: dict[str, Any] | PreTrainedConfig, usual: str) -> Any:
    if isinstance(given, PreTrainedConfig):
        return given
    return CONFIG_MAPPING[given.get("model_type", usual)](**given)


def _expect(what: str, value: str, known: tuple[str, ...]) -> None:
    if value not in known:
        raise ValueError(f"expected {what} to be {' or '.join(known)}, got {value!r}")
