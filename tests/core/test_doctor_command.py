"""`vision-r1 doctor` on recipes and data with one planted fault each, all found and named; none where all is well."""

import argparse
import importlib.util
import json
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from unittest import mock

import numpy as np
import pytest

from swift_plugin_visionr1 import QwenResize, Settings, SettingsError
from swift_plugin_visionr1.commands import doctor
from swift_plugin_visionr1.models import model_io
from swift_plugin_visionr1.prepare.coco import convert_coco

pytest.importorskip("PIL", reason="needs the extra `viz`")

Row = dict[str, object]
LIMITS = ("MAX_PIXELS", "MIN_PIXELS", "IMAGE_MAX_TOKEN_NUM", "IMAGE_MIN_TOKEN_NUM", "VISION_R1_CONFIG")


@pytest.fixture(autouse=True)
def environment() -> Iterator[None]:
    """The command makes its process the training process: undone after each test."""
    with mock.patch.dict(os.environ):
        for name in LIMITS:
            os.environ.pop(name, None)
        yield


def run(*words: object) -> int:
    parser = argparse.ArgumentParser()
    doctor.add_parser(parser.add_subparsers())
    args = parser.parse_args(["doctor", *map(str, words)])
    code: int = args.run(args)
    return code


@pytest.fixture(scope="module")
def scenes(tmp_path_factory: pytest.TempPathFactory, checkpoint: Path) -> list[Row]:
    """40 rows of the example's scenes."""
    folder = tmp_path_factory.mktemp("scenes")
    spec = importlib.util.spec_from_file_location("scenes", checkpoint.parent / "scenes.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules["scenes"] = module  # dataclasses look their module up
    spec.loader.exec_module(module)
    module.write_split(folder, "train", 40, seed=3)
    return [json.loads(line) for line in (folder / "train.jsonl").read_text().splitlines()]


@pytest.fixture
def examine(tmp_path: Path, checkpoint: Path, capsys: pytest.CaptureFixture) -> Callable[..., tuple[int, str]]:
    """`examine(rows, *options, **recipe lines)` -> exit code and what was printed; the model is not asked."""

    def command(rows: list[Row], *options: object, **recipe: object) -> tuple[int, str]:
        data, file = tmp_path / "train.jsonl", tmp_path / "recipe.yaml"
        data.write_text("".join(json.dumps(row) + "\n" for row in rows))
        lines = {
            "rlhf_type": "grpo", "model": str(checkpoint), "model_type": "qwen2_5_vl", "reward_funcs": "vision_r1",
            "callbacks": "vision_r1", "dataset": str(data), "num_generations": 4, **recipe,
        }  # fmt: skip
        file.write_text(json.dumps(lines))  # JSON is YAML
        code = run(file, "--no-sample", *options)
        return code, capsys.readouterr().out

    return command


def changed(rows: list[Row], change: Callable[[dict], None]) -> list[Row]:
    """The rows with each solution changed."""
    out = []
    for row in rows:
        solution = json.loads(row["solution"])
        change(solution)
        out.append(row | {"solution": json.dumps(solution)})
    return out


def boxes_to(convert: Callable[[np.ndarray, np.ndarray], np.ndarray]) -> Callable[[dict], None]:
    """A change of boxes: `convert` takes (n, 4) boxes and [width, height, width, height]."""

    def change(solution: dict) -> None:
        boxes = np.array(solution["boxes"], dtype=float).reshape(-1, 4)
        size = np.array([solution["width"], solution["height"]] * 2)
        solution["boxes"] = np.rint(convert(boxes, size)).tolist()

    return change


def resized(boxes: np.ndarray, size: np.ndarray) -> np.ndarray:
    return boxes / size * np.array(QwenResize().processed_size(tuple(int(v) for v in size[:2])) * 2)


def swap_size(solution: dict) -> None:
    solution["width"], solution["height"] = solution["height"], solution["width"]


def to_unknown(solution: dict) -> None:
    solution["labels"] = ["triangle" if label == "red circle" else label for label in solution["labels"]]


def to_plural(solution: dict) -> None:
    solution["labels"] = [label.title() + "s" for label in solution["labels"]]


DATA_FAULTS = [
    pytest.param(boxes_to(lambda b, s: b / s * 1000), "boxes are normalised to 0-1000", id="norm1000"),
    pytest.param(boxes_to(resized), "pixels of the resized image that the model sees", id="resized image"),
    pytest.param(boxes_to(lambda b, s: np.hstack([b[:, :2], b[:, 2:] - b[:, :2]])), "[x, y, width, height]", id="xywh"),
    pytest.param(boxes_to(lambda b, s: b[:, [1, 0, 3, 2]]), "y first", id="y first"),
    pytest.param(swap_size, "have width and height swapped", id="swapped width and height"),
    pytest.param(to_unknown, "unknown labels, not in their prompt's category list: 'triangle' in row", id="unknown"),
    pytest.param(to_plural, "'Red Squares' in row", id="plural labels"),
    pytest.param(to_plural, "(nearly 'red square')", id="nearly known labels"),
]


@pytest.mark.parametrize(("change", "named"), DATA_FAULTS)
def test_a_fault_in_the_annotations(
    scenes: list[Row], examine: Callable, change: Callable[[dict], None], named: str
) -> None:  # fmt: skip
    code, text = examine(changed(scenes, change))
    assert code == 1
    problems = [line for line in text.splitlines() if line.startswith("problem")]
    assert any(named in line for line in problems), text


@pytest.mark.parametrize(("change", "named"), DATA_FAULTS[:5])
def test_a_fault_in_annotations_of_photographs(
    shared_data: Path, tmp_path: Path, examine: Callable, change: Callable[[dict], None], named: str
) -> None:  # fmt: skip
    rows = photographs(shared_data / "bccd", "instances_val", tmp_path)
    code, text = examine(changed(rows, change), max_completion_length=4096)
    assert code == 1
    assert named in text


def photographs(folder: Path, annotations: str, out: Path) -> list[Row]:
    convert_coco(folder / f"{annotations}.json", folder / "images", out / "photographs.jsonl")
    return [json.loads(line) for line in (out / "photographs.jsonl").read_text().splitlines()]


@pytest.mark.parametrize("max_pixels", [None, "100352"])
@pytest.mark.parametrize(
    ("folder", "annotations"),
    [("bccd", "instances_train"), ("chess_cc0", "instances_train"), ("coco_open", "instances")],
)
def test_no_false_alarm_on_real_data(
    shared_data: Path, tmp_path: Path, examine: Callable, folder: str, annotations: str, max_pixels: str | None
) -> None:  # fmt: skip
    rows = photographs(shared_data / folder, annotations, tmp_path)
    code, text = examine(rows, ENV={"MAX_PIXELS": max_pixels} if max_pixels else {}, max_completion_length=4096)
    assert code == 0, text
    assert [line for line in text.splitlines() if not line.startswith(("ok", "verdict"))] == [
        "note     the model was not asked: only its own answers prove format and frame (--sample, with --model FOLDER)"
    ]


def test_normalised_boxes(scenes: list[Row], examine: Callable) -> None:
    def change(solution: dict) -> None:
        sides = np.array([solution["width"], solution["height"]] * 2)
        solution["boxes"] = (np.array(solution["boxes"]).reshape(-1, 4) / sides).tolist()

    code, text = examine(changed(scenes, change))
    assert code == 1
    assert "problem  boxes are normalised to 0-1:" in text


def test_a_single_row_in_another_layout_is_explained(scenes: list[Row], examine: Callable) -> None:
    first, *others = (row for row in scenes if json.loads(row["solution"])["boxes"])
    wrong = changed([first], boxes_to(lambda b, s: np.hstack([b[:, :2], b[:, 2:] - b[:, :2]])))
    code, text = examine(others * 10 + wrong)
    assert code == 1
    last = 10 * len(others) + 1
    assert f"1 of {last} (<1%) rows would be refused: row {last}" in text
    assert (
        "in the refused rows at least, 1 of 1 (100%) boxes have x1 > x2 or y1 > y2, and all lie in their image as [x"
        in text
    )


def test_few_rows_in_another_frame_do_not_accuse_all(shared_data: Path, tmp_path: Path, examine: Callable) -> None:
    rows = photographs(shared_data / "coco_open", "instances", tmp_path)
    wrong = changed(rows, boxes_to(lambda b, s: b / s * 1000))
    mixed = [wrong[i] if i % 20 == 3 else row for i, row in enumerate(rows)]
    code, text = examine(mixed, max_completion_length=4096)
    assert code == 1
    assert "problem  in the refused rows at least, boxes are normalised to 0-1000: 26 of 26 (100%)" in text


def test_data_on_a_hub_is_not_downloaded(scenes: list[Row], examine: Callable) -> None:
    with mock.patch("socket.socket.connect", side_effect=AssertionError("a connection")):
        code, text = examine(scenes, dataset="somebody/boxes#500")
    assert code == 0
    assert "note     data: somebody/boxes#500 is no file or folder here and was not looked at" in text


def test_files_of_one_name_are_told_apart(scenes: list[Row], examine: Callable, tmp_path: Path) -> None:
    files = [tmp_path / folder / "rows.jsonl" for folder in ("a", "b")]
    wrong = changed(scenes, boxes_to(lambda b, s: np.hstack([b[:, :2], b[:, 2:] - b[:, :2]])))
    for file, rows in zip(files, (scenes, wrong), strict=True):
        file.parent.mkdir()
        file.write_text("".join(json.dumps(row) + "\n" for row in rows))
    code, text = examine(scenes, dataset=[f"{files[0]}#10", str(files[1])])
    assert code == 1
    assert f"of {files[1]}: expected x1 < x2" in text
    assert "refused rows at least" not in text


@pytest.mark.parametrize(
    ("recipe", "said"),
    [("- a\n", "expected `option: value` lines"), ("ENV: [MAX_PIXELS]\n", "expected `NAME: value` lines under ENV")],
)
def test_a_recipe_that_is_none(tmp_path: Path, recipe: str, said: str) -> None:
    (tmp_path / "recipe.yaml").write_text(recipe)
    with pytest.raises(SettingsError, match=f"{said} in .*recipe.yaml, got a list"):
        run(tmp_path / "recipe.yaml")


def test_a_missing_image_far_down_is_named(scenes: list[Row], examine: Callable) -> None:
    rows = [row | ({"images": ["gone/38.png"]} if number == 38 else {}) for number, row in enumerate(scenes, start=1)]
    code, text = examine(rows, "--rows", 3)
    assert code == 1
    assert "1 of 40 (2%) rows name an image file that is not there, the first is gone/38.png in row 38" in text


@pytest.mark.parametrize(
    ("content", "named"),
    [
        pytest.param(b"", "an image file of 0 bytes", id="empty"),
        pytest.param(b"no image", "an image file that cannot be opened", id="no image"),
    ],
)
def test_a_broken_image(scenes: list[Row], examine: Callable, tmp_path: Path, content: bytes, named: str) -> None:
    (tmp_path / "bad.png").write_bytes(content)
    code, text = examine([scenes[0] | {"images": [str(tmp_path / "bad.png")]}, *scenes[1:]])
    assert code == 1
    assert named in text


def test_annotations_without_any_box(scenes: list[Row], examine: Callable) -> None:
    code, text = examine(changed(scenes, lambda solution: solution.update(boxes=[], labels=[])))
    assert code == 1
    assert "problem  annotations: 0 boxes in 40 rows, 40 rows with nothing to find" in text


def test_a_number_below_zero(capsys: pytest.CaptureFixture) -> None:
    with pytest.raises(SystemExit, match="2"):
        run("--rows", "-1")
    assert "argument --rows: invalid count value: '-1'" in capsys.readouterr().err


def test_no_command_at_all() -> None:
    with pytest.raises(SettingsError, match="expected a recipe of ms-swift, or its options"):
        run()


def test_an_empty_file(examine: Callable) -> None:
    code, text = examine([])
    assert code == 1
    assert "is an empty file" in text


def test_a_missing_file(scenes: list[Row], examine: Callable) -> None:
    code, text = examine(scenes, dataset="nowhere/train.jsonl")
    assert code == 1
    assert "no file nowhere/train.jsonl" in text


def test_rows_without_annotations(scenes: list[Row], examine: Callable) -> None:
    code, text = examine([{key: row[key] for key in ("messages", "images")} for row in scenes])
    assert code == 1
    assert "40 of 40 (100%) rows have no column solution, the first is row 1 of train.jsonl" in text


def test_a_line_that_is_no_json_is_named(scenes: list[Row], examine: Callable, tmp_path: Path) -> None:
    (tmp_path / "broken.jsonl").write_text(json.dumps(scenes[0]) + "\n{cut off\n")
    code, text = examine(scenes, dataset=str(tmp_path / "broken.jsonl"))
    assert code == 1
    assert "row 2 of broken.jsonl: expected a JSON object on the line" in text


@pytest.mark.parametrize(
    ("shell", "recipe", "settings", "named"),
    [
        pytest.param({}, {}, "max_pixels: 401408", "max_pixels is 401408 in the settings and not set in the run",
                     id="settings, not the run"),
        pytest.param({}, {"max_pixels": 200704}, "max_pixels: 401408", "401408 in the settings and 200704 in the run",
                     id="settings and run"),
        pytest.param({}, {"ENV": {"MAX_PIXELS": "200704"}}, "max_pixels: 401408", "beside MAX_PIXELS=200704",
                     id="settings and MAX_PIXELS"),
        pytest.param({"MAX_PIXELS": "200704"}, {"ENV": {"MAX_PIXELS": "401408"}}, "preset: paper",
                     "MAX_PIXELS is 200704 in the shell and 401408 in the recipe's ENV", id="shell and recipe"),
    ],
)  # fmt: skip
def test_limits_of_image_sizes_that_differ(
    scenes: list[Row], examine: Callable, tmp_path: Path, shell: dict, recipe: dict, settings: str, named: str
) -> None:  # fmt: skip
    file = tmp_path / "reward.yaml"
    file.write_text(settings)
    os.environ.update(shell, VISION_R1_CONFIG=str(file))
    code, text = examine(scenes, **recipe)
    assert code == 1
    assert named in text


@pytest.mark.parametrize(
    ("shell", "recipe", "settings"),
    [
        pytest.param({}, {"max_pixels": 200704}, "preset: paper", id="left out of the settings"),
        pytest.param({}, {"ENV": {"MAX_PIXELS": "401408"}}, "preset: paper", id="not in the shell"),
        pytest.param({"MAX_PIXELS": "401408"}, {"ENV": {"MAX_PIXELS": 401408}}, "preset: paper", id="both the same"),
        pytest.param({}, {"model_type": None}, "preset: paper", id="no model_type"),
    ],
)
def test_remedies_work(
    scenes: list[Row], examine: Callable, tmp_path: Path, shell: dict, recipe: dict, settings: str
) -> None:  # fmt: skip
    """What the findings of the tests around this one tell to do."""
    file = tmp_path / "reward.yaml"
    file.write_text(settings)
    os.environ.update(shell, VISION_R1_CONFIG=str(file))
    code, text = examine(scenes, **recipe)
    assert code == 0, text


@pytest.mark.parametrize(
    ("wrong", "remedy"),
    [
        pytest.param(lambda b, s: b / s * 1000, lambda b, s: b * s / 1000, id="norm1000"),
        pytest.param(resized, lambda b, s: b * s / resized(s, s), id="resized image"),
        pytest.param(lambda b, s: np.hstack([b[:, :2], b[:, 2:] - b[:, :2]]),
                     lambda b, s: np.hstack([b[:, :2], b[:, :2] + b[:, 2:]]), id="xywh"),
    ],
)  # fmt: skip
def test_boxes_put_right_as_told_pass(scenes: list[Row], examine: Callable, wrong: Callable, remedy: Callable) -> None:
    planted = changed(scenes, boxes_to(wrong))
    assert examine(planted)[0] == 1
    code, text = examine(changed(planted, boxes_to(remedy)))
    assert code == 0, text


@pytest.mark.parametrize(
    ("recipe", "settings", "named"),
    [
        pytest.param({"model_type": "qwen3_vl"}, "preset: paper", "config.json says qwen2_5_vl", id="checkpoint"),
        pytest.param({"model": "Qwen/Qwen2.5-VL-7B-Instruct", "model_type": "qwen2_vl"}, "preset: paper",
                     "the name Qwen/Qwen2.5-VL-7B-Instruct says qwen2_5_vl", id="name on the hub"),
        pytest.param({}, "model_type: qwen2_vl", "expected the settings' model_type to be the run's", id="settings"),
        pytest.param({"model": "Qwen/Qwen3-VL-8B", "model_type": "qwen3_vl"}, "preset: official",
                     "expected the format qwen2_5_vl", id="official rules"),
        pytest.param({"model_type": "qwen9"}, "preset: paper", "expected a model_type that is known", id="unknown"),
    ],
)  # fmt: skip
def test_a_wrong_model_type(
    scenes: list[Row], examine: Callable, tmp_path: Path, recipe: dict, settings: str, named: str
) -> None:  # fmt: skip
    file = tmp_path / "reward.yaml"
    file.write_text(settings)
    code, text = examine(scenes, ENV={"VISION_R1_CONFIG": str(file)}, **recipe)
    assert code == 1
    assert named in text


@pytest.mark.parametrize(
    ("recipe", "named"),
    [
        pytest.param({"num_generations": 1}, "a group of one has no advantage", id="one generation"),
        pytest.param({"temperature": 0}, "sampling is greedy", id="greedy"),
        pytest.param({"reward_funcs": "accuracy"}, "no vision_r1 reward, reward_funcs is accuracy", id="no reward"),
        pytest.param({"rlhf_type": "dpo"}, "reward_funcs with rlhf_type dpo", id="no grpo"),
        pytest.param({"max_completion_length": 40}, "cannot be answered in full", id="too short"),
        pytest.param({"external_plugins": "gone.py"}, "external_plugins: no file gone.py", id="plugin"),
        pytest.param({"max_steps": 1000, "ENV": {"VISION_R1_CONFIG": "official-adaptive"}},
                     "switch_step 1500 is not within the run of 1000 steps", id="switch too late"),
        pytest.param({"ENV": {"VISION_R1_CONFIG": "papre"}}, "did you mean 'paper'", id="settings that do not load"),
    ],
)  # fmt: skip
def test_a_run_that_cannot_learn(scenes: list[Row], examine: Callable, recipe: dict, named: str) -> None:
    code, text = examine(scenes, **recipe)
    assert code == 1
    assert named in text


@pytest.mark.parametrize(
    ("recipe", "named"),
    [
        pytest.param({"reward_funcs": ["vision_r1", "vision_r1_format"]}, "count twice", id="total beside a part"),
        pytest.param({"callbacks": []}, "no callbacks: vision_r1", id="no callback"),
    ],
)
def test_what_is_unusual_is_a_note(scenes: list[Row], examine: Callable, recipe: dict, named: str) -> None:
    code, text = examine(scenes, **recipe)
    assert code == 0
    assert any(line.startswith("note") and named in line for line in text.splitlines())


def test_a_fixed_stage_is_a_note(scenes: list[Row], examine: Callable, tmp_path: Path) -> None:
    (tmp_path / "reward.yaml").write_text("fixed_stage: advanced")
    code, text = examine(scenes, ENV={"VISION_R1_CONFIG": str(tmp_path / "reward.yaml")})
    assert code == 0
    assert "note     fixed_stage: advanced, so the criteria never change" in text


def test_a_prompt_for_another_model(scenes: list[Row], examine: Callable) -> None:
    message = {"role": "user", "content": "<image>Answer with <|box_start|>(x1,y1),(x2,y2)<|box_end|>."}
    code, text = examine([row | {"messages": [message]} for row in scenes])
    assert code == 1
    assert "prompts ask for <|box_start|>, which qwen2_vl write and qwen2_5_vl does not" in text


def test_a_right_recipe_passes_and_is_shown(scenes: list[Row], examine: Callable, tmp_path: Path) -> None:
    from PIL import Image

    code, text = examine(scenes, "--out", tmp_path / "doctor")
    assert code == 0
    assert text.splitlines()[-1] == "verdict: nothing was found that would waste the training"
    summary = json.loads((tmp_path / "doctor" / "doctor.json").read_text())
    assert summary["wasted"] is False
    assert {finding["state"] for finding in summary["findings"]} == {"ok", "note"}
    with Image.open(tmp_path / "doctor" / "ground_truth.png") as sheet:
        assert sheet.width > 1400


def test_the_7b_recipe_passes(
    scenes: list[Row], tmp_path: Path, checkpoint: Path, monkeypatch: pytest.MonkeyPatch
) -> None:  # fmt: skip
    data = tmp_path / "train.jsonl"
    data.write_text("".join(json.dumps(row) + "\n" for row in scenes))
    monkeypatch.chdir(checkpoint.parents[2])
    assert run("configs/train/qwen2_5_vl_7b.yaml", "--dataset", data, "--no-sample") == 0


@pytest.mark.parametrize("form", ["grounding", "authors"])
def test_rows_of_published_forms(scenes: list[Row], examine: Callable, form: str) -> None:
    def published(row: Row, shift: int) -> Row:
        truth = json.loads(row["solution"])
        boxes, labels = (np.array(truth["boxes"]).reshape(-1, 4) + shift).tolist(), truth["labels"]
        question = row["messages"][0]["content"]
        if form == "grounding":
            answer = {"role": "assistant", "content": "".join("<ref-object><bbox>" for _ in boxes)}
            objects = {"ref": labels, "bbox": boxes}
            return {"messages": [*row["messages"], answer], "images": row["images"], "objects": objects}
        pairs = json.dumps([[label, [box]] for label, box in zip(labels, boxes, strict=True)])
        sides = {"width": truth["width"], "height": truth["height"]}
        return {"image": row["images"][0], "problem": question, "solution": pairs, **sides}

    full = [row for row in scenes if json.loads(row["solution"])["boxes"]]
    code, text = examine([published(row, 0) for row in full])
    assert code == 0, text
    assert "in the form" in text
    code, text = examine([published(row, 90) for row in full])
    assert code == 1
    assert "boxes leave their image" in text


@pytest.mark.parametrize("fault", ["norm1000", "xywh"])
def test_faults_in_rows_of_vlm_r1(scenes: list[Row], examine: Callable, fault: str) -> None:
    rows = []
    for row in scenes:
        truth = json.loads(row["solution"])
        sides = np.array([truth["width"], truth["height"]] * 2)
        for box, label in zip(np.array(truth["boxes"], dtype=float), truth["labels"], strict=True):
            wrong = box / sides * 1000 if fault == "norm1000" else [*box[:2], *(box[2:] - box[:2])]
            asked = f"<image>Please provide the bounding box of the region this sentence describes: {label}."
            turns = [{"from": "human", "value": asked}, {"from": "gpt", "value": [float(v) for v in wrong]}]
            rows.append({"image": row["images"][0], "conversations": turns})
    code, text = examine(rows)
    assert code == 1
    named = {"norm1000": "boxes are normalised to 0-1000", "xywh": "as [x, y, width, height], COCO's layout"}
    assert named[fault] in text


@pytest.mark.parametrize(
    ("recipe", "named"),
    [
        pytest.param({}, None, id="right"),
        pytest.param({"model_type": "qwen3_vl", "model": "Qwen/Qwen3-VL-8B"}, "not their rows' solutions: as qwen3_vl",
                     id="another model"),
        pytest.param({"ENV": {"MAX_PIXELS": 100352}}, "the mean IoU is 0.", id="other MAX_PIXELS"),
    ],
)  # fmt: skip
def test_targets_against_their_own_solutions(
    shared_data: Path, tmp_path: Path, examine: Callable, recipe: dict, named: str | None
) -> None:  # fmt: skip
    io, out = model_io(Settings(), "qwen2_5_vl"), tmp_path / "sft.jsonl"
    convert_coco(shared_data / "bccd" / "instances_val.json", shared_data / "bccd" / "images", out, io=io)
    rows = [json.loads(line) for line in out.read_text().splitlines()]
    code, text = examine(rows, rlhf_type=None, reward_funcs=[], callbacks=[], **recipe)
    assert (code, named is None or named in text) == (int(named is not None), True), text


def test_supervised_rows_are_read_in_the_models_format(scenes: list[Row], examine: Callable) -> None:
    def rows(answer: str) -> list[Row]:
        turn = {"role": "assistant", "content": answer}
        return [{"messages": [*row["messages"], turn], "images": row["images"]} for row in scenes]

    good, bad = '[{"bbox_2d": [1, 2, 30, 40], "label": "red circle"}]', "<box>(1,2),(30,40)</box>"
    supervised = {"rlhf_type": None, "reward_funcs": [], "callbacks": []}
    assert examine(rows(good), **supervised)[0] == 0
    code, text = examine(rows(bad), **supervised)
    assert code == 1
    assert "0 of 40 (0%) answers in the data are right qwen2_5_vl answers" in text
