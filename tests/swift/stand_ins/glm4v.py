"""A tiny GLM-4.1V with random weights: transformers' own classes, the example's words with GLM's
special tokens."""

from pathlib import Path

from transformers import (
    AutoTokenizer,
    Glm4vConfig,
    Glm4vForConditionalGeneration,
    Glm4vImageProcessor,
    Glm4vProcessor,
    Glm4vVideoProcessor,
)

from .qwen2_vl import save, text

TOKENS = {
    "image_token_id": "<|image|>",
    "video_token_id": "<|video|>",
    "image_start_token_id": "<|begin_of_image|>",
    "image_end_token_id": "<|end_of_image|>",
    "video_start_token_id": "<|begin_of_video|>",
    "video_end_token_id": "<|end_of_video|>",
}
ROLES = [
    "<|endoftext|>",
    "[gMASK]",
    "<sop>",
    "<|system|>",
    "<|user|>",
    "<|assistant|>",
    "<|observation|>",
]
VISION = {
    "depth": 1,
    "hidden_size": 32,
    "intermediate_size": 64,
    "num_heads": 2,
    "out_hidden_size": 32,
    "image_size": 112,
}
SIZE = {"shortest_edge": 12544, "longest_edge": 9633792}  # of the published checkpoints


def build(folder: Path, example: Path) -> None:
    """Write the checkpoint."""
    words = AutoTokenizer.from_pretrained(example, eos_token="<|user|>")
    words.add_special_tokens({"extra_special_tokens": [*ROLES, *TOKENS.values()]})
    numbers = {name: words.convert_tokens_to_ids(token) for name, token in TOKENS.items()}
    config = Glm4vConfig(
        text_config=text(words), vision_config=VISION, tie_word_embeddings=True, **numbers
    )
    processor = Glm4vProcessor(Glm4vImageProcessor(size=SIZE), words, Glm4vVideoProcessor())
    save(Glm4vForConditionalGeneration(config), processor, folder)
