"""Rows of five tasks on the scenes of examples/shapes: detection, grounding, pointing, counting and
a general question.

    python examples/mixed/data.py --out runs/mixed/data
"""

import argparse
import json
import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1] / "shapes"))
from scenes import CLASSES, write_split

Row = dict[str, Any]


def rows_of(row: Row) -> list[Row]:
    """Five rows about one scene of `scenes.py`, or four if it is empty."""
    solution = json.loads(row["solution"])
    labels = solution["labels"]
    name = labels[0] if labels else CLASSES[0]
    kept = [place for place, label in enumerate(labels) if label == name]
    one = json.dumps(
        solution
        | {"boxes": [solution["boxes"][place] for place in kept], "labels": [name] * len(kept)}
    )
    larger = "wide" if solution["width"] > solution["height"] else "tall"
    asked = [
        ("detection", row["messages"][0]["content"], row["solution"], None),
        ("grounding", f"Locate every {name} in the image, in JSON format.", one, None),
        ("pointing", f"Point to every {name} in the image, in JSON format.", one, None),
        (
            "counting",
            "How many shapes are in the image? Answer with a number.",
            row["solution"],
            None,
        ),
        ("general", "Is the image wide or tall? Answer with one word.", None, larger),
    ]
    return [
        {
            "messages": [{"role": "user", "content": f"<image>{text.removeprefix('<image>')}"}],
            "images": row["images"],
            "solution": truth,
            "answer": answer,
            "task": task,
            "source": "quiz" if task == "general" else "shapes",
        }
        for task, text, truth, answer in asked
        if labels or task != "grounding"
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--scenes", type=int, default=200)
    args = parser.parse_args()
    write_split(args.out, "train", args.scenes, seed=0)
    scenes = map(json.loads, (args.out / "train.jsonl").read_text().splitlines())
    rows = [row for scene in scenes for row in rows_of(scene)]
    (args.out / "mixed.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    print(f"wrote {len(rows)} rows of 5 tasks to {args.out / 'mixed.jsonl'}")


if __name__ == "__main__":
    main()
