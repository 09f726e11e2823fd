"""Which checkpoints the check of resumed weights lets pass: it must not stop a run that would go on
rightly."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

pytest.importorskip("swift", reason="needs the extra `swift`")

from transformers import AutoModelForImageTextToText, PreTrainedModel, Qwen2Config, Qwen2ForCausalLM

from swift_plugin_visionr1 import SettingsError
from swift_plugin_visionr1.ms_swift.resume_check import check_resumed

HERE = "base"  # where the trainer's model was loaded from


def language_model(tied: bool) -> PreTrainedModel:
    return Qwen2ForCausalLM(
        Qwen2Config(
            vocab_size=32,
            hidden_size=16,
            intermediate_size=16,
            num_hidden_layers=2,
            num_attention_heads=2,
            num_key_value_heads=2,
            tie_word_embeddings=tied,
        )
    )


def trainer(model: Any, folder: Path | None, loaded_from: Path | str = HERE, **engine: bool) -> Any:
    """What is looked at of a trainer, with a model of transformers."""
    model.model_dir = str(loaded_from)
    engines = {"is_deepspeed_enabled": False, "is_fsdp_enabled": False}
    args = SimpleNamespace(resume_from_checkpoint=folder and str(folder))
    return SimpleNamespace(args=args, model=model, **(engines | engine))


@pytest.mark.parametrize("tied", [True, False], ids=["tied", "untied"])
@pytest.mark.parametrize("shard", ["1KB", "1GB"], ids=["shards", "one file"])
def test_weights_under_the_models_own_names_pass(tied: bool, shard: str, tmp_path: Path) -> None:
    model = language_model(tied)
    model.save_pretrained(tmp_path, max_shard_size=shard)
    assert (tmp_path / "model.safetensors.index.json").exists() == (shard == "1KB")
    check_resumed(trainer(model, tmp_path))


def test_an_adapters_checkpoint_passes(tmp_path: Path) -> None:
    peft = pytest.importorskip("peft")
    model = peft.get_peft_model(language_model(True), peft.LoraConfig(target_modules="all-linear"))
    model.save_pretrained(tmp_path)
    assert (tmp_path / "adapter_model.safetensors").exists()
    check_resumed(trainer(model, tmp_path))


@pytest.mark.parametrize("shard", ["1KB", "1GB"], ids=["shards", "one file"])
def test_weights_under_published_names_are_refused_unless_the_engine_has_its_own(
    shard: str, checkpoint: Path, tmp_path: Path
) -> None:
    model = AutoModelForImageTextToText.from_pretrained(checkpoint)
    model.save_pretrained(tmp_path, max_shard_size=shard)
    with pytest.raises(
        SettingsError,
        match=f"add --model {tmp_path} --ref_model {HERE} to --resume_from_checkpoint",
    ):
        check_resumed(trainer(model, tmp_path))
    for engine in ("is_deepspeed_enabled", "is_fsdp_enabled"):
        check_resumed(trainer(model, tmp_path, **{engine: True}))
    check_resumed(trainer(model, tmp_path, loaded_from=tmp_path / "."))
    check_resumed(trainer(model, None))
