"""Griffon-G in vLLM: `swift infer` answers as with transformers, token by token, and GRPO brings
vLLM the weights that it trains."""

import json
import os
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("swift", reason="needs the extra `swift`")
import torch
import yaml
from PIL import Image
from swift.infer_engine import InferRequest, RequestConfig, TransformersEngine

from swift_plugin_visionr1.recipes.overlays import merged

from .conftest import SWIFT, free_port
from .griffon_published import converted
from .stand_ins.cases import CONFIGS
from .stand_ins.on_vllm import ENGINE, OFFLINE, ON_CPU, flags, needs_vllm

pytestmark = [pytest.mark.slow, needs_vllm]
Folders = dict[str, Path]
IMAGES = ((80, 60), (33, 200), (640, 480), (98, 98))  # the model sees 98 x 98
GREEDY = {"max_tokens": 24, "temperature": 0, "logprobs": True}
QUESTIONS = (
    "Hi",
    "Where is the cat?",
    "Examine the image for any objects from the category set.",
    "",
)


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> Folders:
    return converted(tmp_path_factory.mktemp)


@pytest.fixture(scope="module")
def rows(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Questions of different lengths about images of different sizes; one has a line end of its
    own."""
    folder = tmp_path_factory.mktemp("rows")
    noise = np.random.default_rng(0)
    lines = []
    for number, ((width, height), question) in enumerate(zip(IMAGES, QUESTIONS, strict=True)):
        image = folder / f"{number}.png"
        Image.fromarray(noise.integers(0, 255, (height, width, 3), dtype=np.uint8)).save(image)
        start = "<image>\n" if number == 1 else "<image>"
        solution = {"width": width, "height": height, "boxes": [[8, 12, 24, 24]], "labels": ["cat"]}
        lines.append(
            {
                "messages": [{"role": "user", "content": start + question}],
                "images": [str(image)],
                "solution": json.dumps(solution),
            }
        )
    path = folder / "rows.jsonl"
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    return path


def run(command: str, *words: str, **environment: str) -> str:
    """`swift COMMAND`; what it printed."""
    result = subprocess.run(
        [SWIFT, command, *words],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        check=False,
        env=os.environ | OFFLINE | ON_CPU | {"MASTER_PORT": free_port()} | environment,
        cwd=CONFIGS.parent,
    )
    assert result.returncode == 0, result.stdout[-3000:]
    return result.stdout


def logprobs(answer: dict) -> list[float]:
    return [token["logprob"] for token in answer["logprobs"]["content"]]


def asked(engine: Any, rows: Path) -> list[dict]:
    """Greedy answers of one of ms-swift's engines, as lines of `swift infer`."""
    requests = [
        InferRequest(line["messages"], images=line["images"])
        for line in map(json.loads, rows.read_text().splitlines())
    ]
    choices = [answer.choices[0] for answer in engine.infer(requests, RequestConfig(**GREEDY))]
    return [{"response": one.message.content, "logprobs": one.logprobs} for one in choices]


def on_vllm(model: Path, rows: Path, tmp_path: Path) -> list[dict]:
    from swift.infer_engine import VllmEngine

    engine = VllmEngine(
        str(model),
        torch_dtype=torch.float32,
        max_model_len=1024,
        enforce_eager=True,
        gpu_memory_utilization=0.2,
    )
    return asked(engine, rows)


def by_command(model: Path, rows: Path, tmp_path: Path) -> list[dict]:
    out = tmp_path / "answers.jsonl"
    options = {"temperature": 0, "max_new_tokens": GREEDY["max_tokens"], "logprobs": "true"}
    options |= {"model": model, "val_dataset": rows, "result_path": out, "torch_dtype": "float32"}
    run("infer", *flags(infer_backend="vllm", **options, **ENGINE))
    return [json.loads(line) for line in out.read_text().splitlines()]


@pytest.mark.parametrize(("family", "ask"), [("qwen2", on_vllm), ("gemma2", by_command)])
def test_answers_are_those_of_the_transformers_backend(
    folders: Folders,
    rows: Path,
    tmp_path: Path,
    family: str,
    ask: Callable[[Path, Path, Path], list[dict]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name, value in (ON_CPU | {"VLLM_ENABLE_V1_MULTIPROCESSING": "0"}).items():
        monkeypatch.setenv(name, value)
    model = folders[family]
    usual = asked(TransformersEngine(str(model), torch_dtype=torch.float32, max_batch_size=4), rows)
    vllm = ask(model, rows, tmp_path)
    for one, other in zip(usual, vllm, strict=True):
        assert other["response"] == one["response"]
        assert logprobs(other) == pytest.approx(logprobs(one), abs=1e-4)
    assert logprobs(usual[0]) != pytest.approx(logprobs(usual[3]), abs=1e-3), "the images matter"


@pytest.mark.parametrize(
    ("family", "overlays"), [("gemma2", []), ("qwen2", ["lora_80gb"])], ids=["full", "lora"]
)
def test_rollouts_come_from_the_weights_that_are_trained(
    folders: Folders, rows: Path, tmp_path: Path, family: str, overlays: list[str]
) -> None:
    """The recipe for three steps, large enough to be noticed: vLLM's probabilities of the tokens
    against the trainer's."""
    files = [CONFIGS / "overlays" / f"{name}.yaml" for name in (*overlays, "vllm")]
    (tmp_path / "mine.yaml").write_text(
        yaml.safe_dump(merged([CONFIGS / "train" / "griffon_g_9b.yaml", *files]))
    )
    out = tmp_path / "run"
    changed = ENGINE | {
        "model": folders[family],
        "dataset": rows,
        "output_dir": out,
        "max_steps": 3,
        "steps_per_generation": 1,
        "gradient_accumulation_steps": 1,
        "per_device_train_batch_size": 8,
        "learning_rate": 1e-3,
        "max_completion_length": 24,
        "torch_dtype": "bfloat16",
        "deepspeed": "",
        "use_cpu": "true",
        "report_to": "none",
        "check_model": "false",
        "sleep_level": 0,  # vLLM sleeps on GPUs only
        "log_rollout_offpolicy_metrics": "true",
        "top_k": -1,  # vLLM gives the probabilities among the tokens that it may draw
        "external_plugins": tmp_path / "length.py",
    }
    (tmp_path / "length.py").write_text(REWARD)
    rewards = ["--reward_funcs", "vision_r1", "length"]
    run("rlhf", str(tmp_path / "mine.yaml"), *flags(**changed), *rewards)
    lines = map(json.loads, (out / "logging.jsonl").read_text().splitlines())
    steps = [line for line in lines if "loss" in line]
    assert len(steps) == 3
    assert all(step["grad_norm"] > 0 for step in steps), "otherwise no weights change"
    assert all(step["rollout_correction/k3_kl"] < 1e-3 for step in steps)


REWARD = '''
from swift.rewards import ORM, orms


class Length(ORM):
    """Random weights never write a box; their answers differ in other ways."""

    def __call__(self, completions: list[str], **columns: object) -> list[float]:
        return [sum(map(ord, text)) % 97 / 97 for text in completions]


orms["length"] = Length
'''
