"""Faults of a whole COCO file: what is recognised, and what is left alone."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PIL import Image as PillowImage

from swift_plugin_visionr1.cli import main
from swift_plugin_visionr1.data.coco import read_coco
from swift_plugin_visionr1.data.coco_check import CocoCheck, check_coco
from swift_plugin_visionr1.data.coco_images import look_at_images

from .coco_files import SIZE, Box, rewritten, sound, write

Change = Callable[[Box, tuple[int, int]], Box]
LAYOUTS: dict[str, tuple[str, Change]] = {
    "corners": ("xyxy", lambda b, s: [b[0], b[1], b[0] + b[2], b[1] + b[3]]),
    "middle and size": ("cxcywh", lambda b, s: [b[0] + b[2] / 2, b[1] + b[3] / 2, b[2], b[3]]),
    "y first corners": ("y_first", lambda b, s: [b[1], b[0], b[1] + b[3], b[0] + b[2]]),
    "y first": ("swapped_boxes", lambda b, s: [b[1], b[0], b[3], b[2]]),
    "0-1": (
        "norm1",
        lambda b, s: [b[0] / s[0], b[1] / s[1], b[2] / s[0], b[3] / s[1]],
    ),
    "0-1 middle": (
        "norm1",
        lambda b, s: [
            (b[0] + b[2] / 2) / s[0],
            (b[1] + b[3] / 2) / s[1],
            b[2] / s[0],
            b[3] / s[1],
        ],
    ),
    "0-1000": (
        "norm1000",
        lambda b, s: [1000 * v / s[i % 2] for i, v in enumerate(b)],
    ),
    "0-1000 corners": (
        "norm1000",
        lambda b, s: [
            1000 * b[0] / s[0],
            1000 * b[1] / s[1],
            1000 * (b[0] + b[2]) / s[0],
            1000 * (b[1] + b[3]) / s[1],
        ],
    ),
    "twice as large": ("other_size", lambda b, s: [2 * v for v in b]),
    "larger at another ratio": (
        "other_size",
        lambda b, s: [v * (3, 2)[i % 2] for i, v in enumerate(b)],
    ),
}


def checked(path: Path, stored: Any = None) -> CocoCheck:
    file = read_coco(path)
    return check_coco(file.images, file.annotations, stored)


def code(check: CocoCheck) -> str | None:
    return check.fault.code if check.fault else None


def of(data: Any, folder: Path) -> CocoCheck:
    return checked(write(folder, data))


@pytest.mark.parametrize("images", [4, 12, 100])
@pytest.mark.parametrize("case", LAYOUTS)
def test_boxes_written_another_way(tmp_path: Path, case: str, images: int) -> None:
    expected, change = LAYOUTS[case]
    assert code(of(rewritten(sound(images), change), tmp_path)) == expected


@pytest.mark.parametrize("every", [2, 5])
@pytest.mark.parametrize("case", LAYOUTS)
def test_a_source_of_which_a_part_is_wrong(tmp_path: Path, case: str, every: int) -> None:
    expected, change = LAYOUTS[case]
    assert code(of(rewritten(sound(100), change, every), tmp_path)) == expected


@pytest.mark.parametrize("size", [(640, 480), (480, 640), (1024, 1024), (4000, 3000)])
@pytest.mark.parametrize("images", [1, 4, 100])
def test_a_sound_file_is_left_alone(tmp_path: Path, size: tuple[int, int], images: int) -> None:
    for seed in range(5):
        file = sound(images, size=size, seed=seed)
        (tmp_path / "ann.json").write_text(json.dumps(file))
        check = checked(tmp_path / "ann.json")
        assert (check.fault, check.counts) == (None, {})


def with_headers(path: Path) -> CocoCheck:
    file = read_coco(path)
    headers = look_at_images(file.images, path.parent / "images").headers
    return check_coco(file.images, file.annotations, headers)


def as_shown(data: Any, turned: Callable[[int], bool]) -> Any:
    """Boxes drawn on the image as a viewer shows it, sizes as stored."""
    shown = sound(len(data["images"]), size=SIZE[::-1])
    for record, drawn in zip(data["annotations"], shown["annotations"], strict=True):
        if turned(record["image_id"]):
            record["bbox"] = drawn["bbox"]
    return data


@pytest.mark.parametrize("orientation", [5, 6, 7, 8])
def test_boxes_drawn_on_turned_photographs(tmp_path: Path, orientation: int) -> None:
    data = as_shown(sound(), lambda _: True)
    check = with_headers(write(tmp_path, data, lambda _: orientation))
    assert code(check) == "exif_orientation"
    assert f"({orientation})" in check.fault.text if check.fault else False


@pytest.mark.parametrize("every", [2, 5])
def test_a_source_of_which_some_photographs_are_turned(tmp_path: Path, every: int) -> None:
    data = as_shown(sound(40), lambda number: number % every == 0)
    path = write(tmp_path, data, lambda number: 6 if number % every == 0 else 1)
    assert code(with_headers(path)) == "exif_orientation"


def test_sizes_of_turned_photographs_as_shown(tmp_path: Path) -> None:
    data = sound(size=SIZE[::-1])
    path = write(tmp_path, data, lambda _: 6)
    for image in data["images"]:  # the file is stored the other way than the annotations say
        exif = PillowImage.Exif()
        exif[0x0112] = 6
        PillowImage.new("RGB", SIZE).save(path.parent / "images" / image["file_name"], exif=exif)
    assert code(with_headers(path)) == "exif_orientation"


@pytest.mark.parametrize("orientation", [2, 3, 4, 6])
def test_boxes_drawn_on_the_pixels_as_stored_are_no_fault(tmp_path: Path, orientation: int) -> None:
    path = write(tmp_path, sound(), lambda _: orientation)
    assert code(with_headers(path)) is None
    file = read_coco(path)
    assert len(look_at_images(file.images, path.parent / "images").warnings) == 1


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        pytest.param((1280, 960), "wrong_size", id="shrunk since"),
        pytest.param((320, 240), "wrong_size", id="enlarged since"),
        pytest.param((960, 480), "wrong_size", id="at another ratio"),
        pytest.param((480, 640), "swapped_size", id="swapped"),
    ],
)
def test_sizes_that_are_not_the_files(tmp_path: Path, said: tuple[int, int], expected: str) -> None:
    path = write(tmp_path, sound())
    path.write_text(json.dumps(sound(size=said)))
    assert code(with_headers(path)) == expected


def test_single_images_of_another_size_are_told_apart(tmp_path: Path) -> None:
    data = sound(200, boxes=1)
    path = write(tmp_path, data)
    PillowImage.new("RGB", (64, 48)).save(path.parent / "images" / "7.jpg")
    check = with_headers(path)
    assert (code(check), check.other_size) == (None, {7})


@pytest.mark.parametrize(("images", "off"), [(4, 1), (40, 2), (4, 2), (1, 1)])
def test_a_rounded_pixel_is_the_fault_of_few_images(tmp_path: Path, images: int, off: int) -> None:
    path = write(tmp_path, sound(images, boxes=3))
    for number in range(1, off + 1):
        PillowImage.new("RGB", (640, 479)).save(path.parent / "images" / f"{number}.jpg")
    check = with_headers(path)
    few = (images, off) in [(4, 1), (40, 2)]
    assert code(check) == (None if few else "wrong_size")
    assert check.other_size == set(range(1, off + 1))


def test_single_boxes_are_counted_by_reason(tmp_path: Path) -> None:
    data = sound(40)
    for number, bbox in enumerate([[-2, 5, 90, 90], [560, 400, 83, 80], [600, 400, 90, 60]]):
        data["annotations"][30 * number]["bbox"] = bbox
    data["annotations"][5]["bbox"] = [10, 10, 0, 40]
    check = of(data, tmp_path)
    ids = {reason: [record["id"] for record in some] for reason, some in check.counts.items()}
    assert (code(check), ids) == (None, {"no_area": [6], "loose": [1, 31], "outside": [61]})


def test_thousandths_in_images_too_large_to_be_left(tmp_path: Path) -> None:
    large = sound(60, size=(4000, 3000))
    change = LAYOUTS["0-1000"][1]
    path = tmp_path / "ann.json"
    path.write_text(json.dumps(rewritten(large, change)))
    assert code(checked(path)) == "norm1000"


def test_percent_in_images_too_large_to_be_left(tmp_path: Path) -> None:
    change: Change = lambda b, s: [100 * v / side for v, side in zip(b, s * 2, strict=True)]  # noqa: E731
    assert code(of(rewritten(sound(60), change), tmp_path)) == "norm100"


def test_reversed_corners(tmp_path: Path) -> None:
    change: Change = lambda b, s: [b[0] + b[2], b[1] + b[3], -b[2], -b[3]]  # noqa: E731
    assert code(of(rewritten(sound(), change), tmp_path)) == "corner_order"


def test_a_file_of_boxes_without_area(tmp_path: Path) -> None:
    assert code(of(rewritten(sound(), lambda b, s: [b[0], b[1], 0, 0]), tmp_path)) == "no_area"


def test_no_boxes_at_all(tmp_path: Path) -> None:
    assert code(of(sound(boxes=0), tmp_path)) is None


REAL = {
    "bccd": ["instances_train", "instances_val", "instances_test"],
    "chess_cc0": ["instances_train", "instances_valid", "instances_test"],
    "coco_open": ["instances"],
    "coco_val80": ["instances_val80"],
    "cocoapi_val2014_100": ["instances_val2014_100"],
}


@pytest.mark.parametrize("name", REAL)
def test_nothing_is_wrong_with_real_data(shared_data: Path, name: str) -> None:
    for split in REAL[name]:
        path = shared_data / name / f"{split}.json"
        file = read_coco(path)
        files = look_at_images(file.images, path.parent / "images")
        check = check_coco(file.images, file.annotations, files.headers)
        assert (check.fault, check.counts, check.other_size) == (None, {}, set())
        assert (files.warnings, file.changes) == ((), ())


@pytest.mark.parametrize("case", ["corners", "turned photographs"])
def test_prepare_writes_nothing_of_a_faulty_source(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], case: str
) -> None:
    if case == "corners":
        path, word = write(tmp_path, rewritten(sound(), LAYOUTS["corners"][1])), "two corners"
    else:
        path, word = write(tmp_path, as_shown(sound(), lambda _: True), lambda _: 6), "EXIF"
    out = tmp_path / "rows.jsonl"
    words = ["--ann", str(path), "--images", str(tmp_path / "images"), "--out", str(out)]
    assert main(["prepare", *words]) == 2
    assert word in capsys.readouterr().err
    assert not out.exists()


def test_prepare_tells_what_became_of_single_records(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = sound(200, boxes=1)
    boxes = {3: [-2, 5, 90, 90], 4: [-40, 5, 90, 90], 5: [700, 5, 90, 90], 6: [9, 9, 0, 9]}
    for number, bbox in boxes.items():
        data["annotations"][number - 1]["bbox"] = bbox
    data["annotations"].append(data["annotations"][0] | {"id": 999})
    path = write(tmp_path, data)
    PillowImage.new("RGB", (64, 48)).save(tmp_path / "images" / "7.jpg")
    out = tmp_path / "rows.jsonl"
    words = ["--ann", str(path), "--images", str(tmp_path / "images"), "--out", str(out)]
    assert main(["prepare", *words]) == 0
    said = capsys.readouterr()
    counted = {line.rpartition(" ")[2] for line in said.out.splitlines()[1:]}
    assert counted == {"3", "4", "5", "6", "999"}
    assert "image 7" in said.err
    rows = [json.loads(line) for line in out.read_text().splitlines()]
    assert len(rows) == 199
    assert json.loads(rows[2]["solution"])["boxes"] == [[0, 5, 88, 95]]
