"""The options that say which model answers, in every command of both packages that reads
answers."""

import argparse

MODEL_TYPE = (
    "ms-swift's name of the model's family, from which format and frame follow; default: what the "
    "settings or the run say, else qwen2_5_vl"
)
CONFIG = "a preset or a YAML file of settings; default: $VISION_R1_CONFIG, else paper"


def add_config_option(parser: argparse.ArgumentParser, means: str = CONFIG) -> None:
    """`--config`, the settings of the rewards; `means` is what the command takes from them."""
    parser.add_argument("--config", help=means)


def add_model_type_option(parser: argparse.ArgumentParser, means: str = MODEL_TYPE) -> None:
    """`--model-type`; `means` is what the command takes it for."""
    parser.add_argument("--model-type", help=means)


def add_model_options(parser: argparse.ArgumentParser) -> None:
    """`--model-type`, `--template` and `--max-pixels`, as the model was trained or asked with."""
    add_model_type_option(parser)
    parser.add_argument(
        "--template",
        help="ms-swift's --template, where the model type has several (mimo_vl, glm4_5v, ...)",
    )
    parser.add_argument(
        "--max-pixels",
        type=int,
        help="ms-swift's --max_pixels, not MAX_PIXELS: MAX_PIXELS, IMAGE_MAX_TOKEN_NUM and their "
        "MIN counterparts are read from the environment",
    )
