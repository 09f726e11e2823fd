"""`mmdet-eval run` as far as no model is started: what is asked, what is kept, what is refused."""

import io
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from mmdet_eval import InputError
from mmdet_eval.data.protocols import load_protocol
from mmdet_eval.data.suites import DatasetSpec
from mmdet_eval.inference import key_of, read_answers
from mmdet_eval.progress import Progress, duration
from mmdet_eval.run import Model, run

MODEL = Model("some/model", options=("--torch_dtype", "float32"))
PROTOCOL = load_protocol("vision_r1_odinw")


@pytest.fixture
def spec(dataset: Any, write: Any, tmp_path: Path) -> DatasetSpec:
    """Three images; image 3 has two categories, so that there are four questions."""
    for image in dataset["images"]:
        (tmp_path / image["file_name"]).parent.mkdir(exist_ok=True)
        (tmp_path / image["file_name"]).touch()
    return DatasetSpec("odd", write("ann.json", dataset), tmp_path)


def swift_line(image: Path, text: str, response: str = "[]") -> str:
    """A line as `swift infer` writes it."""
    messages = [{"role": "system", "content": "s"}, {"role": "user", "content": f"<image>{text}"}]
    row = {
        "response": response, "labels": None, "logprobs": None, "dataset": "prompts.jsonl",
        "messages": [*messages, {"role": "assistant", "content": response}],
        "images": [{"bytes": None, "path": str(image)}],
    }  # fmt: skip
    return json.dumps(row) + "\n"


def answer_all(spec: DatasetSpec, folder: Path, reverse: bool = False) -> None:
    """What an earlier `swift infer` left; in another order where several processes wrote."""
    asked = [(3, "red circle"), (3, "blue square"), (0, "Cat"), (12, "red circle")]
    lines = [
        swift_line(spec.images / f"val/{image}.png", PROTOCOL.prompt.replace("{category}", name), f"{image} {name}")
        for image, name in asked
    ]
    (folder / "parts").mkdir(parents=True)
    (folder / "parts" / "000.jsonl").write_text("".join(lines[::-1] if reverse else lines))


@pytest.mark.parametrize("reverse", [False, True], ids=["in-order", "reordered"])
def test_the_columns_come_back_by_image_and_text(spec: DatasetSpec, tmp_path: Path, reverse: bool) -> None:
    answer_all(spec, tmp_path / "out", reverse)
    answered, asked = run(MODEL, [spec], PROTOCOL, tmp_path / "out")
    assert asked == 0, "no model may be started for what is answered"
    assert answered[0].answers == tmp_path / "out" / "answers" / "odd.jsonl"
    rows = [json.loads(line) for line in answered[0].answers.read_text().splitlines()]
    assert [row["response"] for row in rows] == [f"{row['image_id']} {row['category']}" for row in rows]
    assert [(row["image_id"], row["width"], row["height"], row["category_id"]) for row in rows] == [
        (3, 641, 427, 7), (3, 641, 427, 2), (0, 1333, 799, 5), (12, 97, 353, 7),
    ]  # fmt: skip
    assert {row["dataset"] for row in rows} == {"odd"}
    assert {row["protocol"] for row in rows} == {"vision_r1_odinw"}
    assert rows[0]["messages"][-1] == {"role": "assistant", "content": rows[0]["response"]}


def test_two_data_sets_may_share_an_image_and_a_question(spec: DatasetSpec, tmp_path: Path) -> None:
    answer_all(spec, tmp_path / "out")
    answered, asked = run(MODEL, [spec, replace(spec, name="twin")], PROTOCOL, tmp_path / "out")
    assert asked == 0
    texts = [found.answers.read_text() for found in answered]
    assert texts[0] == texts[1].replace('"twin"', '"odd"')


@pytest.mark.parametrize(
    ("model", "protocol", "message"),
    [
        pytest.param(
            replace(MODEL, path="other"), PROTOCOL, r"another model \(some/model then, other now\):", id="model"
        ),
        pytest.param(
            replace(MODEL, max_pixels=50176), PROTOCOL, r"another arguments .*'--max_pixels', '50176'", id="max-pixels"
        ),
        pytest.param(replace(MODEL, options=()), PROTOCOL, "another arguments", id="options"),
        pytest.param(
            replace(MODEL, backend="vllm"), PROTOCOL, r"infer_backend \(transformers then, vllm now\):", id="backend"
        ),
        pytest.param(
            MODEL, load_protocol("vision_r1_coco"),
            r"another protocol \(vision_r1_odinw then, vision_r1_coco now\) and list of questions", id="protocol",
        ),
    ],
)  # fmt: skip
def test_answers_to_something_else_are_refused(
    spec: DatasetSpec, tmp_path: Path, model: Model, protocol: Any, message: str
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
    with pytest.raises(InputError, match=r"another environment \(\{\} then, \{'MAX_PIXELS': '401408'\} now\)"):
        run(MODEL, [spec], PROTOCOL, tmp_path / "out")


def test_weights_written_anew_are_another_model(spec: DatasetSpec, tmp_path: Path) -> None:
    weights = tmp_path / "checkpoint" / "model.safetensors"
    weights.parent.mkdir()
    weights.write_bytes(b"1234")
    answer_all(spec, tmp_path / "out")
    model = replace(MODEL, path=str(weights.parent))
    run(model, [spec], PROTOCOL, tmp_path / "out")
    assert run(model, [spec], PROTOCOL, tmp_path / "out")[1] == 0
    weights.write_bytes(b"12345")
    with pytest.raises(InputError, match="another content of the model's files"):
        run(model, [spec], PROTOCOL, tmp_path / "out")


def test_options_that_only_change_the_speed_may_change(spec: DatasetSpec, tmp_path: Path) -> None:
    answer_all(spec, tmp_path / "out")
    run(MODEL, [spec], PROTOCOL, tmp_path / "out")
    faster = replace(MODEL, options=(*MODEL.options, "--max_batch_size", "64", "--vllm-max-num-seqs=8"))
    assert run(faster, [spec], PROTOCOL, tmp_path / "out")[1] == 0


def test_missing_images_are_told_before_a_model_is_started(spec: DatasetSpec, tmp_path: Path) -> None:
    (tmp_path / "val" / "12.png").unlink()
    with pytest.raises(InputError, match=r"got 1 that do not exist: .*12\.png"):
        run(MODEL, [spec], PROTOCOL, tmp_path / "out")


@pytest.mark.parametrize("cut", [1, 20, 60], ids=["no-line-end", "in-the-columns", "in-a-word"])
def test_half_a_line_is_no_answer(tmp_path: Path, cut: int) -> None:
    first, second = swift_line(Path("/a.png"), "Wo ist die Tür?"), swift_line(Path("/b.png"), "Wo ist die Tür?")
    (tmp_path / "000.jsonl").write_bytes((first + second).encode()[:-cut])
    (tmp_path / "000.prompts.jsonl").write_text(first)
    assert list(read_answers(tmp_path)) == [("/a.png", "<image>Wo ist die Tür?")]


def test_a_key_is_the_same_in_a_prompt_and_in_its_answer() -> None:
    prompt = {"messages": [{"role": "user", "content": "<image>Where?"}], "images": ["/a.png"]}
    assert key_of(prompt) == key_of(json.loads(swift_line(Path("/a.png"), "Where?")))


def test_progress_in_a_log(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = iter([0, 100, 110, 130, 131])
    monkeypatch.setattr("mmdet_eval.progress.time.monotonic", lambda: next(clock))
    stream = io.StringIO()
    progress = Progress(total=200, before=40, stream=stream)
    for done in (40, 50, 60, 100, 200):
        progress.show(done)
    assert stream.getvalue().splitlines() == [
        "40 of 200 answered (20%), waiting for the first answers",
        "50 of 200 answered (25%)",
        "100 of 200 answered (50%), 1.7 a second, 60 s left",
        "200 of 200 answered (100%)",
    ]


@pytest.mark.parametrize(
    ("seconds", "text"), [(45.4, "45 s"), (90, "2 min"), (5000, "83 min"), (12000, "3 h 20 min")], ids=str
)
def test_durations(seconds: float, text: str) -> None:
    assert duration(seconds) == text
