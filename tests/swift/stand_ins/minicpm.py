"""A tiny MiniCPM-V 4.6 with random weights: transformers' own classes, with Qwen3.5's language
model."""

from pathlib import Path

from transformers import (
    AutoTokenizer,
    MiniCPMV4_6Config,
    MiniCPMV4_6ForConditionalGeneration,
    MiniCPMV4_6ImageProcessor,
    MiniCPMV4_6Processor,
    MiniCPMV4_6VideoProcessor,
)

from .qwen2_vl import save
from .qwen3_5 import language

TOKENS = {
    "image_token": "<|image_pad|>",
    "video_token": "<|video_pad|>",
    "image_start_token": "<image>",
    "image_end_token": "</image>",
    "slice_start_token": "<slice>",
    "slice_end_token": "</slice>",
    "image_id_start_token": "<image_id>",
    "image_id_end_token": "</image_id>",
}
VISION = {
    "hidden_size": 32,
    "intermediate_size": 64,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "patch_size": 14,
    "image_size": 448,
}


def build(folder: Path, example: Path) -> None:
    """Write the checkpoint."""
    words = AutoTokenizer.from_pretrained(example)
    words.add_special_tokens({"extra_special_tokens": list(TOKENS.values())})
    words._set_model_specific_special_tokens(TOKENS)
    images = MiniCPMV4_6ImageProcessor()
    processor = MiniCPMV4_6Processor(images, MiniCPMV4_6VideoProcessor(), words)
    config = MiniCPMV4_6Config(
        text_config={"model_type": "qwen3_5_text", **language(words)},
        vision_config=VISION,
        insert_layer_id=0,
        image_token_id=words.image_token_id,
        video_token_id=words.video_token_id,
        tie_word_embeddings=True,
    )
    save(MiniCPMV4_6ForConditionalGeneration(config), processor, folder)
