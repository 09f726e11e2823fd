"""Griffon-G for vLLM: the vision tower and the projector of modeling.py before vLLM's own Gemma 2
or Qwen2.

Imported by vLLM only (vllm_plugin.py). Names and signatures are those of vLLM 0.32.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import torch
from torch import nn
from transformers import AutoModel
from vllm.config import VllmConfig
from vllm.model_executor.models.interfaces import SupportsMultiModal, SupportsPP
from vllm.model_executor.models.module_mapping import MultiModelKeys
from vllm.model_executor.models.utils import (
    AutoWeightsLoader,
    WeightsMapper,
    init_vllm_registered_model,
    maybe_prefix,
)
from vllm.multimodal import MULTIMODAL_REGISTRY
from vllm.multimodal.inputs import MultiModalFieldConfig
from vllm.multimodal.processing import (
    BaseDummyInputsBuilder,
    BaseMultiModalProcessor,
    BaseProcessingInfo,
    PromptReplacement,
)

from .modeling import GriffonGProjector, project_images

_LANGUAGE_MODELS = {"gemma2": "Gemma2ForCausalLM", "qwen2": "Qwen2ForCausalLM"}


class GriffonGProcessingInfo(BaseProcessingInfo):
    """How many images a prompt may have, and how long they are."""

    def get_supported_mm_limits(self) -> Mapping[str, int | None]:
        """Any number of images."""
        return {"image": None}

    def get_mm_max_tokens_per_item(
        self, seq_len: int, mm_counts: Mapping[str, int]
    ) -> Mapping[str, int]:
        """Visual tokens of an image, whatever its size."""
        return {"image": self.get_hf_config().image_seq_length}


class GriffonGDummyInputs(BaseDummyInputsBuilder[GriffonGProcessingInfo]):
    """What vLLM measures its memory with."""

    def get_dummy_text(self, mm_counts: Mapping[str, int]) -> str:
        """A placeholder for each image."""
        return str(self.info.get_hf_processor().image_token) * mm_counts.get("image", 0)

    def get_dummy_mm_data(
        self, seq_len: int, mm_counts: Mapping[str, int], mm_options: Mapping[str, Any]
    ) -> Any:
        """Images of the size that the vision tower sees."""
        side = self.info.get_hf_config().image_size
        count = mm_counts.get("image", 0)
        overrides = mm_options.get("image")
        images = self._get_dummy_images(
            width=side, height=side, num_images=count, overrides=overrides
        )
        return {"image": images}


class GriffonGMultiModalProcessor(BaseMultiModalProcessor[GriffonGProcessingInfo]):
    """Puts an image's visual tokens in place of its `<image>`."""

    def _get_mm_fields_config(
        self, hf_inputs: Any, hf_processor_mm_kwargs: Any
    ) -> Mapping[str, Any]:
        return {"pixel_values": MultiModalFieldConfig.batched("image")}

    def _get_prompt_updates(
        self, mm_items: Any, hf_processor_mm_kwargs: Any, out_mm_kwargs: Any
    ) -> Sequence[Any]:
        config = self.info.get_hf_config()
        token = [config.image_token_id]
        return [PromptReplacement("image", token, token * config.image_seq_length)]


@MULTIMODAL_REGISTRY.register_processor(
    GriffonGMultiModalProcessor, info=GriffonGProcessingInfo, dummy_inputs=GriffonGDummyInputs
)
class GriffonGForVllm(nn.Module, SupportsMultiModal, SupportsPP):
    """`GriffonGForConditionalGeneration` with vLLM's language model.

    The vision tower is transformers'; it and the projector are not split over GPUs.
    """

    hf_to_vllm_mapper = WeightsMapper(
        orig_to_new_prefix={
            "model.language_model.": "language_model.model.",
            "model.vision_tower.": "vision_tower.",
            "model.multi_modal_projector.": "multi_modal_projector.",
            "lm_head.": "language_model.lm_head.",
        }
    )

    @classmethod
    def get_placeholder_str(cls, modality: str, i: int) -> str | None:
        """What stands for an image in a chat message."""
        if modality != "image":
            raise ValueError(f"expected images, which Griffon-G was trained on, got {modality}")
        return "<image>"

    def __init__(self, *, vllm_config: VllmConfig, prefix: str = "") -> None:
        super().__init__()
        config = vllm_config.model_config.hf_config
        text = config.text_config
        self.config = config
        self.configure_mm_token_handling(text.vocab_size, [config.image_token_id])
        with self._mark_tower_model(vllm_config, "image"):
            dtype = vllm_config.model_config.dtype
            self.vision_tower = AutoModel.from_config(config.vision_config, dtype=dtype)
            self.multi_modal_projector = GriffonGProjector(config)
        with self._mark_language_model(vllm_config):
            self.language_model = init_vllm_registered_model(
                vllm_config,
                hf_config=text,
                architectures=[_LANGUAGE_MODELS[text.model_type]],
                prefix=maybe_prefix(prefix, "language_model"),
            )
        self.make_empty_intermediate_tensors = self.language_model.make_empty_intermediate_tensors

    def embed_multimodal(self, **kwargs: Any) -> Any:
        """The visual tokens of images, (images, visual tokens, hidden), as they take words'
        places: see `GriffonGModel.get_image_features`."""
        pixels = kwargs.get("pixel_values")
        if pixels is None:
            return []
        dtype = self.multi_modal_projector.linear.weight.dtype
        _, features = project_images(
            self.vision_tower,
            self.multi_modal_projector,
            self.config.tower_layers,
            pixels.to(dtype),
        )
        scale = getattr(self.language_model.model, "normalizer", None)  # Gemma 2's, of words
        return features if scale is None else features * scale.to(features)

    def forward(
        self,
        input_ids: torch.Tensor | None,
        positions: torch.Tensor,
        intermediate_tensors: Any = None,
        inputs_embeds: torch.Tensor | None = None,
        **kwargs: Any,
    ) -> Any:
        """Hidden states of tokens that are embedded already; only the first stage of a pipeline
        embeds."""
        embeds = None if intermediate_tensors is not None else inputs_embeds
        return self.language_model.model(
            input_ids, positions, intermediate_tensors, inputs_embeds=embeds
        )

    def compute_logits(self, hidden_states: torch.Tensor) -> torch.Tensor | None:
        """The language model's, capped for Gemma 2."""
        logits: torch.Tensor | None = self.language_model.compute_logits(hidden_states)
        return logits

    def load_weights(self, weights: Iterable[tuple[str, torch.Tensor]]) -> set[str]:
        """Weights by transformers' names: of a checkpoint, or of the trainer after a step."""
        if self.config.text_config.tie_word_embeddings:
            weights = (named for named in weights if named[0] != "lm_head.weight")
        loader = AutoWeightsLoader(self)
        loaded: set[str] = loader.load_weights(weights, mapper=self.hf_to_vllm_mapper)
        return loaded

    def get_mm_mapping(self) -> MultiModelKeys:
        """The parts' names."""
        return MultiModelKeys.from_string_field(
            language_model="language_model",
            connector="multi_modal_projector",
            tower_model="vision_tower",
        )
