"""The doctor compares the trainer with vLLM and with servers of `swift deploy`, and names what
differs. On the same engine, which takes a minute to start: answers under a format's pattern."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.error import URLError
from urllib.request import urlopen

import pytest
import yaml

pytest.importorskip("swift", reason="needs the extra `swift`")

from swift.infer_engine import RequestConfig

from swift_plugin_visionr1.doctor.rollouts import open_sampler
from swift_plugin_visionr1.doctor.sampling import as_request
from swift_plugin_visionr1.formats import FORMATS, get_format
from swift_plugin_visionr1.formats.answer_regex import answer_regex

from .conftest import OFFLINE, SWIFT, Row, free_port
from .stand_ins.on_vllm import ENGINE, ON_CPU, flags, needs_vllm
from .trusting import FAULTS, Trainer, open_trainer

pytestmark = [pytest.mark.slow, needs_vllm]
DOCTOR = [str(Path(sys.executable).with_name("vision-r1")), "doctor"]
INSIDE = ON_CPU | {"VLLM_ENABLE_V1_MULTIPROCESSING": "0"}


@pytest.fixture(scope="module")
def trainer(checkpoint: Path, rows: list[Row]) -> Trainer:
    return open_trainer(checkpoint, rows)


@pytest.fixture(scope="module", params=["vllm", "deploy on transformers", "deploy on vllm"])
def sampler(
    request: pytest.FixtureRequest, trainer: Trainer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Any]:
    """An engine with the trainer's model and options, opened as the doctor opens it."""
    opened = (trainer.recipe, trainer.model, trainer.engine)
    if request.param == "vllm":
        with pytest.MonkeyPatch.context() as patch:
            for name, value in INSIDE.items():
                patch.setenv(name, value)
            yield open_sampler("vllm", *opened)
    else:
        log = tmp_path_factory.mktemp("deploy") / "log"
        with deployed(trainer, request.param.split()[-1], log) as address:
            yield open_sampler(address, *opened)


@contextmanager
def deployed(trainer: Trainer, backend: str, log: Path) -> Iterator[str]:
    """The address of `swift deploy`."""
    port = free_port()
    names = ("model", "model_type", "template", "torch_dtype", "external_plugins")
    options = {name: trainer.recipe.one(name) for name in names}
    options |= {"infer_backend": backend, "port": port, "host": "127.0.0.1"}
    words = flags(**options, **(ENGINE if backend == "vllm" else {}))
    with (
        log.open("w") as output,
        subprocess.Popen(
            [SWIFT, "deploy", *words],
            stdout=output,
            stderr=output,
            env=os.environ | OFFLINE | ON_CPU,
            start_new_session=True,
        ) as process,
    ):
        try:
            wait_for(f"http://127.0.0.1:{port}", process, log)
            yield f"http://127.0.0.1:{port}"
        finally:
            os.killpg(process.pid, signal.SIGKILL)


def wait_for(address: str, process: subprocess.Popen, log: Path) -> None:
    for _ in range(600):
        assert process.poll() is None, log.read_text()[-3000:]
        try:
            urlopen(f"{address}/health").close()
        except URLError:
            time.sleep(0.5)
        else:
            return
    raise AssertionError(log.read_text()[-3000:])


def test_an_engine_with_the_same_options_is_trusted(trainer: Trainer, sampler: Any) -> None:
    findings, distance = trainer.compared_with(sampler)
    assert [(one.state, one.code) for one in findings] == [("ok", "trust")]
    assert distance < 1e-4


@pytest.mark.parametrize("code", FAULTS)
def test_what_differs_is_named(trainer: Trainer, sampler: Any, code: str) -> None:
    findings, distance = trainer.with_options(**FAULTS[code]).compared_with(sampler)
    assert [one.code for one in findings if one.state == "problem"] == [code]
    assert distance > 1e-3


def test_the_command_asks_the_recipes_engine(
    checkpoint: Path, rows: list[Row], tmp_path: Path
) -> None:
    """In bfloat16, whose rounding is no alarm."""
    data = tmp_path / "train.jsonl"
    data.write_text("".join(json.dumps(row) + "\n" for row in rows))
    recipe = {
        "rlhf_type": "grpo",
        "model": str(checkpoint),
        "model_type": "qwen2_5_vl",
        "template": "qwen2_5_vl_pruned",
        "external_plugins": str(checkpoint.parent / "pruned_template.py"),
        "dataset": str(data),
        "reward_funcs": "vision_r1",
        "torch_dtype": "bfloat16",
        "num_generations": 2,
        "per_device_train_batch_size": 2,
        "use_vllm": True,
        "vllm_mode": "colocate",
        **ENGINE,
    }
    (tmp_path / "mine.yaml").write_text(yaml.safe_dump(recipe))
    words = [str(tmp_path / "mine.yaml"), "--sample", "--prompts", "2", "--out", str(tmp_path)]
    result = subprocess.run(
        [*DOCTOR, *words],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
        env=os.environ | OFFLINE | ON_CPU,
    )
    summary = json.loads((tmp_path / "doctor.json").read_text())
    codes = [one["code"] for one in summary["findings"] if one["state"] == "ok"]
    assert "trust" in codes, result.stdout[-3000:]
    assert summary["engine"] == "vllm"
    assert 1e-4 < summary["logprob_distance"] < 0.02


@pytest.mark.parametrize("sampler", ["vllm"], indirect=True)
@pytest.mark.parametrize("name", [name for name in FORMATS if name != "kosmos2"])
def test_answers_under_a_formats_pattern_always_parse(
    trainer: Trainer, sampler: Any, name: str
) -> None:
    """As `structured_outputs_regex` has vLLM sample them; only corners may be in the wrong order.
    Kosmos-2 writes two numbers a box, and has no pattern."""
    pattern = answer_regex(FORMATS[name])
    config = RequestConfig(max_tokens=160, temperature=1.0, structured_outputs_regex=pattern)
    answers = sampler.infer([as_request(case) for case in trainer.cases] * 3, config)
    ended = [one.choices[0] for one in answers if one.choices[0].finish_reason == "stop"]
    for answer in ended:
        assert set(get_format(name).parse(answer.message.content).issues) <= {"corner_order"}
