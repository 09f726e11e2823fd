"""Rules of the processed size against the functions of transformers that its image processors
call."""

from collections.abc import Callable

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from swift_plugin_visionr1.geometry.boxes import as_boxes
from swift_plugin_visionr1.geometry.frames import FRAMES, Size
from swift_plugin_visionr1.geometry.resize import (
    BudgetResize,
    CandidateResize,
    GlmResize,
    OvisResize,
    PaddedSquare,
    QwenResize,
    Rescaled,
    Resize,
    SliceResize,
    SquareResize,
    TileResize,
    Unchanged,
)

MODELS = "transformers.models"
sizes = st.tuples(st.integers(1, 6000), st.integers(1, 6000))
RULES: dict[str, Resize] = {
    "qwen": QwenResize(),
    "qwen with max_pixels": QwenResize(200_000),
    "glm": GlmResize(),
    "ovis": OvisResize(),
    "tiles": TileResize(),
    "slices": SliceResize(),
    "square": SquareResize(896),
    "padded": PaddedSquare(),
    "unchanged": Unchanged(),
    "candidates": CandidateResize(),
    "budget": BudgetResize(),
    "rescaled": Rescaled(200_000, TileResize()),
}


def outcome(rule: Resize, size: Size) -> Size | None:
    """The processed size, None where the rule refuses the image."""
    try:
        return rule.view(size).processed
    except ValueError:
        return None


@given(sizes, st.sampled_from([(12544, 9633792), (3136, 401408), (12544, 28 * 28 * 15000)]))
@example((1, 1), (12544, 9633792))
@example((13, 40), (12544, 9633792))
@example((4000, 157), (12544, 9633792))
@example((6000, 30), (3136, 50000))
def test_glm_is_transformers(size: Size, bounds: tuple[int, int]) -> None:
    glm4v = pytest.importorskip(f"{MODELS}.glm4v.image_processing_glm4v")
    glm46v = pytest.importorskip(f"{MODELS}.glm46v.image_processing_glm46v")
    for module in (glm4v, glm46v):
        try:
            expected = module.smart_resize(2, size[1], size[0], 2, 28, *bounds)[::-1]
        except ValueError:
            expected = None
        assert outcome(GlmResize(*bounds), size) == expected


@given(
    sizes,
    st.sampled_from(
        [(448, 1, 12), (448, 1, 6), (448, 1, 24), (384, 2, 9), (448, 1, 1), (224, 1, 40)]
    ),
)
@example((1, 1), (448, 1, 12))
@example((448, 448), (448, 1, 12))
@example((6000, 1), (448, 1, 12))
def test_tiles_are_transformers(size: Size, tiles: tuple[int, int, int]) -> None:
    got_ocr2 = pytest.importorskip(
        f"{MODELS}.got_ocr2.image_processing_got_ocr2"
    )  # which is InternVL's processor
    side, least, most = tiles
    columns, rows = got_ocr2.get_optimal_tiled_canvas(size[::-1], (side, side), least, most)
    assert TileResize(side, most, least).view(size).processed == (columns * side, rows * side)


@given(sizes, st.sampled_from([9, 1, 2, 4, 16]), st.sampled_from([14, 3.5]))
@example((449, 448), 9, 14)
@example((3272, 2781), 9, 3.5)  # whose grid does not divide it
@example((1344, 1344), 9, 3.5)
@example((6000, 1), 9, 3.5)
def test_slices_are_transformers(size: Size, most: int, patch: float) -> None:
    """MiniCPM-V 2.6 to 4.5 are remote code: the same steps with slices in multiples of 14, a
    quarter of 4.6's 56."""
    module = pytest.importorskip(f"{MODELS}.minicpmv4_6.image_processing_minicpmv4_6")
    processor = module.MiniCPMV4_6ImageProcessor()
    grid = processor.get_sliced_grid(size[::-1], most, 448)
    if grid is None:
        height, width = processor.find_best_resize(size[::-1], 448, patch, allow_upscale=True)
    else:
        height, width = processor.get_refine_size(size[::-1], grid, 448, patch, allow_upscale=True)
    assert SliceResize(most, 448, int(patch * 4)).view(size).processed == (width, height)


@given(sizes, st.sampled_from([70, 140, 280, 560, 1120]))
@example((6000, 1), 280)
@example((1, 6000), 70)
@example((10, 2800), 280)
def test_gemma4_is_transformers(size: Size, tokens: int) -> None:
    for name in ("gemma4", "gemma4_unified"):
        module = pytest.importorskip(f"{MODELS}.{name}.image_processing_{name}")
        height, width = module.get_aspect_ratio_preserving_size(size[1], size[0], 16, tokens * 9, 3)
        assert BudgetResize(tokens).view(size).processed == (width, height)


@given(sizes)
@example((1, 1))
@example((768, 769))
@example((1152, 1152))
def test_padded_images_lie_where_pillow_puts_them(size: Size) -> None:
    pillow = pytest.importorskip("PIL.ImageOps")
    image = pytest.importorskip("PIL.Image")
    try:
        view = CandidateResize().view(size)
    except ValueError:
        return
    padded = pillow.pad(image.new("1", size, 1), view.processed, color=0)
    assert padded.getbbox() == view.content


@pytest.mark.parametrize(
    ("size", "expected"),
    [
        pytest.param((100, 100), (384, 384), id="small: the smallest candidate shows it whole"),
        pytest.param((800, 800), (1152, 1152), id="large square"),
        pytest.param((1600, 400), (1536, 384), id="wide"),
        pytest.param((640, 480), (768, 768), id="neither wide nor high"),
        pytest.param((10, 3000), (384, 3072), id="a sliver"),
    ],
)
def test_the_best_candidate(size: Size, expected: Size) -> None:
    assert CandidateResize().view(size).processed == expected


@pytest.mark.parametrize(
    ("size", "rule", "expected"),
    [
        pytest.param((640, 480), OvisResize(), (640, 480), id="as it is"),
        pytest.param(
            (10, 20), OvisResize(), (320, 640), id="a side below 32 becomes 32, then the area grows"
        ),
        pytest.param(
            (5, 5000), OvisResize(), (32, 32000), id="a sliver keeps its shape while it grows"
        ),
        pytest.param(
            (40, 9000), OvisResize(), (32, 8000), id="over 200 times as high as wide: cut to that"
        ),
        pytest.param(
            (4000, 3000), OvisResize(max_pixels=500_000), (800, 608), id="MAX_PIXELS twice over"
        ),
    ],
)
def test_ovis_by_hand(size: Size, rule: OvisResize, expected: Size) -> None:
    assert outcome(rule, size) == expected


@pytest.mark.parametrize("rule", RULES.values(), ids=RULES)
@given(sizes)
@example((1, 1))
@example((13, 40))
@example((6000, 30))
def test_a_view_holds_the_whole_image(rule: Resize, size: Size) -> None:
    try:
        view = rule.view(size)
    except ValueError:
        return
    assert view.size == size, "not the size that max_pixels left"
    assert min(view.processed) >= 1
    x1, y1, x2, y2 = view.content or (0, 0, *view.processed)
    assert 0 <= x1 < x2 <= view.processed[0]
    assert 0 <= y1 < y2 <= view.processed[1]


@pytest.mark.parametrize("rule", RULES.values(), ids=RULES)
@pytest.mark.parametrize("size", [(0, 10), (10, 0)], ids=["no width", "no height"])
def test_images_without_pixels_are_refused(rule: Resize, size: Size) -> None:
    with pytest.raises(ValueError, match="sides of at least 1 pixel.*leave the image out"):
        rule.view(size)


@pytest.mark.parametrize("rule", RULES.values(), ids=RULES)
def test_a_rule_says_itself_in_one_line(rule: Resize) -> None:
    assert rule.describe().startswith("images ")
    assert "\n" not in rule.describe()


def test_a_sliver_of_which_max_pixels_leaves_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="got 4000 x 1 rescaled to 100 pixels"):
        Rescaled(100, SquareResize(448)).view((4000, 1))


def test_boxes_of_a_padded_square_by_hand() -> None:
    """LLaVA's frame: 0 to 1 of a 400 x 400 square whose middle 200 rows are the image."""
    view = PaddedSquare().view((400, 200))
    assert view.content == (0, 100, 400, 300)
    boxes = FRAMES["padded1"].to_image(as_boxes([[0, 0.25, 1, 0.75]]), view)
    assert boxes.tolist() == [[0, 0, 400, 200]]


@pytest.mark.parametrize(
    ("make", "match"),
    [
        pytest.param(lambda: TileResize(448, 0), "see INPUT_SIZE and MAX_NUM", id="no tiles"),
        pytest.param(lambda: TileResize(0), "at least 1 pixel", id="tiles of no size"),
        pytest.param(lambda: SliceResize(0), "see MAX_SLICE_NUMS", id="no slices"),
        pytest.param(
            lambda: OvisResize(max_pixels=100),
            "MAX_PIXELS of at least one visual token",
            id="less than one",
        ),
        pytest.param(
            lambda: QwenResize(min_tokens=9, max_tokens=4),
            "MIN_PIXELS <= MAX_PIXELS",
            id="least above most",
        ),
    ],
)
def test_impossible_limits_are_refused(make: Callable[[], Resize], match: str) -> None:
    with pytest.raises(ValueError, match=match):
        make()
