"""Answers of other families than the paper's, through the command: perfect boxes, and the wrong
model type."""

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mmdet_eval.answers.answer import Answer
from mmdet_eval.answers.frame_warnings import view_of
from mmdet_eval.cli import main
from mmdet_eval.coco.annotations import Image
from swift_plugin_visionr1 import Settings, model_io
from swift_plugin_visionr1.geometry.boxes import as_boxes
from swift_plugin_visionr1.geometry.frames import FRAMES, Size, View
from swift_plugin_visionr1.geometry.resize import CandidateResize, PaddedSquare, QwenResize

from .conftest import NAMES, SIZES, TRUTHS

KINDS = [
    pytest.param("qwen3_vl", id="JSON in thousandths"),
    pytest.param("gemma3_vision", id="JSON, y first"),
    pytest.param("internvl_chat", id="tags"),
    pytest.param("deepseek_vl2", id="special tokens, 0-999"),
    pytest.param("glm4v", id="reasoning and tags around the answer"),
    pytest.param("paligemma", id="location tokens, y first"),
    pytest.param("griffon", id="plain text in fractions"),
]


@pytest.fixture(autouse=True)
def _no_limits(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("MAX_PIXELS", "MIN_PIXELS", "IMAGE_MAX_TOKEN_NUM", "IMAGE_MIN_TOKEN_NUM"):
        monkeypatch.delenv(name, raising=False)


def answers_of(
    model_type: str, truths: dict[int, list[Any]], sizes: dict[int, Size]
) -> list[dict[str, Any]]:
    """Perfect answers as that model writes them."""
    io = model_io(Settings(), model_type)
    rows = []
    for image, size in sizes.items():
        boxes = as_boxes([box for _, box in truths[image]])
        boxes[:, 2:] += boxes[:, :2]
        written = io.format.frame.from_image(boxes, io.resize.view(size))
        rows.append(
            {
                "image_id": image,
                "response": io.format.write(written, [NAMES[c] for c, _ in truths[image]]),
            }
        )
    return rows


def evaluate(
    write: Any, folder: Path, data: Any, rows: list[dict[str, Any]], *options: str
) -> dict[str, Any]:
    files = [
        "--ann",
        str(write("ann.json", data)),
        "--pred",
        str(write("infer.jsonl", rows)),
        "--out",
        str(folder),
    ]
    assert main(["evaluate", *files, "--engine", "hotcoco", "--orders", "0", *options]) == 0
    found: dict[str, Any] = json.loads((folder / "metrics.json").read_text())["datasets"]["ann"]
    return found


@pytest.mark.parametrize("model_type", KINDS)
def test_perfect_answers_reach_1(model_type: str, dataset: Any, write: Any, tmp_path: Path) -> None:
    rows = answers_of(model_type, TRUTHS, SIZES)
    record = evaluate(write, tmp_path / "out", dataset, rows, "--model-type", model_type)
    assert record["metrics"]["mAP"] == pytest.approx(1)
    assert (record["counts"]["boxes_kept"], record["counts"]["broken_format"]) == (4, 0)
    assert record["warnings"] == []


def many(sizes: list[Size]) -> tuple[dict[str, Any], dict[int, list[Any]], dict[int, Size]]:
    """A data set with enough boxes to tell frames apart: four in each of 30 images, some up to the
    border."""
    rng = np.random.default_rng(1)
    by_id = {number: sizes[number % len(sizes)] for number in range(1, 31)}
    truths: dict[int, list[Any]] = {}
    for number, size in by_id.items():
        starts = rng.integers(0, np.array(size) - 60, (4, 2))
        extents = rng.integers(40, np.array(size) - starts + 1)
        categories = rng.choice(list(NAMES), 4)
        truths[number] = [
            (int(c), [*map(int, start), *map(int, extent)])
            for c, start, extent in zip(categories, starts, extents, strict=True)
        ]
    boxes = [(image, *truth) for image, own in truths.items() for truth in own]
    data = {
        "images": [
            {"id": i, "file_name": f"{i}.png", "width": w, "height": h}
            for i, (w, h) in by_id.items()
        ],
        "categories": [{"id": i, "name": name} for i, name in NAMES.items()],
        "annotations": [
            {
                "id": n,
                "image_id": i,
                "category_id": c,
                "bbox": box,
                "area": box[2] * box[3],
                "iscrowd": 0,
            }
            for n, (i, c, box) in enumerate(boxes, 1)
        ],
    }
    return data, truths, by_id


PHOTOGRAPHS, LARGE = [(640, 480), (480, 640)], [(1333, 800), (2048, 1365)]


@pytest.mark.parametrize(
    ("written", "sizes", "read", "warning"),
    [
        pytest.param(
            "qwen3_vl", PHOTOGRAPHS, "qwen2_5_vl", "thousandths.*--frame norm1000", id="thousandths"
        ),
        pytest.param(
            "qwen2_5_vl",
            PHOTOGRAPHS,
            "qwen3_vl",
            "--model-type qwen2_5_vl",
            id="pixels as thousandths",
        ),
        pytest.param(
            "qwen2_5_vl",
            LARGE,
            "qwen3_vl",
            "--model-type qwen2_5_vl",
            id="large pixels as thousandths",
        ),
        pytest.param(
            "griffon",
            PHOTOGRAPHS,
            "qwen2_5_vl",
            "--format griffon --frame norm1",
            id="text as JSON",
        ),
        pytest.param(
            "qwen3_vl",
            PHOTOGRAPHS,
            "paligemma",
            "--format qwen3_vl --frame norm1000",
            id="JSON",
        ),
        pytest.param(
            "paligemma",
            PHOTOGRAPHS,
            "florence",
            "--format paligemma",
            id="other tokens",
        ),
        pytest.param(
            "internvl_chat",
            PHOTOGRAPHS,
            "minicpmv2_6",
            "--format internvl --frame norm1000",
            id="half of it readable",
        ),
        pytest.param(
            "gemma3_vision",
            PHOTOGRAPHS,
            "qwen3_vl",
            "--format gemini --frame norm1000",
            id="another key",
        ),
    ],
)
def test_the_wrong_model_type_is_warned_of(
    written: str, sizes: list[Size], read: str, warning: str, write: Any, tmp_path: Path
) -> None:
    data, truths, by_id = many(sizes)
    rows = answers_of(written, truths, by_id)
    record = evaluate(write, tmp_path / "out", data, rows, "--model-type", read)
    assert record["metrics"]["mAP"] < 0.6
    assert len(record["warnings"]) == 1
    assert re.search(warning, record["warnings"][0]), record["warnings"]
    named = re.search(r"--(?:format|model-type|frame) [^;:.]*?(?= reads|$)", record["warnings"][0])
    assert named
    typed = ["--model-type", read, *named[0].split()]
    remedied = evaluate(write, tmp_path / "typed", data, rows, *typed)
    assert remedied["metrics"]["mAP"] == pytest.approx(1, abs=0.01), "what is named, as it is typed"
    right = evaluate(write, tmp_path / "right", data, rows, "--model-type", written)
    assert (right["metrics"]["mAP"], right["warnings"]) == (pytest.approx(1, abs=0.01), [])


def test_the_remedy_of_a_frame_warning_works(write: Any, tmp_path: Path) -> None:
    data, truths, by_id = many(PHOTOGRAPHS)
    record = evaluate(
        write, tmp_path / "out", data, answers_of("qwen3_vl", truths, by_id), "--frame", "norm1000"
    )
    assert record["metrics"]["mAP"] == pytest.approx(1, abs=0.01)


def test_an_untrained_model_that_breaks_its_own_format_gets_no_other_proposed(
    dataset: Any, write: Any, tmp_path: Path
) -> None:
    rows = [
        {**row, "response": "I see " + row["response"]}
        for row in answers_of("qwen2_5_vl", TRUTHS, SIZES)
    ]
    assert evaluate(write, tmp_path / "out", dataset, rows)["warnings"] == []


def test_griffons_boxes_are_scored_by_their_own_tokens(
    dataset: Any, write: Any, tmp_path: Path
) -> None:
    """The second box of the first answer is the less certain one, so that it ranks last."""
    rows = answers_of("griffon", TRUTHS, SIZES)
    for row in rows:
        parts = [part for piece in row["response"].split("&") for part in ("&", piece)][1:]
        logprobs = [-0.1] * len(parts) if row["image_id"] != 3 else [-0.1, -9.0, -2.0]
        content = [
            {"token": text, "logprob": value} for text, value in zip(parts, logprobs, strict=True)
        ]
        row["logprobs"] = {"content": content}
    record = evaluate(
        write, tmp_path / "out", dataset, rows, "--model-type", "griffon", "--score", "logprob"
    )
    found = json.loads((tmp_path / "out" / "ann" / "coco_results.json").read_text())
    scores = sorted((one["image_id"], round(one["score"], 4)) for one in found)
    sure, less = round(float(np.exp(-0.1)), 4), round(float(np.exp(-2)), 4)
    assert scores == [(0, sure), (3, less), (3, sure), (12, sure)], (
        "the separator does not belong to a box"
    )
    assert record["counts"]["whole_answer_scores"] == 0


@pytest.mark.parametrize(
    ("resize", "frame", "size", "recorded", "content"),
    [
        pytest.param(
            PaddedSquare(),
            "padded1",
            (640, 480),
            (336, 336),
            (0, 42, 336, 294),
            id="padded to a square",
        ),
        pytest.param(
            CandidateResize(),
            "processed",
            (640, 480),
            (384, 384),
            (0, 48, 384, 336),
            id="a candidate",
        ),
        pytest.param(
            QwenResize(), "processed", (640, 480), (336, 336), None, id="nothing is padded"
        ),
        pytest.param(
            QwenResize(),
            "processed",
            (9, 2000),
            (28, 2000),
            None,
            id="a size that the rule refuses",
        ),
    ],
)
def test_a_recorded_size_keeps_the_padding(
    resize: Any, frame: str, size: Size, recorded: Size, content: Any
) -> None:
    view = view_of(Answer(Image(1, "a.png", size), "", False, 1, processed=recorded), resize)
    assert view == View(size, recorded, content)
    box = as_boxes([[1, 2, 8, 400]])
    frame_of = FRAMES[frame]
    assert np.allclose(frame_of.to_image(frame_of.from_image(box, view), view), box)
