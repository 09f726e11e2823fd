"""Completions to explain."""

import argparse

from hypothesis import strategies as st

from swift_plugin_visionr1.commands import explain as command

TRUTH = {
    "width": 112,
    "height": 112,
    "boxes": [[0, 0, 20, 20], [50, 50, 70, 70]],
    "labels": ["cat", "dog"],
}

TEXT = (
    '[{"bbox_2d": [0, 0, 20, 20], "label": "cat"}, {"bbox_2d": [50, 50, 70, 62], "label": "cow"}]'
)


def run(*argv: object) -> int:
    parser = argparse.ArgumentParser()
    command.add_parser(parser.add_subparsers())
    args = parser.parse_args(["explain", *map(str, argv)])
    return int(args.run(args))


corner, side = st.integers(0, 80), st.integers(2, 60)

boxes = st.lists(
    st.tuples(corner, corner, side, side).map(lambda b: [b[0], b[1], b[0] + b[2], b[1] + b[3]]),
    max_size=5,
)
