"""Tiny Qwen3-VL models with random weights: dense (4B, 8B) and with experts (30B-A3B)."""

from pathlib import Path

from transformers import (
    AutoTokenizer,
    PreTrainedTokenizerBase,
    Qwen2VLImageProcessor,
    Qwen3VLConfig,
    Qwen3VLForConditionalGeneration,
    Qwen3VLMoeConfig,
    Qwen3VLMoeForConditionalGeneration,
    Qwen3VLProcessor,
    Qwen3VLVideoProcessor,
)

from .qwen2_vl import numbers, save, text

VISION = {
    "depth": 2,
    "hidden_size": 32,
    "intermediate_size": 64,
    "num_heads": 2,
    "patch_size": 16,
    "out_hidden_size": 32,
    "num_position_embeddings": 64,
    "deepstack_visual_indexes": [0],
}
EXPERTS = {"num_experts": 4, "num_experts_per_tok": 2, "moe_intermediate_size": 32}
SIZE = {"shortest_edge": 65536, "longest_edge": 16777216}  # of the published checkpoints


def build(folder: Path, example: Path) -> None:
    """Write the dense checkpoint."""
    words = AutoTokenizer.from_pretrained(example)
    config = Qwen3VLConfig(
        text_config=text(words) | {"head_dim": 8}, vision_config=VISION, **numbers(words)
    )
    save(Qwen3VLForConditionalGeneration(config), processor(words), folder)


def build_moe(folder: Path, example: Path) -> None:
    """Write the checkpoint with experts."""
    words = AutoTokenizer.from_pretrained(example)
    language = text(words) | {"head_dim": 8} | EXPERTS
    config = Qwen3VLMoeConfig(text_config=language, vision_config=VISION, **numbers(words))
    save(Qwen3VLMoeForConditionalGeneration(config), processor(words), folder)


def processor(words: PreTrainedTokenizerBase) -> Qwen3VLProcessor:
    """Qwen3-VL's and Qwen3.5's."""
    return Qwen3VLProcessor(
        Qwen2VLImageProcessor(patch_size=16, size=SIZE), words, Qwen3VLVideoProcessor()
    )
