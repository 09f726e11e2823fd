"""A tiny Qwen2-VL with random weights, and what the later generations share with it."""

from pathlib import Path

import torch
from transformers import (
    AutoTokenizer,
    PreTrainedModel,
    PreTrainedTokenizerBase,
    ProcessorMixin,
    Qwen2VLConfig,
    Qwen2VLForConditionalGeneration,
    Qwen2VLImageProcessor,
    Qwen2VLProcessor,
    Qwen2VLVideoProcessor,
)

VISION = {"depth": 1, "embed_dim": 32, "hidden_size": 32, "mlp_ratio": 2, "num_heads": 2}


def build(folder: Path, example: Path) -> None:
    """Write the checkpoint."""
    words = AutoTokenizer.from_pretrained(example)
    config = Qwen2VLConfig(text_config=text(words), vision_config=VISION, **numbers(words))
    processor = Qwen2VLProcessor(Qwen2VLImageProcessor(), words, Qwen2VLVideoProcessor())
    save(Qwen2VLForConditionalGeneration(config), processor, folder)


def text(words: PreTrainedTokenizerBase) -> dict:
    """The language model's configuration."""
    end, pad = words.eos_token_id, words.pad_token_id
    return {
        "vocab_size": len(words),
        "hidden_size": 32,
        "intermediate_size": 64,
        "num_hidden_layers": 2,
        "num_attention_heads": 4,
        "num_key_value_heads": 2,
        "max_position_embeddings": 4096,
        "tie_word_embeddings": True,
        "eos_token_id": end,
        "bos_token_id": pad,
        "pad_token_id": pad,
        "rope_parameters": {
            "rope_type": "default",
            "rope_theta": 10000.0,
            "mrope_section": [2, 1, 1],
        },
    }


def numbers(words: PreTrainedTokenizerBase) -> dict:
    """The visual tokens of the example's vocabulary, as the configurations name them."""
    tokens = {
        "image_token_id": "<|image_pad|>",
        "video_token_id": "<|video_pad|>",
        "vision_start_token_id": "<|vision_start|>",
        "vision_end_token_id": "<|vision_end|>",
    }
    return {name: words.convert_tokens_to_ids(token) for name, token in tokens.items()} | {
        "tie_word_embeddings": True
    }


def save(model: PreTrainedModel, processor: ProcessorMixin, folder: Path) -> None:
    """Write the checkpoint of a model with random weights.

    Special tokens but the end's get no weight, so that they are not among the 50 likeliest that are
    sampled from: a model that writes image tokens of its own stops the run.
    """
    words = processor.tokenizer
    with torch.no_grad():
        weight = model.get_input_embeddings().weight
        weight[sorted(set(words.all_special_ids) - {words.eos_token_id})] = 0
    model.generation_config.update(eos_token_id=words.eos_token_id, pad_token_id=words.pad_token_id)
    model.save_pretrained(folder)
    processor.save_pretrained(folder)
