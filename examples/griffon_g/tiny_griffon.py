"""A small, untrained Griffon-G, and the scenes that it is to learn.

Its parts are transformers' and ours as at full size: CLIP's vision tower at 112 x 112 pixels, the
convolution that makes 4 x 4 visual tokens of 8 x 8 patches, and a Qwen2 with a pruned vocabulary.
A scene is one of examples/shapes with one object of two classes.
"""

import sys
from pathlib import Path

import numpy as np
from transformers import Qwen2Tokenizer

from swift_plugin_visionr1.formats.griffon import Griffon
from swift_plugin_visionr1.formats.questions import detection_question
from swift_plugin_visionr1.griffon_g import (
    GriffonGConfig,
    GriffonGForConditionalGeneration,
    GriffonGImageProcessor,
    GriffonGProcessor,
)
from swift_plugin_visionr1.griffon_g.chat import CHATML

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "shapes"))

from scenes import PROCESSED_SIDE, Scene, random_scene
from tiny_model import pruned_tokenizer

NAMES = ("red circle", "blue square")
SYSTEM = "You are a helpful assistant."
QUESTION = detection_question(list(NAMES), Griffon.questions)
WIDTH = 128


def one_object(rng: np.random.Generator) -> Scene:
    """A scene with one object of `NAMES`."""
    scene = random_scene(rng, count=1)
    while scene.labels[0] not in NAMES:
        scene = random_scene(rng, count=1)
    return scene


def vocabulary() -> Qwen2Tokenizer:
    """Qwen's tokens of the prompt and of all answers."""
    objects = "&".join(f"{name}-[0.123,0.456,0.789,1.000]" for name in NAMES)
    chat = f"<|im_start|>system\n{SYSTEM}<|im_end|>\n<|im_start|>user\n\n{QUESTION}<|im_end|>\n"
    return pruned_tokenizer([chat, "<|im_start|>assistant\n", objects, "0123456789", "None"])


def build() -> tuple[GriffonGForConditionalGeneration, GriffonGProcessor]:
    """The model with random weights, and its processor."""
    tokenizer = vocabulary()
    size = len(tokenizer)
    tokenizer.add_special_tokens(
        {"extra_special_tokens": ["<image>"]}, replace_extra_special_tokens=False
    )
    text = {
        "model_type": "qwen2",
        "vocab_size": size,
        "hidden_size": WIDTH,
        "intermediate_size": 3 * WIDTH,
        "num_hidden_layers": 2,
        "num_attention_heads": 4,
        "num_key_value_heads": 4,
        "max_position_embeddings": 4096,
        "tie_word_embeddings": True,
        "bos_token_id": tokenizer.convert_tokens_to_ids("<|endoftext|>"),
        "eos_token_id": tokenizer.convert_tokens_to_ids("<|im_end|>"),
        "pad_token_id": tokenizer.convert_tokens_to_ids("<|endoftext|>"),
    }
    vision = {
        "hidden_size": WIDTH,
        "intermediate_size": 2 * WIDTH,
        "num_hidden_layers": 4,
        "num_attention_heads": 4,
        "image_size": PROCESSED_SIDE,
        "patch_size": 14,
    }
    config = GriffonGConfig(
        text_config=text,
        vision_config=vision,
        image_token_id=tokenizer.convert_tokens_to_ids("<image>"),
    )
    side = {"height": PROCESSED_SIDE, "width": PROCESSED_SIDE}
    images = GriffonGImageProcessor(size=side, crop_size=side)
    processor = GriffonGProcessor(images, tokenizer, config.image_seq_length, chat_template=CHATML)
    return GriffonGForConditionalGeneration(config), processor


def save(model: GriffonGForConditionalGeneration, processor: GriffonGProcessor, out: Path) -> None:
    """Write a folder that ms-swift loads as any Griffon-G."""
    text = model.config.text_config
    model.generation_config.update(
        eos_token_id=text.eos_token_id, pad_token_id=text.pad_token_id, do_sample=True
    )
    model.save_pretrained(out)
    processor.save_pretrained(out)
