"""A stand-in for Ovis2.5 (AIDC-AI/Ovis2.5-9B), whose modelling code comes with its weights.

Real: everything of ms-swift (loader, template, trainer), transformers' loading of a checkpoint's
own code, and transformers' Siglip2VisionModel and Qwen3ForCausalLM. Standing in: the code that
joins them (modeling_ovis2_5.py, saved into the checkpoint), under the names that ms-swift asks for;
Siglip2 for the published vision tower, a Siglip2 with rotary positions and window attention; and
Qwen2-VL's image processor for the published resizing, which has other sizes for images with a side
below 32 pixels or one side 200 times the other.

So a run on it shows that ms-swift's side works, not that the published code loads under the same
transformers.
"""

from pathlib import Path

import torch
from transformers import AutoTokenizer

from .modeling_ovis2_5 import Ovis2_5, Ovis2_5_Config


def build(folder: Path, example: Path) -> None:
    """Write the checkpoint."""
    Ovis2_5_Config.register_for_auto_class()
    Ovis2_5.register_for_auto_class("AutoModelForCausalLM")
    words = AutoTokenizer.from_pretrained(example)
    config = Ovis2_5_Config(
        vit_config={
            "hidden_size": 32,
            "num_hidden_layers": 1,
            "num_attention_heads": 2,
            "intermediate_size": 64,
            "patch_size": 16,
            "hidden_stride": 2,
            "temporal_patch_size": 1,
            "vision_use_head": False,
        },
        llm_config={
            "vocab_size": len(words),
            "hidden_size": 32,
            "intermediate_size": 64,
            "num_hidden_layers": 2,
            "num_attention_heads": 2,
            "num_key_value_heads": 2,
            "head_dim": 16,
            "max_position_embeddings": 8192,
            "eos_token_id": words.eos_token_id,
            "pad_token_id": words.pad_token_id,
            "bos_token_id": None,
        },
    )
    torch.manual_seed(0)
    Ovis2_5(config).save_pretrained(folder)
    words.save_pretrained(folder)
