"""Build a small, untrained Griffon-G for the scenes of examples/shapes.

Its parts are transformers' and ours as at full size: CLIP's vision tower at 112 x 112 pixels, the
convolution that makes 4 x 4 visual tokens of 8 x 8 patches, and a Qwen2 that starts with the words,
layers and pruned vocabulary of the example's Qwen2.5-VL.
"""

import sys
from pathlib import Path

import torch
from transformers import (
    PreTrainedTokenizerBase,
    Qwen2_5_VLForConditionalGeneration,
    Qwen2Tokenizer,
)

from swift_plugin_visionr1.formats.griffon import Griffon
from swift_plugin_visionr1.formats.questions import detection_question
from swift_plugin_visionr1.griffon_g import (
    GriffonGConfig,
    GriffonGForConditionalGeneration,
    GriffonGImageProcessor,
    GriffonGProcessor,
)
from swift_plugin_visionr1.griffon_g.chat import CHATML

SHAPES = Path(__file__).resolve().parents[1] / "shapes"
sys.path.insert(0, str(SHAPES))

from scenes import CLASSES, PROCESSED_SIDE  # noqa: E402
from tiny_model import pruned_tokenizer  # noqa: E402

SYSTEM = "You are a helpful assistant."
QUESTION = detection_question(list(CLASSES), Griffon.questions)
HIDDEN, TOWER_LAYERS = 128, 4


def vocabulary() -> Qwen2Tokenizer:
    """Qwen's tokens of the prompt and of all answers."""
    objects = "&".join(f"{label}-[0.123,0.456,0.789,1.000]" for label in CLASSES)
    chat = f"<|im_start|>system\n{SYSTEM}<|im_end|>\n<|im_start|>user\n\n{QUESTION}<|im_end|>\n"
    return pruned_tokenizer([chat, "<|im_start|>assistant\n", objects, "0123456789", "None"])


def build(teacher: Qwen2_5_VLForConditionalGeneration, words: PreTrainedTokenizerBase) -> tuple:
    """(model, processor); `words` is the teacher's tokenizer."""
    tokenizer = vocabulary()
    size = len(tokenizer)
    tokenizer.add_special_tokens(
        {"extra_special_tokens": ["<image>"]}, replace_extra_special_tokens=False
    )
    old = teacher.config.text_config
    text = {
        "model_type": "qwen2",
        "vocab_size": size,
        "hidden_size": old.hidden_size,
        "intermediate_size": old.intermediate_size,
        "num_hidden_layers": old.num_hidden_layers,
        "num_attention_heads": old.num_attention_heads,
        "num_key_value_heads": old.num_key_value_heads,
        "max_position_embeddings": 4096,
        "tie_word_embeddings": True,
        "bos_token_id": tokenizer.convert_tokens_to_ids("<|endoftext|>"),
        "eos_token_id": tokenizer.convert_tokens_to_ids("<|im_end|>"),
        "pad_token_id": tokenizer.convert_tokens_to_ids("<|endoftext|>"),
    }
    vision = {
        "hidden_size": HIDDEN,
        "intermediate_size": 2 * HIDDEN,
        "num_hidden_layers": TOWER_LAYERS,
        "num_attention_heads": 4,
        "image_size": PROCESSED_SIDE,
        "patch_size": 14,
    }
    config = GriffonGConfig(
        text_config=text,
        vision_config=vision,
        image_token_id=tokenizer.convert_tokens_to_ids("<image>"),
    )
    model = GriffonGForConditionalGeneration(config)
    inherit(model, teacher, tokenizer, words)
    side = {"height": PROCESSED_SIDE, "width": PROCESSED_SIDE}
    images = GriffonGImageProcessor(size=side, crop_size=side)
    processor = GriffonGProcessor(images, tokenizer, config.image_seq_length, chat_template=CHATML)
    return model, processor


def inherit(
    model: GriffonGForConditionalGeneration,
    teacher: Qwen2_5_VLForConditionalGeneration,
    tokenizer: PreTrainedTokenizerBase,
    words: PreTrainedTokenizerBase,
) -> None:
    """The teacher's layers, and its embeddings of the tokens that both know."""
    language, old = model.model.language_model, teacher.model.language_model
    language.layers.load_state_dict(old.layers.state_dict())
    language.norm.load_state_dict(old.norm.state_dict())
    known = words.get_vocab()
    with torch.no_grad():
        for token, number in tokenizer.get_vocab().items():
            if token in known and number < model.config.text_config.vocab_size:
                language.embed_tokens.weight[number] = old.embed_tokens.weight[known[token]]


def save(model: GriffonGForConditionalGeneration, processor: GriffonGProcessor, out: Path) -> None:
    """A folder that ms-swift loads as any Griffon-G."""
    text = model.config.text_config
    model.generation_config.update(
        eos_token_id=text.eos_token_id, pad_token_id=text.pad_token_id, do_sample=True
    )
    model.save_pretrained(out)
    processor.save_pretrained(out)
