"""Every YAML under configs/ is run by ms-swift for a few steps, with a tiny stand-in in the place
of its model.

The stand-in lies where the recipe's `model` is looked for: that line, what ms-swift chooses by it,
and all options that `Case.smaller` does not name are the recipe's own. Its rows are made with the
command in its comments.
"""

import json
import math
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from fractions import Fraction
from importlib import import_module
from pathlib import Path

import pytest
import yaml
from safetensors.torch import load_file

pytest.importorskip("swift", reason="needs the extra `swift`")

from swift_plugin_visionr1.reward.settings import load_settings

from .conftest import Run
from .stand_ins.cases import CONFIGS, FAMILIES, Case, files
from .stand_ins.fork_server import ForkServer

# Recipes whose rows are made by the same command come one after the other: it runs once for all.
CASES = sorted(
    map(Case, files("train", "sft", "overlays", "ablations")), key=lambda case: case.commands
)
TRAINED = [pytest.param(case, id=f"{case.file.parent.name}/{case.file.stem}") for case in CASES]
ELSEWHERE = {
    "eval": "test_general_qa.py",
    "megatron": "test_megatron.py",
}  # folders that other tests run
NO_THOUGHT = "<think>\n</think>\n\n"
Launch = Callable[..., Run]


@pytest.fixture(scope="module")
def place(server: ForkServer, tmp_path_factory: pytest.TempPathFactory, checkpoint: Path) -> Path:
    """A folder to launch from, with configs, and images and annotations named as in the recipes'
    comments."""
    folder = tmp_path_factory.mktemp("recipes")
    (folder / "configs").symlink_to(CONFIGS)
    script = checkpoint.parent / "scenes.py"
    subprocess.run(
        [sys.executable, script, "--out", folder, "--train", "16", "--val", "4"], check=True
    )
    (folder / "train.json").rename(folder / "instances_train.json")
    return folder


@pytest.fixture(scope="module")
def stand_in(place: Path, checkpoint: Path) -> Callable[[Case], None]:
    """Puts the stand-in where the recipe's model is looked for."""

    def put(case: Case) -> None:
        built, wanted = place / "stand_ins" / case.model_type, place / case.recipe["model"]
        if not built.exists():
            module, build = FAMILIES[case.model_type].stand_in.split(":")
            getattr(import_module(f".stand_ins.{module}", __package__), build)(built, checkpoint)
        if not wanted.exists():
            wanted.parent.mkdir(exist_ok=True)
            wanted.symlink_to(built)

    return put


@pytest.fixture(scope="module")
def rows_of(place: Path) -> Callable[[Case], None]:
    """Makes the rows of a recipe, unless the last recipe's are the same."""
    made: list[str] = []

    def make(case: Case) -> None:
        if case.commands != made:
            make_rows(case, place)
            made[:] = case.commands

    return make


@pytest.fixture
def launch(
    server: ForkServer, place: Path, stand_in: Callable, rows_of: Callable, tmp_path: Path
) -> Iterator[Launch]:
    """`launch(case)` makes the rows and runs the recipe; test_docs_commands.py starts ms-swift as
    users do."""

    def run(case: Case) -> Run:
        stand_in(case)
        rows_of(case)
        file, log, out = case.file, tmp_path / "log", tmp_path / "out"
        if len(case.layers) > 1:
            file = tmp_path / "mine.yaml"
            file.write_text(yaml.safe_dump(case.without_vllm))
        options = {"dataset": case.rows, "output_dir": out} | case.smaller
        argv = []
        for name, value in options.items():
            argv += [f"--{name}", *map(str, value if isinstance(value, list) else [value])]
        code = server.run([case.command, str(file), *argv], place, log)
        return Run(code, log.read_text(errors="replace"), out)

    yield run
    for weights in tmp_path.glob("out/checkpoint-*"):
        shutil.rmtree(weights)


def make_rows(case: Case, place: Path) -> None:
    """As the recipe's comments say."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    made = subprocess.run(
        " && ".join(case.commands),
        shell=True,
        cwd=place,
        env=os.environ | {"PATH": path},
        text=True,
        check=False,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    assert made.returncode == 0, made.stdout
    if case.command == "sft":
        family = FAMILIES[case.model_type]
        told = f"answers: {family.format}, {family.frame}; "
        assert told in made.stdout
        assert family.images in made.stdout.split(told)[1]


def check_rewards(case: Case, run: Run) -> None:
    family, recipe = FAMILIES[case.model_type], case.recipe
    told = f"model type {case.model_type}; answers in the format {family.format}, {family.frame}; "
    assert told in run.text
    assert family.images in run.text.split(told)[1].splitlines()[0]
    spec = recipe["ENV"]["VISION_R1_CONFIG"]
    settings = load_settings(str(CONFIGS.parent / spec) if spec.endswith(".yaml") else spec)
    assert re.search(rf"Vision-R1 \((preset )?{re.escape(spec)}\): ", run.text)
    advanced = [Fraction(now, case.steps) >= settings.step for now in range(case.steps)]
    assert [row["vision_r1/stage"] == 2 for row in run.steps] == advanced
    named = (
        recipe["reward_funcs"]
        if isinstance(recipe["reward_funcs"], list)
        else [recipe["reward_funcs"]]
    )
    judging = [name for name in named if name != "answer"]  # which judges none of these rows
    scored = [row for row in run.steps if "reward" in row]  # the others are trained on once more
    assert len(scored) == -(-case.steps // recipe.get("num_iterations", 1))
    for row in scored:
        parts = [
            row[f"rewards/{''.join(map(str.capitalize, name.split('_')))}/mean"] for name in judging
        ]
        assert row["reward"] == pytest.approx(sum(parts), abs=1e-5)
        assert all(map(math.isfinite, (row.get("kl", 0.0), row["reward"])))
    if recipe["model"].startswith("Qwen/Qwen2.5"):  # which localises
        assert any(row["reward"] > 0 for row in scored)


def check_answers(case: Case, run: Run, place: Path) -> None:
    """ms-swift prints what the model is to write in the first row, and it is one of the prepared
    answers; empty reasoning is part of the prompt."""
    answers = [
        json.loads(line)["messages"][-1]["content"].removeprefix(NO_THOUGHT)
        for line in (place / case.rows).read_text().splitlines()
    ]
    shown = run.text.split("[LABELS] [-100 * ")[1]
    assert any(answer and answer in shown for answer in answers)
    assert all(row["loss"] > 0 for row in run.steps)


def check(case: Case, run: Run, place: Path) -> None:
    assert run.code == 0, run.text[-3000:]
    assert len(run.steps) == case.steps
    assert all(math.isfinite(row["loss"]) and math.isfinite(row["grad_norm"]) for row in run.steps)
    if case.command == "sft":
        check_answers(case, run, place)
    else:
        check_rewards(case, run)


@pytest.mark.slow
@pytest.mark.parametrize("case", TRAINED)
def test_it_runs(case: Case, launch: Launch, place: Path) -> None:
    check(case, launch(case), place)


@pytest.mark.slow
def test_lora_over_griffon_g_trains_its_language_model(
    launch: Launch, place: Path, tmp_path: Path
) -> None:
    overlay = CONFIGS / "overlays" / "lora_40gb.yaml"
    case = Case(overlay, over=CONFIGS / "train" / "griffon_g_9b.yaml")
    check(case, launch(case), place)
    names = load_file(tmp_path / "out" / "checkpoint-2" / "adapter_model.safetensors")
    assert names
    assert all(".language_model." in name for name in names)


def test_no_file_is_left_out() -> None:
    for file in CONFIGS.glob("*/*.yaml"):
        folder = file.parent.name
        if folder in ELSEWHERE:
            test = Path(__file__).with_name(ELSEWHERE[folder])
            assert folder in test.read_text(), f"{file} is run by no test"
        elif folder not in ("reward", "data"):  # which are not commands of ms-swift
            assert Case(file) in CASES, f"{file} is run by no test"


def test_all_settings_are_used_somewhere() -> None:
    recipes = [file.read_text() for file in CONFIGS.rglob("*.yaml") if file.parent.name != "reward"]
    docs = [file.read_text() for file in (CONFIGS.parent / "docs").glob("*.md")]
    for file in files("reward"):
        assert load_settings(str(file))
        assert any(f"configs/reward/{file.name}" in text for text in (*recipes, *docs)), file
