"""LoRA from the first step to the evaluation, each stage against the plain run."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

pytest.importorskip("swift", reason="needs the extra `swift`")
pytest.importorskip("peft")
pytestmark = pytest.mark.slow

from mmdet_eval.cli import main as evaluate  # noqa: E402

LORA = [
    *("--tuner_type", "lora", "--lora_rank", 4, "--lora_alpha", 8, "--lora_dropout", 0),
    *("--target_modules", "all-linear", "--reward_funcs", "vision_r1", "--callbacks", "vision_r1"),
    *("--log_completions", "true", "--beta", 0.04, "--learning_rate", "1e-3"),
    *("--max_completion_length", 40, "--save_steps", 1),
]
ONE = ["--max_steps", 1]


def adapter(folder: Path) -> dict:
    from safetensors.torch import load_file

    return load_file(folder / "adapter_model.safetensors")


def difference(first: dict, second: dict) -> float:
    """The largest between weights of the same names."""
    assert first.keys() == second.keys()
    return max(float((first[name] - second[name]).abs().max()) for name in first)


def completions(run: object) -> list[dict]:
    return [json.loads(line) for line in (run.out / "completions.jsonl").read_text().splitlines()]


@pytest.fixture(scope="module")
def whole(grpo: Callable, rows: list, tmp_path_factory: pytest.TempPathFactory) -> object:
    """Two steps without interruption."""
    run = grpo(rows, tmp_path_factory.mktemp("whole"), *LORA, "--max_steps", 2)
    assert run.code == 0, run.text[-3000:]
    return run


@pytest.fixture(scope="module")
def trained(whole: object) -> Path:
    """The adapter after them."""
    return Path(whole.out / "checkpoint-2")


@pytest.fixture(scope="module")
def merged(swift: Callable, trained: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """It, merged into the base."""
    out = tmp_path_factory.mktemp("merged")
    folder = out / "model"
    words = ["--adapters", trained, "--merge_lora", "true", "--output_dir", folder]
    done = swift("export", *words, out=out)
    assert done.code == 0, done.text[-3000:]
    return folder


def test_a_resumed_run_is_the_uninterrupted_one(
    whole: object, trained: Path, grpo: Callable, rows: list, tmp_path: Path
) -> None:
    checkpoint = whole.out / "checkpoint-1"
    resumed = grpo(rows, tmp_path, *LORA, "--max_steps", 2, "--resume_from_checkpoint", checkpoint)
    assert resumed.code == 0, resumed.text[-3000:]
    before, after = completions(whole)[1], completions(resumed)[0]
    for column in ("step", "prompt", "completion", "VisionR1", "advantages"):
        assert after[column] == before[column], column
    assert difference(adapter(trained), adapter(tmp_path / "checkpoint-2")) == 0
    assert difference(adapter(trained), adapter(checkpoint)) > 1e-4  # the step did something


def test_the_merged_model_is_base_and_adapter(
    trained: Path, merged: Path, checkpoint: Path
) -> None:
    from peft import PeftModel
    from transformers import Qwen2_5_VLForConditionalGeneration as Model

    ours = PeftModel.from_pretrained(Model.from_pretrained(checkpoint), trained)
    expected, base = ours.merge_and_unload().state_dict(), Model.from_pretrained(checkpoint)
    assert difference(Model.from_pretrained(merged).state_dict(), expected) < 1e-6
    assert difference(base.state_dict(), expected) > 1e-4


def test_grpo_continues_an_adapter(
    trained: Path, grpo: Callable, rows: list, tmp_path: Path
) -> None:
    """With --ref_adapters the KL term holds it near that adapter, and not near the base."""
    small = ["--learning_rate", "1e-6"]
    both = ["--adapters", trained, "--ref_adapters", trained]
    run = grpo(rows, tmp_path, *LORA, *ONE, *small, *both)
    assert run.code == 0, run.text[-3000:]
    assert run.steps[0]["kl"] == pytest.approx(0, abs=1e-6)
    assert difference(adapter(tmp_path / "checkpoint-1"), adapter(trained)) < 1e-4


def test_a_second_adapter_begins_as_the_merged_model(
    merged: Path, grpo: Callable, rows: list, tmp_path: Path
) -> None:
    run = grpo(rows, tmp_path, *LORA, *ONE, "--model", merged)
    assert run.code == 0, run.text[-3000:]
    assert run.steps[0]["kl"] == pytest.approx(0, abs=1e-6)
    config = json.loads((tmp_path / "checkpoint-1" / "adapter_config.json").read_text())
    assert Path(config["base_model_name_or_path"]) == merged


def test_an_adapter_is_evaluated_on_its_base_as_the_merged_model_answers(
    trained: Path, merged: Path, rows: list, swift: Callable, checkpoint: Path, tmp_path: Path
) -> None:
    scenes = Path(rows[0]["images"][0]).parents[2]
    out, plugin = tmp_path / "eval", checkpoint.parent / "pruned_template.py"
    code = evaluate(
        [
            *("run", "--model", str(trained), "--external_plugins", str(plugin)),
            *("--template", "qwen2_5_vl_pruned", "--ann", str(scenes / "val.json")),
            *("--images", str(scenes / "images"), "--out", str(out), "--engine", "hotcoco"),
            *("--max_new_tokens", "64", "--torch_dtype", "float32"),
        ]
    )
    assert code == 0
    reading = json.loads((out / "run.json").read_text())["reading"]
    assert Path(reading["model"]) == checkpoint.resolve()
    assert reading["adapters"] == [str(trained.resolve())]
    (prompts,) = (out).glob("**/*.prompts.jsonl")
    words = ["--val_dataset", prompts, "--result_path", tmp_path / "merged.jsonl"]
    greedy = ["--temperature", 0, "--max_new_tokens", 64]
    done = swift("infer", "--model", merged, *words, *greedy, out=tmp_path)
    assert done.code == 0, done.text[-3000:]
    answers = [
        {json.dumps(row["images"]): row["response"] for row in map(json.loads, path.open())}
        for path in ((out / "parts" / "000.jsonl"), tmp_path / "merged.jsonl")
    ]
    assert answers[0] == answers[1]
