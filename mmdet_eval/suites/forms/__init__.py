"""The forms in which evaluation sets are published, each read as COCO annotations.

How to add one: a function from a `DatasetSpec` to `Content`, in a file of its own, and an entry in
`FORMS`. A suite's YAML file names it.
"""

import hashlib
from collections.abc import Callable

from swift_plugin_visionr1.files import read_bytes

from ...coco.annotations import Annotations, make_annotations, read_annotations
from ..spec import DatasetSpec
from .content import Content, require_files
from .counts import read_counts, read_fsc147
from .d3 import read_d3
from .grefcoco import read_grefcoco
from .humanref import read_humanref
from .lvis import read_lvis
from .ref_l4 import read_ref_l4
from .referring import read_referring
from .rex_omni import read_rex_omni
from .roboflow import read_roboflow

__all__ = ["FORMS", "read_dataset"]

Reader = Callable[[DatasetSpec], Content]
# COCO's own form needs no other reader.
FORMS: dict[str, Reader | None] = {
    "coco": None,
    "referring": read_referring,
    "grefcoco": read_grefcoco,
    "humanref": read_humanref,
    "ref_l4": read_ref_l4,
    "d3": read_d3,
    "lvis": read_lvis,
    "roboflow": read_roboflow,
    "rex_omni": read_rex_omni,
    "counting": read_counts,
    "countbench": read_counts,
    "countbenchqa": read_counts,
    "pixmo_count": read_counts,
    "fsc147": read_fsc147,
}
# The least number of files of `DatasetSpec.needs` that a form reads.
NEEDS = {"d3": 1, "fsc147": 2}


def read_dataset(spec: DatasetSpec) -> Annotations:
    """The annotations of a data set, whatever the form of its file.

    Raises:
        InputError: a file is missing or cannot be used, or has nothing in the split.
    """
    read = FORMS[spec.form]
    require_files(spec, NEEDS.get(spec.form, 0))
    if read is None:
        return read_annotations(spec.ann, spec.classes)
    content = read(spec)
    digest = hashlib.sha256()
    for path in content.files or (spec.ann,):
        digest.update(read_bytes(path))
    return make_annotations(content.data, spec.ann, digest.hexdigest(), spec.classes, content.notes)
