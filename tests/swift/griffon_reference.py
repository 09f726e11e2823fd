"""An independent Griffon-G for the tests: the published design in plain tensor operations.

Written from the description of the published model, with its names of weights; it uses none of
transformers' modules and none of the plugin.
"""

import math
from dataclasses import dataclass

import torch
import torch.nn.functional as F

Weights = dict[str, torch.Tensor]
TOWER = "model.vision_tower.vision_tower.vision_model."


@dataclass(frozen=True)
class Sizes:
    """What weights alone do not tell."""

    gemma: bool
    heads: int
    kv_heads: int
    head_dim: int
    tower_heads: int
    patch: int
    layer: int = -2
    padding: int = 1
    window: int | None = None
    theta: float = 10000.0
    eps: float = 1e-6
    query_scalar: float = 256.0
    attention_cap: float = 50.0
    final_cap: float = 30.0


def count(weights: Weights, start: str) -> int:
    """Layers below a name."""
    return 1 + max(
        int(name[len(start) :].split(".")[0]) for name in weights if name.startswith(start)
    )


def linear(x: torch.Tensor, weights: Weights, name: str) -> torch.Tensor:
    """x W^T + b, or without b."""
    out = x @ weights[f"{name}.weight"].T
    return out + weights[f"{name}.bias"] if f"{name}.bias" in weights else out


def positions(table: torch.Tensor, side: int) -> torch.Tensor:
    """The table of the class token and a square of patches, stretched to another square."""
    old = round(math.sqrt(len(table) - 1))
    if old == side:
        return table
    grid = table[1:].T.reshape(1, -1, old, old)
    grid = F.interpolate(grid, size=(side, side), mode="bicubic", align_corners=False)
    return torch.cat([table[:1], grid.reshape(table.shape[1], -1).T])


def tower(pixels: torch.Tensor, weights: Weights, sizes: Sizes) -> torch.Tensor:
    """CLIP's hidden states of the chosen layer, without the class token."""
    side = pixels.shape[-1] // sizes.patch
    embed = {name.removeprefix(TOWER): value for name, value in weights.items()}
    patches = F.unfold(
        pixels[..., : side * sizes.patch, : side * sizes.patch], sizes.patch, stride=sizes.patch
    )
    kernel = embed["embeddings.patch_embedding.weight"].flatten(1)
    x = (kernel @ patches).transpose(1, 2)
    first = embed["embeddings.class_embedding"].expand(len(x), 1, -1)
    x = torch.cat([first, x], 1) + positions(embed["embeddings.position_embedding.weight"], side)
    x = norm(x, embed, "pre_layrnorm")
    states = [x]
    for number in range(count(embed, "encoder.layers.")):
        states.append(clip_layer(states[-1], embed, f"encoder.layers.{number}.", sizes.tower_heads))
    return states[sizes.layer][:, 1:]


def norm(x: torch.Tensor, weights: Weights, name: str) -> torch.Tensor:
    """Layer normalisation."""
    return F.layer_norm(x, x.shape[-1:], weights[f"{name}.weight"], weights[f"{name}.bias"], 1e-5)


def clip_layer(x: torch.Tensor, weights: Weights, at: str, heads: int) -> torch.Tensor:
    """Attention and QuickGELU."""
    y = norm(x, weights, f"{at}layer_norm1")
    q, k, v = (split(linear(y, weights, f"{at}self_attn.{part}_proj"), heads) for part in "qkv")
    scores = q @ k.transpose(-1, -2) / math.sqrt(q.shape[-1])
    x = x + linear(join(scores.softmax(-1) @ v), weights, f"{at}self_attn.out_proj")
    y = linear(norm(x, weights, f"{at}layer_norm2"), weights, f"{at}mlp.fc1")
    return x + linear(y * torch.sigmoid(1.702 * y), weights, f"{at}mlp.fc2")


def split(x: torch.Tensor, heads: int) -> torch.Tensor:
    """(batch, tokens, heads * width) to (batch, heads, tokens, width)."""
    return x.unflatten(-1, (heads, -1)).transpose(1, 2)


def join(x: torch.Tensor) -> torch.Tensor:
    """The inverse of `split`."""
    return x.transpose(1, 2).flatten(2)


def project(patches: torch.Tensor, weights: Weights, padding: int) -> torch.Tensor:
    """The convolution by hand: every third-by-third window, two apart."""
    side = round(math.sqrt(patches.shape[1]))
    grid = patches.transpose(1, 2).unflatten(-1, (side, side))
    windows = F.unfold(grid, 3, padding=padding, stride=2)
    kernel = weights["model.mm_projector.conv.weight"].flatten(1)
    out = (kernel @ windows).transpose(1, 2) + weights["model.mm_projector.conv.bias"]
    out = 0.5 * out * (1 + torch.erf(out / math.sqrt(2)))
    return linear(out, weights, "model.mm_projector.linear")


def rms(x: torch.Tensor, weight: torch.Tensor, sizes: Sizes) -> torch.Tensor:
    """RMS normalisation; Gemma's weights are around 0."""
    x = x / torch.sqrt(x.pow(2).mean(-1, keepdim=True) + sizes.eps)
    return x * (1 + weight if sizes.gemma else weight)


def rotate(x: torch.Tensor, theta: float) -> torch.Tensor:
    """Rotary positions 0, 1, 2, ... of (batch, heads, tokens, width)."""
    width = x.shape[-1]
    angles = torch.arange(x.shape[2])[:, None] / theta ** (torch.arange(0, width, 2) / width)
    a, b = x.chunk(2, -1)
    return torch.cat([a * angles.cos() - b * angles.sin(), b * angles.cos() + a * angles.sin()], -1)


def attend(
    x: torch.Tensor, weights: Weights, at: str, sizes: Sizes, window: int | None
) -> torch.Tensor:
    """Causal attention, with Gemma's cap and window."""
    q, k, v = (
        split(linear(x, weights, f"{at}{part}_proj"), heads)
        for part, heads in (("q", sizes.heads), ("k", sizes.kv_heads), ("v", sizes.kv_heads))
    )
    q, k = rotate(q, sizes.theta), rotate(k, sizes.theta)
    k, v = (y.repeat_interleave(sizes.heads // sizes.kv_heads, 1) for y in (k, v))
    scores = q @ k.transpose(-1, -2)
    if sizes.gemma:
        scores = scores / math.sqrt(sizes.query_scalar)
        scores = sizes.attention_cap * torch.tanh(scores / sizes.attention_cap)
    else:
        scores = scores / math.sqrt(sizes.head_dim)
    back = torch.arange(x.shape[1])[:, None] - torch.arange(x.shape[1])
    seen = (back >= 0) & (back < (window or x.shape[1]))
    return linear(
        join(scores.masked_fill(~seen, -math.inf).softmax(-1) @ v), weights, f"{at}o_proj"
    )


def language_layer(x: torch.Tensor, weights: Weights, number: int, sizes: Sizes) -> torch.Tensor:
    """One of Gemma 2's, whose even layers see a window, or of Qwen2's."""
    at = f"model.layers.{number}."
    window = sizes.window if sizes.gemma and number % 2 == 0 else None

    def normed(y: torch.Tensor, name: str) -> torch.Tensor:
        return rms(y, weights[f"{at}{name}_layernorm.weight"], sizes)

    y = attend(normed(x, "input"), weights, f"{at}self_attn.", sizes, window)
    x = x + (normed(y, "post_attention") if sizes.gemma else y)
    y = normed(x, "pre_feedforward" if sizes.gemma else "post_attention")
    gate = linear(y, weights, f"{at}mlp.gate_proj")
    gate = F.gelu(gate, approximate="tanh") if sizes.gemma else gate * torch.sigmoid(gate)
    y = linear(gate * linear(y, weights, f"{at}mlp.up_proj"), weights, f"{at}mlp.down_proj")
    return x + (normed(y, "post_feedforward") if sizes.gemma else y)


def logits(
    before: list[int], after: list[int], pixels: torch.Tensor, weights: Weights, sizes: Sizes
) -> torch.Tensor:
    """(tokens, vocabulary) for one image between two texts."""
    table = weights["model.embed_tokens.weight"]
    image = project(tower(pixels, weights, sizes), weights, sizes.padding)[0]
    x = torch.cat([table[before], image, table[after]])[None]
    if sizes.gemma:  # images as well as words
        x = x * math.sqrt(x.shape[-1])
    for number in range(count(weights, "model.layers.")):
        x = language_layer(x, weights, number, sizes)
    x = rms(x, weights["model.norm.weight"], sizes)
    out = x[0] @ weights.get("lm_head.weight", table).T
    return sizes.final_cap * torch.tanh(out / sizes.final_cap) if sizes.gemma else out
