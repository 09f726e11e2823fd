"""Time and memory of the paper's 49K mix on generated sources of COCO train2017's size and more.

    python benchmarks/curate_speed.py                 # 118,287 images with 860,000 boxes
    python benchmarks/curate_speed.py --times 10      # the same images with 8,600,000 boxes

The annotation file is of COCO's form without segmentation; the images are as large as COCO's by
their headers and nearly empty. "plain" is `json.load` and a loop that groups the boxes by image: it
checks nothing and opens no image. "read" is reading and grouping the annotations as `vision-r1
prepare` does. "prepare" is the whole command, with every image's header and the 49,000 rows; it is
run with 1 and with 2 processes, and the rows must be the same bytes. "headers known" is a second
run, which has the headers from the first. With --repeat, the runs take turns, and each number is
the lowest.
"""

import argparse
import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
from io import BytesIO
from pathlib import Path

from PIL import Image

ROOT = Path(__file__).parents[1]
IMAGES, BOXES, SIZE = 118_287, 860_001, (640, 480)
PLAIN = """
import json, sys
by_image = {}
for record in json.load(open(sys.argv[1]))["annotations"]:
    by_image.setdefault(record["image_id"], []).append(record["bbox"])
"""
READ = """
import sys
from pathlib import Path
from swift_plugin_visionr1.curate.sample import Request
from swift_plugin_visionr1.curate.sources.coco import open_coco
from swift_plugin_visionr1.curate.tally import Tally
tally = Tally()
sum(len(sample.boxes_xyxy) for sample in open_coco(Request(Path(sys.argv[1])), tally).read(tally))
"""


def write_source(root: Path, images: int, boxes: int) -> Path:
    """A COCO file and its images."""
    (root / "coco" / "annotations").mkdir(parents=True)
    (root / "coco" / "train2017").mkdir()
    buffer = BytesIO()
    Image.new("L", SIZE).save(buffer, "PNG")
    for number in range(images):
        (root / "coco" / "train2017" / f"{number:012d}.jpg").write_bytes(buffer.getvalue())
    path = root / "coco" / "annotations" / "instances_train2017.json"
    draw = random.Random(0)
    with path.open("w") as file:
        file.write('{"images": [')
        for number in range(images):
            name = f"{number:012d}.jpg"
            record = {"file_name": name, "width": SIZE[0], "height": SIZE[1], "id": number}
            file.write((", " if number else "") + json.dumps(record))
        file.write('], "annotations": [')
        for number in range(boxes):
            file.write((", " if number else "") + json.dumps(_annotation(number, images, draw)))
        categories = [{"id": number, "name": f"class {number}"} for number in range(1, 81)]
        file.write(f'], "categories": {json.dumps(categories)}}}')
    return path


def _annotation(number: int, images: int, draw: random.Random) -> dict[str, object]:
    width, height = draw.expovariate(0.01) % 400 + 4, draw.expovariate(0.01) % 300 + 4
    x, y = draw.uniform(0, SIZE[0] - width), draw.uniform(0, SIZE[1] - height)
    return {
        "area": round(width * height, 2),
        "iscrowd": 0,
        "image_id": draw.randrange(images),
        "bbox": [round(value, 2) for value in (x, y, width, height)],
        "category_id": min(int(draw.expovariate(0.08)) + 1, 80),
        "id": number,
    }


def measure(words: list[str]) -> tuple[float, float, float]:
    """Wall seconds, CPU seconds and peak MB of a process with its children."""
    start = time.perf_counter()
    process = subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    if status:
        raise SystemExit(f"failed: {' '.join(words)}")
    cpu = usage.ru_utime + usage.ru_stime
    return time.perf_counter() - start, cpu, usage.ru_maxrss / 1e3


def _runs(root: Path, path: Path, mix: Path, is_plain: bool) -> dict[str, list[str]]:
    """Name -> command line; a run with known headers comes after the one that reads them."""
    runs = {"plain": [sys.executable, "-c", PLAIN, str(path)]} if is_plain else {}
    runs["read"] = [sys.executable, "-c", READ, str(path)]
    for workers in (2, 1):
        out = str(root / f"out{workers}")
        command = ["prepare", "--mix", str(mix), "--root", str(root), "--out", out]
        module = [sys.executable, "-m", "swift_plugin_visionr1.cli"]
        words = [*module, *command, "--workers", str(workers)]
        cache = ["env", f"XDG_CACHE_HOME={root}/cache/{workers}"]
        runs[f"prepare, {workers} processes"] = [*cache, *words]
        runs[f"prepare, {workers} processes, headers known"] = [*cache, *words]
    return runs


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--times", type=int, default=1, help="as many boxes as COCO times this")
    parser.add_argument("--images", type=int, default=IMAGES)
    parser.add_argument("--repeat", type=int, default=1, help="times that each is run")
    parser.add_argument("--no-plain", action="store_true", help="10 times COCO needs 8 GB for it")
    args = parser.parse_args()
    mix = ROOT / "configs" / "data" / "vision_r1_49k.yaml"
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        boxes = round(BOXES * args.times * args.images / IMAGES)
        path = write_source(root, args.images, boxes)
        print(f"{args.images} images, {boxes} boxes, {path.stat().st_size / 1e6:.0f} MB")
        runs = _runs(root, path, mix, not args.no_plain)
        best = {name: (float("inf"),) * 3 for name in runs}
        for _ in range(args.repeat):
            shutil.rmtree(root / "cache", ignore_errors=True)
            for name, words in runs.items():
                best[name] = tuple(map(min, best[name], measure(words)))
        plain = best.get("plain")
        print("| what | wall s | CPU s | peak MB | CPU / plain |\n|---|---|---|---|---|")
        for name, (wall, cpu, peak) in best.items():
            ratio = f"{cpu / plain[1]:.1f}" if plain else ""
            print(f"| {name} | {wall:.1f} | {cpu:.1f} | {peak:.0f} | {ratio} |", flush=True)
        rows = [(root / f"out{number}" / "train.jsonl").read_bytes() for number in (1, 2)]
        same = rows[0] == rows[1]
        print(f"{len(rows[0].splitlines())} rows, the same bytes with 1 and 2 processes: {same}")


if __name__ == "__main__":
    main()
