"""Dumps of MMDetection's offline tools: read, or refused; a hostile pickle runs nothing."""

import io
import os
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mmdet_eval import (
    Annotations,
    InputError,
    read_predictions,
)

from .readers import boxes_of


def sample(image: int, boxes: list[list[float]], labels: list[int]) -> dict[str, Any]:
    """What mmengine's Evaluator hands to a metric."""
    import torch

    scores = torch.linspace(0.9, 0.5, len(boxes))
    instances = {
        "bboxes": torch.tensor(boxes).reshape(-1, 4),
        "scores": scores,
        "labels": torch.tensor(labels).long(),
    }
    return {
        "img_id": image,
        "img_path": f"val/{image}.png",
        "ori_shape": (427, 641),
        "pad_shape": torch.Size((448, 672)),
        "scale_factor": np.array([1.5, 1.5]),
        "flip": False,
        "pred_instances": instances,
    }


@pytest.fixture
def dump(tmp_path: Path) -> Callable[..., Path]:
    """A file written by mmengine's own DumpResults."""
    metric = pytest.importorskip("mmengine.evaluator", reason="needs the extra `eval`").DumpResults

    def write(*samples: dict[str, Any]) -> Path:
        path = tmp_path / "dump.pkl"
        dumper = metric(out_file_path=str(path))
        dumper.process({}, samples)
        dumper.compute_metrics(dumper.results)
        return path

    return write


def test_a_dump_of_mmengine_is_read(annotations: Annotations, dump: Callable[..., Path]) -> None:
    path = dump(
        sample(12, [[1, 2, 31, 42.5], [0, 0, 5, 5]], [0, 2]),
        sample(0, [], []),
        sample(3, [[5, 5, 6, 6]], [1]),
    )
    found = boxes_of(path, annotations)
    assert [(r["image_id"], r["category_id"]) for r in found.results] == [
        (3, 2),
        (12, 7),
        (12, 5),
    ], "the file's order"
    assert found.results[1]["bbox"] == [1, 2, 30, 40.5]
    assert found.results[1]["score"] == pytest.approx(0.9)
    assert (found.counts.answers, found.counts.missing, found.counts.boxes_kept) == (3, 0, 3)
    assert (
        "order of the categories evaluated: 'red circle', 'blue square', 'Cat'"
        in found.label_policy
    )


@pytest.mark.parametrize(
    ("samples", "message"),
    [
        pytest.param(
            [(3, [[5, 5, 6, 6]], [3])], r"labels \(n\) below 3", id="label-beyond-the-classes"
        ),
        pytest.param([(3, [[5, 5, 6, 6]], [-1])], "labels from 0", id="negative-label"),
        pytest.param([(3, [[5, 5, 6, float("nan")]], [0])], "finite boxes", id="NaN"),
        pytest.param([(3, [], []), (3, [], [])], "two for image 3", id="duplicate"),
        pytest.param([(4, [], [])], "img_ids of the annotation file .*got 4", id="unknown-image"),
        pytest.param([(3, [], [])], "none for 2: 0 .*--allow-missing", id="missing"),
    ],
)
def test_bad_dumps_are_named(
    annotations: Annotations, dump: Callable[..., Path], samples: list[Any], message: str
) -> None:
    with pytest.raises(InputError, match=message):
        read_predictions(dump(*[sample(*one) for one in samples]), annotations)


def test_images_missing_from_a_dump_are_counted_when_allowed(
    annotations: Annotations, dump: Callable[..., Path]
) -> None:
    counts = boxes_of(dump(sample(3, [], [])), annotations, missing="empty").counts
    assert (counts.answers, counts.missing) == (1, 2)


class Hostile:
    """Runs a command when it is unpickled."""

    def __init__(self, marker: Path) -> None:
        self.marker = marker

    def __reduce__(self) -> Any:
        return os.mkdir, (str(self.marker),)


class HostileStorage(Hostile):
    """Hides the same in what torch calls a storage, which torch itself unpickles."""

    def __reduce__(self) -> Any:
        import torch

        inner = io.BytesIO()
        torch.save(Hostile(self.marker), inner, _use_new_zipfile_serialization=False)
        return torch.storage._load_from_bytes, (inner.getvalue(),)


@pytest.mark.parametrize("kind", [Hostile, HostileStorage])
@pytest.mark.parametrize("protocol", [2, pickle.HIGHEST_PROTOCOL])
def test_a_hostile_pickle_runs_nothing(
    annotations: Annotations, tmp_path: Path, kind: type[Hostile], protocol: int
) -> None:
    pytest.importorskip("torch", reason="needs the extra `eval`")
    path, marker = tmp_path / "dump.pkl", tmp_path / "marker"
    path.write_bytes(pickle.dumps([kind(marker)], protocol))
    with pytest.raises(InputError, match=r"dump\.pkl"):
        read_predictions(path, annotations)
    assert not marker.exists()
    pickle.loads(path.read_bytes())
    assert marker.exists(), "without the guard it does run"


@pytest.mark.parametrize(
    "content",
    [
        b"\x80",
        b"\x80\x04.",
        pickle.dumps({"a": 1}),
        pickle.dumps([1]),
        pickle.dumps([{"img_id": 3}]),
    ],
    ids=["cut", "empty", "dict", "numbers", "no-predictions"],
)
def test_other_pickles_are_refused(
    annotations: Annotations, tmp_path: Path, content: bytes
) -> None:
    (tmp_path / "dump.pkl").write_bytes(content)
    with pytest.raises(InputError, match=r"dump\.pkl"):
        read_predictions(tmp_path / "dump.pkl", annotations)
