"""The answers of `mmdet-eval run`: whose they are, what they depend on, and how they are read again."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from mmdet_eval import InputError
from mmdet_eval.asking.asked_model import AskedModel
from mmdet_eval.asking.reading_record import ReadingRecord, find_reading_record
from mmdet_eval.asking.session import run
from mmdet_eval.cli import main
from mmdet_eval.suites.protocols import load_protocol
from mmdet_eval.suites.spec import DatasetSpec
from swift_plugin_visionr1.models.chat import ChatOptions

from .runs import MODEL, PROTOCOL, answer_all


@pytest.fixture
def spec(dataset: Any, write: Any, tmp_path: Path) -> DatasetSpec:
    """Three images; image 3 has two categories, so that there are four questions."""
    for image in dataset["images"]:
        (tmp_path / image["file_name"]).parent.mkdir(exist_ok=True)
        Image.new("L", (image["width"], image["height"])).save(tmp_path / image["file_name"])
    return DatasetSpec("odd", write("ann.json", dataset), tmp_path)


@pytest.mark.parametrize("reverse", [False, True], ids=["in-order", "reordered"])
def test_the_columns_come_back_by_image_and_text(
    spec: DatasetSpec, tmp_path: Path, reverse: bool
) -> None:
    answer_all(spec, tmp_path / "out", reverse)
    answered, asked, _ = run(MODEL, [spec], PROTOCOL, tmp_path / "out")
    assert asked == 0, "no model may be started for what is answered"
    assert answered[0].answers == tmp_path / "out" / "answers" / "odd.jsonl"
    rows = [json.loads(line) for line in answered[0].answers.read_text().splitlines()]
    assert [row["response"] for row in rows] == [
        f"{row['image_id']} {row['category']}" for row in rows
    ]
    assert [(row["image_id"], row["width"], row["height"], row["category_id"]) for row in rows] == [
        (3, 641, 427, 7),
        (3, 641, 427, 2),
        (0, 1333, 799, 5),
        (12, 97, 353, 7),
    ]
    assert {row["dataset"] for row in rows} == {"odd"}
    assert {row["protocol"] for row in rows} == {"vision_r1_odinw"}
    assert rows[0]["messages"][-1] == {"role": "assistant", "content": rows[0]["response"]}


def test_answers_of_a_run_are_read_again_as_the_run_read_them(
    spec: DatasetSpec, tmp_path: Path
) -> None:
    record = ReadingRecord(
        "XiaomiMiMo/MiMo-VL-7B-RL", "qwen2_5_vl", 50176, ChatOptions("mimo_vl"), {"MAX_NUM": "3"}
    )
    model = replace(MODEL, reading=record)
    answer_all(spec, tmp_path / "out", model=model)
    answered, _, _ = run(model, [spec], PROTOCOL, tmp_path / "out")
    assert find_reading_record(answered[0].answers) == record
    assert find_reading_record(tmp_path / "out" / "answers") == record
    assert find_reading_record(tmp_path / "infer.jsonl") is None
    files = ["--ann", str(spec.ann), "--pred", str(answered[0].answers)]
    assert main([*files, "--engine", "hotcoco", "--out", str(tmp_path / "eval")]) == 0
    found = json.loads((tmp_path / "eval" / "metrics.json").read_text())["datasets"]["ann"]
    assert "--max_pixels 50176" in found["conditions"]["frame"]


def test_two_data_sets_may_share_an_image_and_a_question(spec: DatasetSpec, tmp_path: Path) -> None:
    answer_all(spec, tmp_path / "out", copies=2)
    answered, asked, _ = run(MODEL, [spec, replace(spec, name="twin")], PROTOCOL, tmp_path / "out")
    assert asked == 0
    texts = [found.answers.read_text() for found in answered]
    assert texts[0] == texts[1].replace('"twin"', '"odd"')


@pytest.mark.parametrize(
    ("model", "protocol", "message"),
    [
        pytest.param(
            replace(MODEL, path="other"),
            PROTOCOL,
            r"another model \(some/model then, other now\):",
            id="model",
        ),
        pytest.param(
            replace(MODEL, max_pixels=50176),
            PROTOCOL,
            r"another arguments .*'--max_pixels', '50176'",
            id="max-pixels",
        ),
        pytest.param(replace(MODEL, options=()), PROTOCOL, "another arguments", id="options"),
        pytest.param(
            replace(MODEL, backend="vllm"),
            PROTOCOL,
            r"infer_backend \(transformers then, vllm now\):",
            id="backend",
        ),
        pytest.param(
            MODEL,
            load_protocol("vision_r1_coco"),
            r"another protocol \(vision_r1_odinw then, vision_r1_coco now\) and list of questions",
            id="protocol",
        ),
    ],
)
def test_answers_to_something_else_are_refused(
    spec: DatasetSpec, tmp_path: Path, model: AskedModel, protocol: Any, message: str
) -> None:
    answer_all(spec, tmp_path / "out")
    run(MODEL, [spec], PROTOCOL, tmp_path / "out")
    with pytest.raises(InputError, match=message + ".*give another --out, or delete"):
        run(model, [spec], protocol, tmp_path / "out")


def test_a_frame_of_the_environment_is_part_of_the_answers(
    spec: DatasetSpec, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer_all(spec, tmp_path / "out")
    run(MODEL, [spec], PROTOCOL, tmp_path / "out")
    monkeypatch.setenv("MAX_PIXELS", "401408")
    with pytest.raises(
        InputError, match=r"another environment \(\{\} then, \{'MAX_PIXELS': '401408'\} now\)"
    ):
        run(MODEL, [spec], PROTOCOL, tmp_path / "out")


def test_weights_written_anew_are_another_model(spec: DatasetSpec, tmp_path: Path) -> None:
    weights = tmp_path / "checkpoint" / "model.safetensors"
    weights.parent.mkdir()
    weights.write_bytes(b"1234")
    model = replace(MODEL, path=str(weights.parent))
    answer_all(spec, tmp_path / "out", model=model)
    run(model, [spec], PROTOCOL, tmp_path / "out")
    assert run(model, [spec], PROTOCOL, tmp_path / "out")[1] == 0
    weights.write_bytes(b"12345")
    with pytest.raises(InputError, match="another content of the model's files"):
        run(model, [spec], PROTOCOL, tmp_path / "out")


def test_options_that_only_change_the_speed_may_change(spec: DatasetSpec, tmp_path: Path) -> None:
    answer_all(spec, tmp_path / "out")
    run(MODEL, [spec], PROTOCOL, tmp_path / "out")
    faster = replace(
        MODEL, options=(*MODEL.options, "--max_batch_size", "64", "--vllm-max-num-seqs=8")
    )
    assert run(faster, [spec], PROTOCOL, tmp_path / "out")[1] == 0


NEEDED = replace(MODEL, logprobs=True)


def test_probabilities_are_asked_for_where_they_are_needed() -> None:
    assert "--logprobs" not in MODEL.arguments()
    arguments = NEEDED.arguments()
    assert arguments[arguments.index("--logprobs") + 1] == "true"


@pytest.mark.parametrize(
    "options", [("--logprobs", "false"), ("--logprobs=False",), ("--logprobs", "0")], ids=str
)
def test_probabilities_that_are_needed_and_left_out(
    spec: DatasetSpec, tmp_path: Path, options: tuple[str, ...]
) -> None:
    with pytest.raises(InputError, match="expected --logprobs true"):
        run(replace(NEEDED, options=options), [spec], PROTOCOL, tmp_path / "out")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("option", [("--logprobs", "true"), ("--logprobs",)], ids=str)
def test_ones_own_logprobs_option_is_the_same_as_the_score(
    spec: DatasetSpec, tmp_path: Path, option: tuple[str, ...]
) -> None:
    answer_all(spec, tmp_path / "out", model=NEEDED)
    run(NEEDED, [spec], PROTOCOL, tmp_path / "out")
    own = replace(MODEL, options=(*MODEL.options, *option))
    assert run(own, [spec], PROTOCOL, tmp_path / "out")[1] == 0
    assert run(replace(own, logprobs=True), [spec], PROTOCOL, tmp_path / "out")[1] == 0


@pytest.mark.parametrize(
    ("before", "now", "way_out"),
    [
        pytest.param(
            MODEL,
            NEEDED,
            "without token probabilities then",
            id="wanted-now",
        ),
        pytest.param(
            NEEDED,
            MODEL,
            "with token probabilities then.* --logprobs true continues",
            id="not-wanted-now",
        ),
    ],
)
def test_answers_recorded_otherwise_are_refused_with_the_way_out(
    spec: DatasetSpec, tmp_path: Path, before: AskedModel, now: AskedModel, way_out: str
) -> None:
    answer_all(spec, tmp_path / "out", model=before)
    run(before, [spec], PROTOCOL, tmp_path / "out")
    with pytest.raises(InputError, match=way_out):
        run(now, [spec], PROTOCOL, tmp_path / "out")
