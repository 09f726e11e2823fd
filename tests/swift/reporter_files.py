"""What TensorBoard and Weights & Biases wrote, read from their files."""

import io
import json
import struct
from collections.abc import Iterator
from pathlib import Path

import numpy as np

PICTURE = "train/vision_r1/rollout"


def records(file: Path) -> Iterator[bytes]:
    """The records of a run's log: wandb's and SwanLab's are framed as LevelDB's, after a header of
    7 bytes."""
    data, at, part = file.read_bytes(), 7, b""
    while at + 7 <= len(data):
        if (left := 32768 - at % 32768) < 7:
            at += left
            continue
        _, length, kind = struct.unpack_from("<IHB", data, at)
        part += data[at + 7 : at + 7 + length]
        at += 7 + length
        if kind in (1, 4):  # whole, or the last part
            yield part
            part = b""


def tensorboard(out: Path) -> object:
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    events = EventAccumulator(str(out / "runs"), size_guidance={"images": 0})
    return events.Reload()


def pictures(out: Path) -> dict[int, np.ndarray]:
    """TensorBoard's pictures by step."""
    from PIL import Image

    events = tensorboard(out).Images(PICTURE)
    assert len({event.step for event in events}) == len(events), "one a step"
    return {
        event.step: np.asarray(Image.open(io.BytesIO(event.encoded_image_string)))
        for event in events
    }


def wandb_history(out: Path) -> list[dict]:
    from wandb.proto import wandb_internal_pb2

    (file,) = out.glob("wandb/offline-run-*/run-*.wandb")
    found = [wandb_internal_pb2.Record.FromString(record) for record in records(file)]
    items = [
        record.history.item for record in found if record.WhichOneof("record_type") == "history"
    ]
    return [
        {item.key or "/".join(item.nested_key): json.loads(item.value_json) for item in row}
        for row in items
    ]
