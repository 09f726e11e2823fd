"""A tiny PaliGemma 2 (google/paligemma2-3b-pt-224): transformers' classes, a Gemma 2 that reads and
writes locations.

The tokenizer is Gemma's class with one token per printable character, the bytes for all others, and
PaliGemma's own <image>, <loc0000> to <loc1023> and <seg000> to <seg127>, which its processor adds.
"""

import string
from pathlib import Path

import torch
from transformers import (
    GemmaTokenizer,
    PaliGemmaConfig,
    PaliGemmaForConditionalGeneration,
    PaliGemmaProcessor,
    SiglipImageProcessor,
)

SPECIAL = ("<pad>", "<eos>", "<bos>", "<unk>", "<mask>")
TOKENS_PER_IMAGE = 256  # 224 x 224 pixels in patches of 14 x 14


def tokenizer() -> GemmaTokenizer:
    """Gemma's own numbers for the special tokens; spaces are written as Gemma writes them."""
    letters = sorted({*string.printable, "▁"} - {" "})
    words = [*SPECIAL, *(f"<0x{byte:02X}>" for byte in range(256)), *letters]
    return GemmaTokenizer(
        vocab={word: number for number, word in enumerate(words)}, model_max_length=4096
    )


def build(folder: Path, example: Path) -> None:
    """Write the checkpoint; it shares nothing with the example."""
    images = SiglipImageProcessor(size={"height": 224, "width": 224})
    images.image_seq_length = TOKENS_PER_IMAGE
    processor = PaliGemmaProcessor(images, tokenizer())
    words = processor.tokenizer
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
        "max_position_embeddings": 8192,
        "pad_token_id": words.pad_token_id,
        "bos_token_id": words.bos_token_id,
        "eos_token_id": words.eos_token_id,
    }
    vision = {
        "model_type": "siglip_vision_model",
        "hidden_size": 32,
        "num_hidden_layers": 1,
        "num_attention_heads": 2,
        "intermediate_size": 64,
        "image_size": 224,
        "patch_size": 14,
        "vision_use_head": False,
    }
    config = PaliGemmaConfig(
        vision_config=vision,
        text_config=text,
        image_token_index=processor.image_token_id,
        projection_dim=32,
        hidden_size=32,
        vocab_size=len(words),
        pad_token_id=words.pad_token_id,
        bos_token_id=words.bos_token_id,
        eos_token_id=words.eos_token_id,
    )
    torch.manual_seed(0)
    model = PaliGemmaForConditionalGeneration(config)
    with torch.no_grad():  # never sampled (of the likeliest 50): it would lack its image
        model.lm_head.weight[processor.image_token_id] = 0
    model.save_pretrained(folder)
    processor.save_pretrained(folder)
