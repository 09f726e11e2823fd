"""Takes the pictures of docs/evaluation.md from output folders of evaluations; needs Chromium.

python docs/screenshots.py runs/shapes/before runs/shapes/grpo-seed1/after
"""

import sys
import tempfile
from io import BytesIO
from pathlib import Path
from shutil import which

from PIL import Image
from playwright.sync_api import sync_playwright

from mmdet_eval.cli import main as mmdet_eval

IMAGES = Path(__file__).with_name("images")
SIZE = {"width": 1000, "height": 1400}
COLOURS = 96  # keeps a picture below 150 kB


def take(page_file: Path, out: Path) -> None:
    """The top of a page, as a small PNG."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=which("chromium"), args=["--no-sandbox"]
        )
        page = browser.new_page(viewport=SIZE)
        page.goto(page_file.resolve().as_uri())
        picture = Image.open(BytesIO(page.screenshot())).convert("RGB")
        browser.close()
    picture.quantize(COLOURS).save(out, optimize=True)


def main(base: str, other: str) -> int:
    """report.png of the second folder, compare.png of both."""
    take(Path(other) / "report.html", IMAGES / "report.png")
    with tempfile.TemporaryDirectory() as folder:
        names = ["--names", "base", "+ Vision-R1"]
        mmdet_eval(["compare", base, other, *names, "--out", folder])
        take(Path(folder) / "compare.html", IMAGES / "compare.png")
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:3]))
