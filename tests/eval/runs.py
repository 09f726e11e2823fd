"""Runs of `mmdet-eval run` whose answers are there already."""

import json
from pathlib import Path
from typing import Any

from mmdet_eval.asking.asked_model import AskedModel
from mmdet_eval.asking.contents import Contents
from mmdet_eval.asking.fingerprint import answers_depend_on
from mmdet_eval.asking.record import write_record
from mmdet_eval.asking.session import record_of
from mmdet_eval.coco.annotations import read_annotations
from mmdet_eval.suites.prompt_rows import prompt_rows
from mmdet_eval.suites.protocols import load_protocol
from mmdet_eval.suites.spec import DatasetSpec

MODEL = AskedModel("some/model", options=("--torch_dtype", "float32"))

PROTOCOL = load_protocol("vision_r1_odinw")


def swift_line(image: Path, text: str, response: str = "[]") -> str:
    """A line as `swift infer` writes it."""
    messages = [{"role": "system", "content": "s"}, {"role": "user", "content": f"<image>{text}"}]
    row = {
        "response": response,
        "labels": None,
        "logprobs": None,
        "dataset": "prompts.jsonl",
        "messages": [*messages, {"role": "assistant", "content": response}],
        "images": [{"bytes": None, "path": str(image)}],
    }
    return json.dumps(row) + "\n"


def answer_all(
    spec: DatasetSpec,
    folder: Path,
    reverse: bool = False,
    model: AskedModel = MODEL,
    copies: int = 1,
) -> None:
    """What an earlier run left; in another order where several processes wrote."""
    asked = [(3, "red circle"), (3, "blue square"), (0, "Cat"), (12, "red circle")]
    lines = [
        swift_line(
            spec.images / f"val/{image}.png",
            PROTOCOL.prompt.replace("{category}", name),
            f"{image} {name}",
        )
        for image, name in asked
    ]
    (folder / "parts").mkdir(parents=True, exist_ok=True)
    (folder / "parts" / "000.jsonl").write_text("".join(lines[::-1] if reverse else lines))
    record_run(spec, folder, model, copies=copies)


def record_run(
    spec: DatasetSpec, folder: Path, model: AskedModel, protocol: Any = PROTOCOL, copies: int = 1
) -> None:
    """The run.json of a run that asked the questions of so many copies of a data set."""
    rows = prompt_rows(spec, read_annotations(spec.ann), protocol) * copies
    fingerprint = answers_depend_on(model, protocol, rows, Contents())
    write_record(folder, record_of(model, fingerprint | {"logprobs": model.logprobs}))
