"""What transformers' own processors read from Kosmos-2's and Florence-2's answers, and write: ours
does the same."""

import pytest

pytest.importorskip("transformers", reason="needs the extra `swift`")
torch = pytest.importorskip("torch", reason="needs the extra `swift`")

from types import SimpleNamespace  # noqa: E402

import numpy as np  # noqa: E402
from hypothesis import given  # noqa: E402
from hypothesis import strategies as st  # noqa: E402
from transformers.models.florence2.processing_florence2 import Florence2PostProcessor  # noqa: E402
from transformers.models.kosmos2.processing_kosmos2 import (  # noqa: E402
    clean_text_and_extract_entities_with_bboxes,
    coordinate_to_patch_index,
)

from swift_plugin_visionr1.formats import get_format  # noqa: E402
from swift_plugin_visionr1.geometry.boxes import as_boxes  # noqa: E402
from swift_plugin_visionr1.geometry.frames import View  # noqa: E402

KOSMOS, FLORENCE = get_format("kosmos2"), get_format("florence2")
AND = "</delimiter_of_multi_objects/>"

patch = st.integers(0, 31)
name = st.sampled_from(["a hat", "scarf", "the man in red", "Two puppies"])


@st.composite
def pairs(draw: st.DrawFn) -> str:
    """The patches of a box that is in order."""
    (x1, x2), (y1, y2) = (
        sorted(draw(st.tuples(patch, patch))),
        sorted(draw(st.tuples(patch, patch))),
    )
    return f"<patch_index_{y1 * 32 + x1:04}><patch_index_{y2 * 32 + x2:04}>"


@given(st.lists(st.tuples(name, st.lists(pairs(), min_size=1, max_size=3)), max_size=4))
def test_kosmos2_answers_are_decoded_alike(objects: list[tuple[str, list[str]]]) -> None:
    parts = [
        f"<phrase> {label}</phrase><object>{AND.join(boxes)}</object>" for label, boxes in objects
    ]
    text = "<grounding> An image of" + ", and".join(parts) + " in the snow."
    _, entities = clean_text_and_extract_entities_with_bboxes(text)
    expected = [(label, box) for label, _, boxes in entities for box in boxes]
    parsed = KOSMOS.parse(text)
    assert parsed.labels == tuple(label for label, _ in expected)
    assert np.allclose(parsed.boxes, as_boxes([box for _, box in expected]))


@given(*[st.floats(0, 0.98)] * 2, *[st.floats(0.01, 1)] * 2)
def test_kosmos2_boxes_are_encoded_alike(x1: float, y1: float, width: float, height: float) -> None:
    box = (x1, y1, min(x1 + width, 1.0), min(y1 + height, 1.0))
    first, last = coordinate_to_patch_index(box, 32)
    assert f"<patch_index_{first:04}><patch_index_{last:04}>" in KOSMOS.write(
        as_boxes([box]), ("a",)
    )


POST = Florence2PostProcessor(
    config={"description_with_bboxes": {}}, tokenizer=SimpleNamespace(all_special_tokens=[])
)
side_of_bins = st.tuples(st.integers(0, 998), st.integers(1, 999)).map(
    lambda v: (v[0], min(v[0] + v[1], 999))
)
box_of_bins = st.tuples(side_of_bins, side_of_bins).map(
    lambda sides: (*[v[0] for v in sides], *[v[1] for v in sides])
)
size = st.tuples(st.integers(1, 5000), st.integers(1, 5000))


@given(
    st.lists(
        st.tuples(name, st.lists(box_of_bins, min_size=1, max_size=3)), min_size=1, max_size=4
    ),
    size,
)
def test_florence2_answers_are_decoded_alike(
    objects: list[tuple[str, list[tuple[int, ...]]]], wh: tuple[int, int]
) -> None:
    text = "".join(
        name + "".join(f"<loc_{v}>" for box in boxes for v in box) for name, boxes in objects
    )
    expected = POST(text=text, image_size=wh)["description_with_bboxes"]
    parsed = FLORENCE.parse(text)
    assert parsed.labels == tuple(one["cat_name"] for one in expected)
    ours = FLORENCE.frame.to_image(parsed.boxes, View(wh, (768, 768)))
    # transformers cuts off what is behind the point, in float32
    assert np.abs(ours - 0.5 - as_boxes([one["bbox"] for one in expected])).max() <= 0.501


@given(st.tuples(*[st.floats(0, 1)] * 4), size)
def test_florence2_boxes_are_encoded_alike(
    fractions: tuple[float, ...], wh: tuple[int, int]
) -> None:
    box = np.array([fractions]) * np.array(wh * 2)
    expected = POST.quantize(torch.tensor(box, dtype=torch.float64), wh)[0].tolist()
    written = FLORENCE.write(FLORENCE.frame.from_image(box, View(wh, (768, 768))), ("a",))
    ours = [int(token.rstrip(">")) for token in written.split("<loc_")[1:]]
    # the bin next to it where rounding carries a number over the border of its own
    assert all(
        a == b or abs(f * 1000 - max(a, b)) < 1e-6
        for a, b, f in zip(ours, expected, fractions, strict=True)
    )
