"""Processed sizes of odd images, as the image processors of transformers and ms-swift's own image
code make them."""

from collections.abc import Callable
from typing import Any

import pytest

pytest.importorskip("swift", reason="needs the extra `swift`")

from PIL import Image
from swift.template.vision_utils import rescale_image, transform_image
from transformers import (
    CLIPImageProcessor,
    Gemma3ImageProcessor,
    Gemma4ImageProcessor,
    Glm4vImageProcessor,
    Glm46VImageProcessor,
    GotOcr2ImageProcessor,
    MiniCPMV4_6ImageProcessor,
    SiglipImageProcessor,
)
from transformers.models.gemma3.processing_gemma3 import Gemma3ProcessorKwargs
from transformers.models.gemma4_unified.image_processing_gemma4_unified import (
    Gemma4UnifiedImageProcessor,
)
from transformers.models.glm4v.image_processing_pil_glm4v import Glm4vImageProcessorPil
from transformers.models.got_ocr2.image_processing_pil_got_ocr2 import GotOcr2ImageProcessorPil

from swift_plugin_visionr1.geometry.frames import Size
from swift_plugin_visionr1.geometry.resize.base import rescale
from swift_plugin_visionr1.geometry.resize.tiles import TileResize
from swift_plugin_visionr1.griffon_g import GriffonGImageProcessor
from swift_plugin_visionr1.models.families import FAMILIES, Limits

from .odd_sizes import SIZES as ODD_SIZES

SIZES = [
    *ODD_SIZES,
    (448, 448),
    (449, 448),
    (896, 1344),
    (60, 4700),
]
GLM_LIMITS = {"shortest_edge": 12544, "longest_edge": 9633792}  # of the published checkpoints
Fed = Callable[
    [Any, Image.Image], Size
]  # what a processor makes of an image: (width, height) in pixels


def glm(processor: Any, image: Image.Image) -> Size:
    _, rows, columns = processor(images=image, return_tensors="pt")["image_grid_thw"][0].tolist()
    return columns * 14, rows * 14


def minicpm(processor: Any, image: Image.Image) -> Size:
    made = processor(images=image, return_tensors="pt")
    rows, columns = made["grids"][0]
    high, wide = made["target_sizes"][-1].tolist()
    return wide * 14 * (columns or 1), high * 14 * (rows or 1)


def gemma3(processor: Any, image: Image.Image) -> Size:
    return square(
        processor, image, Gemma3ProcessorKwargs._defaults["images_kwargs"]
    )  # as ms-swift's template


def gemma4(processor: Any, image: Image.Image) -> Size:
    wide, high = (
        processor(images=image, return_tensors="pt")["image_position_ids"][0].max(0).values.tolist()
    )
    side = 48 if isinstance(processor, Gemma4UnifiedImageProcessor) else 16
    return (wide + 1) * side, (high + 1) * side


def square(processor: Any, image: Image.Image, options: dict[str, Any] | None = None) -> Size:
    height, width = processor(images=image, return_tensors="pt", **(options or {}))[
        "pixel_values"
    ].shape[-2:]
    return width, height


@pytest.mark.parametrize(
    ("model_type", "processor", "fed"),
    [
        pytest.param("glm4v", Glm4vImageProcessor(size=GLM_LIMITS), glm, id="glm"),
        pytest.param("glm4v", Glm4vImageProcessor(), glm, id="glm, transformers' default limits"),
        pytest.param(
            "glm4v",
            Glm4vImageProcessor(size={"shortest_edge": 50000, "longest_edge": 400000}),
            glm,
            id="glm, smaller",
        ),
        pytest.param("glm4v", Glm4vImageProcessorPil(), glm, id="glm, Pillow"),
        pytest.param("glm4v_moe", Glm46VImageProcessor(), glm, id="glm 4.6"),
        pytest.param("minicpmv4_6", MiniCPMV4_6ImageProcessor(), minicpm, id="minicpm"),
        pytest.param(
            "gemma3_vision",
            Gemma3ImageProcessor(size={"height": 896, "width": 896}),
            gemma3,
            id="gemma 3",
        ),
        pytest.param("gemma4", Gemma4ImageProcessor(), gemma4, id="gemma 4"),
        pytest.param(
            "gemma4", Gemma4ImageProcessor(max_soft_tokens=1120), gemma4, id="gemma 4, more tokens"
        ),
        pytest.param("gemma4_unified", Gemma4UnifiedImageProcessor(), gemma4, id="gemma 4 unified"),
        pytest.param("paligemma", SiglipImageProcessor(), square, id="paligemma 224"),
        pytest.param("griffon_g", GriffonGImageProcessor(), square, id="griffon_g"),
        pytest.param(
            "paligemma",
            SiglipImageProcessor(size={"height": 448, "width": 448}),
            square,
            id="paligemma 448",
        ),
        pytest.param(
            "florence",
            CLIPImageProcessor(size={"height": 768, "width": 768}, do_center_crop=False),
            square,
            id="florence",
        ),
    ],
)
def test_processed_size_is_the_processors(model_type: str, processor: Any, fed: Fed) -> None:
    rule = FAMILIES[model_type].resize(Limits(processor=processor.to_dict()))
    for size in SIZES:
        assert rule.view(size).processed == fed(processor, Image.new("RGB", size)), (
            f"image of {size}"
        )


@pytest.mark.parametrize(
    ("model_type", "processor", "fed"),
    [
        pytest.param("glm4v", Glm4vImageProcessor(size=GLM_LIMITS), glm, id="glm"),
        pytest.param("minicpmv4_7", MiniCPMV4_6ImageProcessor(), minicpm, id="minicpm"),
        pytest.param("gemma4", Gemma4ImageProcessor(), gemma4, id="gemma 4"),
        pytest.param("paligemma", SiglipImageProcessor(), square, id="paligemma"),
    ],
)
def test_what_is_taken_where_the_checkpoint_is_not_known(
    model_type: str, processor: Any, fed: Fed
) -> None:
    rule = FAMILIES[model_type].resize(Limits())
    for size in SIZES:
        assert rule.view(size).processed == fed(processor, Image.new("RGB", size)), (
            f"image of {size}"
        )


@pytest.mark.parametrize(
    "make", [GotOcr2ImageProcessor, GotOcr2ImageProcessorPil], ids=["torchvision", "Pillow"]
)
def test_internvl_has_as_many_tiles(make: Any) -> None:
    processor = make(size={"height": 448, "width": 448}, max_patches=12)
    rule = FAMILIES["internvl"].resize(
        Limits({"MAX_NUM": "2", "INPUT_SIZE": "224"}, processor=processor.to_dict())
    )
    for size in SIZES:
        made = processor(images=Image.new("RGB", size), crop_to_patches=True, return_tensors="pt")
        assert made["pixel_values"].shape[0] == tiles(rule.view(size).processed, 448), (
            f"image of {size}"
        )


@pytest.mark.parametrize(
    ("environ", "side", "most"),
    [
        pytest.param({}, 448, 12, id="defaults"),
        pytest.param({"MAX_NUM": "6"}, 448, 6, id="MAX_NUM"),
        pytest.param({"MAX_NUM": "24", "INPUT_SIZE": "224"}, 224, 24, id="both"),
    ],
)
def test_internvl_chat_sees_each_place_where_the_rule_says(
    environ: dict[str, str], side: int, most: int
) -> None:
    rule = FAMILIES["internvl_chat"].resize(Limits(environ))
    assert isinstance(rule, TileResize)
    for size in SIZES:
        image = (
            Image.linear_gradient("L").resize(size).convert("RGB")
        )  # dark at the top, bright at the bottom
        made = transform_image(image, side, most)
        width, height = rule.view(size).processed
        assert len(made) == tiles((width, height), side), f"image of {size}"
        rows, columns = height // side, width // side
        means = made[: rows * columns].mean((1, 2, 3)).reshape(rows, columns)
        assert (means[1:] >= means[:-1]).all(), f"rows of the image of {size}"


def test_max_pixels_is_ms_swifts() -> None:
    for max_pixels in (None, -1, 0, 1_000, 50_176, 123_456, 401_408):
        for size in SIZES:
            try:
                own = rescale(size, max_pixels)
            except ValueError:
                with pytest.raises(ValueError, match=r"> 0|positive"):
                    rescale_image(Image.new("RGB", size), max_pixels)
            else:
                assert own == rescale_image(Image.new("RGB", size), max_pixels).size


def tiles(processed: Size, side: int) -> int:
    """How many images that size is fed as: the tiles, and with several the whole image again."""
    count = processed[0] * processed[1] // side**2
    return count if count == 1 else count + 1
