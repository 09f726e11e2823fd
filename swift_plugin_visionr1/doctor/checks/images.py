"""Image files: whether they are there, and whether their size is what the row says."""

from collections.abc import Sequence

from ...geometry.frames import Size
from ...text import clipped, listed, share
from ..cases import Case, SeenAs
from ..findings import Finding, note, ok, problem
from ..rows import Row


def image_findings(cases: Sequence[Case], view: SeenAs) -> list[Finding]:
    """What is wrong with the image files, and with the sizes that the rows say of them.

    Args:
        cases: the rows with their files.
        view: what the model sees of an image of a size.
    """
    found = [*_presence(cases), *_sizes(cases, view)]
    if cases and not any(finding.state == "problem" for finding in found):
        opened = sum(case.file.size is not None for case in cases)
        found.insert(0, ok("images", f"images: {len(cases)} named, {opened} opened"))
    return found


def _presence(cases: Sequence[Case]) -> list[Finding]:
    said = {
        "none": (
            "no_image",
            'have no image in "images"',
            'put a path there and "<image>" into the message',
        ),
        "missing": (
            "missing_image",
            "name an image file that is not there",
            "paths are relative to where swift is started, or to ROOT_IMAGE_DIR",
        ),
        "empty": ("empty_image", "have an image file of 0 bytes", "copy it again"),
        "unreadable": (
            "unreadable_image",
            "have an image file that cannot be opened",
            "convert or leave it out",
        ),
    }
    found = []
    for state, (code, what, remedy) in said.items():
        bad = [case for case in cases if case.file.state == state]
        if bad:
            name = f" {clipped(str(bad[0].file.path))}" if bad[0].file.path else ""
            if state == "missing" and bad[0].file.path and bad[0].file.path.is_absolute():
                remedy = "is the data set from another machine?"
            text = (
                f"{share(len(bad), len(cases))} rows {what}, the first is{name} in "
                f"{bad[0].row.place}: {remedy}"
            )
            found.append(problem(code, text))
    elsewhere = sum(case.file.state == "elsewhere" for case in cases)
    if elsewhere:
        text = f"{share(elsewhere, len(cases))} images are URLs or base64: not looked at"
        found.append(note("images_elsewhere", text))
    return found


def _sizes(cases: Sequence[Case], view: SeenAs) -> list[Finding]:
    compared = [(case.row, case.file.size) for case in cases if case.row.size and case.file.size]
    wrong = [(row, size) for row, size in compared if row.size != size]
    if not wrong:
        return []
    kinds = {
        "swapped_size": (
            [pair for pair in wrong if pair[0].size == pair[1][::-1]],
            (
                "have width and height swapped",
                "write width first; or the photographs carry an EXIF rotation, which "
                "ms-swift does not apply: save them upright",
            ),
        ),
        "resized_size": (
            [pair for pair in wrong if (seen := view(pair[1])) and pair[0].size == seen.processed],
            (
                "say the size that the model sees instead of their image file's",
                "boxes, width and height belong to the "
                "original image, the reward scales them itself: write them in pixels of the image "
                "file",
            ),
        ),
    }
    for code, (pairs, (what, remedy)) in kinds.items():
        if len(pairs) > len(wrong) / 2:
            return [
                problem(
                    code,
                    f"{share(len(pairs), len(compared))} rows {what}: {_example(*pairs[0])}; "
                    f"{remedy}",
                )
            ]
    others = listed(row.place for row, _ in wrong[1:])
    text = (
        f"{share(len(wrong), len(compared))} rows do not say the size of their image file: "
        f"{_example(*wrong[0])}"
    )
    text += f"; also {others}" if others else ""
    return [
        problem(
            "wrong_size",
            f"{text}. Boxes, width and height belong to the image file as it is on the disk",
        )
    ]


def _example(row: Row, size: Size) -> str:
    return f"{row.place} says {_by(row.size)}, its image file is {_by(size)}"


def _by(size: Size | None) -> str:
    return f"{size[0]} x {size[1]}" if size else "no size"
