"""How the rewards get into ms-swift's registry: by installing, by --external_plugins, and to each trainer."""

import os
import subprocess
import sys

import pytest

pytest.importorskip("swift.rewards.orm", reason="needs the extra `swift`")

NAMES = [
    "vision_r1",
    "vision_r1_format",
    "vision_r1_recall",
    "vision_r1_precision",
    "vision_r1_count",
]


def python(code: str, **environment: str) -> str:
    result = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        env=os.environ | environment,
    )
    return result.stdout.strip()


REGISTERED = """
from swift.rewards import orms
from swift.callbacks import callbacks_map
print(sorted(n for n in orms if n.startswith("vision_r1")), "vision_r1" in callbacks_map)
"""


def test_installation_registers_the_plugin_and_an_option_turns_that_off() -> None:
    assert python(REGISTERED) == f"{sorted(NAMES)} True"
    assert python(REGISTERED, VISION_R1_NO_AUTOLOAD="1") == "[] False"


@pytest.mark.parametrize(
    "first",
    [
        "swift.callbacks.mapping",
        "swift.trainers",
        "swift_plugin_visionr1.ms_swift.rewards",
        "swift_plugin_visionr1.ms_swift.callback",
    ],
)
def test_registration_does_not_depend_on_what_is_imported_first(first: str) -> None:
    assert python(f"import {first}\n" + REGISTERED) == f"{sorted(NAMES)} True"


def test_external_plugins_registers_it_too() -> None:
    load = """
from swift.utils import import_external_file
from swift_plugin_visionr1.commands.plugin_path import PLUGIN
import_external_file(str(PLUGIN))
import_external_file(str(PLUGIN))
from swift.dataset import AutoPreprocessor
print(AutoPreprocessor._get_preprocessor.__module__)
"""
    expected = f"swift_plugin_visionr1.ms_swift.dataset_hook\n{sorted(NAMES)} True"
    assert python(load + REGISTERED, VISION_R1_NO_AUTOLOAD="1") == expected


def test_python_starts_without_loading_the_package() -> None:
    assert (
        python(
            "import sys; print([m for m in ('swift_plugin_visionr1', 'numpy') if m in sys.modules])"
        )
        == "[]"
    )


def test_a_plugin_that_cannot_load_leaves_ms_swift_alone() -> None:
    code = "import sys; sys.modules['swift_plugin_visionr1.reward.scorer'] = None\n" + REGISTERED
    assert python(code) == "[] False"


WRAPPED = """
from swift.rlhf_trainers.grpo_trainer import GRPOTrainer
from swift.ray.megatron.grpo_trainer import GRPOTrainer as OnRay
from swift.arguments import RLHFArguments
from swift.dataset.loader import DatasetLoader
import json  # anything
methods = [GRPOTrainer._prepare_rewards, OnRay._prepare_rewards, RLHFArguments.load_dataset, DatasetLoader.load]
print([hasattr(method, "vision_r1") for method in methods])
"""


@pytest.mark.parametrize(
    ("before", "environment"),
    [
        pytest.param("", {}, id="autoload"),
        pytest.param(
            "from swift.utils import import_external_file\n"
            "from swift_plugin_visionr1.commands.plugin_path import PLUGIN\n"
            "import_external_file(str(PLUGIN))\n",
            {"VISION_R1_NO_AUTOLOAD": "1"},
            id="plugin first",
        ),
    ],
)
def test_each_trainer_hands_its_rewards_their_run(before: str, environment: dict) -> None:
    pytest.importorskip("ray")
    assert python(before + WRAPPED, **environment).splitlines()[-1] == str([True] * 4)


def test_a_trainer_that_is_there_before_the_plugin_is_wrapped_too() -> None:
    load = """
from swift_plugin_visionr1.commands.plugin_path import PLUGIN
from swift.utils import import_external_file
import_external_file(str(PLUGIN))
"""
    code = WRAPPED.replace("import json  # anything", load)
    assert python(code, VISION_R1_NO_AUTOLOAD="1").splitlines()[-1] == str([True] * 4)
