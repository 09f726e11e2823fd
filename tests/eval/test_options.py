"""The options of all commands of `vision-r1` and `mmdet-eval`: how they may be spelt, and where they
are defined."""

import argparse
import ast
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

import mmdet_eval.cli
import swift_plugin_visionr1.cli
from swift_plugin_visionr1.commands import doctor

ROOT = Path(__file__).parents[2]
# These mean something else in every command.
OF_EACH = {
    "--ann",
    "--classes",
    "--engine",
    "--images",
    "--model",
    "--out",
    "--root",
    "--rows",
    "--samples",
    "--seed",
}
VERSION = "--version"


def parsers(parser: argparse.ArgumentParser) -> Iterator[argparse.ArgumentParser]:
    """A parser and those of all its commands."""
    yield parser
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for each in action.choices.values():
                yield from parsers(each)


def every_parser() -> list[argparse.ArgumentParser]:
    tops = [swift_plugin_visionr1.cli.parser(), mmdet_eval.cli.parser(), doctor.options()]
    return [each for top in tops for each in parsers(top)]


def long_options() -> list[tuple[str, str]]:
    """The command and the name of each option that has a dash inside."""
    return [
        (parser.prog, name)
        for parser in every_parser()
        for name in parser._option_string_actions
        if name.startswith("--") and "-" in name.removeprefix("--")
    ]


def parsed(command: str, option: str, spelling: str) -> argparse.Namespace:
    """What a command makes of the option alone, in a spelling; what it requires may be missing."""
    parser = next(
        each
        for each in every_parser()
        if each.prog == command and option in each._option_string_actions
    )
    for action in parser._actions:
        action.required = False
    for group in parser._mutually_exclusive_groups:
        group.required = False
    action = parser._option_string_actions[option]
    value = [] if action.nargs == 0 else [next(iter(action.choices or ["1"]))]
    known, rest = parser.parse_known_args([spelling, *value])
    assert rest == []
    return known


@pytest.mark.parametrize(("command", "option"), long_options())
def test_every_option_may_be_spelt_with_underscores(command: str, option: str) -> None:
    underscored = "--" + option.removeprefix("--").replace("-", "_")
    assert parsed(command, option, underscored) == parsed(command, option, option)


def test_an_option_of_several_commands_is_defined_once() -> None:
    defined: Counter[str] = Counter()
    for package in ("swift_plugin_visionr1", "mmdet_eval"):
        for file in (ROOT / package).glob("**/*.py"):
            for node in ast.walk(ast.parse(file.read_text("utf-8"))):
                if isinstance(node, ast.Call) and getattr(node.func, "attr", "") == "add_argument":
                    names = [arg.value for arg in node.args if isinstance(arg, ast.Constant)]
                    defined.update(name for name in names if str(name).startswith("--"))
    several = {name for name, count in defined.items() if count > 1}
    assert several - OF_EACH - {VERSION} == set()
