"""A tiny Griffon-G (JefferyZhan/Griffon-G-gemma2-9B): CLIP, the convolution and a Gemma 2, with
random weights and a vocabulary of letters."""

from pathlib import Path

import torch
from transformers import GenerationConfig

from swift_plugin_visionr1.griffon_g import (
    GriffonGConfig,
    GriffonGForConditionalGeneration,
    GriffonGImageProcessor,
    GriffonGProcessor,
)
from swift_plugin_visionr1.griffon_g.chat import GEMMA

from .paligemma import tokenizer

SIDE = 98
TURNS = ["<start_of_turn>", "<end_of_turn>"]


def build(folder: Path, example: Path) -> None:
    """Write the checkpoint; it shares nothing with the example."""
    words = tokenizer()
    words.add_special_tokens({"extra_special_tokens": TURNS})
    text = {
        "model_type": "gemma2",
        "vocab_size": len(words),
        "hidden_size": 32,
        "intermediate_size": 64,
        "num_hidden_layers": 2,
        "num_attention_heads": 2,
        "num_key_value_heads": 1,
        "head_dim": 16,
        "query_pre_attn_scalar": 16,
        "pad_token_id": words.pad_token_id,
        "bos_token_id": words.bos_token_id,
        "eos_token_id": words.eos_token_id,
    }
    vision = {
        "hidden_size": 32,
        "intermediate_size": 64,
        "num_hidden_layers": 3,
        "num_attention_heads": 2,
        "image_size": SIDE,
        "patch_size": 14,
    }
    words.add_special_tokens(
        {"extra_special_tokens": ["<image>"]}, replace_extra_special_tokens=False
    )
    image = words.convert_tokens_to_ids("<image>")
    config = GriffonGConfig(vision_config=vision, text_config=text, image_token_id=image)
    torch.manual_seed(0)
    model = GriffonGForConditionalGeneration(config)
    end = words.convert_tokens_to_ids("<end_of_turn>")
    model.generation_config = GenerationConfig(
        eos_token_id=[end, words.eos_token_id], pad_token_id=words.pad_token_id
    )
    model.save_pretrained(folder)
    side = {"height": SIDE, "width": SIDE}
    images = GriffonGImageProcessor(size=side, crop_size=side)
    GriffonGProcessor(images, words, config.image_seq_length, chat_template=GEMMA).save_pretrained(
        folder
    )
