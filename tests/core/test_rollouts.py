"""Which group of rollouts a picture shows, and what is drawn."""

import json

import numpy as np
import pytest

from swift_plugin_visionr1 import Scorer, model_io
from swift_plugin_visionr1.reward.rollout_group import RolloutGroup
from swift_plugin_visionr1.reward.settings import load_settings_file, settings_from

SIZE = (200, 100)
NEAR, FAR = [20, 20, 60, 80], [120, 30, 180, 70]


def answer(*boxes: list[int]) -> str:
    return json.dumps([{"bbox_2d": box, "label": "cat"} for box in boxes])


def solution(*boxes: list[int]) -> str:
    width, height = SIZE
    return json.dumps(
        {"width": width, "height": height, "boxes": boxes, "labels": ["cat"] * len(boxes)}
    )


def scorer(keeps_groups: bool = True) -> Scorer:
    settings = settings_from({"model_type": "qwen3_vl", "format": "json", "frame": "original"})
    return Scorer(settings, model_io(settings), keeps_groups=keeps_groups)


def columns(*images: str) -> dict:
    asked = [
        {"role": "user", "content": "<image>Where?"},
        {"role": "assistant", "content": "there"},
    ]
    return {
        "solution": [solution(NEAR)] * len(images),
        "images": [[image] for image in images],
        "messages": [asked] * len(images),
    }


@pytest.mark.parametrize(
    ("images", "texts", "shown"),
    [
        pytest.param(
            "aabb", [answer(NEAR), answer(FAR), "x", "y"], slice(0, 2), id="the first teaches"
        ),
        pytest.param(
            "aabb", ["x", "y", answer(NEAR), "x"], slice(2, 4), id="the first that teaches"
        ),
        pytest.param("aabb", ["x", "y", "x", "y"], slice(0, 2), id="none teaches"),
        pytest.param(
            "aaab",
            [answer(NEAR), "x", "y", "x"],
            slice(0, 3),
            id="a group that other processes share",
        ),
    ],
)
def test_the_group_is_of_one_image_and_has_something_to_teach(
    images: str, texts: list[str], shown: slice
) -> None:
    own = scorer()
    own(texts, columns(*images), "beginner", 7)
    (group,) = own.take_groups()
    assert group.texts == tuple(texts[shown])
    assert (group.image, group.prompt, group.step) == (images[shown.start], "<image>Where?", 7)
    assert own.take_groups() == []


def test_each_batch_of_a_step_gives_one_group_whatever_the_number_of_rewards() -> None:
    own = scorer()
    for number in range(2):
        for _ in range(3):
            own(["x"], columns("a") | {"request_id": [f"r{number}"]}, "beginner", 0)
    assert [group.texts for group in own.take_groups()] == [("x",), ("x",)]


def test_two_prompts_about_one_image_are_two_groups() -> None:
    own = scorer()
    ids = {"prompt_id": ["p0", "p0", "p1", "p1"]}
    own([answer(NEAR), "x", "y", "z"], columns(*"aaaa") | ids, "beginner", 0)
    assert [group.texts for group in own.take_groups()] == [(answer(NEAR), "x")]


def test_groups_that_nobody_takes_do_not_pile_up() -> None:
    own = scorer()
    for step in range(100):
        own(["x"], columns("a"), "beginner", step)
    assert len(own.take_groups()) < 100


def test_without_pictures_nothing_is_kept() -> None:
    own = scorer(keeps_groups=False)
    own(["x"], columns("a"), "beginner", 0)
    assert own.take_groups() == []


def test_the_default_draws_pictures() -> None:
    assert load_settings_file("paper")[1].pictures > 1


def near(picture: np.ndarray, colour: str) -> np.ndarray:
    wanted = [int(colour[i : i + 2], 16) for i in (1, 3, 5)]
    return np.abs(picture.astype(int) - wanted).max(axis=2) <= 8


def drawn(texts: list[str], truth: tuple = (NEAR,), prompt: str = "Where?") -> np.ndarray:
    image = pytest.importorskip("PIL.Image", reason="needs the extra `viz`")
    pytest.importorskip("matplotlib", reason="needs the extra `viz`")
    from swift_plugin_visionr1 import read_solution
    from swift_plugin_visionr1.explain.rollout import rollout_picture

    row = {"messages": [{"role": "user", "content": prompt}], "solution": solution(*truth)}
    own, annotation = scorer(), read_solution(row["solution"])
    scored = tuple(own.score(text, annotation, "beginner") for text in texts)
    group = RolloutGroup(tuple(texts), scored, annotation, row, own.schedule.named("beginner"), 0)
    return rollout_picture(group, own, image.new("RGB", (4000, 2000), "#404040"), "step 1")


def test_a_prediction_is_drawn_where_it_is_and_coloured_by_what_it_is_worth() -> None:
    from swift_plugin_visionr1.explain.painter import STYLES

    picture = drawn([answer(NEAR), answer(FAR), "no boxes"])
    scene = near(picture, "#404040")
    xs, ys = np.flatnonzero(scene.sum(axis=0) > 20), np.flatnonzero(scene.sum(axis=1) > 200)
    panels = np.split(xs, np.flatnonzero(np.diff(xs) > 1) + 1)
    assert len(panels) == 3
    scale = (panels[1][-1] - panels[1][0]) / SIZE[0]
    poor = near(picture, STYLES["matched, below xi0"][0])[
        ys[0] : ys[-1], panels[1][0] : panels[1][-1]
    ]
    rows, cols = np.nonzero(poor)
    found = [cols.min() / scale, rows.min() / scale, cols.max() / scale, rows.max() / scale]
    assert found == pytest.approx(FAR, abs=2.5)
    for panel in panels[1:]:  # the exact prediction of the first covers the annotation
        assert near(picture, STYLES["annotated"][0])[ys[0] : ys[-1], panel[0] : panel[-1]].any()
    assert not near(picture, STYLES["matched, below xi0"][0])[
        ys[0] : ys[-1], panels[0][0] : panels[0][-1]
    ].any()


@pytest.mark.parametrize(
    ("texts", "prompt"),
    [
        pytest.param([answer(NEAR)] * 40, "Where?", id="a large group"),
        pytest.param(
            ["x"],
            "$x_1 \ud800 <image> {{" + "很长 " * 500,
            id="a prompt that fonts and formulas choke on",
        ),
        pytest.param([answer([0, 0, 10**12, 10**12])], "", id="a box out of all bounds"),
        pytest.param(["[" * 5000, "\x00", ""], "Where?", id="no JSON"),
    ],
)
def test_the_picture_has_a_limited_size_whatever_comes(texts: list[str], prompt: str) -> None:
    picture = drawn(texts, prompt=prompt)
    assert picture.dtype == np.uint8
    assert max(picture.shape) <= 1400
