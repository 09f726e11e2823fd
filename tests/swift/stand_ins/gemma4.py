"""A tiny Gemma 4 with random weights, as E4B: transformers' own classes, with embeddings of their own for
each layer, one sliding and one full attention layer, and no audio tower."""

from pathlib import Path

from transformers import (
    Gemma4AudioFeatureExtractor,
    Gemma4Config,
    Gemma4ForConditionalGeneration,
    Gemma4ImageProcessor,
    Gemma4Processor,
    Gemma4VideoProcessor,
)

from .paligemma import tokenizer
from .qwen2_vl import save

TOKENS = {
    "image_token": "<|image|>",
    "boi_token": "<|image>",
    "eoi_token": "<image|>",
    "audio_token": "<|audio|>",
    "boa_token": "<|audio>",
    "eoa_token": "<audio|>",
}
NUMBERED = {
    "image_token_id": "<|image|>",
    "video_token_id": "<|video|>",
    "boi_token_id": "<|image>",
    "eoi_token_id": "<image|>",
}
OTHERS = ["<|turn>", "<turn|>", "<|think|>", "<|channel>", "<channel|>", "<|tool_response>"]
VISION = {
    "hidden_size": 32,
    "intermediate_size": 64,
    "num_hidden_layers": 1,
    "num_attention_heads": 2,
    "num_key_value_heads": 2,
    "head_dim": 16,
    "position_embedding_size": 512,
}
TEXT = {
    "hidden_size": 32,
    "intermediate_size": 64,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "num_key_value_heads": 1,
    "head_dim": 16,
    "global_head_dim": 32,
    "layer_types": ["sliding_attention", "full_attention"],
    "hidden_size_per_layer_input": 8,
    "final_logit_softcapping": 30.0,
}


def build(folder: Path, example: Path) -> None:
    """Write the checkpoint; it shares nothing with the example."""
    words = tokenizer()
    words.add_special_tokens({"extra_special_tokens": [*OTHERS, *TOKENS.values(), "<|video|>"]})
    for name, token in TOKENS.items():
        words._set_model_specific_special_tokens({name: token})
    processor = Gemma4Processor(
        Gemma4AudioFeatureExtractor(), Gemma4ImageProcessor(), words, Gemma4VideoProcessor()
    )
    size = {"vocab_size": len(words), "vocab_size_per_layer_input": len(words)}
    special = {
        "pad_token_id": words.pad_token_id,
        "bos_token_id": words.bos_token_id,
        "eos_token_id": words.eos_token_id,
    }
    config = Gemma4Config(
        text_config=TEXT | size | special,
        vision_config=VISION,
        **{name: words.convert_tokens_to_ids(token) for name, token in NUMBERED.items()},
    )
    save(Gemma4ForConditionalGeneration(config), processor, folder)
