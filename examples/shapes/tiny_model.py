"""Build a small, untrained Qwen2.5-VL: transformers' real classes and a pruned real Qwen
vocabulary.

The vocabulary comes from `qwen.tiktoken` in the package dashscope. Of its 151,643 tokens we keep
the 256 bytes and whatever the given texts use, with every merge on the way there, so these texts
are tokenised exactly as by the full tokenizer, and any other text still can be (by bytes).
"""

import base64
import importlib.util
import itertools
from collections.abc import Sequence
from pathlib import Path

import torch
from transformers import (
    AutoTokenizer,
    Qwen2_5_VLConfig,
    Qwen2_5_VLForConditionalGeneration,
    Qwen2_5_VLProcessor,
    Qwen2Tokenizer,
    Qwen2VLImageProcessor,
    Qwen2VLVideoProcessor,
)

SPECIAL_TOKENS = (
    "<|endoftext|>",
    "<|im_start|>",
    "<|im_end|>",
    "<|vision_start|>",
    "<|vision_end|>",
    "<|vision_pad|>",
    "<|image_pad|>",
    "<|video_pad|>",
)
HEADS = 4
CHAT_TEMPLATE = (
    "{% for message in messages %}<|im_start|>{{ message.role }}\n"
    "{% if message.content is string %}{{ message.content }}{% else %}{% for part in "
    "message.content %}"
    "{% if part.type == 'image' %}<|vision_start|><|image_pad|><|vision_end|>{% else %}{{ "
    "part.text }}{% endif %}"
    "{% endfor %}{% endif %}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)


def _qwen_ranks() -> dict[bytes, int]:
    spec = importlib.util.find_spec("dashscope")
    if spec is None or spec.origin is None:
        raise SystemExit(
            "the Qwen vocabulary is in the package dashscope: run `uv sync --group dev` first"
        )
    lines = (Path(spec.origin).parent / "resources" / "qwen.tiktoken").read_bytes().splitlines()
    return {
        base64.b64decode(token): int(rank)
        for token, rank in (line.split() for line in lines if line)
    }


def _byte_alphabet() -> dict[int, str]:
    """GPT-2's printable character for each byte, as `tokenizers`' ByteLevel uses it."""
    printable = [*range(33, 127), *range(161, 173), *range(174, 256)]
    others = [b for b in range(256) if b not in printable]
    return {b: chr(b) for b in printable} | {b: chr(256 + i) for i, b in enumerate(others)}


def _split_token(token: bytes, ranks: dict[bytes, int]) -> tuple[bytes, bytes]:
    """The last merge that makes `token`: byte-pair encoding with only the merges ranked before
    it."""
    parts = [bytes([b]) for b in token]
    while len(parts) > 2:
        pairs = [
            (ranks.get(a + b, 1 << 60), i) for i, (a, b) in enumerate(itertools.pairwise(parts))
        ]
        _, i = min(p for p in pairs if p[0] < ranks[token])
        parts[i : i + 2] = [parts[i] + parts[i + 1]]
    return parts[0], parts[1]


def _tokenizer(
    tokens: set[bytes], ranks: dict[bytes, int], special: Sequence[str] = SPECIAL_TOKENS
) -> Qwen2Tokenizer:
    kept, merges, todo = {bytes([b]) for b in range(256)}, {}, list(tokens)
    while todo:
        token = todo.pop()
        kept.add(token)
        if len(token) > 1 and token not in merges:
            merges[token] = _split_token(token, ranks)
            todo.extend(merges[token])
    alphabet = _byte_alphabet()

    def text(token: bytes) -> str:
        return "".join(alphabet[b] for b in token)

    vocab = {text(token): i for i, token in enumerate(sorted(kept, key=lambda t: ranks[t]))}
    pairs = [
        (text(a), text(b)) for _, (a, b) in sorted(merges.items(), key=lambda item: ranks[item[0]])
    ]
    return Qwen2Tokenizer(
        vocab=vocab,
        merges=pairs,
        eos_token="<|im_end|>",
        extra_special_tokens=list(special),
        chat_template=CHAT_TEMPLATE,
        model_max_length=4096,
    )


def full_tokenizer(special: Sequence[str]) -> Qwen2Tokenizer:
    """Qwen's tokenizer with its whole vocabulary; `special` follow it in this order."""
    ranks = _qwen_ranks()
    return _tokenizer(set(ranks), ranks, special)


def pruned_tokenizer(texts: list[str]) -> Qwen2Tokenizer:
    """Qwen's tokenizer cut down to the tokens of `texts` and the 256 bytes."""
    ranks = _qwen_ranks()
    full = _tokenizer({token for token in ranks if len(token) <= 16}, ranks)
    inverse = {c: b for b, c in _byte_alphabet().items()}
    used = {token for text in texts for token in full.tokenize(text) if token not in SPECIAL_TOKENS}
    return _tokenizer({bytes(inverse[c] for c in token) for token in used}, ranks)


def build(texts: list[str], hidden: int, text_layers: int, vision_layers: int) -> tuple:
    """(model with random weights, processor) for texts like `texts`; float32 on the CPU."""
    tokenizer = pruned_tokenizer(texts)
    ids = {token: tokenizer.convert_tokens_to_ids(token) for token in SPECIAL_TOKENS}
    head_dim = hidden // HEADS
    height_or_width = 3 * head_dim // 16
    text = {
        "vocab_size": len(tokenizer),
        "hidden_size": hidden,
        "intermediate_size": 3 * hidden,
        "num_hidden_layers": text_layers,
        "num_attention_heads": HEADS,
        "num_key_value_heads": HEADS,
        "max_position_embeddings": 4096,
        "rms_norm_eps": 1e-6,
        "tie_word_embeddings": True,
        "rope_parameters": {
            "rope_type": "default",
            "rope_theta": 10000.0,
            "mrope_section": [
                head_dim // 2 - 2 * height_or_width,
                height_or_width,
                height_or_width,
            ],
        },
        "bos_token_id": ids["<|endoftext|>"],
        "eos_token_id": ids["<|im_end|>"],
        "pad_token_id": ids["<|endoftext|>"],
    }
    vision = {
        "depth": vision_layers,
        "hidden_size": hidden,
        "intermediate_size": 2 * hidden,
        "num_heads": HEADS,
        "patch_size": 14,
        "window_size": 112,
        "out_hidden_size": hidden,
        "fullatt_block_indexes": [vision_layers - 1],
    }
    config = Qwen2_5_VLConfig(
        text_config=text,
        vision_config=vision,
        tie_word_embeddings=True,
        image_token_id=ids["<|image_pad|>"],
        video_token_id=ids["<|video_pad|>"],
        vision_start_token_id=ids["<|vision_start|>"],
        vision_end_token_id=ids["<|vision_end|>"],
    )
    model = Qwen2_5_VLForConditionalGeneration(config).to(torch.float32)
    size = {"shortest_edge": 4 * 28 * 28, "longest_edge": 512 * 28 * 28}
    processor = Qwen2_5_VLProcessor(
        image_processor=Qwen2VLImageProcessor(size=size),
        tokenizer=tokenizer,
        video_processor=Qwen2VLVideoProcessor(),
        chat_template=CHAT_TEMPLATE,
    )
    return model, processor


def save(
    model: Qwen2_5_VLForConditionalGeneration, processor: Qwen2_5_VLProcessor, folder: Path
) -> None:
    """Write a checkpoint folder that `AutoModel` and ms-swift load like a released Qwen2.5-VL."""
    ids = model.config.text_config
    model.generation_config.update(
        eos_token_id=[ids.eos_token_id, ids.bos_token_id],
        pad_token_id=ids.pad_token_id,
        do_sample=True,
    )
    model.save_pretrained(folder)
    processor.save_pretrained(folder)
    AutoTokenizer.from_pretrained(folder)  # fails here rather than in the user's first run
