"""Image files: whether they exist, and whether their size is the one in the row."""

from collections.abc import Sequence

from ...data.image_check import UPRIGHT, WORDS
from ...geometry.frames import Size
from ...text import clipped, listed, share
from ..cases import Case, SeenAs
from ..findings import Finding, note, ok, problem


def image_findings(cases: Sequence[Case], view: SeenAs) -> list[Finding]:
    """What is wrong with the image files, and with the sizes that the rows give for them.

    Args:
        cases: the rows with their files.
        view: what the model sees of an image of a size.
    """
    findings = [*_presence(cases), *_sizes(cases, view), *_pixels(cases)]
    if cases and not any(finding.state == "problem" for finding in findings):
        opened = sum(case.file.size is not None for case in cases)
        findings.insert(0, ok("images", f"images: {len(cases)} named, {opened} opened"))
    return findings


def _presence(cases: Sequence[Case]) -> list[Finding]:
    said = {
        "none": (
            "no_image",
            'have no image in "images"',
            'put a path there and "<image>" into the message',
        ),
        "missing": (
            "missing_image",
            "name an image file that does not exist",
            "paths are relative to where swift is started, or to ROOT_IMAGE_DIR",
        ),
        "empty": ("empty_image", "have an image file of 0 bytes", "copy it again"),
        "unreadable": (
            "unreadable_image",
            "have an image that cannot be opened",
            "convert or leave it out",
        ),
        "too_large": ("too_large_image", "have an image with too many pixels", "shrink it"),
    }
    findings = []
    for state, (code, what, remedy) in said.items():
        bad = [case for case in cases if case.file.state == state]
        if bad:
            findings.append(problem(code, _named(bad, len(cases), state, what, remedy)))
    elsewhere = sum(case.file.state == "elsewhere" for case in cases)
    if elsewhere:
        text = f"{share(elsewhere, len(cases))} images are URLs: not looked at"
        findings.append(note("images_elsewhere", text))
    return findings


def _named(bad: Sequence[Case], total: int, state: str, what: str, remedy: str) -> str:
    first = bad[0]
    name = f" {clipped(str(first.file.path))}" if first.file.path else ""
    if state == "missing" and first.file.path and first.file.path.is_absolute():
        remedy = "is the data set from another machine?"
    if state in ("unreadable", "too_large"):
        remedy = first.file.error
    text = (
        f"{share(len(bad), total)} rows {what}, the first is{name} in {first.row.place}: {remedy}"
    )
    more = listed(case.row.place for case in bad[1:])
    return text + (f"; also {more}" if more else "")


def _pixels(cases: Sequence[Case]) -> list[Finding]:
    """Images that the model sees differently from a person."""
    findings = []
    deep = [case for case in cases if case.file.header and case.file.header.is_deep]
    if deep:
        text = f"{share(len(deep), len(cases))} images are {WORDS['deep']}"
        findings.append(problem("deep_image", f"{text}; the first is in {deep[0].row.place}"))
    turned = [
        case
        for case in cases
        if case.file.header
        and case.file.header.orientation != 1
        and case.row.size in (None, case.file.size)
    ]
    if turned:
        text = f"{share(len(turned), len(cases))} images are {WORDS['exif']}"
        findings.append(note("exif_rotation", f"{text}. The first is in {turned[0].row.place}"))
    return findings


def _sizes(cases: Sequence[Case], view: SeenAs) -> list[Finding]:
    compared = [case for case in cases if case.row.size and case.file.size]
    wrong = [case for case in compared if case.row.size != case.file.size]
    if not wrong:
        return []
    for code, (fits, text) in SIZE_KINDS.items():
        some = [case for case in wrong if fits(case, view)]
        if len(some) > len(wrong) / 2:
            what, remedy = text
            said = f"{share(len(some), len(compared))} rows {what}: {_example(some[0])}; {remedy}"
            return [problem(code, said)]
    others = listed(case.row.place for case in wrong[1:])
    said = f"{share(len(wrong), len(compared))} rows do not give the size of their image file: "
    said += f"{_example(wrong[0])}" + (f"; also {others}" if others else "")
    return [
        problem(
            "wrong_size",
            f"{said}. Boxes, width and height belong to the image file as stored on disk",
        )
    ]


def _is_turned(case: Case, _: SeenAs) -> bool:
    return case.file.header is not None and case.row.size == case.file.header.shown_size


def _is_swapped(case: Case, _: SeenAs) -> bool:
    return case.row.size is not None and case.file.size == case.row.size[::-1]


def _is_processed(case: Case, view: SeenAs) -> bool:
    seen = view(case.file.size) if case.file.size else None
    return seen is not None and case.row.size == seen.processed


SIZE_KINDS = {  # what a row's size may be instead of its file's, the words for it, what to do
    "exif_size": (
        _is_turned,
        (
            "give the size that their image file has after its EXIF rotation, which ms-swift does "
            "not apply",
            UPRIGHT,
        ),
    ),
    "swapped_size": (_is_swapped, ("have width and height swapped", "write width first")),
    "resized_size": (
        _is_processed,
        (
            "give the size that the model sees instead of their image file's",
            "boxes, width and height belong to the original image, the reward scales them itself: "
            "write them in pixels of the image file",
        ),
    ),
}


def _example(case: Case) -> str:
    sizes = f"says {_by(case.row.size)}, its image file is {_by(case.file.size)}"
    return f"{case.row.place} {sizes}"


def _by(size: Size | None) -> str:
    return f"{size[0]} x {size[1]}" if size else "no size"
