"""Time that each output format takes to read an answer, ordinary and hostile:
`python benchmarks/format_speed.py`.

Prints a Markdown table. `ordinary` is an answer of 20 boxes as the format itself writes it.
`hostile` is the worst of 10,000 characters that repeat one piece of PIECES, and `huge` the worst of
ten million (of which the first million are read). Each time is the least of several runs of
`parse`, in processor time, so that a busy machine does not matter.
"""

import platform
import time
from collections.abc import Callable
from functools import partial

import numpy as np

from swift_plugin_visionr1.formats import FORMATS, Format, get_format

BOXES, HOSTILE, HUGE = 20, 10_000, 10_000_000
PIECES = (
    "x",
    " ",
    "\n",
    "9",
    "<",
    "[",
    "{",
    "(",
    '"',
    "'",
    "\\",
    "a-[&",
    "1,",
    "[1,2,3,4],",
    '"a" ',
    "it's [",
    "[a b c ",
    '{"a":[',
    '{"bbox_2d": [1, 2, 3],',
    '{"bbox_2d": [1, 2, 3, 4]}',
    '{"a": "\\"',
    "```json\n[]\n```\n",
    "<box>",
    "<ref>",
    "<box>[[",
    "<box>(1,2),(3,4)</box>",
    "<ref>a</ref>",
    "a(1,2),(3,4)\n",
    "a[[1,2,3,4]]\n",
    "<|object_ref_start|>",
    "<|box_start|>",
    "<1><2><3><4>",
    "<|det|>[[1,2,3,4]]",
    "<|begin_of_box|>[",
    "[[1,2;",
    "<loc0001>",
    "<loc0001>;",
    "<loc_1>",
    "a<loc_1>",
    "<object><patch_index_0001>",
    "<phrase>",
    "</phrase>",
    "<think>",
    "</think>",
    "<answer>",
    "<tool_call>",
    "[TOOL_CALL]",
    "<|im_end|>",
    "Grounded Operation:",
    "\ud800[",
)


def ordinary(format: Format) -> str:
    """An answer of BOXES boxes, the same fractions of the image in each format."""
    rng = np.random.default_rng(0)
    corners = rng.uniform(0, 0.6, (BOXES, 2))
    fractions = np.concatenate([corners, corners + rng.uniform(0.1, 0.4, (BOXES, 2))], axis=1)
    units = format.frame.units if isinstance(format.frame.units, float) else 1000.0
    return format.write(fractions * units, [f"thing {place}" for place in range(BOXES)])


def seconds(call: Callable[[], object], runs: int) -> float:
    """The least processor time of a call."""
    times = []
    for _ in range(runs):
        start = time.process_time()
        call()
        times.append(time.process_time() - start)
    return min(times)


def worst(format: Format, characters: int, runs: int) -> tuple[float, str]:
    """The longest time that a text of so many characters takes, and the piece it repeats."""
    texts = {piece: (piece * (characters // len(piece) + 1))[:characters] for piece in PIECES}
    return max((seconds(partial(format.parse, text), runs), piece) for piece, text in texts.items())


def main() -> None:
    """Print the table."""
    print(f"Python {platform.python_version()}, {platform.machine()}\n")
    print(
        f"| format | {BOXES} boxes, ms | worst of {HOSTILE:,} characters, ms | worst of {HUGE:,} "
        "characters, s |"
    )
    print("|---|---|---|---|")
    for name in FORMATS:
        format = get_format(name)
        text = ordinary(format)
        assert len(format.parse(text).boxes) == BOXES
        usual = 1000 * seconds(partial(format.parse, text), 20)
        hostile, piece = worst(format, HOSTILE, 3)
        huge, longest = worst(format, HUGE, 1)
        print(
            f"| `{name}` | {usual:.2f} | {1000 * hostile:.1f} (`{piece!r}`) | {huge:.2f} "
            f"(`{longest!r}`) |",
            flush=True,
        )


if __name__ == "__main__":
    main()
