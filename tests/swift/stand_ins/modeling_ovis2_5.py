"""The remote code of the Ovis2.5 stand-in: it travels in the checkpoint (see ovis.py)."""

from typing import Any

import torch
from PIL import Image
from torch import nn
from transformers import (
    GenerationMixin,
    PretrainedConfig,
    PreTrainedModel,
    Qwen2VLImageProcessor,
    Qwen3Config,
    Qwen3ForCausalLM,
    Siglip2VisionConfig,
    Siglip2VisionModel,
)

STRIDE = 2  # 2 x 2 patches become one visual token
INDICATORS = (
    4  # the last words of the visual vocabulary: image begins, image ends, video begins, video ends
)


class Ovis2_5_Config(PretrainedConfig):
    """Two configurations and the sizes of what joins them, under the published names."""

    model_type = "ovis2_5"
    sub_configs = {"vit_config": Siglip2VisionConfig, "llm_config": Qwen3Config}  # noqa: RUF012

    def __init__(
        self,
        vit_config: Any = None,
        llm_config: Any = None,
        visual_vocab_size: int = 64,
        **kwargs: Any,
    ) -> None:
        self.vit_config = Siglip2VisionConfig(**vit_config or {})
        self.llm_config = Qwen3Config(**llm_config or {})
        self.visual_vocab_size = visual_vocab_size
        self.hidden_size = self.llm_config.hidden_size
        super().__init__(**kwargs)


class VisualEmbedding(nn.Embedding):
    """Embeds words of the visual vocabulary by number, or mixtures of them by their weights."""

    def forward(self, words: torch.Tensor) -> torch.Tensor:
        return words @ self.weight if words.is_floating_point() else super().forward(words)


class Vit(nn.Module):
    """Siglip2 on packed patches of several images, where the patches of one visual token follow
    each other."""

    def __init__(self, config: Siglip2VisionConfig) -> None:
        super().__init__()
        self.config = config
        self.vision_model = Siglip2VisionModel(config)

    def forward(self, patches: torch.Tensor, grid_thws: torch.Tensor) -> torch.Tensor:
        """Patches (n, 3 x 16 x 16) of grids (images, 3) to features (n / 4, 4 x hidden size)."""
        images = patches.split(grid_thws.prod(1).tolist())
        return torch.cat(
            [self._image(image, grid[1:]) for image, grid in zip(images, grid_thws, strict=True)]
        )

    def _image(self, patches: torch.Tensor, grid: torch.Tensor) -> torch.Tensor:
        rows, columns = (grid // STRIDE).tolist()
        in_rows = (
            patches.view(rows, columns, STRIDE, STRIDE, -1)
            .transpose(1, 2)
            .reshape(1, len(patches), -1)
        )
        seen = torch.ones(in_rows.shape[:2], dtype=torch.long, device=patches.device)
        features = self.vision_model(in_rows, seen, grid[None]).last_hidden_state
        return (
            features.view(rows, STRIDE, columns, STRIDE, -1)
            .transpose(1, 2)
            .reshape(rows * columns, -1)
        )


class VisualTokenizer(nn.Module):
    """Images to mixtures of visual words."""

    def __init__(self, config: Ovis2_5_Config) -> None:
        super().__init__()
        self.vit = Vit(config.vit_config)
        words = config.visual_vocab_size - INDICATORS
        width = config.vit_config.hidden_size * STRIDE**2
        self.head = nn.Sequential(nn.Linear(width, words, bias=False), nn.LayerNorm(words))

    def preprocess(
        self, image: Image.Image, min_pixels: int, max_pixels: int
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """One image to patches (n, 3 x 16 x 16) and its grid (1, 3): frames, rows, columns."""
        processor = Qwen2VLImageProcessor(
            patch_size=self.vit.config.patch_size,
            merge_size=STRIDE,
            temporal_patch_size=1,
            size={"shortest_edge": min_pixels, "longest_edge": max_pixels},
        )
        made = processor(images=image, return_tensors="pt")
        return made["pixel_values"], made["image_grid_thw"]

    def forward(self, pixel_values: torch.Tensor, grid_thws: torch.Tensor) -> torch.Tensor:
        """Patches and grids to weights (visual tokens, visual_vocab_size) that sum to 1; none for
        the indicators."""
        mixture = self.head(self.vit(pixel_values, grid_thws)).softmax(-1)
        return nn.functional.pad(mixture, (0, INDICATORS))


class Ovis2_5(PreTrainedModel, GenerationMixin):
    """What ms-swift's loader and template ask for: `llm`, `visual_tokenizer`, `vte`,
    `indicator_token_indices`."""

    config_class = Ovis2_5_Config
    supports_gradient_checkpointing = True
    _supports_sdpa = True
    _no_split_modules = ["Siglip2EncoderLayer", "Qwen3DecoderLayer"]  # noqa: RUF012

    def __init__(self, config: Ovis2_5_Config) -> None:
        super().__init__(config)
        self.llm = Qwen3ForCausalLM(config.llm_config)
        self.visual_tokenizer = VisualTokenizer(config)
        self.vte = VisualEmbedding(config.visual_vocab_size, config.hidden_size)
        # Saved with the weights: transformers 5 leaves other buffers uninitialised after loading.
        last = torch.arange(config.visual_vocab_size - INDICATORS, config.visual_vocab_size)
        self.register_buffer("indicator_token_indices", last)
        self.post_init()

    def get_wte(self) -> nn.Module:
        """The embeddings of text."""
        return self.llm.get_input_embeddings()
