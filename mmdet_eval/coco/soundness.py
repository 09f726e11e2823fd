"""Checks whether annotations fit their images, and what that means for an evaluation.

COCOeval accepts boxes that extend beyond their image or have no area, so the metric gets them
unchanged, with a warning. A file whose boxes all use another convention is refused: its numbers
would say nothing about the model.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from swift_plugin_visionr1.data.box_faults import TOLERANCE
from swift_plugin_visionr1.data.coco_check import CocoCheck, Reason, check_coco
from swift_plugin_visionr1.text import listed, share

from .annotations import Annotations, Id

if TYPE_CHECKING:
    from swift_plugin_visionr1.data.images import Header  # needs Pillow

# Boxes that nothing explains may be intended: whole bodies beyond the border, as in CrowdHuman.
WARNED = ("out_of_image", "no_area")
WORDS: dict[Reason, str] = {
    "no_area": "have a bbox without area: no box can match them, so they count as missed",
    "outside": f"extend more than {TOLERANCE:g} pixels beyond their image, where no answer can "
    "follow",
}


def require_sound(
    annotations: Annotations, headers: Mapping[Id, "Header"] | None = None
) -> CocoCheck:
    """Check that the annotations fit their images; returns what the check says.

    Args:
        annotations: of a data set.
        headers: headers of its image files, by image id, as far as known.

    Raises:
        InputError: the boxes or sizes as a whole have a recognised fault.
    """
    check = _check(annotations, headers)
    if check.fault and check.fault.code not in WARNED:
        check.raise_fault(annotations.path)
    return check


def require_sound_files(annotations: Annotations, folder: Path) -> tuple[str, ...]:
    """`require_sound` with the images in a folder; returns warnings. Missing or unreadable images
    are not an error, because only pictures need them."""
    from swift_plugin_visionr1.data.coco_images import look_at_images

    files = look_at_images(annotations.images, folder, unusable=())
    other_size = require_sound(annotations, files.headers).other_size
    total, warnings = len(annotations.images), list(files.warnings)
    if other_size:
        warnings.append(
            f"{share(len(other_size), total)} images do not have the size that the annotations "
            f"give, which is used: image {listed(sorted(other_size, key=str))}"
        )
    missing = sum(image.file_name not in files.paths.by_name for image in annotations.images)
    if missing:
        text = f"{share(missing, total)} images are not in {folder}"
        warnings.append(f"{text}: their sizes were not checked, and no report shows them")
    return tuple(warnings)


def truth_warnings(annotations: Annotations) -> tuple[str, ...]:
    """What to know about the annotations before trusting the numbers."""
    check = _check(annotations, None)
    warnings = []
    if check.fault:
        warnings.append(
            f"the annotations do not fit their images: {check.fault.text} (see {check.example})"
        )
    total = len(annotations.data["annotations"])
    for reason, words in WORDS.items():
        records = check.counts.get(reason, ())
        if records and not (check.fault and reason == "outside"):
            names = listed(record["id"] for record in records)
            warnings.append(f"{share(len(records), total)} annotations {words}: annotation {names}")
    return tuple(warnings)


def _check(annotations: Annotations, headers: Mapping[Id, "Header"] | None) -> CocoCheck:
    if not headers:
        return annotations.check
    return check_coco(annotations.images, annotations.data["annotations"], headers)
