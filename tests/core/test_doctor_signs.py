"""The doctor's signs one by one: what each says of numbers that are right, and of numbers that are
not."""

import json

import numpy as np
import pytest

from swift_plugin_visionr1 import QwenResize
from swift_plugin_visionr1.doctor.checks.box_signs import Evidence, box_findings
from swift_plugin_visionr1.doctor.checks.labels import category_list, label_findings
from swift_plugin_visionr1.doctor.checks.prompts import prompt_findings
from swift_plugin_visionr1.doctor.rows import read_row

SIZES = {"small": (640, 480), "large": (2000, 1500), "tall": (600, 1200), "tiny": (82, 124)}


def evidence(size: tuple[int, int], max_tokens: int = 256, count: int = 60) -> Evidence:
    """Boxes all over images of one size; some touch each border."""
    rng = np.random.default_rng(1)
    corners = np.sort(rng.uniform(0, 1, (count, 2, 2)), axis=1)
    corners[:, 1] += 0.02
    corners[0], corners[1] = [[0, 0], [0.5, 0.5]], [[0.5, 0.5], [1, 1]]
    boxes = corners.clip(0, 1).reshape(count, 4) * np.array(size * 2)
    processed = QwenResize(max_tokens=max_tokens).processed_size(size)
    return Evidence(boxes, np.full((count, 2), size, float), np.full((count, 2), processed, float))


def codes(found: list) -> list[str]:
    return [finding.code for finding in found]


@pytest.mark.parametrize("size", SIZES.values(), ids=SIZES)
def test_right_boxes_are_not_accused(size: tuple[int, int]) -> None:
    assert box_findings(evidence(size)) == []


@pytest.mark.parametrize("size", SIZES.values(), ids=SIZES)
@pytest.mark.parametrize(
    ("code", "units"),
    [("norm1", 1), ("norm100", 100), ("norm1000", 1000), ("resized_boxes", None)],
)
def test_boxes_in_another_frame(size: tuple[int, int], code: str, units: float | None) -> None:
    right = evidence(size)
    sides = right.processed if units is None else np.full_like(right.sizes, units)
    boxes = right.boxes / np.tile(right.sizes, 2) * np.tile(sides, 2)
    assert codes(box_findings(Evidence(boxes, right.sizes, right.processed))) == [code]


@pytest.mark.parametrize("size", SIZES.values(), ids=SIZES)
def test_boxes_in_another_layout(size: tuple[int, int]) -> None:
    right = evidence(size)
    start, end = right.boxes[:, :2], right.boxes[:, 2:]
    layouts = {
        "xywh": np.hstack([start, end - start]),
        "cxcywh": np.hstack([(start + end) / 2, end - start]),
        "corner_order": np.hstack([end, start]),
        "swapped_boxes": right.boxes[:, [1, 0, 3, 2]],
    }
    for code, boxes in layouts.items():
        assert codes(box_findings(Evidence(boxes, right.sizes, right.processed))) == [code]


def test_boxes_in_the_middle_only_are_read_by_where_they_lie() -> None:
    """Objects that never touch a border, such as the pieces on a board: still right, or recognised
    when normalised."""
    right = evidence(SIZES["small"])
    sides = np.tile(right.sizes, 2)
    middle = right.boxes * 0.76 + 0.12 * sides
    assert box_findings(Evidence(middle, right.sizes, right.processed)) == []
    found = box_findings(Evidence(middle / sides * 1000, right.sizes, right.processed))
    assert codes(found) == ["norm1000"]


def test_boxes_that_keep_clear_of_all_borders_are_in_no_smaller_frame() -> None:
    """Objects within 12% of the borders of images a little larger than 1000: they end near 1000,
    but begin level."""
    size = (1130, 1130)
    right = evidence(size)
    boxes = right.boxes * 0.76 + 0.12 * size[0]
    assert boxes.max() < 1000
    assert box_findings(Evidence(boxes, right.sizes, right.sizes)) == []
    assert codes(
        box_findings(Evidence(right.boxes / size[0] * 1000, right.sizes, right.sizes))
    ) == ["norm1000"]


def test_loose_annotations_are_no_other_frame() -> None:
    right = evidence(SIZES["small"])
    loose = right.boxes + np.where(np.arange(len(right.boxes))[:, None] == 1, 4.0, 0.0)
    found = box_findings(Evidence(loose, right.sizes, right.processed))
    assert codes(found) == ["out_of_image"]
    assert "1 of 60 (2%) boxes leave their image, by up to 4 pixels" in found[0].text


def test_boxes_in_one_corner_are_only_noted() -> None:
    right = evidence(SIZES["small"])
    found = box_findings(Evidence(right.boxes * 0.6, right.sizes, right.sizes))
    assert [(finding.state, finding.code) for finding in found] == [("note", "lopsided")]


def row(prompt: str, *labels: str) -> object:
    solution = {
        "width": 100,
        "height": 100,
        "boxes": [[1, 1, 9, 9]] * len(labels),
        "labels": list(labels),
    }
    return read_row(
        {"messages": [{"role": "user", "content": prompt}], "solution": json.dumps(solution)},
        "row 1 of a",
    )


@pytest.mark.parametrize(
    ("prompt", "names"),
    [
        ("Locate every item. The category set includes cat, dog.", "cat, dog."),
        ("Find all objects of these classes: cat, dog", "cat, dog"),
        ("Categories: cat; dog", "cat; dog"),
        ("Locate every cat in the image.", None),
    ],
)
def test_the_category_list_of_a_prompt(prompt: str, names: str | None) -> None:
    assert category_list(prompt) == names


@pytest.mark.parametrize(
    ("labels", "state"),
    [
        pytest.param(("cat", "dog"), "ok", id="known"),
        pytest.param(("sofa, grey",), "ok", id="a comma in the name"),
        pytest.param(("ca",), "problem", id="part of a name"),
        pytest.param(("Cat",), "problem", id="another case"),
        pytest.param(("cats",), "problem", id="plural"),
        pytest.param(("  ",), "ok", id="a blank name"),
    ],
)
def test_labels_against_the_list(labels: tuple[str, ...], state: str) -> None:
    rows = [row("The category set includes cat, dog, sofa, grey.", *labels)]
    assert [finding.state for finding in label_findings(rows, labels_count=False)] == [state]


def test_a_rare_unknown_label_is_a_note_unless_labels_count() -> None:
    rows = [
        row("The category set includes cat, dog.", *["cat"] * 150),
        row("The category set includes cat.", "dgo"),
    ]
    assert [finding.state for finding in label_findings(rows, labels_count=False)] == ["note"]
    assert [finding.state for finding in label_findings(rows, labels_count=True)] == ["problem"]


def test_prompts_without_a_list_are_not_judged() -> None:
    assert (
        label_findings([row("Locate every cat in the image.", "kitten")], labels_count=True) == []
    )


@pytest.mark.parametrize(
    ("prompt", "format", "accused"),
    [
        ('Answer as [{"bbox_2d": [x1, y1, x2, y2], "label": "..."}]', "qwen2_5_vl", False),
        ('Answer as [{"bbox_2d": [x1, y1, x2, y2], "label": "..."}]', "internvl", True),
        ('Answer as [{"box_2d": [y1, x1, y2, x2]}]', "qwen2_5_vl", True),
        ("detect cat <loc0000>", "paligemma", False),
        ("Locate every cat in JSON format.", "qwen2_5_vl", False),
        ("<box>", "json", False),
        ("Answer as <|box_start|><0><0><9><9><|box_end|>", "rex_omni", False),
        ("Locate every cat in JSON format.", "internvl", True),
        ("Output the coordinates in JSON.", "glm4v", False),
    ],
)
def test_prompts_that_show_a_format(prompt: str, format: str, accused: bool) -> None:
    assert bool(prompt_findings([row(prompt, "cat")], format)) is accused


@pytest.mark.parametrize(
    ("format", "named"),
    [
        pytest.param("paligemma", "its authors ask 'detect cat ; dog'", id="several"),
        pytest.param(
            "deepseek_vl2",
            "ask for one thing at a time, 'Locate <|ref|>cat<|/ref|> in the",
            id="one",
        ),
    ],
)
def test_the_remedy_is_the_question_of_the_authors(format: str, named: str) -> None:
    found = prompt_findings([row("Locate every cat, output JSON.", "cat")], format)
    assert codes(found) == ["prompt_json"]
    assert named in found[0].text
    shown = prompt_findings([row("Answer with <|begin_of_box|>.", "cat")], format)
    assert codes(shown) == ["prompt_format"]
    assert named in shown[0].text
