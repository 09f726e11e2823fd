"""A tiny Griffon-G with random weights, laid out as its authors publish it."""

import json
from collections.abc import Callable, Iterable
from pathlib import Path

import torch
from safetensors.torch import save_file
from transformers import GemmaTokenizer, Qwen2Tokenizer

from swift_plugin_visionr1.griffon_g.conversion import convert

from .griffon_reference import Sizes, Weights
from .stand_ins.paligemma import tokenizer as gemma_tokenizer

HIDDEN, WIDTH, LAYERS, TOWER_LAYERS, PATCH = 64, 16, 3, 3, 14
GEMMA = Sizes(True, 2, 1, 32, 2, PATCH, window=8, query_scalar=8.0)
QWEN = Sizes(False, 2, 1, 32, 2, PATCH, theta=50000.0)
SIZES = {"gemma2": GEMMA, "qwen2": QWEN}
TURNS = ("<start_of_turn>", "<end_of_turn>")
CHAT = ("<|endoftext|>", "<|im_start|>", "<|im_end|>")


def words(family: str) -> GemmaTokenizer | Qwen2Tokenizer:
    """A tokenizer of letters, with the family's own special tokens."""
    if family == "gemma2":
        made = gemma_tokenizer()
        made.add_special_tokens({"extra_special_tokens": list(TURNS)})
        return made
    letters = [*map(chr, range(33, 127)), *map(chr, range(161, 173)), *map(chr, range(174, 324))]
    vocabulary = {letter: number for number, letter in enumerate(letters)}
    return Qwen2Tokenizer(
        vocab=vocabulary, merges=[], eos_token="<|im_end|>", extra_special_tokens=list(CHAT)
    )


def linear(name: str, out: int, into: int, bias: bool = True) -> dict[str, tuple[int, ...]]:
    """The shapes of a linear layer."""
    return {f"{name}.weight": (out, into)} | ({f"{name}.bias": (out,)} if bias else {})


def normed(name: str, width: int) -> dict[str, tuple[int, ...]]:
    """The shapes of a layer normalisation."""
    return {f"{name}.weight": (width,), f"{name}.bias": (width,)}


def tower_shapes(positions: int) -> dict[str, tuple[int, ...]]:
    """CLIPVisionModel's."""
    shapes: dict[str, tuple[int, ...]] = {
        "embeddings.class_embedding": (WIDTH,),
        "embeddings.patch_embedding.weight": (WIDTH, 3, PATCH, PATCH),
        "embeddings.position_embedding.weight": (positions, WIDTH),
    }
    shapes |= normed("pre_layrnorm", WIDTH) | normed("post_layernorm", WIDTH)
    for number in range(TOWER_LAYERS):
        at = f"encoder.layers.{number}."
        for part in ("q_proj", "k_proj", "v_proj", "out_proj"):
            shapes |= linear(f"{at}self_attn.{part}", WIDTH, WIDTH)
        shapes |= linear(f"{at}mlp.fc1", 2 * WIDTH, WIDTH) | linear(
            f"{at}mlp.fc2", WIDTH, 2 * WIDTH
        )
        shapes |= normed(f"{at}layer_norm1", WIDTH) | normed(f"{at}layer_norm2", WIDTH)
    return shapes


def language_shapes(family: str, vocabulary: int) -> dict[str, tuple[int, ...]]:
    """Gemma2ForCausalLM's or Qwen2ForCausalLM's, and the projector's."""
    sizes, gemma = SIZES[family], family == "gemma2"
    norms = ["input_layernorm", "post_attention_layernorm"]
    norms += ["pre_feedforward_layernorm", "post_feedforward_layernorm"] * gemma
    shapes: dict[str, tuple[int, ...]] = {
        "model.embed_tokens.weight": (vocabulary, HIDDEN),
        "model.norm.weight": (HIDDEN,),
        "model.mm_projector.conv.weight": (HIDDEN, WIDTH, 3, 3),
        "model.mm_projector.conv.bias": (HIDDEN,),
    } | linear("model.mm_projector.linear", HIDDEN, HIDDEN)
    if not gemma:
        shapes["lm_head.weight"] = (vocabulary, HIDDEN)
    for number in range(LAYERS):
        at = f"model.layers.{number}."
        for part, heads in (("q", sizes.heads), ("k", sizes.kv_heads), ("v", sizes.kv_heads)):
            shapes |= linear(
                f"{at}self_attn.{part}_proj", heads * sizes.head_dim, HIDDEN, not gemma
            )
        shapes |= linear(f"{at}self_attn.o_proj", HIDDEN, sizes.heads * sizes.head_dim, False)
        for part, out, into in (("gate", 64, HIDDEN), ("up", 64, HIDDEN), ("down", HIDDEN, 64)):
            shapes |= linear(f"{at}mlp.{part}_proj", out, into, False)
        shapes |= {f"{at}{name}.weight": (HIDDEN,) for name in norms}
    return shapes


def random_weights(shapes: dict[str, tuple[int, ...]], seed: int) -> Weights:
    """Large enough that caps, windows and scales all show in the logits."""
    generator = torch.Generator().manual_seed(seed)
    return {name: torch.randn(shape, generator=generator) * 0.2 for name, shape in shapes.items()}


def config(family: str, vocabulary: int, **others: object) -> dict[str, object]:
    """config.json."""
    sizes = SIZES[family]
    made: dict[str, object] = {
        "architectures": [f"{family.capitalize()}GriffonForCausalLM"],
        "model_type": f"{family}_Griffon",
        "vocab_size": vocabulary,
        "hidden_size": HIDDEN,
        "intermediate_size": 64,
        "num_hidden_layers": LAYERS,
        "num_attention_heads": sizes.heads,
        "num_key_value_heads": sizes.kv_heads,
        "max_position_embeddings": 8192,
        "rms_norm_eps": sizes.eps,
        "rope_theta": sizes.theta,
        "torch_dtype": "bfloat16",
        "transformers_version": "4.45.0",
        "use_cache": True,
        "mm_vision_tower": "JefferyZhan/clip-vit-large-path14-336_to_1022",
        "mm_projector_type": "conv_reduce",
        "mm_hidden_size": WIDTH,
        "mm_vision_select_layer": -2,
        "mm_vision_select_feature": "patch",
        "mm_use_im_start_end": False,
        "mm_use_im_patch_token": False,
    }
    if family == "gemma2":
        made |= {
            "head_dim": sizes.head_dim,
            "query_pre_attn_scalar": int(sizes.query_scalar),
            "sliding_window": sizes.window,
            "attn_logit_softcapping": sizes.attention_cap,
            "final_logit_softcapping": sizes.final_cap,
            "hidden_act": "gelu_pytorch_tanh",
            "hidden_activation": "gelu_pytorch_tanh",
            "cache_implementation": "hybrid",
        }
    else:
        made |= {"hidden_act": "silu", "tie_word_embeddings": False, "use_sliding_window": False}
    return made | others


def save_sharded(weights: Weights, folder: Path, pickled: bool, shards: int = 3) -> None:
    """Safetensors or .bin with an index; one file without."""
    stem, suffix = ("pytorch_model", ".bin") if pickled else ("model", ".safetensors")

    def save(part: Weights, path: Path) -> None:
        if pickled:
            torch.save(part, path)
        else:
            save_file(part, path, metadata={"format": "pt"})

    if shards == 1:
        save(weights, folder / f"{stem}{suffix}")
        return
    index = {}
    names = list(weights)
    for number in range(shards):
        file = f"{stem}-{number + 1:05}-of-{shards:05}{suffix}"
        save({name: weights[name] for name in names[number::shards]}, folder / file)
        index |= dict.fromkeys(names[number::shards], file)
    (folder / f"{stem}{suffix}.index.json").write_text(
        json.dumps({"metadata": {"total_size": 1}, "weight_map": index})
    )


def save_tower(weights: Weights, folder: Path, side: int, pickled: bool) -> None:
    """The vision tower's own folder."""
    folder.mkdir(parents=True)
    named = {f"vision_model.{name}": value for name, value in weights.items()}
    named["vision_model.embeddings.position_ids"] = torch.arange(3)[None]
    save_sharded(named, folder, pickled, shards=1)
    fields = {
        "architectures": ["CLIPVisionModel"],
        "model_type": "clip_vision_model",
        "hidden_size": WIDTH,
        "intermediate_size": 2 * WIDTH,
        "num_hidden_layers": TOWER_LAYERS,
        "num_attention_heads": GEMMA.tower_heads,
        "image_size": side,
        "patch_size": PATCH,
        "projection_dim": WIDTH,
        "hidden_act": "quick_gelu",
    }
    (folder / "config.json").write_text(json.dumps(fields))
    square = {"height": side, "width": side}
    processor = {"image_processor_type": "CLIPImageProcessor", "crop_size": square}
    (folder / "preprocessor_config.json").write_text(json.dumps(processor))


def publish(
    folder: Path,
    family: str,
    side: int = 98,
    positions: int | None = None,
    inside: bool = True,
    pickled: bool = False,
    left_out: Iterable[str] = (),
    added: Weights | None = None,
    shards: int = 3,
    **others: object,
) -> Weights:
    """Write the checkpoint as `folder`, and its vision tower beside it.

    Args:
        side: of the images in pixels.
        positions: rows of the position embeddings, if not those of `side`.
        inside: whether the checkpoint holds the tower's weights as well.
        left_out, added: weights that are missing, and more of them.
        others: fields of config.json.

    Returns:
        All weights by their published names.
    """
    folder.mkdir(parents=True)
    tokenizer = words(family)
    tower = random_weights(tower_shapes(positions or (side // PATCH) ** 2 + 1), 1)
    weights = random_weights(language_shapes(family, len(tokenizer)), 2)
    prefix = "model.vision_tower.vision_tower.vision_model."
    full = weights | {prefix + name: value for name, value in tower.items()}
    stored = (full if inside else weights) | (added or {})
    stored = {name: value for name, value in stored.items() if name not in set(left_out)}
    save_sharded(stored, folder, pickled, shards)
    save_tower(tower, folder.parent / "clip-vit-large-path14-336_to_1022", side, pickled)
    (folder / "config.json").write_text(json.dumps(config(family, len(tokenizer), **others)))
    tokenizer.save_pretrained(folder)
    return full


def converted(make_folder: Callable[[str], Path]) -> dict[str, Path]:
    """A converted tiny model of each family, in a folder that `make_folder(family)` makes."""
    made = {}
    for family in SIZES:
        folder = make_folder(family)
        publish(folder / "published", family)
        convert(folder / "published", folder / "ours")
        made[family] = folder / "ours"
    return made
