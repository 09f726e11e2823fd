"""The one way to an image: headers, pixels, and one clear error for everything else."""

import base64
import os
import struct
import sys
import zlib
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest

Image = pytest.importorskip("PIL.Image", reason="needs the extra `viz`")

from swift_plugin_visionr1.data.image_check import (  # noqa: E402
    UNREADABLE,
    Fault,
    fault_of,
    image_faults,
    require_usable,
)
from swift_plugin_visionr1.data.image_headers import read_headers  # noqa: E402
from swift_plugin_visionr1.data.images import (  # noqa: E402
    FORMATS,
    MOST_PIXELS,
    Header,
    open_image,
    read_header,
)
from swift_plugin_visionr1.errors import ImageError, InputError, SolutionError  # noqa: E402

SIZE = (64, 48)


def noise(mode: str = "RGB") -> "Image.Image":
    pixels = np.random.default_rng(0).integers(0, 256, (*SIZE[::-1], 3), dtype=np.uint8)
    return Image.fromarray(pixels).convert(mode)


def turned(path: Path, orientation: int) -> Path:
    exif = Image.Exif()
    exif[0x0112] = orientation
    noise().save(path, exif=exif)
    return path


def as_bytes(suffix: str = "PNG") -> bytes:
    out = BytesIO()
    noise().save(out, suffix)
    return out.getvalue()


def deep(path: Path) -> Path:
    ramp = np.linspace(0, 65535, SIZE[0] * SIZE[1]).reshape(SIZE[::-1]).astype(np.uint16)
    Image.fromarray(ramp).save(path)
    return path


def bomb(path: Path) -> Path:
    """A PNG of 49 KB that decodes to 400 million pixels."""
    side = 20_000
    chunks = [
        (b"IHDR", struct.pack(">IIBBBBB", side, side, 1, 0, 0, 0, 0)),
        (b"IDAT", zlib.compress(bytes(side * (1 + side // 8)), 9)),
        (b"IEND", b""),
    ]
    path.write_bytes(b"\x89PNG\r\n\x1a\n")
    with path.open("ab") as file:
        for kind, data in chunks:
            file.write(struct.pack(">I", len(data)) + kind + data)
            file.write(struct.pack(">I", zlib.crc32(kind + data)))
    assert path.stat().st_size < 50_000
    return path


@pytest.mark.parametrize("suffix", ["jpg", "png", "webp", "bmp", "gif", "tif", "ppm", "avif"])
def test_a_format_is_opened(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"a.{suffix}"
    noise().save(path)
    assert read_header(str(path)).size == SIZE
    assert (open_image(path).mode, open_image(path).size) == ("RGB", SIZE)


def test_a_photograph_of_several_pictures_is_a_jpeg(tmp_path: Path) -> None:
    noise().save(tmp_path / "a.mpo", save_all=True, append_images=[noise()])
    assert read_header(tmp_path / "a.mpo").size == SIZE


@pytest.mark.parametrize(
    "row_image",
    [
        pytest.param(lambda path: str(path), id="path"),
        pytest.param(lambda path: path, id="Path"),
        pytest.param(lambda path: path.read_bytes(), id="bytes"),
        pytest.param(lambda path: {"bytes": path.read_bytes(), "path": None}, id="mapping, bytes"),
        pytest.param(lambda path: {"bytes": None, "path": str(path)}, id="mapping, path"),
        pytest.param(
            lambda path: "data:image/png;base64," + base64.b64encode(path.read_bytes()).decode(),
            id="data URI",
        ),
        pytest.param(
            lambda path: base64.b64encode(path.read_bytes() + bytes(2000)).decode(), id="base64"
        ),
    ],
)
def test_an_image_as_rows_have_it(tmp_path: Path, row_image: object) -> None:
    noise().save(tmp_path / "a.png")
    assert np.array_equal(
        np.asarray(open_image(row_image(tmp_path / "a.png"))), np.asarray(noise())
    )


BROKEN = {
    "missing": (lambda path: None, "missing", ""),
    "empty": (lambda path: path.write_bytes(b""), "empty", "0 bytes"),
    "folder": (lambda path: path.mkdir(), "unreadable", "folder"),
    "pipe": (lambda path: os.mkfifo(path), "unreadable", "other than a file"),
    "link to itself": (lambda path: path.symlink_to(path), "missing", "links"),
    "text": (lambda path: path.write_text("no image"), "unreadable", "none of JPEG"),
    "svg": (
        lambda path: path.write_text('<?xml version="1.0"?><svg xmlns="x"/>'),
        "unreadable",
        "an SVG drawing",
    ),
    "heic": (
        lambda path: path.write_bytes(b"\0\0\0\x18ftypheic\0\0\0\0mif1heic"),
        "unreadable",
        "a HEIC photograph",
    ),
    "html": (
        lambda path: path.write_text("<!DOCTYPE html><html>404</html>"),
        "unreadable",
        "an HTML page",
    ),
    "git lfs": (
        lambda path: path.write_text("version https://git-lfs.github.com/spec/v1\noid sha256:0"),
        "unreadable",
        "git lfs pull",
    ),
    "zeros": (lambda path: path.write_bytes(bytes(3000)), "unreadable", "zeros"),
    "bomb": (bomb, "too_large", f"{MOST_PIXELS:,}"),
}


@pytest.mark.parametrize("case", BROKEN)
def test_what_cannot_be_opened_is_one_error_with_file_and_cause(tmp_path: Path, case: str) -> None:
    make, code, said = BROKEN[case]
    path = tmp_path / "a.jpg"
    make(path)
    for opens in (read_header, open_image):
        with pytest.raises(ImageError) as raised:
            opens(str(path))
        assert raised.value.code == code
        assert str(path) in str(raised.value)
        assert said in str(raised.value)
        assert isinstance(raised.value, InputError | SolutionError)


def test_a_name_too_long_and_one_with_a_nul() -> None:
    for name in ("x" * 300, "a\0.png", "gone/a.png"):
        with pytest.raises(ImageError) as raised:
            read_header(name)
        assert raised.value.code == "missing"


@pytest.mark.parametrize("size", [(MOST_PIXELS // 10_000 + 1, 10_001), (30_000, 30_000)], ids=str)
def test_too_many_pixels_are_refused_by_the_header(size: tuple[int, int]) -> None:
    data = b"P4 %d %d\n" % size  # no pixels at all follow
    with pytest.raises(ImageError) as raised:
        open_image(data)
    assert raised.value.code == "too_large"


def test_drawings_that_start_other_programs_are_not_opened(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ghostscript would be found first in this PATH, and leave a file."""
    (tmp_path / "gs").write_text(f"#!/bin/sh\ntouch {tmp_path}/started\n")
    (tmp_path / "gs").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    eps = "%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 10 10\n%%EndComments\nshowpage\n%%EOF\n"
    (tmp_path / "a.png").write_text(eps)
    with pytest.raises(ImageError, match="PostScript"):
        open_image(tmp_path / "a.png")
    assert not (tmp_path / "started").exists()
    assert not {"EPS", "WMF", "PSD"} & set(FORMATS)


@pytest.mark.parametrize("suffix", ["jpg", "png", "webp", "gif", "bmp", "tif"])
@pytest.mark.parametrize("share", [0.1, 0.5, 0.9])
def test_a_file_that_is_cut_off(tmp_path: Path, suffix: str, share: float) -> None:
    noise().save(tmp_path / f"whole.{suffix}")
    whole = (tmp_path / f"whole.{suffix}").read_bytes()
    (tmp_path / "cut").write_bytes(whole[: int(len(whole) * share)])
    with pytest.raises(ImageError, match="cut"):
        open_image(tmp_path / "cut")


@pytest.mark.parametrize(
    "mode", ["1", "L", "LA", "P", "PA", "RGBA", "CMYK", "YCbCr", "I", "I;16", "palette with alpha"]
)
def test_pixels_are_those_that_ms_swift_hands_to_the_model(tmp_path: Path, mode: str) -> None:
    vision_utils = pytest.importorskip("swift.template.vision_utils", reason="needs ms-swift")
    path = tmp_path / (
        "a.jpg" if mode in ("CMYK", "YCbCr") else "a.tif" if mode == "PA" else "a.png"
    )
    if mode in ("I", "I;16"):
        deep(path)
    elif mode == "palette with alpha":
        noise("P").save(path, transparency=bytes([0, 90, 255] * 20))
    else:
        noise("RGB" if mode in ("I", "I;16", "PA") else mode).save(path)
    assert np.array_equal(
        np.asarray(open_image(path)), np.asarray(vision_utils.load_image(str(path)))
    )


def test_16_bits_are_white_to_the_model_and_named(tmp_path: Path) -> None:
    vision_utils = pytest.importorskip("swift.template.vision_utils", reason="needs ms-swift")
    path = deep(tmp_path / "a.png")
    assert (np.asarray(vision_utils.load_image(str(path))) == 255).mean() > 0.99
    assert read_header(path).is_deep
    assert not read_header(as_bytes()).is_deep


def test_an_animation_is_its_first_frame(tmp_path: Path) -> None:
    frames = [Image.new("RGB", SIZE, colour) for colour in ("red", "blue")]
    frames[0].save(tmp_path / "a.gif", save_all=True, append_images=frames[1:])
    assert open_image(tmp_path / "a.gif").getpixel((5, 5)) == (255, 0, 0)


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("suffix", ["jpg", "png", "webp"])
def test_exif_orientation_is_told_and_not_applied(
    tmp_path: Path, suffix: str, orientation: int
) -> None:
    header = read_header(turned(tmp_path / f"a.{suffix}", orientation))
    assert (header.size, header.orientation) == (SIZE, orientation)
    assert header.shown_size == (SIZE if orientation < 5 else SIZE[::-1])
    assert open_image(tmp_path / f"a.{suffix}").size == SIZE


def test_what_pillow_turns_by_itself_is_not_told_again(tmp_path: Path) -> None:
    header = read_header(turned(tmp_path / "a.tif", 6))
    assert (header.size, header.orientation) == (open_image(tmp_path / "a.tif").size, 1)


def test_a_header_of_a_large_png_is_read_without_its_pixels(tmp_path: Path) -> None:
    """Pillow's own `getexif` of a PNG decodes all of it, in search of what follows the pixels."""
    noise().resize((3000, 3000)).save(tmp_path / "a.png")
    whole = (tmp_path / "a.png").read_bytes()
    (tmp_path / "cut.png").write_bytes(whole[: len(whole) // 2])
    assert read_header(tmp_path / "cut.png").size == (3000, 3000)


def test_many_headers_in_order(tmp_path: Path) -> None:
    for number in range(30):
        Image.new("L", (number + 1, 5)).save(tmp_path / f"{number}.png")
    (tmp_path / "13.png").unlink()
    images = [str(tmp_path / f"{number % 30}.png") for number in range(3000)]
    headers = list(read_headers([*images, {"bytes": as_bytes(), "path": None}, None]))
    assert [h.size[0] if isinstance(h, Header) else h.code for h in headers] == [
        "missing" if number % 30 == 13 else number % 30 + 1 for number in range(3000)
    ] + [64, "elsewhere"]


@pytest.mark.parametrize(
    ("header", "size", "code"),
    [
        pytest.param(Header(SIZE, 1, "RGB"), SIZE, None, id="right"),
        pytest.param(Header(SIZE, 1, "RGB"), None, None, id="no size in the row"),
        pytest.param(Header(SIZE, 1, "RGB"), (64, 49), "wrong_size", id="another size"),
        pytest.param(Header(SIZE, 1, "RGB"), (48, 64), "wrong_size", id="swapped"),
        pytest.param(Header(SIZE, 6, "RGB"), (48, 64), "exif_size", id="as a viewer shows it"),
        pytest.param(Header(SIZE, 6, "RGB"), SIZE, "exif", id="turned, size as stored"),
        pytest.param(Header(SIZE, 3, "RGB"), SIZE, "exif", id="upside down"),
        pytest.param(Header(SIZE, 1, "I;16"), SIZE, "deep", id="16 bits"),
        pytest.param(ImageError("x", "empty"), SIZE, "empty", id="empty"),
        pytest.param(ImageError("x", "elsewhere"), SIZE, None, id="a URL"),
    ],
)
def test_faults(header: Header | ImageError, size: tuple[int, int] | None, code: str) -> None:
    fault = fault_of(7, header, size)
    assert (fault and fault.code) == code


def test_all_bad_images_are_counted_and_the_first_named(tmp_path: Path) -> None:
    noise().save(tmp_path / "good.png")
    (tmp_path / "bad.png").write_text("no image")
    images = [str(tmp_path / f"{name}.png") for name in ["good", "bad", "gone", "good"] * 300]
    faults = image_faults(images, [SIZE, SIZE, SIZE, (1, 2)] * 300)
    with pytest.raises(ImageError) as raised:
        require_usable(faults, 1200, lambda index: f"row {index + 1}")
    said = str(raised.value)
    assert said.startswith("row 2: ")
    assert "900 of 1200" in said
    assert "row 3, row 4, row 6" in said
    assert raised.value.code == "unreadable"


def test_faults_that_do_not_stop_are_warnings() -> None:
    faults = [Fault(0, "exif", "x"), Fault(4, "wrong_size", "y"), Fault(5, "wrong_size", "z")]
    warnings = require_usable(faults, 9, lambda index: f"row {index + 1}", UNREADABLE)
    assert [warning.split(" of 9")[0] for warning in warnings] == ["2", "1"]


def test_nothing_opens_files_with_pillow_but_the_one_reader() -> None:
    root = Path(__file__).parents[2]
    files = [
        p for name in ("swift_plugin_visionr1", "mmdet_eval") for p in (root / name).rglob("*.py")
    ]
    openers = ("Image.open(", "imread(", "read_bytes()).convert")
    using = {p.name for p in files if any(word in p.read_text("utf-8") for word in openers)}
    assert using == {"images.py"}


def test_without_pillow_the_error_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "PIL", None)
    with pytest.raises(InputError, match="Pillow"):
        read_header("a.png")
