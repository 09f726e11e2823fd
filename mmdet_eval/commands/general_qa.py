"""`mmdet-eval general-qa`: makes the paper's Table 6 for a model before and after training."""

import argparse
import re
import signal
import sys
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from swift_plugin_visionr1.console import say, warn
from swift_plugin_visionr1.errors import InputError
from swift_plugin_visionr1.shipped import CONFIGS

from ..general_qa.asking import EvaluationFailed, evaluate
from ..general_qa.questions import Benchmarks, NamedModel, read_recipe
from ..general_qa.report import as_markdown, write_report
from .run import STOPPED

RECIPE = CONFIGS / "eval" / "general_qa.yaml"
PACKAGES = ("swift", "evalscope", "vlmeval")


def add_parser(subparsers: Any) -> None:
    """Add the command. Unknown arguments go to `swift eval`: the caller sets `infer_arguments`."""
    sub = subparsers.add_parser(
        "general-qa",
        allow_abbrev=False,
        help="GQA, AI2D, ChartQA and SEED before and after training; resumes",
        description="Ask each model the general benchmarks with `swift eval`, one model after the "
        "other, and print one table. If interrupted, run the same command again to continue. "
        "Options not listed here go to `swift eval`, for every model.",
    )
    sub.add_argument(
        "--model",
        action="append",
        required=True,
        metavar="NAME=MODEL",
        help="name in the table, and folder or hub id; repeat for each model, base first",
    )
    sub.add_argument("--out", type=Path, required=True, help="folder for the answers and the table")
    sub.add_argument(
        "--recipe",
        type=Path,
        default=RECIPE,
        help="YAML for `swift eval`; default: configs/eval/general_qa.yaml of the package",
    )
    sub.add_argument(
        "--eval-dataset",
        nargs="+",
        metavar="NAME",
        help="benchmarks instead of the recipe's",
    )
    sub.add_argument(
        "--external-plugins",
        nargs="+",
        default=(),
        help="files for `swift eval`",
    )
    sub.set_defaults(run=run, infer_arguments=())


def run(arguments: argparse.Namespace) -> int:
    """Ask, print the table and write it; returns the exit code: 1 if `swift eval` failed.

    Raises:
        InputError: a model or the recipe cannot be used, a package is missing, several models are
            given for one server, or --out has answers to something else.
    """
    signal.signal(
        signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM)
    )  # so that `swift eval` is terminated too
    models = read_models(arguments.model)
    questions = _questions(arguments, len(models))
    try:
        scores = {
            model.name: evaluate(model, questions, arguments.out / model.name) for model in models
        }
    except KeyboardInterrupt:
        warn("\nmmdet-eval: stopped; run the same command again to continue")
        return STOPPED
    except EvaluationFailed as error:
        warn(f"mmdet-eval: {error}")
        return 1
    write_report(arguments.out, scores)
    say(as_markdown(scores), end="")
    return 0


def _questions(arguments: argparse.Namespace, models: int) -> Benchmarks:
    benchmarks = tuple(arguments.eval_dataset or read_recipe(arguments.recipe)["eval_dataset"])
    if missing := [package for package in PACKAGES if find_spec(package) is None]:
        raise InputError(
            f"expected ms-swift, EvalScope and VLMEvalKit, got no {', '.join(missing)}: install "
            "them with `pip install 'swift-plugin-visionr1[swift,qa]'`"
        )
    questions = Benchmarks(
        arguments.recipe,
        benchmarks,
        tuple(arguments.external_plugins),
        tuple(arguments.infer_arguments),
    )
    if questions.server and models > 1:
        raise InputError(
            "expected one --model with --eval_url, whose server has one model loaded, got "
            f"{models}: ask each one separately, then print the table by naming all of them "
            "without --eval_url"
        )
    return questions


def read_models(texts: Sequence[str]) -> list[NamedModel]:
    """The models that --model names.

    Raises:
        InputError: one is not NAME=MODEL, its folder has no model, or two have the same name.
    """
    models = [_read_model(text) for text in texts]
    names = [model.name for model in models]
    if len(set(names)) < len(names):
        raise InputError(
            f"expected models with different names, got {', '.join(names)}: give each a different "
            "NAME="
        )
    return models


def _read_model(text: str) -> NamedModel:
    name, equals, path = text.partition("=")
    if not (equals and path and re.fullmatch(r"[\w.+-]*\w[\w.+-]*", name)):
        raise InputError(
            f"expected --model NAME=MODEL with a name of letters, digits and ._+-, got {text}: for "
            "example --model base=Qwen/Qwen2.5-VL-7B-Instruct"
        )
    folder = Path(path)
    if folder.is_dir() and not any(
        (folder / file).exists() for file in ("config.json", "adapter_config.json")
    ):
        inside = (
            ", ".join(str(checkpoint) for checkpoint in sorted(folder.glob("checkpoint-*")))
            or "no checkpoint-* either"
        )
        raise InputError(
            "expected the folder of a model with config.json or of an adapter with "
            f"adapter_config.json, got {folder} without: it has {inside}"
        )
    if not folder.is_dir() and (
        not re.fullmatch(r"[\w.-]+/[\w.-]+", path) or Path(path).parent.is_dir()
    ):
        raise InputError(
            "expected a model's folder or a hub's id such as Qwen/Qwen2.5-VL-7B-Instruct, got "
            f"{path}"
        )
    return NamedModel(name, path)
