"""Tiny Qwen3.5 models with random weights, dense and with experts; Qwen3.6 has the same classes.

The first layer is linear attention (Gated DeltaNet), the second is full attention.
"""

from pathlib import Path

from transformers import (
    AutoTokenizer,
    PreTrainedTokenizerBase,
    Qwen3_5Config,
    Qwen3_5ForConditionalGeneration,
    Qwen3_5MoeConfig,
    Qwen3_5MoeForConditionalGeneration,
)

from .qwen2_vl import numbers, save, text
from .qwen3_vl import EXPERTS, VISION, processor

LINEAR = {
    "linear_key_head_dim": 8,
    "linear_value_head_dim": 8,
    "linear_num_key_heads": 2,
    "linear_num_value_heads": 4,
}
SEEN = {name: value for name, value in VISION.items() if name != "deepstack_visual_indexes"}


def build(folder: Path, example: Path) -> None:
    """Write the dense checkpoint."""
    words = AutoTokenizer.from_pretrained(example)
    config = Qwen3_5Config(text_config=language(words), vision_config=SEEN, **numbers(words))
    save(Qwen3_5ForConditionalGeneration(config), processor(words), folder)


def build_moe(folder: Path, example: Path) -> None:
    """Write the checkpoint with experts."""
    words = AutoTokenizer.from_pretrained(example)
    sizes = language(words) | EXPERTS | {"shared_expert_intermediate_size": 32}
    config = Qwen3_5MoeConfig(text_config=sizes, vision_config=SEEN, **numbers(words))
    save(Qwen3_5MoeForConditionalGeneration(config), processor(words), folder)


def language(words: PreTrainedTokenizerBase) -> dict:
    """The configuration of the language model, MiniCPM-V 4.6's too."""
    rope = text(words)["rope_parameters"] | {"partial_rotary_factor": 1.0}
    kinds = {"layer_types": ["linear_attention", "full_attention"]}
    return text(words) | LINEAR | kinds | {"head_dim": 8, "rope_parameters": rope}
