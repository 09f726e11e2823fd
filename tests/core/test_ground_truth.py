"""The `solution` of a row: ours, the authors', and what is wrong with bad ones."""

import json

import pytest

from swift_plugin_visionr1 import Settings, SolutionError, read_solution
from swift_plugin_visionr1.data.row_tasks import targets_of
from swift_plugin_visionr1.geometry.boxes import iou
from swift_plugin_visionr1.models.model_io import model_io

GOOD = {"width": 640, "height": 480, "boxes": [[10, 20, 30, 40]], "labels": ["cat"]}


def test_our_solution() -> None:
    truth = read_solution(json.dumps(GOOD))
    assert (truth.size, truth.boxes.tolist(), truth.labels) == (
        (640, 480),
        [[10, 20, 30, 40]],
        ("cat",),
    )


@pytest.mark.parametrize("boxes", [[10, 20, 30, 40], [[10, 20, 30, 40]]], ids=["flat", "nested"])
def test_the_authors_solution(boxes: list[object]) -> None:
    truth = read_solution(json.dumps([["cat", boxes]]), 640, 480)
    assert (truth.size, truth.boxes.tolist(), truth.labels) == (
        (640, 480),
        [[10, 20, 30, 40]],
        ("cat",),
    )


def test_sizes_as_tables_write_them() -> None:
    truth = read_solution(json.dumps(GOOD | {"width": 640.0, "height": 480.0}))
    assert (truth.size, [type(side) for side in truth.size]) == ((640, 480), [int, int])


@pytest.mark.parametrize(
    ("box", "inside", "clipped"),
    [
        pytest.param([-0.4, 0, 640.5, 480], [0, 0, 640, 480], 0, id="rounding"),
        pytest.param([-1, 0, 20, 480], [0, 0, 20, 480], 1, id="a pixel to the left"),
        pytest.param([10, 20, 643, 40], [10, 20, 640, 40], 1, id="three pixels to the right"),
        pytest.param([10, 20, 30, 482.9], [10, 20, 30, 480], 1, id="below"),
        pytest.param([639.4, 10, 640, 50], [639.4, 10, 640, 50], 0, id="inside"),
    ],
)
def test_loose_boxes_are_clipped_and_counted(
    box: list[float], inside: list[float], clipped: int
) -> None:
    truth = read_solution(json.dumps(GOOD | {"boxes": [box]}))
    assert (truth.boxes.tolist(), truth.clipped) == ([inside], clipped)


def test_a_loose_box_is_scored_against_what_is_in_the_image() -> None:
    loose = json.dumps(GOOD | {"boxes": [[560, 20, 643, 40]]})
    io = model_io(Settings(), "qwen3_vl")
    answer = '```json\n[{"bbox_2d": [875, 41.6667, 1000, 83.3333], "label": "cat"}]\n```'
    truth = read_solution(loose)
    parsed = io.format.parse(answer)
    boxes = io.format.frame.to_image(parsed.boxes, io.resize.view(truth.size))
    assert iou(boxes, truth.boxes)[0, 0] > 0.9999


@pytest.mark.parametrize(
    ("boxes", "cause"),
    [
        pytest.param(
            [[400, 100, 200, 50], [10, 300, 90, 90]], r"\[x, y, width, height\]", id="xywh"
        ),
        pytest.param([[10, 10, 900, 800], [0, 0, 1000, 1000]], "0-1000", id="thousandths"),
        pytest.param([[10, 300, 90, 600], [100, 20, 400, 640]], "swapped", id="swapped sides"),
        pytest.param([[600, 20, 1280, 960]], "larger images", id="before shrinking"),
        pytest.param([[-100, 20, 30, 40]], "of this image", id="anything"),
        pytest.param([[641, 20, 642, 40]], "of this image", id="nothing inside"),
    ],
)
def test_boxes_far_outside_are_refused_with_the_cause(boxes: list[list[float]], cause: str) -> None:
    bad = GOOD | {"boxes": boxes, "labels": ["cat"] * len(boxes)}
    with pytest.raises(SolutionError, match=cause):
        read_solution(json.dumps(bad))


@pytest.mark.parametrize(
    ("solution", "message"),
    [
        pytest.param("no json", "not JSON .*: no json", id="no json"),
        pytest.param("3", "got a int: 3", id="a number"),
        pytest.param(
            json.dumps({"boxes": [], "labels": []}), "got no width, height", id="keys missing"
        ),
        pytest.param(json.dumps(GOOD | {"width": 0}), r"above 0, got \(0, 480\)", id="no width"),
        pytest.param(
            json.dumps(GOOD | {"width": 64.5}),
            r"whole numbers .* got \(64.5, 480\)",
            id="fractional width",
        ),
        pytest.param(
            json.dumps(GOOD | {"boxes": [[1, 2, 3]]}), r"shape \(1, 3\)", id="three numbers"
        ),
        pytest.param(json.dumps(GOOD | {"boxes": [["a", 2, 3, 4]]}), "in numbers", id="text"),
        pytest.param(
            json.dumps(GOOD | {"boxes": [[0, 0, 10**400, 3]]}), "in numbers", id="beyond float64"
        ),
        pytest.param(
            json.dumps(GOOD | {"boxes": [[0, 0, 1e-200, 1e-200]]}), "x1 < x2", id="no area"
        ),
        pytest.param(
            json.dumps(GOOD | {"boxes": [[float("nan"), 20, 30, 40]]}),
            "numbers of pixels",
            id="NaN",
        ),
        pytest.param(
            json.dumps(GOOD | {"boxes": [[0, 0, float("inf"), 9]]}), "numbers of", id="infinite"
        ),
        pytest.param(
            json.dumps(GOOD | {"labels": []}), "list of 1 strings, got", id="labels missing"
        ),
        pytest.param(
            json.dumps(GOOD | {"boxes": [[300, 20, 30, 40]]}),
            r"box 0.*is it \[x, y, width, height\]",
            id="xywh",
        ),
        pytest.param(
            json.dumps(GOOD | {"boxes": [[0.1, 0.2, 0.5, 0.9]]}),
            "first pixel.*normalised to 1",
            id="norm1",
        ),
        pytest.param(
            json.dumps(GOOD | {"boxes": [[10, 20, 900, 40]]}),
            "inside the original image of 640 x 480",
            id="outside",
        ),
        pytest.param(
            json.dumps([["cat", [1, 2, 3, 4]]]),
            "expected columns width and height",
            id="authors' without size",
        ),
        pytest.param(json.dumps([["cat"]]), "got an entry", id="authors' without box"),
    ],
)
def test_bad_solutions(solution: str, message: str) -> None:
    with pytest.raises(SolutionError, match=message):
        read_solution(solution)


def test_a_batch_names_its_bad_row() -> None:
    with pytest.raises(SolutionError, match="row 1 of this batch: .*got NoneType"):
        targets_of({"solution": [json.dumps(GOOD), None]}, 2)


def test_a_batch_without_solutions() -> None:
    with pytest.raises(SolutionError, match="rows without that column, only images"):
        targets_of({"images": [[]]}, 1)


def test_what_rows_share_cannot_be_written_to() -> None:
    text = json.dumps({"width": 9, "height": 9, "boxes": [[1, 1, 5, 5]], "labels": ["a"]})
    assert read_solution(text) is read_solution(text)
    with pytest.raises(ValueError, match="read-only"):
        read_solution(text).boxes[0, 0] = 3
