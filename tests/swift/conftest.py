"""Running ms-swift's real command line on the example's small model."""

import json
import os
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from .stand_ins.fork_server import ForkServer

SWIFT = str(Path(sys.executable).with_name("swift"))
SMALL = [
    "--model_type",
    "qwen2_5_vl",
    "--template",
    "qwen2_5_vl_pruned",
    "--torch_dtype",
    "float32",
]
Row = dict[str, object]


@dataclass(frozen=True)
class Run:
    """A finished command: exit code, everything printed, and what the trainer logged in `out`."""

    code: int
    text: str
    out: Path

    @property
    def steps(self) -> list[dict]:
        """The rows of logging.jsonl that belong to an optimisation step."""
        file = self.out / "logging.jsonl"
        rows = map(json.loads, file.read_text().splitlines()) if file.exists() else []
        return [row for row in rows if "loss" in row]


def free_port() -> str:
    """A port for the processes of a run to find each other: torchrun's own is the same for all
    runs."""
    with socket.socket() as listening:
        listening.bind(("localhost", 0))
        return str(listening.getsockname()[1])


OFFLINE = {"USE_HF": "1", "HF_HUB_OFFLINE": "1"}


@pytest.fixture(scope="session")
def server() -> Iterator[ForkServer]:
    """ms-swift, started once for all commands of the session."""
    started = ForkServer(OFFLINE)
    yield started
    started.close()


def run_swift(argv: list[str], cwd: Path, log: Path, environ: dict[str, str]) -> int:
    """Run `swift *argv` as a user does; its output goes to the file `log`."""
    with log.open("w") as output:
        return subprocess.run(
            [SWIFT, *argv],
            stdout=output,
            stderr=subprocess.STDOUT,
            check=False,
            cwd=cwd,
            env=environ,
        ).returncode


@pytest.fixture(scope="session")
def swift(
    checkpoint: Path, server: ForkServer, tmp_path_factory: pytest.TempPathFactory
) -> Callable[..., Run]:
    """`swift(command, *arguments, out=folder, **environment)` with the small model."""
    log = tmp_path_factory.mktemp("swift") / "log"
    plugin = checkpoint.parent / "pruned_template.py"

    def run(
        command: str,
        *arguments: object,
        out: Path,
        plugins: tuple[str, ...] = (),
        cwd: Path | None = None,
        **environment: str,
    ) -> Run:
        argv = [
            command,
            *map(str, arguments),
            *SMALL,
            "--external_plugins",
            str(plugin),
            *plugins,
        ]
        if command in ("sft", "rlhf"):
            # ms-swift asks its hub for newer files, for 20 seconds where there is no network
            argv += ["--check_model", "false"]
        if "--model" not in argv:
            argv += ["--model", str(checkpoint)]
        environ = os.environ | OFFLINE | environment
        # A fork neither starts torchrun nor ends as Python does, where wandb writes its last lines.
        if "NPROC_PER_NODE" in environment or "wandb" in argv:
            code = run_swift(argv, cwd or out, log, environ)
        else:
            code = server.run(argv, cwd or out, log, environ)
        return Run(code, log.read_text(errors="replace"), out)

    return run


@pytest.fixture(scope="session")
def grpo(swift: Callable[..., Run]) -> Callable[..., Run]:
    """`swift rlhf --rlhf_type grpo` on `rows`, 2 prompts x 4 completions a step, logging into
    `out`."""

    def train(rows: list[Row], out: Path, *arguments: object, **options: object) -> Run:
        data = out / "train.jsonl"
        data.write_text("".join(json.dumps(row) + "\n" for row in rows))
        return swift(
            "rlhf",
            "--rlhf_type",
            "grpo",
            "--dataset",
            data,
            "--output_dir",
            out,
            "--add_version",
            "false",
            "--tuner_type",
            "full",
            "--num_generations",
            4,
            "--per_device_train_batch_size",
            8,
            "--gradient_accumulation_steps",
            1,
            "--max_completion_length",
            64,
            "--learning_rate",
            "1e-5",
            "--logging_steps",
            1,
            "--gradient_checkpointing",
            "false",
            "--dataloader_num_workers",
            0,
            "--report_to",
            "tensorboard",
            "--seed",
            5,
            *arguments,
            out=out,
            **options,
        )

    return train


@pytest.fixture(scope="session")
def rows(tmp_path_factory: pytest.TempPathFactory, checkpoint: Path) -> list[Row]:
    """16 training rows of the example's scenes."""
    folder = tmp_path_factory.mktemp("scenes")
    script = checkpoint.parent / "scenes.py"
    subprocess.run(
        [sys.executable, script, "--out", folder, "--train", "16", "--val", "4"], check=True
    )
    return [json.loads(line) for line in (folder / "train.jsonl").read_text().splitlines()]
