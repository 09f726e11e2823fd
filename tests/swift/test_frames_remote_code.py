"""Families whose processors are the checkpoint's code: our rules against vLLM's ports of it, where
vLLM is there."""

from types import SimpleNamespace

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from swift_plugin_visionr1.geometry.frames import Size
from swift_plugin_visionr1.geometry.resize import CandidateResize, OvisResize
from swift_plugin_visionr1.geometry.resize.base import rescale
from swift_plugin_visionr1.geometry.resize.candidates import CANDIDATES

PROCESSORS = "vllm.transformers_utils.processors"
sizes = st.tuples(st.integers(1, 6000), st.integers(1, 6000))


@given(sizes, st.sampled_from([(448 * 448, 1344 * 1792), (448 * 448, 500_000), (3136, 401408)]))
@example((1, 1), (448 * 448, 1344 * 1792))
@example((13, 40), (448 * 448, 1344 * 1792))
@example((31, 6000), (448 * 448, 500_000))
def test_ovis2_5(size: Size, bounds: tuple[int, int]) -> None:
    module = pytest.importorskip(f"{PROCESSORS}.ovis2_5")
    width, height = rescale(
        size, bounds[1]
    )  # ms-swift's template, with its own max_pixels set to MAX_PIXELS
    expected = module.Ovis2_5Processor.smart_resize(None, height, width, 32, *bounds)[::-1]
    if 0 in expected:
        with pytest.raises(ValueError, match="room for one visual token"):
            OvisResize(*bounds).view(size)
    else:
        assert OvisResize(*bounds).view(size).processed == expected


@given(sizes)
@example((1, 1))
@example((384, 384))
@example((1, 6000))
def test_deepseek_vl2(size: Size) -> None:
    module = pytest.importorskip(f"{PROCESSORS}.deepseek_vl2")
    processor = SimpleNamespace(candidate_resolutions=CANDIDATES)
    expected = module.DeepseekVLV2Processor.select_best_resolution(processor, size)
    try:
        assert CandidateResize().view(size).processed == expected
    except ValueError:
        pillow, image = pytest.importorskip("PIL.ImageOps"), pytest.importorskip("PIL.Image")
        assert 0 in pillow.contain(image.new("1", size), expected).size, "refused, but it is seen"


@given(sizes)
def test_the_order_of_candidates_does_not_matter(size: Size) -> None:
    """So it does not have to be that of the checkpoints' own lists."""
    try:
        view = CandidateResize().view(size)
    except ValueError:
        return
    assert CandidateResize(CANDIDATES[::-1]).view(size) == view
