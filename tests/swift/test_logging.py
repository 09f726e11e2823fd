"""What TensorBoard, Weights & Biases and SwanLab receive of a run, numbers and pictures, read from
their files."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

pytest.importorskip("swift", reason="needs the extra `swift`")
for reporter in ("tensorboard", "wandb", "swanlab"):
    pytest.importorskip(reporter)
pytestmark = pytest.mark.slow

from swift_plugin_visionr1 import PRESETS, Scorer, model_io, read_solution  # noqa: E402
from swift_plugin_visionr1.ms_swift.rollout_pictures import RolloutPictures, logger  # noqa: E402
from swift_plugin_visionr1.reward.rollout_group import RolloutGroup  # noqa: E402

from .conftest import free_port  # noqa: E402
from .reporter_files import PICTURE, pictures, records, tensorboard, wandb_history  # noqa: E402

NUMBERS = {"stage", "xi0", "xi1", "xi2", "format", "recall", "precision", "predicted", "truths"}
OURS = ["--reward_funcs", "vision_r1", "--callbacks", "vision_r1", "--log_completions", "true"]
BACKGROUND, SIDE, BOX = (64, 64, 64), 112, [30, 40, 80, 90]
SOLUTION = json.dumps({"width": SIDE, "height": SIDE, "boxes": [BOX], "labels": ["red square"]})


@pytest.fixture(scope="module")
def plain_rows(rows: list, tmp_path_factory: pytest.TempPathFactory) -> list:
    """16 rows, each an even grey with one red square: what is not grey or red in a picture was
    drawn there."""
    from PIL import Image

    folder = tmp_path_factory.mktemp("plain")
    made = []
    for number, row in enumerate(rows):
        image = Image.new("RGB", (SIDE, SIDE), BACKGROUND)
        image.paste((200, 30, 30), tuple(BOX))
        image.save(folder / f"{number}.png")
        made.append({**row, "images": [str(folder / f"{number}.png")], "solution": SOLUTION})
    return made


@pytest.fixture(scope="module")
def run(grpo: Callable, plain_rows: list, tmp_path_factory: pytest.TempPathFactory) -> object:
    """Three steps, reported to all three, with pictures after the first and second."""
    out = tmp_path_factory.mktemp("reported")
    (out / "settings.yaml").write_text("pictures: 2\n")
    done = grpo(
        plain_rows,
        out,
        *OURS,
        "--max_steps",
        3,
        "--report_to",
        "tensorboard",
        "wandb",
        "swanlab",
        "--swanlab_mode",
        "local",
        WANDB_MODE="offline",
        VISION_R1_CONFIG=str(out / "settings.yaml"),
    )
    assert done.code == 0, done.text[-3000:]
    return done


def numbers(run: object, name: str) -> list[tuple]:
    """What ms-swift's own log has, by step."""
    return [
        (step, pytest.approx(row[f"vision_r1/{name}"], abs=1e-6))
        for step, row in enumerate(run.steps, start=1)
    ]


def test_tensorboard_receives_every_number_at_each_step(run: object) -> None:
    events = tensorboard(run.out)
    names = {
        tag.removeprefix("train/vision_r1/")
        for tag in events.Tags()["scalars"]
        if "vision_r1" in tag
    }
    assert names >= NUMBERS
    for name in NUMBERS:
        logged = [(event.step, event.value) for event in events.Scalars(f"train/vision_r1/{name}")]
        assert logged == numbers(run, name)


def test_wandb_receives_every_number_at_each_step(run: object) -> None:
    history = wandb_history(run.out)
    for name in NUMBERS:
        key = f"train/vision_r1/{name}"
        logged = [(row["train/global_step"], row[key]) for row in history if key in row]
        assert logged == numbers(run, name)


def test_swanlab_receives_every_number_at_each_step(run: object) -> None:
    from swanlab.proto.swanlab.record.v1.record_pb2 import Record

    (file,) = run.out.glob("swanlog/run-*/run-*.swanlab")
    scalars = [Record.FromString(record).scalar for record in records(file)]
    for name in NUMBERS:
        key = f"train/vision_r1/{name}"
        logged = [(scalar.step, scalar.value.number) for scalar in scalars if scalar.key == key]
        assert logged == numbers(run, name)


def test_all_reporters_receive_the_same_pictures(run: object) -> None:
    from PIL import Image

    shown = pictures(run.out)
    assert set(shown) == {1, 2}
    rows = {
        row["train/global_step"]: row for row in wandb_history(run.out) if f"{PICTURE}/path" in row
    }
    (files,) = run.out.glob("wandb/offline-run-*/files")
    assert set(rows) == {1, 2}
    for step, row in rows.items():
        assert np.array_equal(
            np.asarray(Image.open(files / row[f"{PICTURE}/path"]))[..., :3], shown[step]
        )
        assert row[f"{PICTURE}/caption"].startswith(f"step {step}, format + recall + precision: ")
    swanlab = [
        np.asarray(Image.open(file))[..., :3]
        for file in run.out.glob("swanlog/run-*/media/image/*.png")
    ]
    assert sorted(map(np.sum, swanlab)) == sorted(map(np.sum, shown.values()))


def scored(texts: tuple[str, ...], row: dict, stage: str, step: int) -> RolloutGroup:
    """A group as scoring made it."""
    scorer, truth = (
        Scorer(PRESETS["paper"], model_io(PRESETS["paper"])),
        read_solution(row["solution"]),
    )
    breakdowns = tuple(scorer.score(text, truth, stage) for text in texts)
    return RolloutGroup(texts, breakdowns, truth, row, scorer.schedule.named(stage), step)


def sampled(out: Path, step: int, rows: list) -> list[RolloutGroup]:
    """The groups of four that were trained on in a step, as the trainer logged them, in its
    order."""
    lines = [json.loads(line) for line in (out / "completions.jsonl").read_text().splitlines()]
    line = next(
        line for line in lines if set(line["step"]) == {str(step)}
    )  # an evaluation's comes after
    by_solution = {row["solution"]: row for row in rows}
    stage = "beginner" if step <= 2 else "advanced"
    starts = range(0, len(line["completion"]), 4)
    return [
        scored(
            tuple(line["completion"][i : i + 4]),
            by_solution[line["solution"][i]],
            stage,
            step - 1,
        )
        for i in starts
    ]


def drawn(group: RolloutGroup, step: object) -> np.ndarray:
    """The picture of a group, drawn again."""
    from PIL import Image

    from swift_plugin_visionr1.explain.rollout import rollout_picture

    scorer = Scorer(PRESETS["paper"], model_io(PRESETS["paper"]))
    return rollout_picture(group, scorer, Image.open(group.image), f"step {step}")


def edge(box: list[float]) -> np.ndarray:
    """(n, 2) points along a box's four sides."""
    x1, y1, x2, y2 = box
    t = np.linspace(0, 1, 25)
    xs, ys = x1 + t * (x2 - x1), y1 + t * (y2 - y1)
    sides = [(xs, y1 + 0 * t), (xs, y2 + 0 * t), (x1 + 0 * t, ys), (x2 + 0 * t, ys)]
    return np.concatenate([np.stack(side, axis=1) for side in sides])


def share_drawn(panel: np.ndarray, box: list[float]) -> float:
    """The share of a box's edge, in pixels of the original image, where a panel shows no scene but
    a drawing."""
    scene = np.zeros(panel.shape[:2], dtype=bool)
    for colour in (BACKGROUND, (200, 30, 30)):
        scene |= np.abs(panel.astype(int) - colour).max(axis=2) <= 6
    points = np.rint(edge(box) * (np.array(panel.shape[1::-1]) - 1) / SIDE).astype(int)
    height, width = scene.shape
    inside = [(x, y) for x, y in points if 2 <= x < width - 2 and 2 <= y < height - 2]
    return float(np.mean([not scene[y - 1 : y + 2, x - 1 : x + 2].all() for x, y in inside]))


def panels(picture: np.ndarray) -> list[np.ndarray]:
    """The parts of a picture that show the even background."""
    grey = np.abs(picture.astype(int) - BACKGROUND).max(axis=2) <= 6
    xs, ys = np.flatnonzero(grey.sum(axis=0) > 40), np.flatnonzero(grey.sum(axis=1) > 200)
    parts = np.split(xs, np.flatnonzero(np.diff(xs) > 8) + 1)
    return [picture[ys[0] : ys[-1] + 1, part[0] : part[-1] + 1] for part in parts]


def test_boxes_are_drawn_where_the_completions_put_them(run: object, plain_rows: list) -> None:
    io_, seen = model_io(PRESETS["paper"]), 0
    for step, picture in pictures(run.out).items():
        groups = sampled(run.out, step, plain_rows)
        (group,) = [group for group in groups if np.array_equal(drawn(group, step), picture)]
        for panel, text in zip(panels(picture), group.texts, strict=True):
            assert share_drawn(panel, BOX) > 0.95
            assert share_drawn(panel, [4, 4, 24, 20]) < 0.5, (
                "the test can tell where nothing is drawn"
            )
            parsed = io_.format.parse(text)
            for box in io_.format.frame.to_image(
                parsed.boxes, io_.resize.view((SIDE, SIDE))
            ).tolist():
                assert share_drawn(panel, box) > 0.95
                seen += 1
    assert seen > 0


@pytest.fixture(scope="module")
def hard_run(grpo: Callable, rows: list, tmp_path_factory: pytest.TempPathFactory) -> object:
    """Three steps of two processes that accumulate, with groups sampled anew and evaluations in
    between."""
    out = tmp_path_factory.mktemp("hard")
    (out / "settings.yaml").write_text("pictures: 1\n")
    (out / "val.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows[:4]))
    done = grpo(
        rows,
        out,
        *OURS,
        "--max_steps",
        3,
        "--per_device_train_batch_size",
        4,
        "--gradient_accumulation_steps",
        2,
        "--dynamic_sample",
        "true",
        "--max_resample_times",
        2,
        "--val_dataset",
        out / "val.jsonl",
        "--eval_strategy",
        "steps",
        "--eval_steps",
        1,
        "--num_generations_eval",
        1,
        "--per_device_eval_batch_size",
        2,
        "--ddp_backend",
        "gloo",
        "--use_cpu",
        "true",
        NPROC_PER_NODE="2",
        MASTER_PORT=free_port(),
        VISION_R1_CONFIG=str(out / "settings.yaml"),
    )
    assert done.code == 0, done.text[-3000:]
    return done


def test_each_picture_is_of_a_group_that_its_step_trained_on(hard_run: object, rows: list) -> None:
    shown = pictures(hard_run.out)
    assert set(shown) == {1, 2, 3}
    for step, picture in shown.items():
        groups = sampled(hard_run.out, step, rows)
        assert len(groups) == 4
        assert [
            i for i, group in enumerate(groups) if np.array_equal(drawn(group, step), picture)
        ], step


@dataclass(frozen=True)
class Steps:
    """Steps without a model: what was scored, what the trainer took of it, and TensorBoard's own
    writer.

    Only what the pictures look at of the trainer is here; the tests above run the real one.
    """

    out: Path
    trainer: SimpleNamespace
    scorer: Scorer
    own: RolloutPictures

    def step(
        self,
        scored: list[tuple[str, ...]],
        taken: tuple[str, ...],
        number: int,
        image: str = "plain.png",
    ) -> None:
        """One step: a reward call for each of `scored`, of which the trainer trains on `taken`."""
        for texts in scored:
            columns = {
                "solution": [SOLUTION] * len(texts),
                "images": [[str(self.out / image)]] * len(texts),
            }
            self.scorer(texts, columns, "beginner", number - 1)
        self.trainer._logs.update(completion=list(taken), solution=[SOLUTION] * len(taken))
        self.own.after_step(self.scorer, number, every=2)


@pytest.fixture
def steps(tmp_path: Path) -> Steps:
    from PIL import Image
    from torch.utils.tensorboard import SummaryWriter
    from transformers.integrations import TensorBoardCallback

    Image.new("RGB", (SIDE, SIDE), BACKGROUND).save(tmp_path / "plain.png")
    (tmp_path / "text.png").write_text("no image")
    paper = PRESETS["paper"]
    writer = TensorBoardCallback(SummaryWriter(str(tmp_path / "runs")))
    trainer = SimpleNamespace(
        _logs={},
        args=SimpleNamespace(report_to=["tensorboard"]),
        is_world_process_zero=lambda: True,
        callback_handler=SimpleNamespace(callbacks=[writer]),
    )
    scorer = Scorer(paper, model_io(paper), keeps_groups=True)
    return Steps(tmp_path, trainer, scorer, RolloutPictures(trainer))


def group(texts: tuple[str, ...], image: Path) -> RolloutGroup:
    return scored(texts, {"solution": SOLUTION, "images": [str(image)]}, "beginner", 0)


GOOD = '[{"bbox_2d": [30, 40, 80, 90], "label": "a"}]'


def test_a_group_that_dynamic_sampling_dropped_is_not_shown(steps: Steps) -> None:
    steps.step([(GOOD, "[]"), (GOOD, "taken")], (GOOD, "taken"), 1)
    steps.trainer.callback_handler.callbacks[0].tb_writer.flush()
    expected = drawn(group((GOOD, "taken"), steps.out / "plain.png"), 1)
    assert np.array_equal(pictures(steps.out)[1], expected)


def test_rollouts_used_for_several_steps_are_shown_with_the_step_that_sampled_them(
    steps: Steps,
) -> None:
    steps.step([(GOOD, "first")], (GOOD, "first"), 3)
    steps.step([], (GOOD, "first"), 4)
    steps.trainer.callback_handler.callbacks[0].tb_writer.flush()
    shown = pictures(steps.out)
    assert set(shown) == {4}
    expected = drawn(group((GOOD, "first"), steps.out / "plain.png"), "4, sampled at step 3")
    assert np.array_equal(shown[4], expected)


@pytest.mark.parametrize("image", ["nowhere.png", "text.png"])
def test_a_broken_image_costs_its_picture_only(
    image: str, steps: Steps, caplog: pytest.LogCaptureFixture
) -> None:
    logger.addHandler(caplog.handler)
    steps.step([("x",)], ("x",), 1, image)
    steps.step([(GOOD, "first")], (GOOD, "first"), 2)
    logger.removeHandler(caplog.handler)
    steps.trainer.callback_handler.callbacks[0].tb_writer.flush()
    assert set(pictures(steps.out)) == {2}
    assert len([record for record in caplog.records if image in record.getMessage()]) == 1
