"""The remote code of the InternVL2.5 stand-in: it travels in the checkpoint (see
internvl_chat.py)."""

from typing import Any

import torch
from torch import nn
from torch.nn.functional import pixel_unshuffle
from transformers import (
    GenerationMixin,
    InternVLVisionConfig,
    InternVLVisionModel,
    PretrainedConfig,
    PreTrainedModel,
    Qwen2Config,
    Qwen2ForCausalLM,
)


class InternVLChatConfig(PretrainedConfig):
    """Two configurations, under the published names."""

    model_type = "internvl_chat"
    sub_configs = {"vision_config": InternVLVisionConfig, "llm_config": Qwen2Config}  # noqa: RUF012

    def __init__(self, vision_config: Any = None, llm_config: Any = None, **kwargs: Any) -> None:
        self.vision_config = InternVLVisionConfig(**vision_config or {})
        self.llm_config = Qwen2Config(**llm_config or {})
        super().__init__(**kwargs)


class InternVLChatModel(PreTrainedModel, GenerationMixin):
    """What ms-swift's loader and template ask for: `language_model`, `vision_model`, `mlp1`,
    `extract_feature`."""

    config_class = InternVLChatConfig
    main_input_name = "pixel_values"
    supports_gradient_checkpointing = True
    _supports_sdpa = True
    _supports_flash_attn = True
    _no_split_modules = ["InternVLVisionLayer", "Qwen2DecoderLayer"]  # noqa: RUF012

    def __init__(self, config: InternVLChatConfig) -> None:
        super().__init__(config)
        self.vision_model = InternVLVisionModel(config.vision_config)
        self.language_model = Qwen2ForCausalLM(config.llm_config)
        width = 4 * config.vision_config.hidden_size  # 2 x 2 patches become one token
        hidden = config.llm_config.hidden_size
        self.mlp1 = nn.Sequential(
            nn.LayerNorm(width), nn.Linear(width, hidden), nn.GELU(), nn.Linear(hidden, hidden)
        )
        self.post_init()

    def extract_feature(self, pixel_values: torch.Tensor) -> torch.Tensor:
        """Tiles (n, 3, 448, 448) to embeddings (n, 256, hidden size of the language model)."""
        patches = self.vision_model(pixel_values).last_hidden_state[
            :, 1:
        ]  # without the class token
        side = int(patches.shape[1] ** 0.5)
        grid = patches.transpose(1, 2).unflatten(2, (side, side))
        return self.mlp1(pixel_unshuffle(grid, 2).flatten(2).transpose(1, 2))
