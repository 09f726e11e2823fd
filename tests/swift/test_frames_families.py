"""What is said of the families against ms-swift's own registry of models and templates."""

import pytest

pytest.importorskip("swift", reason="needs the extra `swift`")

from swift.model import MODEL_MAPPING, get_processor
from swift.model.model_meta import get_matched_model_types
from swift.template import TEMPLATE_MAPPING, get_template

from swift_plugin_visionr1 import Settings, get_format
from swift_plugin_visionr1.models.chat import TEMPLATES
from swift_plugin_visionr1.models.checkpoint import find_checkpoint
from swift_plugin_visionr1.models.families import FAMILIES, model_type_of
from swift_plugin_visionr1.ms_swift.run_context import run_io

OURS = {"griffon", "kosmos2"}  # models that are not in ms-swift
NOT_BY_ARCHITECTURE = {
    "MiniCPMV",
    "QWenLMHeadModel",
}  # several model types, told apart by other fields
EMPTY = (
    "<think>",
    "<think>\n\n</think>",
    "<think></think>",
    "<|channel>thought\n<channel|>",
)  # reasoning


def test_every_model_type_is_ms_swifts() -> None:
    assert set(FAMILIES) - set(MODEL_MAPPING) == OURS
    assert set(TEMPLATES) <= set(TEMPLATE_MAPPING)


@pytest.mark.parametrize("model_type", sorted(set(FAMILIES) - OURS))
def test_architectures_lead_to_the_model_type(model_type: str) -> None:
    for architecture in (
        set(MODEL_MAPPING[model_type].architectures) - NOT_BY_ARCHITECTURE - {"null"}
    ):
        assert model_type_of({"architectures": [architecture]}) == model_type


def test_other_models_architectures_lead_nowhere_or_where_ms_swift_may_lead() -> None:
    for other, meta in MODEL_MAPPING.items():
        for architecture in set(meta.architectures) - {"null"}:
            found = model_type_of({"architectures": [architecture]})
            assert found is None or found in get_matched_model_types([architecture]), other


def test_names_on_both_hubs_lead_to_the_model_type() -> None:
    wrong = [
        (name, said)
        for model_type, meta in MODEL_MAPPING.items()
        for group in meta.model_groups
        for model in group.models
        for name in {model.hf_model_id, model.ms_model_id} - {None}
        if (said := find_checkpoint(name).model_type)
        != ((model_type in FAMILIES and model_type) or None)
    ]
    assert wrong == []


@pytest.mark.parametrize("model_type", sorted(set(FAMILIES) - OURS))
def test_reasoning_fits_what_the_template_puts_before_every_response(model_type: str) -> None:
    for name in MODEL_MAPPING[model_type].candidate_templates:
        meta = TEMPLATE_MAPPING[name]
        prefix = meta.template_cls(None, meta)._get_response_prefix()
        if prefix:
            assert prefix.strip() in EMPTY
            assert TEMPLATES.get(name, FAMILIES[model_type].reasoning) == "think"


@pytest.mark.parametrize("model_type", sorted(set(FAMILIES) - OURS))
def test_a_checkpoints_name_leads_to_the_reasoning_of_ms_swifts_template(model_type: str) -> None:
    """The evaluator knows the name only; training asks the template that ms-swift made."""
    usual = FAMILIES[model_type].reasoning
    for group in MODEL_MAPPING[model_type].model_groups:
        template = group.template or MODEL_MAPPING[model_type].template
        for model in group.models:
            chat = find_checkpoint(model.hf_model_id or model.ms_model_id).chat
            assert chat.reasoning(model_type, usual) == TEMPLATES.get(template, usual), model


@pytest.mark.parametrize(
    ("enable_thinking", "response_prefix", "expected"),
    [
        pytest.param(None, None, "none", id="as the template does by itself"),
        pytest.param(True, None, "think", id="--enable_thinking true"),
        pytest.param(None, "<think>\n", "think", id="--response_prefix"),
        pytest.param(None, "[", "none", id="another --response_prefix"),
    ],
)
def test_a_run_that_is_told_to_think_is_to_write_its_thoughts(
    enable_thinking: bool | None, response_prefix: str | None, expected: str
) -> None:
    """Qwen3-VL's template opens <think> on demand, and ms-swift hands rewards the text with it."""
    meta = TEMPLATE_MAPPING["qwen3_vl"]
    template = meta.template_cls(
        None, meta, enable_thinking=enable_thinking, response_prefix=response_prefix
    )
    template.model_meta = MODEL_MAPPING["qwen3_vl"]
    _, _, io = run_io(Settings(), None, template)
    assert io.format == get_format("qwen3_vl", reasoning=expected)
    _, _, said = run_io(Settings(reasoning="none"), None, template)
    assert said.format == get_format("qwen3_vl"), "the settings win"


@pytest.mark.parametrize(
    ("written", "read"),
    [
        pytest.param(
            "<|box_start|>red<|box_end|>", "<|box_start|>red<|box_end|>", id="around the answer"
        ),
        pytest.param("<loc0012><loc0500>red", "<loc0012><loc0500>red", id="places"),
        pytest.param("red<|im_end|>", "red", id="the end token is taken off"),
        pytest.param("red<|im_end|><|im_end|>", "red", id="and the template's suffix"),
    ],
)
def test_special_tokens_of_a_response_are_kept(checkpoint: object, written: str, read: str) -> None:
    """Both GRPO's rollouts and `swift infer` make their texts with this function of the
    template."""
    processor = get_processor(str(checkpoint), model_type="qwen2_5_vl")
    tokenizer = processor.tokenizer
    tokenizer.add_special_tokens(
        {"additional_special_tokens": ["<|box_start|>", "<|box_end|>", "<loc0012>", "<loc0500>"]}
    )
    template = get_template(processor, template_type="qwen2_5_vl")
    ids = tokenizer.encode(written, add_special_tokens=False)
    assert template.decode_generate_ids(ids) == read
    assert "<" not in tokenizer.decode(ids, skip_special_tokens=True), "they are special indeed"
