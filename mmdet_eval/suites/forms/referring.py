"""One's own rows of referring expressions, JSON or JSON lines: an image, an expression and its
boxes, none, one or several, in the names that `vision-r1 prepare` knows.

    {"image": "street.jpg", "expression": "parked cars", "boxes": [[10, 20, 200, 120]]}
    {"image": "street.jpg", "expression": "a horse", "boxes": []}

Boxes are [x1, y1, x2, y2] in pixels of the image, unless they are called `bbox_xywh`. A row may
have `width` and `height`; otherwise the image's header is read. Rows with a `split` other than the
suite's are left out.
"""

from collections.abc import Callable, Iterator

from swift_plugin_visionr1.curate.sample import Request, Sample, Source
from swift_plugin_visionr1.curate.sources.expressions import open_expressions
from swift_plugin_visionr1.curate.tally import Tally
from swift_plugin_visionr1.geometry.boxes import xyxy_to_xywh
from swift_plugin_visionr1.geometry.frames import Size

from ..spec import DatasetSpec
from .content import Content, Expression, content_of, size_in


def read_referring(spec: DatasetSpec) -> Content:
    """See `forms.FORMS`."""
    return from_source(open_expressions, spec)


def from_source(open_source: Callable[[Request, Tally], Source], spec: DatasetSpec) -> Content:
    """The expressions of a source of `vision-r1 prepare`; what it leaves out is in the notes.

    Raises:
        InputError: the file cannot be used, or has no expression in the split.
    """
    tally = Tally()
    source = open_source(Request(spec.ann, spec.images), tally)
    sizes: dict[str, Size] = {}
    samples = (one for one in source.read(tally) if not spec.split or one.split == spec.split)
    expressions = (one for sample in samples for one in _expressions(sample, spec, sizes))
    data = content_of(expressions, spec)
    notes = [f"left out: {count} {reason}" for reason, count in tally.dropped.items()]
    return Content(data, tuple(notes), source.files)


def _expressions(sample: Sample, spec: DatasetSpec, sizes: dict[str, Size]) -> Iterator[Expression]:
    size = sample.size or size_in(spec.images, sample.image, sizes)
    boxes = xyxy_to_xywh(sample.in_pixels(size).boxes_xyxy).tolist()
    for phrase in sample.phrases:
        yield Expression(sample.image, size, phrase.text, [boxes[place] for place in phrase.boxes])
