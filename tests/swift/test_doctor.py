"""The doctor with ms-swift: recipes and data read as it reads them, and the small model asked."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from unittest import mock

import pytest

pytest.importorskip("swift", reason="needs the extra `swift`")

from swift_plugin_visionr1 import Settings
from swift_plugin_visionr1.cli import main
from swift_plugin_visionr1.doctor.cases import Whole
from swift_plugin_visionr1.doctor.image_files import look_at
from swift_plugin_visionr1.doctor.model import find_model
from swift_plugin_visionr1.doctor.rows import read_row
from swift_plugin_visionr1.doctor.sampling import open_engine, processed_findings
from swift_plugin_visionr1.geometry.frames import View
from swift_plugin_visionr1.geometry.resize import FRAME_VARIABLES
from swift_plugin_visionr1.recipes.training_command import read_recipe

PARSE = """
import json, os, sys
from swift.cli.main import parse_yaml_args
from swift.utils import parse_args
from swift.arguments import RLHFArguments
argv = sys.argv[1:]
parse_yaml_args(argv)
names = ["model", "reward_funcs", "temperature", "num_generations", "max_completion_length", "callbacks", "top_k"]
from unittest import mock
with mock.patch.object(RLHFArguments, "__post_init__", lambda self: None):
    args, rest = parse_args(RLHFArguments, argv)
print("RESULT" + json.dumps([{name: getattr(args, name) for name in names}, rest, os.environ.get("MAX_PIXELS")]))
"""


def python(script: str, *words: object, **environment: str) -> subprocess.CompletedProcess:
    offline = {"USE_HF": "1", "HF_HUB_OFFLINE": "1"}
    unset = {"MAX_PIXELS", "MIN_PIXELS", "VISION_R1_CONFIG"}
    kept = {name: value for name, value in os.environ.items() if name not in unset}
    return subprocess.run(
        [sys.executable, "-c", script, *map(str, words)],
        capture_output=True,
        text=True,
        errors="replace",
        env=kept | offline | environment,
        check=False,
    )


def doctor(out: Path, *words: object, config: Path | None = None) -> tuple[int, dict]:
    """Exit code, and doctor.json with its findings as `problem rows` -> text."""
    variables = {"USE_HF": "1", "HF_HUB_OFFLINE": "1", "VISION_R1_CONFIG": str(config or "paper")}
    with mock.patch.dict(os.environ, variables):
        for name in FRAME_VARIABLES:
            os.environ.pop(name, None)
        code = main(["doctor", *map(str, words), "--out", str(out)])
    summary = json.loads((out / "doctor.json").read_text())
    findings = {f"{each['state']} {each['code']}": each["text"] for each in summary["findings"]}
    return code, summary | {"findings": findings}


def test_a_command_means_what_it_means_to_swift(checkpoint: Path) -> None:
    recipe = checkpoint.parents[2] / "configs" / "train" / "qwen2_5_vl_7b.yaml"
    words = [
        str(recipe),
        "--temperature",
        "0.7",
        "--reward-funcs",
        "vision_r1",
        "vision_r1_count",
        "--top_k=-1",
    ]
    result = python(PARSE, *words)
    line = next((line for line in result.stdout.splitlines() if line.startswith("RESULT")), None)
    assert line, result.stderr[-2000:]
    seen, rest, max_pixels = json.loads(line.removeprefix("RESULT"))
    own = read_recipe(words, {})
    assert rest == []
    assert own.one("model") == seen["model"]
    assert list(own.all("reward_funcs")) == seen["reward_funcs"]
    assert list(own.all("callbacks")) == seen["callbacks"]
    assert own.number("temperature") == seen["temperature"]
    for name in ("num_generations", "max_completion_length", "top_k"):
        assert own.integer(name) == seen[name]
    assert own.environ["MAX_PIXELS"] == max_pixels


def test_no_option_of_swift_is_taken_for_a_misspelt_one() -> None:
    from dataclasses import fields

    from swift.arguments import RLHFArguments, SftArguments

    from swift_plugin_visionr1.doctor.checks.options import NAMES, option_findings

    names = {field.name for kind in (RLHFArguments, SftArguments) for field in fields(kind)}
    assert set(NAMES) <= names
    assert option_findings(read_recipe([f"--{name}={{}}" for name in sorted(names)], {})) == []


@pytest.fixture
def words(rows: list, checkpoint: Path, tmp_path: Path) -> list[object]:
    """A right command on the small model."""
    data = tmp_path / "train.jsonl"
    data.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return [
        "--rlhf_type",
        "grpo",
        "--model",
        checkpoint,
        "--model_type",
        "qwen2_5_vl",
        "--template",
        "qwen2_5_vl_pruned",
        "--torch_dtype",
        "float32",
        "--external_plugins",
        checkpoint.parent / "pruned_template.py",
        "--dataset",
        data,
        "--reward_funcs",
        "vision_r1",
        "--callbacks",
        "vision_r1",
        "--num_generations",
        4,
        "--temperature",
        "1.0",
        "--max_completion_length",
        192,
        "--prompts",
        6,
    ]


@pytest.mark.slow
def test_data_that_only_swift_reads(rows: list, words: list[object], tmp_path: Path) -> None:
    import csv

    table = tmp_path / "train.csv"
    with table.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["query", "images", "solution"])
        for row in rows:
            writer.writerow([row["messages"][0]["content"], row["images"][0], row["solution"]])
    code, summary = doctor(tmp_path / "out", *words, "--dataset", table, "--no-sample")
    assert code == 0
    assert f"16 rows in {table}" in summary["findings"]["ok data"]
    assert "16 named, 16 opened" in summary["findings"]["ok images"]


@pytest.mark.slow
def test_the_model_is_asked(words: list[object], tmp_path: Path) -> None:
    code, summary = doctor(tmp_path / "out", *words)
    assert code == 0
    assert {"ok processed", "ok frame"} <= summary["findings"].keys()
    assert summary["rewards"]["beginner"]["total"] > 1


@pytest.mark.slow
def test_a_wrong_frame_is_found_by_the_models_own_answers(
    words: list[object], tmp_path: Path
) -> None:
    config = tmp_path / "reward.yaml"
    config.write_text("frame: norm1000\n")
    code, summary = doctor(tmp_path / "out", *words, config=config)
    assert code == 1
    assert "`frame: processed`" in summary["findings"]["problem wrong_frame"]
    assert "problem zero_reward" in summary["findings"]
    config.write_text("frame: processed\n")
    assert doctor(tmp_path / "out", *words, config=config)[0] == 0


@pytest.mark.slow
def test_a_model_that_does_not_load_is_a_finding(words: list[object], tmp_path: Path) -> None:
    code, summary = doctor(tmp_path / "out", *words, "--model", tmp_path, "--sample")
    assert code == 1
    assert "problem model_fails" in summary["findings"]


@pytest.mark.slow
def test_another_processed_size_than_the_rewards_is_a_finding(
    words: list[object], rows: list
) -> None:
    recipe = read_recipe(list(map(str, words[: words.index("--prompts")])), os.environ)
    row = read_row(rows[0], "row 1")
    engine = open_engine(recipe, find_model(recipe, Settings())[0], 1)
    seen = View(row.size, (224, 112))
    case = Whole(row, next(look_at([row.image], [0])), row.truth, seen)
    (finding,) = processed_findings(engine, [case])
    assert (finding.state, finding.code) == ("problem", "processed")
    fed, _, assumed = re.findall(r"\(\d+, \d+\)", finding.text)
    assert (fed, assumed) == ("(112, 112)", "(224, 112)")
