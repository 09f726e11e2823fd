"""`vision-r1`: the command line beside ms-swift's own."""

import argparse
import sys
from pathlib import Path

from .ground_truth import SolutionError
from .settings import SettingsError, describe, load_settings


def _plugin_path(args: argparse.Namespace) -> None:
    print(Path(__file__).with_name("plugin.py"))


def _settings(args: argparse.Namespace) -> None:
    print(describe(load_settings(args.config)), end="")


def _prepare(args: argparse.Namespace) -> None:
    from .prepare.coco import convert_coco

    count = convert_coco(args.ann, args.images, args.out)
    print(f"wrote {count} rows to {args.out}")


def parser() -> argparse.ArgumentParser:
    """The command line's parser."""
    top = argparse.ArgumentParser(prog="vision-r1", description="Vision-R1 for ms-swift")
    commands = top.add_subparsers(required=True, metavar="COMMAND")
    sub = commands.add_parser("plugin-path", help="print the file for swift's --external_plugins")
    sub.set_defaults(run=_plugin_path)
    sub = commands.add_parser("settings", help="print the effective reward settings as YAML")
    sub.add_argument("config", nargs="?", help="a preset or a YAML file; default: $VISION_R1_CONFIG, else paper")
    sub.set_defaults(run=_settings)
    sub = commands.add_parser("prepare", help="COCO annotations to rows for swift's --dataset")
    sub.add_argument("--ann", type=Path, required=True, help="COCO instances JSON")
    sub.add_argument("--images", type=Path, required=True, help="folder that file_name is relative to")
    sub.add_argument("--out", type=Path, required=True, help="JSONL to write")
    sub.set_defaults(run=_prepare)
    return top


def main(argv: list[str] | None = None) -> int:
    """Run the command; 2 and one line on stderr for bad input."""
    args = parser().parse_args(argv)
    try:
        args.run(args)
    except (SettingsError, SolutionError, OSError) as error:
        print(f"vision-r1: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
