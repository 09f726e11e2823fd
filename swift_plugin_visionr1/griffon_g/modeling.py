"""Griffon-G in transformers' idiom: vision tower, projector, language model.

The shapes of the published model: an image of 1022 x 1022 pixels is 73 x 73 patches of CLIP, whose
second-last layer a convolution of stride 2 reduces to 37 x 37 visual tokens.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn
from transformers import AutoModel, GenerationMixin, PreTrainedModel
from transformers.cache_utils import Cache
from transformers.modeling_outputs import BaseModelOutputWithPast, BaseModelOutputWithPooling
from transformers.utils import ModelOutput
from transformers.utils.generic import can_return_tuple

from .configuration import KERNEL, PADDING, STRIDE, GriffonGConfig


@dataclass
class GriffonGModelOutput(BaseModelOutputWithPast):
    """A `BaseModelOutputWithPast`, and the projected images, (images, visual tokens, hidden)."""

    image_hidden_states: torch.Tensor | None = None


@dataclass
class GriffonGCausalLMOutput(ModelOutput):
    """What `GriffonGForConditionalGeneration` returns; logits are (batch, tokens, vocabulary)."""

    loss: torch.Tensor | None = None
    logits: torch.Tensor | None = None
    past_key_values: Cache | None = None
    hidden_states: tuple[torch.Tensor, ...] | None = None
    attentions: tuple[torch.Tensor, ...] | None = None
    image_hidden_states: torch.Tensor | None = None


class GriffonGProjector(nn.Module):
    """`conv_reduce`: a convolution over the grid of patches, GELU, a linear layer."""

    def __init__(self, config: GriffonGConfig) -> None:
        super().__init__()
        hidden = config.text_config.hidden_size
        padding = PADDING[config.projector_type]
        self.conv = nn.Conv2d(config.vision_config.hidden_size, hidden, KERNEL, STRIDE, padding)
        self.act = nn.GELU()
        self.linear = nn.Linear(hidden, hidden)

    def forward(self, patches: torch.Tensor) -> torch.Tensor:
        """(images, side * side, width) of patches to (images, visual tokens, hidden)."""
        images, count, width = patches.shape
        side = int(count**0.5)
        grid = patches.transpose(1, 2).reshape(images, width, side, side)
        reduced: torch.Tensor = self.act(self.conv(grid))
        tokens: torch.Tensor = self.linear(reduced.flatten(2).transpose(1, 2))
        return tokens


def project_images(
    tower: Any, projector: nn.Module, layers: int, pixel_values: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor]:
    """Images as the first `layers` layers of the vision tower and the projector see them.

    Args:
        pixel_values: (images, 3, side, side), normalised as CLIP's.

    Returns:
        The patches, (images, 1 + patches, width), and the visual tokens, (images, visual tokens,
        hidden). Layers behind the last one asked for are not run.
    """
    states = tower.embeddings(pixel_values, interpolate_pos_encoding=True)
    states = tower.pre_layrnorm(states)
    for layer in tower.encoder.layers[:layers]:
        states = layer(states, None)
    return states, projector(states[:, 1:])


class GriffonGPreTrainedModel(PreTrainedModel):
    """What transformers knows of all parts of Griffon-G."""

    config: GriffonGConfig
    config_class = GriffonGConfig
    base_model_prefix = "model"
    input_modalities = ("image", "text")
    supports_gradient_checkpointing = True
    _no_split_modules = (
        "CLIPEncoderLayer",
        "CLIPVisionEmbeddings",
        "GriffonGProjector",
        "Gemma2DecoderLayer",
        "Qwen2DecoderLayer",
    )
    _skip_keys_device_placement = ("past_key_values",)
    _supports_flash_attn = True
    _supports_sdpa = True
    _supports_flex_attn = True
    _supports_attention_backend = True

    def set_attn_implementation(self, *args: Any, **kwargs: Any) -> None:
        """See transformers; a Gemma 2 with `sdpa` gets `eager` in its place."""
        super().set_attn_implementation(*args, **kwargs)
        _keep_capping(self.config)


class GriffonGModel(GriffonGPreTrainedModel):
    """Vision tower, projector and language model, without the language model's head."""

    def __init__(self, config: GriffonGConfig) -> None:
        super().__init__(config)
        _keep_capping(config)
        self.vision_tower = AutoModel.from_config(config.vision_config)
        self.multi_modal_projector = GriffonGProjector(config)
        self.language_model = AutoModel.from_config(config.text_config)
        self.post_init()

    @can_return_tuple
    def get_image_features(
        self, pixel_values: torch.Tensor, **kwargs: Any
    ) -> BaseModelOutputWithPooling:
        """The visual tokens of images, in the language model's space, as they take words' places.

        Args:
            pixel_values: (images, 3, side, side), normalised as CLIP's.

        Returns:
            The patches of the chosen layer as `last_hidden_state`; as `pooler_output` the visual
            tokens, (images, visual tokens, hidden).

        Gemma 2 multiplies words by sqrt(hidden) inside their embedding; it was trained with images
        multiplied alike.
        """
        layers = self.config.tower_layers
        states, features = project_images(
            self.vision_tower, self.multi_modal_projector, layers, pixel_values
        )
        scale = getattr(self.get_input_embeddings(), "embed_scale", None)
        if scale is not None:
            features = features * scale.to(features)
        return BaseModelOutputWithPooling(last_hidden_state=states, pooler_output=features)

    def get_placeholder_mask(self, input_ids: torch.Tensor, features: torch.Tensor) -> torch.Tensor:
        """Where images go, (batch, tokens).

        Raises:
            ValueError: there are more or fewer places than visual tokens.
        """
        mask = input_ids == self.config.image_token_id
        places, tokens = int(mask.sum()), features.shape[0] * features.shape[1]
        if places != tokens:
            raise ValueError(
                f"expected {tokens} image tokens in input_ids ({features.shape[0]} images of "
                f"{features.shape[1]} visual tokens), got {places}: prepare text and images "
                "together with GriffonGProcessor"
            )
        return mask

    def embed(
        self, input_ids: torch.Tensor, pixel_values: torch.Tensor | None
    ) -> tuple[torch.Tensor, torch.Tensor | None]:
        """Words and images as the language model takes them, and the images alone."""
        words = input_ids.masked_fill(input_ids == self.config.image_token_id, 0)
        embeds = self.get_input_embeddings()(words)
        if pixel_values is None:
            return embeds, None
        features = self.get_image_features(pixel_values, return_dict=True).pooler_output
        features = features.to(embeds.device, embeds.dtype)
        mask = self.get_placeholder_mask(input_ids, features).unsqueeze(-1)
        return embeds.masked_scatter(mask.to(embeds.device), features), features

    @can_return_tuple
    def forward(
        self,
        input_ids: torch.Tensor | None = None,
        pixel_values: torch.Tensor | None = None,
        attention_mask: torch.Tensor | None = None,
        position_ids: torch.Tensor | None = None,
        past_key_values: Cache | None = None,
        inputs_embeds: torch.Tensor | None = None,
        **kwargs: Any,
    ) -> GriffonGModelOutput:
        """As every model of transformers; one of `input_ids` and `inputs_embeds`, and images only
        with the former."""
        if (input_ids is None) == (inputs_embeds is None):
            raise ValueError("expected either input_ids or inputs_embeds, got both or neither")
        if input_ids is None and pixel_values is not None:
            raise ValueError("expected input_ids beside pixel_values, got inputs_embeds")
        features = None
        if input_ids is not None:
            inputs_embeds, features = self.embed(input_ids, pixel_values)
        outputs = self.language_model(
            attention_mask=attention_mask,
            position_ids=position_ids,
            past_key_values=past_key_values,
            inputs_embeds=inputs_embeds,
            **kwargs,
        )
        return GriffonGModelOutput(**outputs, image_hidden_states=features)


class GriffonGForConditionalGeneration(GriffonGPreTrainedModel, GenerationMixin):
    """Griffon-G with the language model's head."""

    _tied_weights_keys = {  # noqa: RUF012 - transformers reads and extends it as a dict
        "lm_head.weight": "model.language_model.embed_tokens.weight"
    }

    def __init__(self, config: GriffonGConfig) -> None:
        super().__init__(config)
        self.model = GriffonGModel(config)
        text = config.text_config
        self.lm_head = nn.Linear(text.hidden_size, text.vocab_size, bias=False)
        self._ddp_params_and_buffers_to_ignore = list(self._unused_parameters())
        self.post_init()

    def _unused_parameters(self) -> Iterator[str]:
        """Of the vision tower behind its chosen layer: they get no gradient, which DDP must
        know."""
        layers = self.config.vision_config.num_hidden_layers
        behind = [f"encoder.layers.{number}." for number in range(self.config.tower_layers, layers)]
        starts = tuple(f"model.vision_tower.{part}" for part in (*behind, "post_layernorm."))
        return (name for name, _ in self.named_parameters() if name.startswith(starts))

    def get_image_features(self, pixel_values: torch.Tensor, **kwargs: Any) -> Any:
        """See `GriffonGModel.get_image_features`."""
        return self.model.get_image_features(pixel_values, **kwargs)

    @can_return_tuple
    def forward(
        self,
        input_ids: torch.Tensor | None = None,
        pixel_values: torch.Tensor | None = None,
        attention_mask: torch.Tensor | None = None,
        position_ids: torch.Tensor | None = None,
        past_key_values: Cache | None = None,
        inputs_embeds: torch.Tensor | None = None,
        labels: torch.Tensor | None = None,
        logits_to_keep: int | torch.Tensor = 0,
        **kwargs: Any,
    ) -> GriffonGCausalLMOutput:
        """Logits, and with `labels` (-100 for what is not learnt) their loss."""
        outputs = self.model(
            input_ids=input_ids,
            pixel_values=pixel_values,
            attention_mask=attention_mask,
            position_ids=position_ids,
            past_key_values=past_key_values,
            inputs_embeds=inputs_embeds,
            **kwargs,
        )
        kept = slice(-logits_to_keep, None) if isinstance(logits_to_keep, int) else logits_to_keep
        logits = self._logits(outputs.last_hidden_state[:, kept, :])
        loss = None
        if labels is not None:
            vocabulary = self.config.text_config.vocab_size
            loss = self.loss_function(logits, labels, vocabulary, **kwargs)
        return GriffonGCausalLMOutput(
            loss=loss,
            logits=logits,
            past_key_values=outputs.past_key_values,
            hidden_states=outputs.hidden_states,
            attentions=outputs.attentions,
            image_hidden_states=outputs.image_hidden_states,
        )

    def _logits(self, states: torch.Tensor) -> torch.Tensor:
        """Gemma 2's are capped by a tanh."""
        logits: torch.Tensor = self.lm_head(states)
        cap = getattr(self.config.text_config, "final_logit_softcapping", None)
        return logits if cap is None else torch.tanh(logits / cap) * cap


def _keep_capping(config: GriffonGConfig) -> None:
    """SDPA would leave out the cap of Gemma 2's attention scores; the vision tower may use it."""
    text = config.text_config
    capped = getattr(text, "attn_logit_softcapping", None) is not None
    if capped and text._attn_implementation in (None, "sdpa"):
        text._attn_implementation = "eager"
