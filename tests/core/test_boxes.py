"""Boxes against pycocotools and torchvision, the reference implementations."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from swift_plugin_visionr1.geometry.boxes import as_boxes, giou, iou, is_inside, is_valid

corner = st.integers(0, 500)
side = st.integers(1, 300)
box = st.tuples(corner, corner, side, side).map(lambda b: [b[0], b[1], b[0] + b[2], b[1] + b[3]])
box_lists = st.lists(box, min_size=1, max_size=8)


@given(box_lists, box_lists)
def test_iou_equals_pycocotools(a: list[list[int]], b: list[list[int]]) -> None:
    mask = pytest.importorskip("pycocotools.mask")
    own = iou(as_boxes(a), as_boxes(b))

    def xywh(boxes: list[list[int]]) -> np.ndarray:
        return np.array([[x1, y1, x2 - x1, y2 - y1] for x1, y1, x2, y2 in boxes], dtype=np.float64)

    assert np.allclose(own, mask.iou(xywh(a), xywh(b), [0] * len(b)), atol=1e-12)


@given(box_lists, box_lists)
def test_giou_equals_torchvision(a: list[list[int]], b: list[list[int]]) -> None:
    torch = pytest.importorskip("torch")
    from torchvision.ops import generalized_box_iou

    reference = generalized_box_iou(
        torch.tensor(a, dtype=torch.float64), torch.tensor(b, dtype=torch.float64)
    )
    assert np.allclose(giou(as_boxes(a), as_boxes(b)), reference.numpy(), atol=1e-12)


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        pytest.param([0, 0, 1, 1], True, id="unit"),
        pytest.param([5, 5, 5, 9], False, id="no width"),
        pytest.param([9, 5, 5, 9], False, id="x reversed"),
        pytest.param([0, 0, float("nan"), 1], False, id="nan"),
        pytest.param([0, 0, float("inf"), 1], False, id="infinite"),
    ],
)
def test_validity(row: list[float], expected: bool) -> None:
    assert is_valid(as_boxes([row])).tolist() == [expected]


def test_the_border_is_inside_and_beyond_it_is_not() -> None:
    boxes = as_boxes([[0, 0, 644, 476], [0, 0, 645, 476], [-1, 0, 10, 10]])
    assert is_inside(boxes, (644, 476)).tolist() == [True, False, False]


def test_no_boxes_have_shape_0_4() -> None:
    assert as_boxes([]).shape == (0, 4)


def test_wrong_shape_says_what_came() -> None:
    with pytest.raises(ValueError, match=r"expected boxes of shape \(n, 4\).*\(2, 3\)"):
        as_boxes([[1, 2, 3], [4, 5, 6]])
