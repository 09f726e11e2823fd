"""benchmarks/gpu: the published sizes, the order of its work, and on tiny models the whole script."""

import importlib
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest

pytest.importorskip("swift", reason="needs the extra `swift`")

ROOT = Path(__file__).parents[2]
SCRIPTS = ROOT / "benchmarks" / "gpu"
PART = "qwen2_5_vl_3b/lora_24gb"


@pytest.fixture(scope="module")
def gpu() -> Iterator[SimpleNamespace]:
    """The scripts as modules."""
    sys.path.insert(0, str(SCRIPTS))
    names = ("checkpoints", "parts", "stored", "table")
    yield SimpleNamespace(**{name: importlib.import_module(name) for name in names})
    sys.path.remove(str(SCRIPTS))
    for name in (*names, "launching"):
        sys.modules.pop(name, None)


@pytest.mark.parametrize("model", ["qwen2_5_vl_3b", "qwen2_5_vl_7b", "qwen3_vl_4b"])
def test_the_models_have_as_many_parameters_as_published(gpu: SimpleNamespace, model: str) -> None:
    import torch

    config = gpu.checkpoints.configuration(model, tiny=False)
    with torch.device("meta"):
        built = gpu.checkpoints.model_class(config.model_type)(config)
    count = sum(parameter.numel() for parameter in built.parameters())
    assert count == gpu.checkpoints.MODELS[model]["parameters"]


def test_a_row_asks_for_what_the_recipes_see(gpu: SimpleNamespace, tmp_path: Path) -> None:
    rows = gpu.checkpoints.write_rows("qwen2_5_vl", {"MAX_PIXELS": "401408"}, 3, tmp_path)
    row = json.loads(rows.read_text().splitlines()[0])
    assert len(json.loads(row["likely"])) == gpu.parts.GROUP
    assert all(Path(path).exists() for path in row["images"])


@pytest.mark.parametrize(
    ("overlay", "rounds", "accumulation"),
    [("lora_24gb", 16, 4), ("lora_40gb", 4, 8), ("lora_80gb", 1, 16), ("all_parameters", 1, 16)],
)
def test_a_part_runs_one_sampling_of_the_overlay(
    gpu: SimpleNamespace, tmp_path: Path, overlay: str, rounds: int, accumulation: int
) -> None:
    part = gpu.parts.GpuPart("qwen2_5_vl_7b", overlay, 1)
    recipe = gpu.parts.yaml.safe_load(
        gpu.parts.write_recipe(part, False, tmp_path, tmp_path, tmp_path).read_text()
    )
    assert gpu.parts.rounds(part) == rounds
    assert recipe["gradient_accumulation_steps"] == accumulation
    assert rounds * accumulation * recipe["per_device_train_batch_size"] == 64
    assert "deepspeed" not in recipe
    assert recipe["torch_dtype"] == "bfloat16"


def test_the_page_has_the_tables_of_the_results(gpu: SimpleNamespace) -> None:
    results = {file.name: gpu.stored.read_parts(file) for file in gpu.stored.RESULTS.glob("*.json")}
    assert gpu.table.page(dict(sorted(results.items()))) in gpu.table.PAGE.read_text(), (
        "run python benchmarks/gpu/table.py"
    )


def test_all_parameters_of_7b_are_not_tried_on_80_gb(gpu: SimpleNamespace) -> None:
    fits = {part.name: part.fits(79.2) for part in gpu.parts.PARTS}
    assert fits["qwen2_5_vl_3b/all_parameters"]
    assert not fits["qwen2_5_vl_7b/all_parameters"]


def measure(*arguments: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, SCRIPTS / "measure.py", *map(str, arguments)],
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.slow
def test_a_part_is_measured_once(tmp_path: Path) -> None:
    options = ("--parts", PART, "--out", tmp_path, "--work", tmp_path / "work")
    done = measure(*options, "--minutes", 9)
    assert done.returncode == 0, done.stdout + done.stderr
    first = json.loads((tmp_path / "cpu.json").read_text())["parts"][PART]
    assert first["status"] == "measured"
    assert first["tiny"]
    assert len(first["steps"]) == 2
    for step in first["steps"]:
        assert step["completions"] == 4
        assert step["tokens_written"] == 4 * 8
        assert 0 < step["reward_seconds"] < step["sampling_seconds"] < step["seconds"]
    log = (tmp_path / "work" / PART / "log").read_text()
    rewards = [line for line in log.splitlines() if "'reward': " in line]
    assert rewards, "the likely answers are scored"
    again = measure(*options, "--minutes", 0)
    assert again.returncode == 0, again.stdout
    assert json.loads((tmp_path / "cpu.json").read_text())["parts"][PART] == first
    skipped = measure(*options[2:], "--parts", "qwen3_vl_4b/lora_24gb", "--minutes", 0)
    assert skipped.returncode == 0
    assert "qwen3_vl_4b/lora_24gb: skipped" in skipped.stdout
