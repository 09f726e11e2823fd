"""Small roots of the counting suites, laid out as they are published."""

import io
import json
from pathlib import Path
from typing import Any

from PIL import Image

SIZE = (64, 48)
Row = dict[str, Any]


def picture(colour: str) -> bytes:
    file = io.BytesIO()
    Image.new("RGB", SIZE, colour).save(file, "PNG")
    return file.getvalue()


def write_table(path: Path, rows: list[Row]) -> None:
    import pyarrow as pa
    from pyarrow import parquet

    path.parent.mkdir(parents=True, exist_ok=True)
    parquet.write_table(pa.Table.from_pylist(rows), path)


def countbench(root: Path) -> None:
    """Images inside the file, as Hugging Face writes them; one is gone."""
    rows: list[Row] = [
        {
            "image": {"bytes": picture("red"), "path": None},
            "question": "How many hats are there?",
            "number": 3,
        },
        {"image": None, "question": "How many cats are there?", "number": 4},
        {
            "image": {"bytes": picture("blue"), "path": "b.png"},
            "question": "How many pens?",
            "number": 10,
        },
    ]
    write_table(root / "data" / "test-00000-of-00001.parquet", rows)


def pixmo_count(root: Path) -> None:
    """Links in the file, images beside it by their hash; one was not downloaded."""
    (root / "images").mkdir(parents=True)
    for name in ("aa", "bb"):
        (root / "images" / f"{name}.png").write_bytes(picture("green"))
    points = {"x": [1.0], "y": [2.0]}
    rows = [
        {"image_url": "https://x.org/1", "image_sha256": sha, "count": n, "label": label}
        | {"points": points}
        for sha, n, label in (("aa", 2, "people"), ("bb", 0, "horses"), ("gone", 5, "dogs"))
    ]
    for split in ("validation", "test"):
        write_table(root / "data" / f"{split}-00000-of-00001.parquet", rows)


def fsc147(root: Path) -> None:
    names = {"1.jpg": ("beads", 12), "2.jpg": ("sea shells", 7), "3.jpg": ("pens", 9)}
    (root / "images_384_VarV2").mkdir(parents=True)
    for name in names:
        Image.new("RGB", SIZE).save(root / "images_384_VarV2" / name)
    annotations = {
        name: {"H": 480, "W": 640, "points": [[1, 2]] * n, "box_examples_coordinates": []}
        for name, (_, n) in names.items()
    }
    (root / "annotation_FSC147_384.json").write_text(json.dumps(annotations))
    splits = {"train": ["3.jpg"], "val": ["1.jpg"], "test": ["2.jpg", "1.jpg"]}
    (root / "Train_Test_Val_FSC_147.json").write_text(json.dumps(splits))
    lines = (f"{name}\t{label}\n" for name, (label, _) in names.items())
    (root / "ImageClasses_FSC147.txt").write_text("".join(lines))


ROOTS = {"countbench": countbench, "pixmo_count": pixmo_count, "fsc147": fsc147}
