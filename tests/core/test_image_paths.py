"""Where the images of an annotation file are."""

from pathlib import Path

import pytest

from swift_plugin_visionr1.data.image_paths import find_images, name_parts
from swift_plugin_visionr1.errors import InputError


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("1.jpg", "train/2.jpg", "val/2.jpg", r"odd\3.jpg"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(b"")
    return tmp_path


@pytest.mark.parametrize(
    ("name", "place"),
    [
        pytest.param("1.jpg", "1.jpg", id="as it stands"),
        pytest.param(r"train\2.jpg", "train/2.jpg", id="backslashes"),
        pytest.param(r"..\..\label-studio\media\upload\4\1.jpg", "1.jpg", id="a foreign folder"),
        pytest.param(r"C:\data\val\2.jpg", "val/2.jpg", id="a drive"),
        pytest.param("/home/me/data/val/2.jpg", "val/2.jpg", id="another machine's path"),
        pytest.param("images/v1/train/2.jpg", "train/2.jpg", id="the longest end"),
        pytest.param(r"odd\3.jpg", r"odd\3.jpg", id="a name with a backslash"),
    ],
)
def test_names_are_found(folder: Path, name: str, place: str) -> None:
    paths = find_images(folder, [name])
    assert paths.by_name == {name: folder / place}
    assert bool(paths.shortened) == bool(paths.describe()) == (name != place)


@pytest.mark.parametrize("name", ["4.jpg", "2.jpg", "", "..", "train"])
def test_names_that_are_not_there(folder: Path, name: str) -> None:
    assert find_images(folder, [name]).missing == (name,)


def test_one_file_is_not_two_images(folder: Path) -> None:
    with pytest.raises(InputError, match=r"'a/1\.jpg', 'b/1\.jpg'"):
        find_images(folder, ["a/1.jpg", "b/1.jpg"])


def test_one_image_may_be_written_twice(folder: Path) -> None:
    paths = find_images(folder, ["train/2.jpg", r"train\2.jpg", "train/2.jpg"])
    assert set(paths.by_name.values()) == {folder / "train/2.jpg"}


def test_parts_of_windows_and_linux() -> None:
    assert name_parts(r"C:\a\..\b\1.jpg") == name_parts("/a/./b/1.jpg") == ("a", "b", "1.jpg")
