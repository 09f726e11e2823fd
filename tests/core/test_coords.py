"""Frames against the resize rules of transformers and qwen_vl_utils."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from swift_plugin_visionr1.geometry.boxes import as_boxes
from swift_plugin_visionr1.geometry.frames import convert
from swift_plugin_visionr1.geometry.resize import QwenResize, smart_resize

sides = st.integers(5, 6000)
LOW, HIGH = 4 * 784, 512 * 784


@given(
    sides,
    sides,
    st.sampled_from([28, 32]),
    st.sampled_from([(3136, 401408), (3136, 12845056), (200704, 1003520)]),
)
def test_smart_resize_equals_transformers_and_qwen_vl_utils(
    width: int, height: int, factor: int, bounds: tuple[int, int]
) -> None:
    transformers = pytest.importorskip("transformers.models.qwen2_vl.image_processing_qwen2_vl")
    qwen_vl_utils = pytest.importorskip("qwen_vl_utils.vision_process")
    if max(width, height) / min(width, height) > 200:
        return
    own = smart_resize((width, height), factor, *bounds)
    assert (
        own == qwen_vl_utils.smart_resize(height, width, factor, *bounds)[::-1]
    )  # the one that ms-swift calls
    if (
        2 * min(width, height) > factor
    ):  # else transformers rounds a side to 0 and then grows the image
        assert own == transformers.smart_resize(height, width, factor, *bounds)[::-1]


@pytest.mark.parametrize("size", [(0, 10), (5, 1005), (10, 0)])
def test_impossible_images_are_refused(size: tuple[int, int]) -> None:
    with pytest.raises(ValueError, match="aspect ratio of at most 200, got"):
        smart_resize(size, 28, LOW, HIGH)


@pytest.mark.parametrize(
    ("environ", "expected"),
    [
        pytest.param({}, QwenResize(None, 4, 16384), id="defaults"),
        pytest.param({"MAX_PIXELS": "401408"}, QwenResize(None, 4, 512), id="MAX_PIXELS"),
        pytest.param(
            {"MAX_PIXELS": "401000"},
            QwenResize(None, 4, 511),
            id="MAX_PIXELS rounds down to tokens",
        ),
        pytest.param(
            {"MAX_PIXELS": "401408", "IMAGE_MAX_TOKEN_NUM": "99"},
            QwenResize(None, 4, 99),
            id="tokens win",
        ),
        pytest.param({"MIN_PIXELS": "200704"}, QwenResize(None, 256, 16384), id="MIN_PIXELS"),
    ],
)
def test_environment(environ: dict[str, str], expected: QwenResize) -> None:
    assert QwenResize.from_environment(environ) == expected


def test_environment_that_is_no_number_is_named() -> None:
    with pytest.raises(ValueError, match="MAX_PIXELS, got '28x28'"):
        QwenResize.from_environment({"MAX_PIXELS": "28x28"})


@given(sides, sides, st.floats(0, 1), st.floats(0, 1))
def test_convert_there_and_back(width: int, height: int, x: float, y: float) -> None:
    size, processed = (width, height), (448, 336)
    boxes = as_boxes([[x * width, y * height, width, height]])
    assert np.allclose(convert(convert(boxes, size, processed), processed, size), boxes)


def test_an_iou_of_exactly_half_survives_the_conversion() -> None:
    # 1100 / 1092 has no exact float; multiplying by it first would leave the box 1e-13 short.
    assert convert(as_boxes([[0, 0, 112, 546]]), (224, 1092), (230, 1100)).tolist() == [
        [0, 0, 115, 550]
    ]


@pytest.mark.parametrize(
    "environ",
    [{"MAX_PIXELS": "500"}, {"MAX_PIXELS": "-1"}, {"MIN_PIXELS": "401408", "MAX_PIXELS": "200704"}],
    ids=["below one token", "negative", "least above most"],
)
def test_impossible_limits_are_refused(environ: dict[str, str]) -> None:
    with pytest.raises(ValueError, match="expected 1 <= MIN_PIXELS <= MAX_PIXELS"):
        QwenResize.from_environment(environ)


def test_a_sliver_that_would_shrink_to_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="room for one visual token a side"):
        QwenResize(max_tokens=4).processed_size((2000, 11))


def test_convert_by_hand() -> None:
    assert convert(as_boxes([[322, 238, 644, 476]]), (644, 476), (640, 480)).tolist() == [
        [320, 240, 640, 480]
    ]
