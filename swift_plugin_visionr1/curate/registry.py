"""The forms of annotations that `vision-r1 prepare --source` reads, and how they are told apart.

To add one: a file in `sources/` with `recognises`, which looks at the names and the first bytes of
files and never raises, and `open_...`, which makes a `Source` whose `read` streams samples and
counts what it leaves out; then an entry below. The first form that recognises a path reads it, so
the more specific ones come first.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from ..errors import InputError
from ..text import did_you_mean
from .sample import Request, Source, is_whole
from .sources import (
    coco,
    cvat,
    expressions,
    flickr30k,
    griffon,
    hf_objects,
    label_studio,
    labelme,
    openimages,
    refs,
    rows,
    visual_genome,
    voc,
    yolo,
)
from .tally import Tally


@dataclass(frozen=True)
class SourceFormat:
    """A form of annotations.

    Attributes:
        looks_like: the files by which it is known, in words.
        recognises: whether a file or folder is of this form.
        open: reads what is needed to know the source.
    """

    looks_like: str
    recognises: Callable[[Path], bool]
    open: Callable[[Request, Tally], Source]


FORMATS: dict[str, SourceFormat] = {
    "yolo": SourceFormat(
        "data.yaml with names and train, or classes.txt; labels in .txt",
        yolo.recognises,
        yolo.open_yolo,
    ),
    "flickr30k": SourceFormat(
        "folders Sentences and Annotations", flickr30k.recognises, flickr30k.open_flickr30k
    ),
    "refcoco": SourceFormat(
        "refs(*).p or grefs(*).json with instances.json", refs.recognises, refs.open_refs
    ),
    "openimages": SourceFormat(
        "*-annotations-bbox.csv, class-descriptions*.csv",
        openimages.recognises,
        openimages.open_openimages,
    ),
    "hf_objects": SourceFormat(
        ".parquet with columns image and objects",
        hf_objects.recognises,
        hf_objects.open_hf_objects,
    ),
    "visual_genome": SourceFormat(
        "objects.json, region_descriptions.json, image_data.json",
        visual_genome.recognises,
        visual_genome.open_visual_genome,
    ),
    "coco": SourceFormat(
        ".json with images, annotations and categories: COCO, LVIS, Objects365, V3Det, ODinW, "
        "Roboflow, MDETR",
        coco.recognises,
        coco.open_coco,
    ),
    "label_studio": SourceFormat(
        ".json with a list of tasks", label_studio.recognises, label_studio.open_label_studio
    ),
    "labelme": SourceFormat(
        ".json with shapes beside each image", labelme.recognises, labelme.open_labelme
    ),
    "cvat": SourceFormat(".xml with <annotations>", cvat.recognises, cvat.open_cvat),
    "voc": SourceFormat(".xml with <annotation> for each image", voc.recognises, voc.open_voc),
    "griffon": SourceFormat(
        ".jsonl or .json of rows with image_path and objects of category_name and bboxes",
        griffon.recognises,
        griffon.open_griffon,
    ),
    "expressions": SourceFormat(
        ".jsonl or .json of rows with an image, an expression and a bbox",
        expressions.recognises,
        expressions.open_expressions,
    ),
    "rows": SourceFormat(
        ".jsonl or .json of rows for training, such as ms-swift's and LLaVA's",
        rows.recognises,
        rows.open_rows,
    ),
}


def open_source(request: Request, tally: Tally, name: str | None = None) -> Source:
    """The source at a path.

    Args:
        request: what the user says about it.
        tally: counts the records that cannot be used.
        name: of its form, one of `FORMATS`; None to tell it by its files.

    Raises:
        InputError: there is nothing, or no form recognises it.
    """
    if not request.path.exists():
        raise InputError(f"expected a file or a folder at {request.path}, got none")
    if name is None:
        name = next((key for key, form in FORMATS.items() if form.recognises(request.path)), None)
    if name not in FORMATS:
        known = "\n".join(f"  {key:14} {form.looks_like}" for key, form in FORMATS.items())
        came = f"{name!r}{did_you_mean(name, FORMATS)}" if name else "none of them"
        raise InputError(
            f"expected a source of a known form at {request.path}, got {came}. Known are (for "
            f"--source-format):\n{known}"
        )
    source = FORMATS[name].open(request, tally)
    if not all(map(is_whole, source.categories)):  # their boxes are left out, one by one
        source = replace(source, categories=tuple(filter(is_whole, source.categories)))
    return source
