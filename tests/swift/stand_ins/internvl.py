"""A tiny InternVL3 (OpenGVLab/InternVL3-8B-hf, InternVL3_5-8B-HF): transformers' classes, 256
tokens a tile.

The tokenizer is the example's pruned Qwen one with InternVL's tokens added.
"""

from pathlib import Path
from typing import Any

import torch
from torch import nn
from transformers import (
    AutoTokenizer,
    GotOcr2ImageProcessor,
    InternVLConfig,
    InternVLForConditionalGeneration,
    InternVLProcessor,
    InternVLVideoProcessor,
    PreTrainedTokenizerBase,
)

NAMED = {
    "start_image_token": "<img>",
    "end_image_token": "</img>",
    "context_image_token": "<IMG_CONTEXT>",
    "video_token": "<video>",
}
WRITTEN = ["<ref>", "</ref>", "<box>", "</box>"]
VISION = {
    "hidden_size": 32,
    "num_hidden_layers": 1,
    "num_attention_heads": 2,
    "intermediate_size": 64,
    "image_size": [448, 448],
    "patch_size": [14, 14],
}


def tokenizer(example: Path) -> PreTrainedTokenizerBase:
    """The example's tokenizer with InternVL's tokens, under the names by which its processor asks
    for them."""
    words = AutoTokenizer.from_pretrained(example, model_specific_special_tokens=NAMED)
    words.add_special_tokens(
        {"extra_special_tokens": [*NAMED.values(), *WRITTEN]}, replace_extra_special_tokens=False
    )
    return words


def text_config(words: PreTrainedTokenizerBase) -> dict[str, Any]:
    """A Qwen of two layers that reads `words`."""
    return {
        "vocab_size": len(words),
        "hidden_size": 32,
        "intermediate_size": 64,
        "num_hidden_layers": 2,
        "num_attention_heads": 2,
        "num_key_value_heads": 2,
        "max_position_embeddings": 8192,
        "eos_token_id": words.eos_token_id,
        "pad_token_id": words.pad_token_id,
        "bos_token_id": None,
    }


@torch.no_grad()
def never_write(head: nn.Linear, words: PreTrainedTokenizerBase) -> None:
    """Keep image tokens, which would lack their image, out of what random weights sample (the
    likeliest 50)."""
    head.weight[[words.convert_tokens_to_ids(token) for token in NAMED.values()]] = 0


def build(folder: Path, example: Path) -> None:
    """Write the checkpoint."""
    words = tokenizer(example)
    config = InternVLConfig(
        vision_config=VISION,
        text_config=text_config(words),
        tie_word_embeddings=False,
        image_token_id=words.convert_tokens_to_ids("<IMG_CONTEXT>"),
    )
    torch.manual_seed(0)
    model = InternVLForConditionalGeneration(config)
    never_write(model.lm_head, words)
    model.save_pretrained(folder)
    size = {"height": 448, "width": 448}
    images = GotOcr2ImageProcessor(size=size, min_patches=1, max_patches=12)
    InternVLProcessor(images, words, InternVLVideoProcessor(size=size)).save_pretrained(folder)
