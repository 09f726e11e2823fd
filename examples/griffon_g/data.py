"""Scenes of one shape: with Griffon-G's answers for `swift sft`, for GRPO, and held-out ones.

python examples/griffon_g/data.py --out runs/griffon_g/data
"""

import argparse
import json
from pathlib import Path

import tiny_griffon
from scenes import write_split

from swift_plugin_visionr1 import Settings, model_io
from swift_plugin_visionr1.models.right_answer import add_answer

SEEDS = {"sft": 5, "train": 6, "val": 7}


def rewrite_rows(path: Path, answers: bool) -> None:
    """Put Griffon-G's question, and its answer if wanted, into the rows."""
    io = model_io(Settings(), "griffon_g")
    rows = [json.loads(line) for line in path.read_text().splitlines()]
    for row in rows:
        row["messages"] = [{"role": "user", "content": f"<image>{tiny_griffon.QUESTION}"}]
        if answers:
            add_answer(row, io)
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--sft", type=int, default=4000)
    parser.add_argument("--train", type=int, default=400)
    parser.add_argument("--val", type=int, default=300)
    args = parser.parse_args()
    for split, seed in SEEDS.items():
        write_split(args.out, split, getattr(args, split), seed, tiny_griffon.one_object)
        rewrite_rows(args.out / f"{split}.jsonl", answers=split == "sft")


if __name__ == "__main__":
    main()
