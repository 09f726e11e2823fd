"""Headers that are read without Pillow say what Pillow says."""

import random
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest

Image = pytest.importorskip("PIL.Image", reason="needs the extra `viz`")

from swift_plugin_visionr1.data import images  # noqa: E402
from swift_plugin_visionr1.data.images import Header, read_header  # noqa: E402
from swift_plugin_visionr1.data.plain_headers import plain_header, read_plain_header  # noqa: E402
from swift_plugin_visionr1.errors import ImageError  # noqa: E402

ORDINARY: dict[str, tuple[str, dict[str, Any]]] = {
    "jpeg": ("RGB", {"format": "JPEG"}),
    "grey jpeg": ("L", {"format": "JPEG"}),
    "progressive": ("RGB", {"format": "JPEG", "progressive": True, "quality": 95}),
    "with a comment": ("RGB", {"format": "JPEG", "comment": b"hello", "dpi": (72, 72)}),
    "png": ("RGB", {"format": "PNG"}),
    "grey png": ("L", {"format": "PNG"}),
    "png with alpha": ("RGBA", {"format": "PNG"}),
}
EXIF = Image.Exif()
EXIF[0x0112] = 6
OTHERS: dict[str, tuple[str, dict[str, Any]]] = {
    "turned jpeg": ("RGB", {"format": "JPEG", "exif": EXIF}),
    "turned png": ("RGB", {"format": "PNG", "exif": EXIF}),
    "cmyk": ("CMYK", {"format": "JPEG"}),
    "palette": ("P", {"format": "PNG"}),
    "16 bits": ("I;16", {"format": "PNG"}),
    "webp": ("RGB", {"format": "WEBP"}),
}


def saved(mode: str, options: dict[str, Any]) -> bytes:
    buffer = BytesIO()
    Image.new(mode, (37, 21)).save(buffer, **options)
    return buffer.getvalue()


def header_of(path: Path) -> Header | None:
    try:
        return read_header(str(path))
    except ImageError:
        return None


@pytest.fixture
def without_pillow(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(images, "_opened", None)


@pytest.mark.parametrize("name", ORDINARY)
@pytest.mark.usefixtures("without_pillow")
def test_ordinary_files_need_no_pillow(name: str, tmp_path: Path) -> None:
    file = tmp_path / "a"
    file.write_bytes(saved(*ORDINARY[name]))
    assert header_of(file) == Header((37, 21), 1, ORDINARY[name][0])


@pytest.mark.parametrize("name", OTHERS)
def test_everything_unusual_is_left_to_pillow(name: str, tmp_path: Path) -> None:
    file = tmp_path / "a"
    file.write_bytes(saved(*OTHERS[name]))
    assert read_plain_header(str(file)) is None
    assert header_of(file) is not None


def test_a_damaged_header_is_never_read_otherwise() -> None:
    """Also what Pillow refuses is left to it."""
    draw, plain = random.Random(0), 0
    files = [saved(*one) for one in (*ORDINARY.values(), *OTHERS.values())]
    for _ in range(6000):
        data = bytearray(draw.choice(files))
        for _ in range(draw.choice((1, 1, 2))):
            data[draw.randrange(min(len(data), 700))] = draw.choice((0, 1, 8, 255))
        data = data[: draw.choice((len(data), draw.randrange(1, len(data))))]
        header = plain_header(bytes(data))
        if header is not None:
            plain += 1
            assert read_header(bytes(data)) == Header(header[0], 1, header[1])
    assert plain > 300


def test_shared_images(shared_data: Path) -> None:
    files = [file for file in sorted(shared_data.rglob("*.jpg")) if file.is_file()]
    plain = [(file, read_plain_header(str(file))) for file in files]
    assert sum(header is not None for _, header in plain) > 100
    for file, header in plain:
        with Image.open(file) as opened:
            if header is not None:
                assert header == (opened.size, opened.mode)
                assert Image.Image.getexif(opened).get(0x0112, 1) == 1
