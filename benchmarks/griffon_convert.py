"""Time and memory of `vision-r1 convert griffon-g` on a fake checkpoint of several gigabytes.

The checkpoint has the published layout and the shapes of Gemma 2 9B, CLIP ViT-L/14 at 1022 pixels
and the projector, with fewer layers: random bfloat16 in shards of 2 GB, and a tokenizer of letters.
Each direction runs as a command of its own; memory is its peak resident set, of which the pages of
mapped files are a part that the system takes back when it needs to.

    python benchmarks/griffon_convert.py --layers 8
"""

import argparse
import json
import platform
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import torch
from safetensors.torch import save_file
from transformers import GemmaTokenizer

from swift_plugin_visionr1.griffon_g import GriffonGConfig
from swift_plugin_visionr1.griffon_g.matching import expected_shapes
from swift_plugin_visionr1.griffon_g.published_config import their_config
from swift_plugin_visionr1.griffon_g.published_names import to_published

SHARD = 2 * 10**9
SPECIAL = ("<pad>", "<eos>", "<bos>", "<unk>", "<mask>", "<start_of_turn>", "<end_of_turn>")
GEMMA_9B = {
    "model_type": "gemma2",
    "vocab_size": 256000,
    "hidden_size": 3584,
    "intermediate_size": 14336,
    "num_attention_heads": 16,
    "num_key_value_heads": 8,
    "head_dim": 256,
    "query_pre_attn_scalar": 256,
}


def write_fake(folder: Path, layers: int) -> int:
    """Write the checkpoint; returns its size in bytes."""
    config = GriffonGConfig(text_config=GEMMA_9B | {"num_hidden_layers": layers})
    (folder / "config.json").write_text(json.dumps(their_config(config)))
    shards: list[dict[str, tuple[int, ...]]] = [{}]
    size = total = 0
    for name, shape in expected_shapes(config).items():
        count = 2 * torch.Size(shape).numel()
        if size + count > SHARD:
            shards.append({})
            size = 0
        shards[-1][to_published(name)] = shape
        size, total = size + count, total + count
    index = {}
    for number, shapes in enumerate(shards, start=1):
        file = f"model-{number:05}-of-{len(shards):05}.safetensors"
        weights = {
            name: torch.empty(s, dtype=torch.bfloat16).uniform_() for name, s in shapes.items()
        }
        save_file(weights, folder / file, metadata={"format": "pt"})
        index |= dict.fromkeys(shapes, file)
    (folder / "model.safetensors.index.json").write_text(json.dumps({"weight_map": index}))
    words = [*SPECIAL, *(f"<0x{byte:02X}>" for byte in range(256)), *"▁abcdefghijklmnopqrstuvwxyz"]
    tokenizer = GemmaTokenizer(vocab={word: number for number, word in enumerate(words)})
    tokenizer.add_special_tokens({"extra_special_tokens": list(SPECIAL[-2:])})
    tokenizer.save_pretrained(folder)
    return total


def convert(source: Path, out: Path) -> tuple[float, float]:
    """Seconds and gigabytes of a command."""
    start = time.perf_counter()
    words = ["convert", "griffon-g", str(source), str(out)]
    subprocess.run([sys.executable, "-m", "swift_plugin_visionr1.cli", *words], check=True)
    seconds = time.perf_counter() - start
    return seconds, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1e6


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--layers", type=int, default=8, help="of 42: 8 make 5.6 GB")
    parser.add_argument("--folder", type=Path, help="where to write; default: a temporary folder")
    args = parser.parse_args()
    folder = Path(tempfile.mkdtemp(dir=args.folder))
    try:
        (folder / "published").mkdir()
        size = write_fake(folder / "published", args.layers)
        print(f"{platform.machine()}, {size / 1e9:.1f} GB in shards of {SHARD / 1e9:.0f} GB")
        for source, out in (("published", "ours"), ("ours", "back")):
            seconds, memory = convert(folder / source, folder / out)
            print(f"{source} -> {out}: {seconds:.0f} s, peak {memory:.1f} GB")
    finally:
        shutil.rmtree(folder)


if __name__ == "__main__":
    main()
