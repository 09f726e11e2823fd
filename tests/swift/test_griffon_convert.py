"""Griffon-G from its published layout into ours and back: weights, tokenizer, configuration."""

import json
from pathlib import Path

import pytest
import torch

pytest.importorskip("transformers", reason="needs the extra `swift`")
from safetensors.torch import load_file, save_file
from transformers import AutoModelForImageTextToText, AutoProcessor, AutoTokenizer

import swift_plugin_visionr1.griffon_g
from swift_plugin_visionr1.cli import main
from swift_plugin_visionr1.errors import InputError
from swift_plugin_visionr1.griffon_g.conversion import convert
from swift_plugin_visionr1.griffon_g.weight_files import find_weights

from .griffon_published import HIDDEN, SIZES, publish
from .griffon_reference import Weights, logits

FAMILIES = pytest.mark.parametrize("family", SIZES)
PIXELS = torch.randn(1, 3, 98, 98, generator=torch.Generator().manual_seed(3))


def loaded(folder: Path) -> Weights:
    weights: Weights = {}
    for file in folder.glob("*.safetensors"):
        weights |= load_file(file)
    return weights


def our_logits(
    folder: Path, before: list[int], after: list[int], pixels: torch.Tensor
) -> torch.Tensor:
    model = AutoModelForImageTextToText.from_pretrained(folder, dtype=torch.float32).eval()
    image = [model.config.image_token_id] * model.config.image_seq_length
    with torch.no_grad():
        return model(
            input_ids=torch.tensor([[*before, *image, *after]]), pixel_values=pixels
        ).logits[0]


@pytest.mark.parametrize(
    "dtype",
    [torch.float64, torch.float32, torch.bfloat16, torch.float8_e4m3fn, torch.int16, torch.bool],
    ids=lambda dtype: str(dtype).removeprefix("torch."),
)
def test_weights_of_any_type_are_as_large_as_they_are_stored(
    tmp_path: Path, dtype: torch.dtype
) -> None:
    tensor = torch.zeros(3, 5).to(dtype)
    save_file({"a": tensor}, tmp_path / "model.safetensors")
    assert [weight.bytes for weight in find_weights(tmp_path)] == [tensor.nbytes]


@FAMILIES
@pytest.mark.parametrize("pickled", [False, True], ids=["safetensors", "bin"])
@pytest.mark.parametrize(
    ("options", "padding"),
    [
        pytest.param({}, 1, id="as-published"),
        pytest.param({"mm_projector_type": "conv_reduce_wo_pad"}, 0, id="without-padding"),
        pytest.param({"positions": 26}, 1, id="interpolated-positions"),
        pytest.param({"inside": False, "shards": 1}, 1, id="tower-apart"),
        pytest.param({"mm_vision_select_layer": -1}, 1, id="last-layer"),
    ],
)
def test_logits_are_those_of_an_independent_implementation(
    tmp_path: Path, family: str, pickled: bool, options: dict, padding: int
) -> None:
    weights = publish(tmp_path / "published", family, pickled=pickled, **options)
    convert(tmp_path / "published", tmp_path / "ours")
    layer = options.get("mm_vision_select_layer", -2)
    sizes = SIZES[family].__class__(**vars(SIZES[family]) | {"padding": padding, "layer": layer})
    before, after = [3, 5, 7, 2], [9, 4, 11, 30, 8]
    theirs = logits(before, after, PIXELS, weights, sizes)
    ours = our_logits(tmp_path / "ours", before, after, PIXELS)
    assert ours.shape == theirs.shape
    assert (ours - theirs).abs().max() < 1e-4
    assert theirs.std() > 0.1


@FAMILIES
def test_there_and_back_gives_the_same_checkpoint(tmp_path: Path, family: str) -> None:
    weights = publish(tmp_path / "published", family)
    convert(tmp_path / "published", tmp_path / "ours")
    convert(tmp_path / "ours", tmp_path / "again")
    again = loaded(tmp_path / "again")
    assert set(again) == set(weights)
    assert all(torch.equal(again[name], value) for name, value in weights.items())
    first, second = (
        json.loads((tmp_path / n / "config.json").read_text()) for n in ("published", "again")
    )
    assert first == second
    text = "Détecte <image> 0.123<end_of_turn><|im_end|>"
    before, after = (
        AutoTokenizer.from_pretrained(tmp_path / n, use_fast=True, config=tokens(family))
        for n in ("published", "again")
    )
    assert before.encode(text) == after.encode(text)
    assert len(before) == len(after)
    convert(tmp_path / "again", tmp_path / "ours2")
    one, other = loaded(tmp_path / "ours"), loaded(tmp_path / "ours2")
    assert set(one) == set(other)
    assert all(torch.equal(one[name], other[name]) for name in one)


def test_it_loads_in_the_precision_of_its_weights(tmp_path: Path) -> None:
    publish(tmp_path / "published", "gemma2")  # float32, whatever its config.json says
    convert(tmp_path / "published", tmp_path / "ours")
    model = AutoModelForImageTextToText.from_pretrained(tmp_path / "ours", dtype="auto")
    assert {value.dtype for value in model.parameters()} == {torch.float32}


def tokens(family: str) -> object:
    from transformers import CONFIG_MAPPING

    return CONFIG_MAPPING[family]()


@FAMILIES
def test_prompts_are_those_of_the_training(tmp_path: Path, family: str) -> None:
    publish(tmp_path / "published", family)
    convert(tmp_path / "published", tmp_path / "ours")
    processor = AutoProcessor.from_pretrained(tmp_path / "ours")
    content = [{"type": "image"}, {"type": "text", "text": "Find it."}]
    text = processor.apply_chat_template(
        [{"role": "user", "content": content}], add_generation_prompt=True
    )
    assert (
        text
        == {
            "gemma2": "<bos><start_of_turn>user\n<image>\nFind it.<end_of_turn>\n<start_of_turn>model\n",
            "qwen2": "<|im_start|>system\nYou are a helpful assistant.<|im_end|>\n<|im_start|>user\n"
            "<image>\nFind it.<|im_end|>\n<|im_start|>assistant\n",
        }[family]
    )


COUNTING = {
    "model.unshared_visual_encoder.prompt_visual_encoder.a.weight": torch.ones(2),
    "model.prompt_projector.weight": torch.ones(3),
}


def test_the_counting_branch_is_left_out_and_said_so(
    tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    publish(tmp_path / "published", "qwen2", added=COUNTING)
    assert main(["convert", "griffon-g", str(tmp_path / "published"), str(tmp_path / "ours")]) == 0
    assert "2 weights" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("options", "named"),
    [
        pytest.param(
            {"added": {"model.connector.weight": torch.ones(2)}},
            "model.connector.weight",
            id="unknown-name",
        ),
        pytest.param(
            {"left_out": ["model.norm.weight"]}, "model.language_model.norm.weight", id="missing"
        ),
        pytest.param(
            {"intermediate_size": 48},
            f"mlp.gate_proj.weight of shape (64, {HIDDEN})",
            id="shape",
        ),
        pytest.param({"mm_projector_type": "mlp2x_gelu"}, "mlp2x_gelu", id="projector"),
        pytest.param({"mm_vision_select_feature": "cls_patch"}, "cls_patch", id="class-token"),
        pytest.param({"mm_use_im_start_end": True}, "mm_use_im_start_end", id="image-marks"),
        pytest.param({"model_type": "llava_llama"}, "llava_llama", id="another-model"),
        pytest.param({"mm_vision_select_layer": -9}, "vision_feature_layer", id="layer"),
        pytest.param({"tie_word_embeddings": True}, "tie_word_embeddings", id="head-not-tied"),
    ],
)
def test_what_does_not_fit_is_refused_before_anything_is_written(
    tmp_path: Path, options: dict, named: str
) -> None:
    publish(tmp_path / "published", "qwen2", **options)
    with pytest.raises(InputError) as error:
        convert(tmp_path / "published", tmp_path / "ours")
    assert named in str(error.value)
    assert not (tmp_path / "ours").exists()


def test_a_tied_head_is_accepted_where_it_equals_the_embedding(tmp_path: Path) -> None:
    weights = publish(tmp_path / "a" / "published", "gemma2")
    head = {"lm_head.weight": weights["model.embed_tokens.weight"].clone()}
    publish(tmp_path / "b" / "published", "gemma2", added=head)
    convert(tmp_path / "b" / "published", tmp_path / "ours")
    assert "lm_head.weight" not in loaded(tmp_path / "ours")


class Bomb:
    """Runs code when it is unpickled."""

    def __reduce__(self) -> tuple:
        return exec, ("raise SystemExit('unpickled')",)


def test_code_in_a_pickled_file_is_never_run(tmp_path: Path) -> None:
    publish(tmp_path / "published", "qwen2", pickled=True, shards=1)
    torch.save({"model.norm.weight": Bomb()}, tmp_path / "published" / "pytorch_model.bin")
    with pytest.raises(InputError, match="expected a file of weights"):
        convert(tmp_path / "published", tmp_path / "ours")


def test_without_any_vision_tower_it_says_which_to_download(tmp_path: Path) -> None:
    publish(tmp_path / "published", "qwen2", inside=False)
    moved = tmp_path / "elsewhere"
    (tmp_path / "clip-vit-large-path14-336_to_1022").rename(moved)
    with pytest.raises(InputError, match="--vision-tower"):
        convert(tmp_path / "published", tmp_path / "ours")
    convert(tmp_path / "published", tmp_path / "ours", moved)
    assert loaded(tmp_path / "ours")["model.multi_modal_projector.conv.bias"].shape == (HIDDEN,)


def test_a_missing_shard_is_named(tmp_path: Path) -> None:
    publish(tmp_path / "published", "qwen2")
    (tmp_path / "published" / "model-00002-of-00003.safetensors").unlink()
    with pytest.raises(InputError, match="model-00002-of-00003"):
        convert(tmp_path / "published", tmp_path / "ours")


def test_the_folder_to_write_has_to_be_empty(tmp_path: Path) -> None:
    publish(tmp_path / "published", "qwen2")
    (tmp_path / "ours").mkdir()
    (tmp_path / "ours" / "notes.txt").write_text("mine")
    with pytest.raises(InputError, match="empty"):
        convert(tmp_path / "published", tmp_path / "ours")


def test_importing_it_registers_it() -> None:
    assert swift_plugin_visionr1.griffon_g.GriffonGConfig.model_type == "griffon_g"
