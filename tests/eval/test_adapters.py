"""A LoRA adapter as the model that is asked."""

import json
from pathlib import Path

import pytest

from mmdet_eval.asking.adapters import on_its_base
from mmdet_eval.asking.reading_record import ReadingRecord, find_training_record
from swift_plugin_visionr1.errors import InputError
from swift_plugin_visionr1.models.chat import ChatOptions
from swift_plugin_visionr1.models.model_io import Limits
from swift_plugin_visionr1.reward.settings import load_settings
from swift_plugin_visionr1.runs.run_record import keep_record, record_of


@pytest.fixture
def adapter(tmp_path: Path) -> Path:
    """A run's checkpoint of an adapter on the model `base`, as ms-swift leaves it."""
    (tmp_path / "base").mkdir()
    folder = tmp_path / "run" / "checkpoint-2"
    folder.mkdir(parents=True)
    (folder / "adapter_config.json").write_text('{"base_model_name_or_path": "gone/elsewhere"}')
    (folder / "args.json").write_text(json.dumps({"model": str(tmp_path / "base")}))
    return folder


def test_its_base_is_asked_with_it(adapter: Path, tmp_path: Path) -> None:
    model, options = on_its_base(str(adapter), ["--max_batch_size", "4"])
    assert model == str(tmp_path / "base")
    assert options == ["--max_batch_size", "4", "--adapters", str(adapter)]


def test_a_whole_model_is_asked_as_it_is(tmp_path: Path) -> None:
    assert on_its_base(str(tmp_path), ["--adapters", "a"]) == (str(tmp_path), ["--adapters", "a"])
    assert on_its_base("Qwen/Qwen3-VL-8B-Instruct", []) == ("Qwen/Qwen3-VL-8B-Instruct", [])


def test_without_args_json_the_adapters_own_word_counts(adapter: Path) -> None:
    (adapter / "args.json").unlink()
    assert on_its_base(str(adapter), [])[0] == "gone/elsewhere"  # may be a hub's id


@pytest.mark.parametrize(
    ("base", "options", "message"),
    [
        pytest.param("/gone/base", [], "--model BASE --adapters", id="base is gone"),
        pytest.param("", [], "which names none", id="base is unknown"),
        pytest.param("/gone/base", ["--adapters", "b"], "both adapters", id="another adapter"),
    ],
)
def test_what_cannot_be_asked(adapter: Path, base: str, options: list, message: str) -> None:
    (adapter / "args.json").unlink()
    (adapter / "adapter_config.json").write_text(json.dumps({"base_model_name_or_path": base}))
    with pytest.raises(InputError, match=message):
        on_its_base(str(adapter), options)


def test_an_adapters_run_says_how_its_answers_are_read(adapter: Path, tmp_path: Path) -> None:
    training = record_of(load_settings("strict"), "qwen3_vl", ChatOptions(), Limits({}, 50_176))
    keep_record(adapter.parent, training)
    record = ReadingRecord(str(tmp_path / "base"), adapters=(str(adapter),))
    trained = find_training_record(tmp_path, record)
    assert trained is not None
    assert (trained.model_type, trained.max_pixels) == ("qwen3_vl", 50_176)
    assert find_training_record(tmp_path, ReadingRecord(str(tmp_path / "base"))) is None
