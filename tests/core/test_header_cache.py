"""Headers of images between runs: known ones are not read again, changed ones always are."""

import os
from pathlib import Path

import pytest

pytest.importorskip("PIL")

from PIL import Image

from swift_plugin_visionr1.curate import header_cache
from swift_plugin_visionr1.curate.headers import with_headers
from swift_plugin_visionr1.curate.sample import Sample
from swift_plugin_visionr1.data import images
from swift_plugin_visionr1.data.images import Header
from swift_plugin_visionr1.errors import ImageError
from swift_plugin_visionr1.geometry.boxes import as_boxes


def save(path: Path, size: tuple[int, int]) -> None:
    Image.new("L", size).save(path)


def read(*paths: Path, workers: int = 1) -> list[Header | ImageError]:
    samples = [Sample(str(path), str(path), None, as_boxes([])) for path in paths]
    return [header for _, header in with_headers(samples, workers)]


@pytest.fixture
def is_opened(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[str]:
    """The images that are opened, in an empty cache."""
    opened: list[str] = []
    read_header = images.read_header

    def watched(image: str) -> Header:
        opened.append(Path(image).name)
        return read_header(image)

    monkeypatch.setattr("swift_plugin_visionr1.data.image_headers.read_header", watched)
    monkeypatch.setattr(header_cache, "SETTLED", 0.0)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return opened


def test_a_second_run_opens_only_what_changed(is_opened: list[str], tmp_path: Path) -> None:
    same, other, new = (tmp_path / f"{name}.png" for name in ("same", "other", "new"))
    save(same, (7, 5))
    save(other, (7, 5))
    first = read(same, other, new)
    assert isinstance(first[2], ImageError)
    times = os.stat(other)
    save(other, (5, 7))
    os.utime(other, ns=(times.st_atime_ns, times.st_mtime_ns))  # as a copying program does
    assert os.stat(other).st_size == times.st_size
    save(new, (2, 2))
    is_opened.clear()
    sizes = [each.size for each in read(same, other, new) if isinstance(each, Header)]
    assert sizes == [(7, 5), (5, 7), (2, 2)]
    assert is_opened == ["other.png", "new.png"]


def test_a_file_that_has_just_changed_is_not_trusted(
    is_opened: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(header_cache, "SETTLED", 2.0)
    save(tmp_path / "a.png", (7, 5))
    read(tmp_path / "a.png")
    read(tmp_path / "a.png")
    assert is_opened == ["a.png", "a.png"]


@pytest.mark.parametrize("spoil", ["text", "folder"])
def test_a_broken_cache_costs_time_only(spoil: str, is_opened: list[str], tmp_path: Path) -> None:
    save(tmp_path / "a.png", (7, 5))
    file = header_cache.cache_file()
    file.parent.mkdir(parents=True)
    file.write_text("no database" * 99) if spoil == "text" else file.mkdir()
    assert [read(tmp_path / "a.png") for _ in range(2)] == [[Header((7, 5), 1, "L")]] * 2
