"""A stand-in for InternVL2.5 (OpenGVLab/InternVL2_5-8B), whose modelling code comes with its
weights.

Real: everything of ms-swift (loader, template, tiling, trainer), transformers' loading of a
checkpoint's own code, and transformers' InternVLVisionModel and Qwen2ForCausalLM. Standing in: the
code that joins them, saved into the checkpoint (modeling_internvl_chat.py), under the names that
ms-swift asks for; and Qwen2 for the 8B's InternLM2, whose code comes with the weights too (the 1B,
4B, 38B and 78B of InternVL2.5 have a Qwen2).

So a run on it shows that ms-swift's side works, not that the published code loads under the same
transformers.
"""

from pathlib import Path

import torch

from .internvl import VISION, never_write, text_config, tokenizer
from .modeling_internvl_chat import InternVLChatConfig, InternVLChatModel


def build(folder: Path, example: Path) -> None:
    """Write the checkpoint."""
    InternVLChatConfig.register_for_auto_class()
    InternVLChatModel.register_for_auto_class("AutoModelForCausalLM")
    words = tokenizer(example)
    config = InternVLChatConfig(vision_config=VISION, llm_config=text_config(words))
    torch.manual_seed(0)
    model = InternVLChatModel(config)
    never_write(model.language_model.lm_head, words)
    model.save_pretrained(folder)
    words.save_pretrained(folder)
