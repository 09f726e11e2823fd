"""The callback `vision_r1_eval` in a real GRPO run: its numbers, where they go, and what is
refused."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from mmdet_eval import Answer, InputError, evaluate, read_annotations, to_coco_results
from mmdet_eval.during_training.held_out import held_out
from mmdet_eval.metrics.mmdet_backend import MissingBackend
from swift_plugin_visionr1 import Settings, model_io

pytest.importorskip("swift", reason="needs the extra `swift`")
pytest.importorskip("mmdet", reason="needs the extra `eval`")
pytestmark = pytest.mark.slow

from .conftest import free_port  # noqa: E402

CALLBACKS = ["--reward_funcs", "vision_r1", "--callbacks", "vision_r1", "vision_r1_eval"]
KEYS = {
    f"eval_{name}"
    for name in (
        *("mAP", "AP50", "AP75", "AR@100", "precision@.5", "recall@.5", "F1@.5", "unparsed"),
        *("refused_where_absent", "refused_where_present"),
    )
}
SCENES = 10


@pytest.fixture(scope="module")
def val(tmp_path_factory: pytest.TempPathFactory, checkpoint: Path) -> Path:
    """Held-out scenes: val.jsonl and val.json."""
    folder = tmp_path_factory.mktemp("held-out")
    script = checkpoint.parent / "scenes.py"
    subprocess.run(
        [sys.executable, script, "--out", folder, "--train", "1", "--val", str(SCENES)], check=True
    )
    return folder


@pytest.fixture(scope="module")
def run(grpo: Callable, rows: list, val: Path, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Four steps, evaluated and saved after two and four, at a learning rate that changes the
    answers."""
    return grpo(
        rows,
        tmp_path_factory.mktemp("run"),
        *CALLBACKS,
        "--max_steps",
        4,
        "--learning_rate",
        "3e-4",
        "--val_dataset",
        val / "val.jsonl",
        "--eval_strategy",
        "steps",
        "--eval_steps",
        2,
        "--save_steps",
        2,
        "--num_generations_eval",
        1,
        "--per_device_eval_batch_size",
        5,
        "--max_completion_length",
        160,
        "--metric_for_best_model",
        "eval_mAP",
        "--load_best_model_at_end",
        "true",
        "--log_completions",
        "true",
    )


def evaluations(run: Any) -> dict[int, dict[str, float]]:
    """Step -> the callback's row of logging.jsonl."""
    rows = map(json.loads, (run.out / "logging.jsonl").read_text().splitlines())
    return {
        int(row["global_step/max_steps"].split("/")[0]): row for row in rows if "eval_mAP" in row
    }


def test_the_numbers_are_logged_at_each_evaluation(run: Any) -> None:
    assert run.code == 0, run.text[-3000:]
    found = evaluations(run)
    assert list(found) == [2, 4]
    for row in found.values():
        assert set(row) >= KEYS
        assert all(0 <= row[key] <= 1 for key in KEYS)
        assert row["eval_AP50"] > 0.2, "the small model finds something"


def test_tensorboard_sees_them(run: Any) -> None:
    event_accumulator = pytest.importorskip(
        "tensorboard.backend.event_processing.event_accumulator"
    )
    events = event_accumulator.EventAccumulator(str(run.out / "runs"))
    events.Reload()
    expected = [row["eval_mAP"] for row in evaluations(run).values()]
    assert [event.value for event in events.Scalars("eval/mAP")] == pytest.approx(expected)


def infer(swift: Callable, model: Path, data: Path, out: Path) -> list[str]:
    """The greedy answers of `swift infer`, in the order of the rows."""
    done = swift(
        "infer",
        "--model",
        model,
        "--val_dataset",
        data,
        "--result_path",
        out / "infer.jsonl",
        "--temperature",
        0,
        "--max_new_tokens",
        160,
        "--max_batch_size",
        5,
        out=out,
    )
    assert done.code == 0, done.text[-3000:]
    return [json.loads(line)["response"] for line in (out / "infer.jsonl").read_text().splitlines()]


def answered(run: Any, step: int) -> list[str]:
    """The answers that the callback got."""
    file = run.out / "vision_r1_eval" / f"step-{step}.jsonl"
    return [json.loads(line)["response"] for line in file.read_text().splitlines()]


@pytest.mark.parametrize("step", [2, 4])
def test_inference_with_the_checkpoint_of_the_step_gives_the_same(
    run: Any, swift: Callable, val: Path, tmp_path: Path, step: int
) -> None:
    texts = infer(swift, run.out / f"checkpoint-{step}", val / "val.jsonl", tmp_path)
    assert answered(run, step) == texts
    annotations = read_annotations(val / "val.json")
    answers = [
        Answer(image, text, False, 1) for image, text in zip(annotations.images, texts, strict=True)
    ]
    results = to_coco_results(answers, model_io(Settings()), annotations.categories, SCENES).results
    found = evaluate(annotations, results)
    for name in ("mAP", "AP50", "AP75", "AR@100"):
        assert evaluations(run)[step][f"eval_{name}"] == pytest.approx(found[name], abs=1e-6), name


def test_two_processes_share_an_odd_number_of_rows(
    grpo: Callable, swift: Callable, rows: list, val: Path, tmp_path: Path
) -> None:
    data = tmp_path / "odd.jsonl"
    data.write_text("".join((val / "val.jsonl").read_text().splitlines(keepends=True)[:7]))
    both = grpo(
        rows,
        tmp_path,
        *CALLBACKS,
        "--max_steps",
        1,
        "--save_steps",
        1,
        "--val_dataset",
        data,
        "--eval_strategy",
        "steps",
        "--eval_steps",
        1,
        "--num_generations_eval",
        1,
        "--per_device_train_batch_size",
        4,
        "--per_device_eval_batch_size",
        3,
        "--max_completion_length",
        160,
        "--ddp_backend",
        "gloo",
        "--use_cpu",
        "true",
        NPROC_PER_NODE="2",
        MASTER_PORT=free_port(),
    )
    assert both.code == 0, both.text[-3000:]
    assert answered(both, 1) == infer(swift, both.out / "checkpoint-1", data, tmp_path)
    assert len(evaluations(both)) == 1


def test_the_best_checkpoint_is_the_one_with_the_larger_map(run: Any) -> None:
    state = json.loads((run.out / "checkpoint-4" / "trainer_state.json").read_text())
    best = {step: row["eval_mAP"] for step, row in evaluations(run).items()}
    assert state["best_metric"] == pytest.approx(max(best.values()))
    assert state["best_global_step"] == max(best, key=lambda step: best[step])
    assert state["best_model_checkpoint"].endswith(f"checkpoint-{state['best_global_step']}")


def test_training_goes_on_as_without_the_callback(
    run: Any, grpo: Callable, rows: list, val: Path, tmp_path: Path
) -> None:
    """Its answers are greedy: they draw no random number, and leave the model and the sampling as
    they were."""
    plain = grpo(
        rows,
        tmp_path,
        *CALLBACKS[:-1],
        "--max_steps",
        4,
        "--learning_rate",
        "3e-4",
        "--val_dataset",
        val / "val.jsonl",
        "--eval_strategy",
        "steps",
        "--eval_steps",
        2,
        "--num_generations_eval",
        1,
        "--per_device_eval_batch_size",
        5,
        "--max_completion_length",
        160,
    )
    assert plain.code == 0, plain.text[-3000:]
    assert [row["reward"] for row in run.steps] == [row["reward"] for row in plain.steps]
    assert not evaluations(plain)


def test_a_run_without_held_out_rows_is_stopped_before_training(
    grpo: Callable, rows: list, tmp_path: Path
) -> None:
    stopped = grpo(rows, tmp_path, *CALLBACKS, "--max_steps", 2)
    assert stopped.code != 0
    assert stopped.steps == []
    assert "expected held-out rows and an evaluation strategy" in stopped.text, stopped.text[-1500:]


@pytest.mark.parametrize(
    ("options", "rows", "message"),
    [
        pytest.param({"eval_strategy": "no"}, [{}], "got --eval_strategy no", id="never"),
        pytest.param({"async_generate": True}, [{}], "leave one of the two out", id="async"),
        pytest.param({}, iter([{}]), "leave out --streaming", id="streamed"),
        pytest.param({}, {"one": [{}], "two": [{}]}, "got a dict", id="several"),
    ],
)
def test_options_that_cannot_work(options: dict[str, Any], rows: Any, message: str) -> None:
    from mmdet_eval.during_training.callback import _check_options

    with pytest.raises(InputError, match=message):
        _check_options(SimpleNamespace(**{"eval_strategy": "steps", **options}), rows)


def test_held_out_rows_without_any_box(tmp_path: Path) -> None:
    row = {"solution": '{"width": 9, "height": 9, "boxes": [], "labels": []}', "images": ["a.png"]}
    with pytest.raises(InputError, match="2 rows without any"):
        held_out([row, row], tmp_path / "annotations.json", model_io(Settings()))


def row_of_one_box() -> dict[str, Any]:
    return {
        "solution": '{"width": 9, "height": 9, "boxes": [[1, 1, 5, 5]], "labels": ["a"]}',
        "images": ["a.png"],
    }


@pytest.mark.parametrize("engine", ["mmdet", "hotcoco"])
def test_a_dry_run(tmp_path: Path, engine: Any) -> None:
    held_out(
        [row_of_one_box()], tmp_path / "annotations.json", model_io(Settings()), engine
    ).dry_run()


def test_a_missing_mmdet_is_found_before_training(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from mmdet_eval.during_training.callback import VisionR1EvalCallback

    monkeypatch.setitem(sys.modules, "mmdet.evaluation.metrics", None)
    meta = SimpleNamespace(template_type="qwen2_5_vl")
    template = SimpleNamespace(
        max_pixels=None,
        template_meta=meta,
        model_meta=SimpleNamespace(model_type="qwen2_5_vl"),
        _get_response_prefix=lambda: "",
    )
    trainer = SimpleNamespace(
        eval_dataset=[row_of_one_box()],
        template=template,
        accelerator=SimpleNamespace(num_processes=1),
    )
    args = SimpleNamespace(output_dir=str(tmp_path), eval_strategy="steps")
    with pytest.raises(MissingBackend, match="expected an MMDetection that can be imported"):
        VisionR1EvalCallback(args, trainer).on_train_begin(
            args, SimpleNamespace(is_world_process_zero=True), None
        )


def test_rows_as_annotations(tmp_path: Path) -> None:
    def row(boxes: list, labels: list[str], **columns: Any) -> dict[str, Any]:
        solution = {"width": 100, "height": 80, "boxes": boxes, "labels": labels}
        return {"solution": json.dumps(solution), "images": ["/x/same.png"], **columns}

    rows = [
        row([[1, 2, 11, 22.5]], ["b"]),
        row([], []),
        row([[0, 0, 5, 5], [5, 5, 9, 9]], ["a", "b"]),
    ]
    found = held_out(rows, tmp_path / "new" / "annotations.json", model_io(Settings()))
    assert list(found.annotations.categories.values()) == ["a", "b"]
    assert [(image.id, image.size) for image in found.annotations.images] == [
        (1, (100, 80)),
        (2, (100, 80)),
        (3, (100, 80)),
    ]
    boxes = [
        (a["image_id"], a["category_id"], a["bbox"], a["area"])
        for a in found.annotations.data["annotations"]
    ]
    assert boxes == [
        (1, 2, [1, 2, 10, 20.5], 205),
        (3, 1, [0, 0, 5, 5], 25),
        (3, 2, [5, 5, 4, 4], 16),
    ]
    assert found.annotations.repairs == ()
