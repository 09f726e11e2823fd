"""Scenes of examples/shapes with Griffon-G's question, and with its answers for `swift sft`.

    python examples/griffon_g/data.py --out runs/griffon_g/data
"""

import argparse
import json
from pathlib import Path

import tiny_griffon
from scenes import write_split

from swift_plugin_visionr1 import Settings, model_io
from swift_plugin_visionr1.models.right_answer import add_answer


def ask(rows: list[dict]) -> None:
    """Replace the question of the other example."""
    for row in rows:
        row["messages"] = [{"role": "user", "content": f"<image>{tiny_griffon.QUESTION}"}]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--sft", type=int, default=12000)
    parser.add_argument("--train", type=int, default=1200)
    parser.add_argument("--val", type=int, default=300)
    args = parser.parse_args()
    io = model_io(Settings(), "griffon_g")
    for split, count, seed in (("sft", args.sft, 5), ("train", args.train, 6), ("val", args.val, 7)):
        write_split(args.out, split, count, seed)
        path = args.out / f"{split}.jsonl"
        rows = [json.loads(line) for line in path.read_text().splitlines()]
        ask(rows)
        if split == "sft":
            for row in rows:
                add_answer(row, io)
        path.write_text("".join(json.dumps(row) + "\n" for row in rows))


if __name__ == "__main__":
    main()
