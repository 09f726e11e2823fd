"""`vision-r1 recipe`, `recipes` and `recipe-path`: the recipes by name, with overlays laid over
them, as one file for ms-swift."""

import argparse
from pathlib import Path
from typing import Any

import yaml

from ..console import say
from ..recipes.by_name import (
    OVERLAYS,
    described,
    first_sentences,
    locate,
    with_absolute_paths,
)
from ..recipes.overlays import merged
from ..writing import check_output, write_file


def add_parser(subparsers: Any) -> None:
    """Add the commands."""
    recipe = subparsers.add_parser(
        "recipe", help="lay overlays over a recipe, into one YAML for swift"
    )
    recipe.add_argument(
        "files",
        nargs="+",
        metavar="RECIPE",
        help="the recipe, then its overlays in order: names (see `vision-r1 recipes`) or YAML "
        "files; a value replaces, null removes the option",
    )
    recipe.add_argument("--out", type=Path, help="the YAML to write; default: print it")
    recipe.set_defaults(run=run)
    recipes = subparsers.add_parser("recipes", help="list the recipes and overlays")
    recipes.set_defaults(run=show_recipes)
    path = subparsers.add_parser("recipe-path", help="print the file of a recipe, for swift")
    path.add_argument("name", help="a name that `vision-r1 recipes` lists")
    path.set_defaults(run=show_path)


def run(args: argparse.Namespace) -> int:
    """Write or print it.

    Raises:
        SettingsError: a file cannot be used.
    """
    paths = [locate(name) for name in args.files]
    options = with_absolute_paths(merged(paths))
    text = yaml.safe_dump(options, sort_keys=False, allow_unicode=True)
    text = f"# vision-r1 recipe {' '.join(args.files)}\n{text}"
    if args.out is None:
        say(text, end="")
        return 0
    check_output(args.out, paths)
    write_file(args.out, text)
    say(f"wrote {args.out}")
    return 0


def show_path(args: argparse.Namespace) -> int:
    """Print the file's path.

    Raises:
        SettingsError: there is no such recipe.
    """
    say(str(locate(args.name)))
    return 0


def show_recipes(args: argparse.Namespace) -> int:
    """Print them."""
    groups = {
        "Recipes for `vision-r1 recipe NAME [OVERLAY ...] --out mine.yaml` and then `swift rlhf "
        "mine.yaml`; sft/NAME is the baseline, for `swift sft`": {
            name: f"{facts['model']}: {facts['all_parameters']}, or LoRA with {facts['lora']}; "
            f"weights {facts['weights']}; STEP {facts['step']}"
            for name, facts in described().items()
        },
        "Recipes for Megatron: megatron/NAME, see docs/engines.md": first_sentences("megatron"),
        "Overlays": first_sentences(*OVERLAYS),
        "Reward settings: VISION_R1_CONFIG=configs/reward/NAME.yaml": first_sentences("reward"),
    }
    width = max(len(name) for lines in groups.values() for name in lines)
    blocks = [
        "\n".join([title, *(f"  {name:{width}}  {text}" for name, text in lines.items())])
        for title, lines in groups.items()
    ]
    say("\n\n".join(blocks))
    return 0
