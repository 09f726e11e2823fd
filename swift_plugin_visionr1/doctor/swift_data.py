"""Data sets as ms-swift loads them: any form that it or the plugin's preprocessors know. Imports
ms-swift."""

import os
from collections.abc import Mapping
from functools import partial
from typing import Any

from ..data.row_census import other_rewards
from ..models.chat import flag
from ..recipes.training_command import Recipe
from ..text import clipped
from .blame import reraise_own
from .findings import Finding, ok, problem
from .rows import DoctorRow, read_row, read_taught_row


def as_swift(recipe: Recipe) -> None:
    """Load what the training process would: its plugins, and ours. The environment is already the
    recipe's.

    Raises:
        ImportError: ms-swift is not installed.
    """
    os.environ.setdefault("LOG_LEVEL", "ERROR")  # ms-swift's own lines would drown the findings
    from swift.utils import import_external_file

    import swift_plugin_visionr1.ms_swift.register as plugin

    plugin.register_rewards()
    for file in recipe.all("external_plugins"):
        import_external_file(file)


def load_as_swift(
    name: str, recipe: Recipe, columns: Mapping[str, str]
) -> tuple[list[DoctorRow], list[Finding]]:
    """The rows of one data set of the recipe; `columns` as in --columns."""
    try:
        as_swift(recipe)
        data = _load(name, recipe, columns)
    except ImportError as error:
        text = f"data: {name} is loaded through ms-swift, which does not import here: {error}"
        return [], [problem("data", text)]
    except ZeroDivisionError:  # ms-swift samples from the rows that it can use, and it can use none
        text = f"data: ms-swift can use no row of {name}, its log says why"
        return [], [problem("empty_data", text)]
    except Exception as error:  # whatever ms-swift or the data raise, training would meet it too
        reraise_own(error)
        said = clipped(str(error) or type(error).__name__, 500)
        return [], [problem("data", f"data: ms-swift cannot load {name}: {said}")]
    mixed = bool(other_rewards(recipe.all("reward_funcs")))
    read = partial(read_row, mixed=mixed) if recipe.is_grpo else read_taught_row
    rows = [
        read(row, f"row {number} of {name} as loaded") for number, row in enumerate(data, start=1)
    ]
    if not rows:
        return [], [problem("empty_data", f"data: {name} has no rows once ms-swift has loaded it")]
    return rows, [ok("data", f"data: {len(rows)} rows in {name}, as ms-swift loads them")]


def _load(name: str, recipe: Recipe, columns: Mapping[str, str]) -> Any:
    from swift.dataset import load_dataset

    return load_dataset(
        [name],
        columns=dict(columns) or None,
        strict=bool(flag(recipe.one("strict"))),
        use_hf=flag(recipe.one("use_hf")) or None,
        remove_unused_columns=False,
        load_from_cache_file=False,
    )[0]
