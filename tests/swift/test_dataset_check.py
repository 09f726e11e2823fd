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
