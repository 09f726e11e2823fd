"""LVIS: COCO annotations whose images say what was looked for in them.

The path of an image is the end of its `coco_url`, because LVIS v1 has no `file_name`, and files to
which one was added leave out the folder (train2017 or val2017).
"""

from typing import Any

from swift_plugin_visionr1.errors import InputError
from swift_plugin_visionr1.files import read_json

from ...coco.annotations import NEGATIVE
from ..spec import DatasetSpec
from .content import Content


def read_lvis(spec: DatasetSpec) -> Content:
    """See `forms.FORMS`."""
    data = read_json(spec.ann)
    images = data.get("images") if isinstance(data, dict) else None
    if not isinstance(images, list) or not all(isinstance(one, dict) for one in images):
        raise InputError(f'expected {spec.ann} to be LVIS annotations with a list "images"')
    if not any(NEGATIVE in image for image in images):
        raise InputError(
            f"expected {spec.ann} to be LVIS annotations, whose images have {NEGATIVE}, got none: "
            "is it COCO's own file?"
        )
    return Content(data | {"images": [_with_path(image) for image in images]})


def _with_path(image: dict[str, Any]) -> dict[str, Any]:
    url = image.get("coco_url")
    if not isinstance(url, str):
        return image
    return image | {"file_name": "/".join(url.split("/")[-2:])}
