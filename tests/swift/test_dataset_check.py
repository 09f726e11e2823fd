"""Rows that are stopped before training, on the data set that ms-swift would train on."""

import base64
import json
from io import BytesIO
from pathlib import Path

import pytest
from PIL import Image

pytest.importorskip("swift", reason="needs the extra `swift`")
datasets = pytest.importorskip("datasets")

from swift_plugin_visionr1 import QwenResize, SolutionError  # noqa: E402
from swift_plugin_visionr1.errors import ImageError  # noqa: E402
from swift_plugin_visionr1.ms_swift.dataset_check import check_dataset  # noqa: E402

SOLUTION = json.dumps({"width": 64, "height": 48, "boxes": [[1, 2, 30, 40]], "labels": ["cat"]})
SLIVER = json.dumps({"width": 3000, "height": 10, "boxes": [], "labels": []})


def png(size: tuple[int, int] = (64, 48)) -> bytes:
    buffer = BytesIO()
    Image.new("RGB", size).save(buffer, "PNG")
    return buffer.getvalue()


@pytest.fixture
def image(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.delenv("ROOT_IMAGE_DIR", raising=False)
    file = tmp_path / "a.png"
    file.write_bytes(png())
    return str(file)


def check(*rows: dict) -> int:
    return check_dataset(datasets.Dataset.from_list(list(rows)), "train_dataset", QwenResize())


def test_good_rows_pass_wherever_the_image_is(image: str) -> None:
    encoded = base64.b64encode(png() + bytes(2000)).decode()
    for source in (
        image,
        f"file://{image}",
        "https://example.org/a.png",
        f"data:image/png;base64,{base64.b64encode(png()).decode()}",
        encoded,
    ):
        check({"images": [source], "solution": SOLUTION})
    check({"images": [{"path": None, "bytes": png()}], "solution": SOLUTION})
    check({"images": [{"path": "only a name.png", "bytes": png()}], "solution": SOLUTION})
    check({"images": [{"path": image, "bytes": None}], "solution": SOLUTION})


def test_relative_paths_are_looked_for_under_root_image_dir(
    image: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ROOT_IMAGE_DIR", str(Path(image).parent))
    check({"images": [Path(image).name], "solution": SOLUTION})
    with pytest.raises(SolutionError, match="expected an image file at .*gone.png"):
        check({"images": ["gone.png"], "solution": SOLUTION})


@pytest.mark.parametrize(
    ("change", "message"),
    [
        pytest.param({"images": []}, 'expected an image in "images", got none', id="no image"),
        pytest.param(
            {"images": ["gone.png"]}, "expected an image file at gone.png", id="missing file"
        ),
        pytest.param(
            {"images": [__file__]},
            "expected an image that can be opened",
            id="no image file",
        ),
        pytest.param({"images": ["x" * 300]}, "x" * 300, id="what no file can be called"),
        pytest.param({"solution": SLIVER}, "aspect ratio of at most 200", id="sliver"),
        pytest.param(
            {"chat_template_kwargs": {"max_pixels": 5000}},
            "one limit of image sizes",
            id="limit of its own",
        ),
    ],
)
def test_bad_rows_are_named(image: str, change: dict, message: str) -> None:
    good = dict.fromkeys(change) | {"images": [image], "solution": SOLUTION}
    with pytest.raises(SolutionError, match=f"row 2 of train_dataset as loaded: .*{message}"):
        check(good, good | change)


def test_the_size_of_an_image_in_the_row_is_compared(image: str) -> None:
    with pytest.raises(SolutionError, match="those of the image file, 48 x 64, got 64 x 48"):
        check({"images": [{"path": None, "bytes": png((48, 64))}], "solution": SOLUTION})


def test_a_solution_that_is_no_string_is_named(image: str) -> None:
    with pytest.raises(
        SolutionError, match='row 1 .*expected "solution" to be a JSON string .*got dict'
    ):
        check({"images": [image], "solution": json.loads(SOLUTION)})


def test_a_data_set_without_solutions(image: str) -> None:
    with pytest.raises(
        SolutionError, match='expected a column "solution" in train_dataset, got images'
    ):
        check({"images": [image]})


def test_boxes_that_will_be_clipped_are_counted(image: str) -> None:
    loose = SOLUTION.replace("[1, 2, 30, 40]", "[-1, 2, 30, 51], [1, 2, 64.4, 40]")
    loose = loose.replace('"cat"', '"cat", "dog"')
    rows = [{"images": [image], "solution": solution} for solution in (SOLUTION, loose, loose)]
    assert check(*rows) == 2
    far = SOLUTION.replace("[1, 2, 30, 40]", "[1, 2, 30, 52]")
    with pytest.raises(SolutionError, match="box 0 inside the original image of 64 x 48"):
        check({"images": [image], "solution": far})


def turned(path: Path, orientation: int = 6) -> str:
    exif = Image.Exif()
    exif[0x0112] = orientation
    Image.new("RGB", (64, 48)).save(path, exif=exif)
    return str(path)


def test_every_image_is_opened_and_all_bad_ones_are_counted(image: str, tmp_path: Path) -> None:
    good = {"images": [image], "solution": SOLUTION}
    (tmp_path / "bad.png").write_bytes(b"no image")
    rows = [
        good | {"images": [str(tmp_path / "bad.png")]} if i > 1196 else good for i in range(1200)
    ]
    with pytest.raises(ImageError, match="row 1198 of .* 3 of 1200") as raised:
        check(*rows)
    assert raised.value.code == "unreadable"


def test_the_size_after_an_exif_rotation_is_told_from_others(image: str, tmp_path: Path) -> None:
    shown = json.dumps({"width": 48, "height": 64, "boxes": [], "labels": []})
    with pytest.raises(ImageError) as raised:
        check({"images": [turned(tmp_path / "a.jpg")], "solution": shown})
    assert raised.value.code == "exif_size"
    assert "EXIF" in str(raised.value)


def test_what_the_model_sees_otherwise_than_people_is_warned_of(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    Image.new("I;16", (64, 48), 60000).save(tmp_path / "deep.png")
    warned: list[str] = []
    monkeypatch.setattr(
        "swift_plugin_visionr1.ms_swift.dataset_check.logger.warning", warned.append
    )
    check(
        {"images": [turned(tmp_path / "a.jpg")], "solution": SOLUTION},
        {"images": [str(tmp_path / "deep.png")], "solution": SOLUTION},
    )
    assert ["EXIF" in warning for warning in sorted(warned)] == [True, False]


def test_one_process_of_a_machine_reads_the_images(
    image: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    gone = {"images": ["gone.png"], "solution": SOLUTION}
    monkeypatch.setenv("LOCAL_RANK", "1")
    check(gone)
    monkeypatch.setenv("LOCAL_RANK", "0")
    with pytest.raises(ImageError):
        check(gone)
