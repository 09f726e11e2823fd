"""The tables of formats.md and ms_swift_versions.md, made from the code: `python docs/tables.py`
writes them there.

python docs/tables.py --answers FILE    also the table of real answers (see
tests/core/real_completions.py)
"""

import argparse
import re
import subprocess
import sys
from pathlib import Path

from swift_plugin_visionr1 import FAMILIES, FORMATS, Limits, get_format
from swift_plugin_visionr1.formats.questions import fill
from swift_plugin_visionr1.geometry.boxes import as_boxes
from swift_plugin_visionr1.geometry.frames import View
from swift_plugin_visionr1.ms_swift.pieces import PIECES

PAGE = Path(__file__).with_name("formats.md")
VERSIONS = Path(__file__).with_name("ms_swift_versions.md")
VIEW = View((640, 480), (644, 476))
BOXES = as_boxes([[64, 96, 320, 336], [400, 240, 640, 480]])


def formats() -> str:
    """A line for each format: its frame, and what it writes for two boxes of an image of 640 x 480,
    and for none."""
    lines = ["| format | coordinates | a cat and a dog | nothing there |", "|---|---|---|---|"]
    for name in FORMATS:
        format = get_format(name)
        two = format.write(format.frame.from_image(BOXES, VIEW), ["cat", "dog"])
        frame = format.frame.describe().removeprefix("coordinates ")
        lines.append(
            f"| `{name}` | {frame} | {_code(two)} | {_code(format.write(as_boxes([]), []))} |"
        )
    return "\n".join(lines)


def families() -> str:
    """A line for each model type: format, what stands around the answer, and how images are resized
    by default."""
    lines = ["| `model_type` | format | around the answer | images |", "|---|---|---|---|"]
    for name, family in FAMILIES.items():
        around = {"none": "nothing", "think": "`<think>`", "think_answer": "`<think>`, `<answer>`"}[
            family.reasoning
        ]
        resize = family.resize(Limits()).describe().removeprefix("images ")
        lines.append(f"| `{name}` | `{family.format}` | {around} | {resize} |")
    return "\n".join(lines)


def questions() -> str:
    """A line for each format: what is asked for the boxes of two categories, and for one thing."""
    lines = ["| format | for all cats and dogs | for one thing, a cat |", "|---|---|---|"]
    for name in FORMATS:
        own = get_format(name).questions
        several = "the paper's" if own.json else "the paper's, without JSON"
        detect = _code(fill(own.detect, ["cat", "dog"])) if own.detect else several
        locate = _code(fill(own.locate, ["cat"])) if own.locate else "the paper's"
        lines.append(f"| `{name}` | {detect} | {locate} |")
    return "\n".join(lines)


def pieces() -> str:
    """A line for each piece of ms-swift that is used: where it is, by what, what is lost."""
    lines = ["| piece | in | used by | without it |", "|---|---|---|---|"]
    for piece in PIECES:
        used_by = ", ".join(f"`{file}`" for file in piece.used_by.split(", "))
        lines.append(f"| `{piece.name}` | `{piece.module}` | {used_by} | {piece.lost} |")
    return "\n".join(lines)


def _code(text: str) -> str:
    flat = re.sub(r"\s*\n\s*", " ", text).replace("|", "\\|")
    return f"`` {flat} ``" if flat else "(the empty text)"


def put(page: str, name: str, table: str) -> str:
    """`page` with `table` between the comments that bear its name."""
    start, end = f"<!-- {name} -->\n", f"\n<!-- /{name} -->"
    before, rest = page.split(start)
    return before + start + table + end + rest.split(end, 1)[1]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--answers", type=Path, help="JSONL of real answers")
    args = parser.parse_args()
    page = PAGE.read_text("utf-8")
    for table in (formats, families, questions):
        page = put(page, table.__name__, table())
    if args.answers:
        command = [sys.executable, "-m", "tests.core.real_completions", str(args.answers)]
        page = put(
            page,
            "answers",
            subprocess.check_output(command, text=True, cwd=PAGE.parents[1]).rstrip(),
        )
    PAGE.write_text(page, "utf-8")
    VERSIONS.write_text(put(VERSIONS.read_text("utf-8"), "pieces", pieces()), "utf-8")


if __name__ == "__main__":
    main()
