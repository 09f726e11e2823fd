"""What a file that is not an image is instead, by its first bytes, and what to do about it."""

HEIC = "a HEIC photograph: convert it to JPEG, for example with heif-convert"
STARTS = (
    (b"%!PS", "a PostScript drawing, which is not opened: convert it to PNG"),
    (b"\xc5\xd0\xd3\xc6", "a PostScript drawing, which is not opened: convert it to PNG"),
    (b"%PDF", "a PDF document: convert its pages to PNG"),
    (b"8BPS", "a Photoshop file: export it as PNG"),
    (b"\xff\x0a", "a JPEG XL image: convert it to JPEG or PNG"),
    (b"\x00\x00\x00\x0cJXL ", "a JPEG XL image: convert it to JPEG or PNG"),
    (b"version https://git-lfs", "a Git LFS pointer in place of the file: run `git lfs pull`"),
    (b"PK\x03\x04", "a ZIP archive: unpack it"),
    (b"\x1f\x8b", "a gzip archive: unpack it"),
)
HEIC_BRANDS = (b"heic", b"heix", b"hevc", b"hevx", b"heim", b"heis", b"mif1", b"msf1")


def describe_start(start: bytes) -> str | None:
    """What a file with these first bytes is, and what to do; None if that is unknown."""
    for signature, text in STARTS:
        if start.startswith(signature):
            return text
    if start[4:8] == b"ftyp" and start[8:12] in HEIC_BRANDS:
        return HEIC
    words = start.lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if b"<svg" in words:
        return "an SVG drawing: render it to PNG"
    if words.startswith((b"<!doctype html", b"<html")):
        return "an HTML page, such as a failed download leaves: download the image again"
    if start and not start.strip(b"\0"):
        return "nothing but zeros: copy it again"
    return None
