"""Griffon-G as a model of transformers: batches, cache, saving, attention, training, images."""

import io
from pathlib import Path

import numpy as np
import pytest
import torch

pytest.importorskip("transformers", reason="needs the extra `swift`")
from PIL import Image
from transformers import (
    AutoConfig,
    AutoImageProcessor,
    AutoModelForImageTextToText,
    AutoProcessor,
    CLIPImageProcessor,
    CLIPImageProcessorPil,
)

from swift_plugin_visionr1.griffon_g import GriffonGConfig, GriffonGImageProcessor

from .griffon_published import SIZES, converted

FAMILIES = pytest.mark.parametrize("family", SIZES)
SIDE = 98
Checkpoints = dict[str, Path]


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> Checkpoints:
    """A converted tiny model of each family."""
    return converted(tmp_path_factory.mktemp)


def load(folder: Path, **options: object) -> torch.nn.Module:
    options = {"dtype": torch.float32} | options
    return AutoModelForImageTextToText.from_pretrained(folder, **options).eval()


def picture(seed: int, size: tuple[int, int] = (90, 60)) -> Image.Image:
    pixels = np.random.default_rng(seed).integers(0, 255, (size[1], size[0], 3), np.uint8)
    return Image.fromarray(pixels)


def prompts(folder: Path, texts: list[str]) -> dict[str, torch.Tensor]:
    processor = AutoProcessor.from_pretrained(folder)
    images = [picture(number) for number, _ in enumerate(texts)]
    texts = [f"<image>\n{text}" for text in texts]
    return dict(
        processor(images=images, text=texts, padding=True, padding_side="left", return_tensors="pt")
    )


@FAMILIES
def test_a_batch_of_different_lengths_answers_as_single_prompts(
    folders: Checkpoints, family: str
) -> None:
    model = load(folders[family])
    batch = prompts(folders[family], ["a", "find all cats in it", "where?"])
    assert batch["attention_mask"].min() == 0, "prompts of different lengths"
    options = {"max_new_tokens": 12, "do_sample": False, "eos_token_id": -1, "pad_token_id": 0}
    together = model.generate(**batch, **options)[:, batch["input_ids"].shape[1] :]
    uncached = model.generate(**batch, **options, use_cache=False)[:, batch["input_ids"].shape[1] :]
    assert torch.equal(together, uncached)
    for row in range(3):
        real = batch["attention_mask"][row].bool()
        alone = {
            "input_ids": batch["input_ids"][row : row + 1, real],
            "attention_mask": batch["attention_mask"][row : row + 1, real],
            "pixel_values": batch["pixel_values"][row : row + 1],
        }
        answer = model.generate(**alone, **options)[:, int(real.sum()) :]
        assert torch.equal(answer[0], together[row])


@FAMILIES
def test_saved_and_loaded_it_gives_the_same_logits(
    folders: Checkpoints, family: str, tmp_path: Path
) -> None:
    model, batch = load(folders[family]), prompts(folders[family], ["a"])
    model.save_pretrained(tmp_path, max_shard_size="20KB")
    assert len(list(tmp_path.glob("*.safetensors"))) > 1
    with torch.no_grad():
        assert torch.equal(load(tmp_path)(**batch).logits, model(**batch).logits)


def test_gemma_keeps_its_cap_whatever_attention_is_asked_for(folders: Checkpoints) -> None:
    batch = prompts(folders["gemma2"], ["a"])
    models = [load(folders["gemma2"], attn_implementation=name) for name in ("eager", "sdpa")]
    models.append(load(folders["gemma2"]))
    models.append(load(folders["gemma2"], attn_implementation="eager"))
    models[-1].set_attn_implementation("sdpa")
    kinds = [
        (m.config.text_config._attn_implementation, m.config.vision_config._attn_implementation)
        for m in models
    ]
    assert kinds == [("eager", "eager"), ("eager", "sdpa"), ("eager", "sdpa"), ("eager", "sdpa")]
    with torch.no_grad():
        outputs = [model(**batch).logits for model in models]
    assert all(torch.allclose(outputs[0], other, atol=1e-5) for other in outputs)


@FAMILIES
def test_gradient_checkpointing_gives_the_same_gradients(folders: Checkpoints, family: str) -> None:
    batch = prompts(folders[family], ["a", "bcd"])
    gradients = []
    for checkpointing in (False, True):
        model = load(folders[family]).train()
        if checkpointing:
            model.gradient_checkpointing_enable({"use_reentrant": False})
        places = batch["input_ids"] == model.config.image_token_id
        labels = batch["input_ids"].masked_fill(places | (batch["attention_mask"] == 0), -100)
        model(**batch, labels=labels).loss.backward()
        gradients.append({n: p.grad for n, p in model.named_parameters() if p.grad is not None})
    assert set(gradients[0]) == set(gradients[1])
    for name, value in gradients[0].items():
        assert torch.allclose(value, gradients[1][name], atol=1e-6), name
    unused = {n for n, _ in model.named_parameters()} - set(gradients[0])
    assert unused == set(model._ddp_params_and_buffers_to_ignore)
    assert all(".layers.2." in name or ".post_layernorm." in name for name in unused)


def test_distributed_training_does_not_wait_for_layers_that_are_not_used(
    folders: Checkpoints, tmp_path: Path
) -> None:
    store = torch.distributed.FileStore(str(tmp_path / "store"), 1)
    torch.distributed.init_process_group("gloo", store=store, rank=0, world_size=1)
    try:
        model = torch.nn.parallel.DistributedDataParallel(load(folders["qwen2"]).train())
        batch = prompts(folders["qwen2"], ["a"])
        labels = batch["input_ids"].masked_fill(batch["input_ids"] > 200, -100)
        for _ in range(2):
            model(**batch, labels=labels).loss.backward()
    finally:
        torch.distributed.destroy_process_group()


@FAMILIES
def test_its_parts_may_lie_on_several_devices(
    folders: Checkpoints, family: str, tmp_path: Path
) -> None:
    batch = prompts(folders[family], ["a"])
    spread = {
        "model.vision_tower": "cpu",
        "model.multi_modal_projector": "cpu",
        "model.language_model.embed_tokens": "cpu",
        "model.language_model.layers": "disk",
        "model.language_model.norm": "cpu",
        "model.language_model.rotary_emb": "cpu",
        "lm_head": "cpu",
    }
    model = load(folders[family], device_map=spread, offload_folder=tmp_path)
    with torch.no_grad():
        assert torch.allclose(
            model(**batch).logits, load(folders[family])(**batch).logits, atol=1e-6
        )


def test_more_images_than_places_is_an_error(folders: Checkpoints) -> None:
    batch = prompts(folders["qwen2"], ["a"])
    batch["pixel_values"] = batch["pixel_values"].repeat(2, 1, 1, 1)
    with pytest.raises(ValueError, match="expected 32 image tokens"):
        load(folders["qwen2"])(**batch)


def test_the_published_sizes() -> None:
    config = GriffonGConfig()
    assert (config.tokens_along_side, config.image_seq_length, config.tower_layers) == (
        37,
        1369,
        23,
    )
    without = GriffonGConfig(projector_type="conv_reduce_wo_pad")
    assert without.tokens_along_side == 36
    assert AutoConfig.for_model("griffon_g").vision_config.image_size == 1022


def turned(image: Image.Image) -> Image.Image:
    """With an EXIF header that says that it lies on its side."""
    exif = Image.Exif()
    exif[0x0112] = 6
    file = io.BytesIO()
    image.save(file, "JPEG", exif=exif, quality=95)
    return Image.open(io.BytesIO(file.getvalue()))


ODD = {
    "one-pixel": picture(0, (1, 1)),
    "thin": picture(1, (3, 1500)),
    "odd": picture(2, (641, 427)),
    "exact": picture(3, (1022, 1022)),
    "large": picture(4, (2048, 1536)),
    "exif": turned(picture(5, (200, 100))),
    "grayscale": picture(6).convert("L"),
    "palette": picture(7).convert("P"),
    "rgba": picture(8).convert("RGBA"),
    "16-bit": Image.fromarray(np.arange(5000, dtype=np.uint16).reshape(50, 100)),
}


@pytest.mark.parametrize("image", [pytest.param(image, id=name) for name, image in ODD.items()])
def test_images_are_processed_as_by_clip_on_the_whole_square(image: Image.Image) -> None:
    square = {"height": 1022, "width": 1022}
    clip = CLIPImageProcessor(size=square, do_center_crop=False)(image, return_tensors="pt")
    ours = GriffonGImageProcessor()(image, return_tensors="pt")
    assert ours["pixel_values"].shape == (1, 3, 1022, 1022)
    assert torch.equal(ours["pixel_values"], clip["pixel_values"])


def test_the_processor_by_pillow_differs_by_rounding_only(tmp_path: Path) -> None:
    square = {"height": 1022, "width": 1022}
    GriffonGImageProcessor().save_pretrained(tmp_path)
    pillow = AutoImageProcessor.from_pretrained(tmp_path, backend="pil")
    image = ODD["odd"]
    by_pillow = pillow(image, return_tensors="pt")["pixel_values"]
    clip = CLIPImageProcessorPil(size=square, do_center_crop=False)(image, return_tensors="pt")
    assert torch.equal(by_pillow, clip["pixel_values"])
    usual = GriffonGImageProcessor()(image, return_tensors="pt")["pixel_values"]
    assert (usual - by_pillow).abs().max() < 2 / 255 / 0.26
