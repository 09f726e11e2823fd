"""Which format and which rule of the processed size a run gets."""

import json
from pathlib import Path
from typing import Any

import pytest

from swift_plugin_visionr1 import (
    FAMILIES,
    FORMATS,
    Limits,
    Settings,
    SettingsError,
    get_format,
    model_io,
)
from swift_plugin_visionr1.geometry.boxes import as_boxes, iou
from swift_plugin_visionr1.geometry.resize import (
    PaddedSquare,
    QwenResize,
    Rescaled,
    Resize,
    SquareResize,
    TileResize,
    Unchanged,
)
from swift_plugin_visionr1.models.chat import ChatOptions
from swift_plugin_visionr1.models.checkpoint import find_checkpoint
from swift_plugin_visionr1.models.model_io import model_type_of
from swift_plugin_visionr1.reward.settings import settings_from

ONE_BOX = as_boxes([[0, 0, 10, 10]])


@pytest.mark.parametrize("model_type", FAMILIES)
def test_every_family_has_a_format_and_a_rule(model_type: str) -> None:
    assert FAMILIES[model_type].format in FORMATS
    io = model_io(Settings(), model_type, Limits())
    assert io.format.name == FAMILIES[model_type].format
    assert io.resize.view((640, 480)).size == (640, 480)


@pytest.mark.parametrize("model_type", FAMILIES)
def test_what_a_family_writes_of_a_box_leads_back_to_the_box(model_type: str) -> None:
    io, box = model_io(Settings(), model_type), as_boxes([[20, 30, 300, 400]])
    view, frame = io.resize.view((641, 479)), io.format.frame
    parsed = io.format.parse(io.format.write(frame.from_image(box, view), ["cat"]))
    assert parsed.issues == io.format.content_issues(parsed, view) == ()
    assert iou(frame.to_image(parsed.boxes, view), box) > (0.9 if model_type == "kosmos2" else 0.99)


def test_nobody_says_anything_it_is_the_papers_model() -> None:
    io = model_io(Settings())
    assert (io.format.name, io.resize) == ("qwen2_5_vl", QwenResize())


def test_the_settings_name_the_model_where_the_caller_does_not() -> None:
    assert model_io(Settings(model_type="qwen3_vl")).resize == QwenResize(factor=32)


def test_the_settings_may_not_contradict_the_run() -> None:
    with pytest.raises(SettingsError, match="to be the run's, 'qwen3_vl', got 'qwen2_5_vl'"):
        model_io(Settings(model_type="qwen2_5_vl"), "qwen3_vl")


def test_the_settings_win_over_the_familys_format_and_reasoning() -> None:
    io = model_io(Settings(format="qwen2_5_vl", frame="norm1000", reasoning="none"), "qwen3_5")
    assert (io.format.name, io.format.frame.units, io.resize) == (
        "qwen2_5_vl",
        1000,
        QwenResize(factor=32),
    )
    assert io.format.write(ONE_BOX, ["cat"]) == FORMATS["qwen2_5_vl"].write(ONE_BOX, ["cat"]), (
        "nothing around it"
    )


@pytest.mark.parametrize(
    ("model_type", "template", "tags"),
    [
        pytest.param("qwen2_5_vl", "qwen2_5_vl", [], id="bare"),
        pytest.param(
            "qwen2_5_vl", "mimo_vl", ["<think>"], id="MiMo-VL has Qwen2.5-VL's model type"
        ),
        pytest.param("qwen3_5", None, ["<think>"], id="a family that thinks"),
        pytest.param("gemma4_unified", None, ["<think>"], id="Gemma 4 12B, of no known template"),
        pytest.param("glm4v", "glm4v", ["<think>", "<answer>"], id="GLM-4.1V"),
        pytest.param(
            "glm4v", "glm4_5v", ["<think>"], id="GLM-4.6V-Flash has GLM-4.1V's model type"
        ),
    ],
)
def test_reasoning_is_the_templates_or_else_the_familys(
    model_type: str, template: str | None, tags: list[str]
) -> None:
    written = model_io(Settings(), model_type, chat=ChatOptions(template)).format.write(
        ONE_BOX, ["cat"]
    )
    assert [tag for tag in ("<think>", "<answer>") if tag in written] == tags


@pytest.mark.parametrize(
    ("model_type", "settings", "expected"),
    [
        ("qwen3_vl", Settings(), "think"),
        ("glm4v", Settings(), "think_answer"),
        ("qwen3_vl", Settings(reasoning="think_answer"), "think_answer"),
        ("qwen3_vl", Settings(reasoning="none"), "none"),
    ],
    ids=[
        "a family that does not think by itself",
        "one that does",
        "the settings win",
        "even with none",
    ],
)
def test_a_run_that_told_to_think(model_type: str, settings: Settings, expected: Any) -> None:
    assert model_io(
        settings, model_type, chat=ChatOptions(response_prefix="<think>\n")
    ).format == get_format(model_type, reasoning=expected)


def test_an_unknown_model_is_an_error_that_says_what_to_set() -> None:
    with pytest.raises(
        SettingsError,
        match=r"known, got 'llava1_5_hf'.* set `format` and `frame`.* Known are .*qwen",
    ):
        model_io(Settings(), "llava1_5_hf")


def test_a_misspelt_model_type_is_recognised() -> None:
    with pytest.raises(SettingsError, match=r"got 'qwen25_vl'; did you mean 'qwen2_5_vl'\?"):
        model_io(Settings(), "qwen25_vl")


@pytest.mark.parametrize("frame", [None, "processed"])
def test_an_unknown_model_cannot_write_pixels_of_a_size_that_nobody_knows(
    frame: str | None,
) -> None:
    with pytest.raises(SettingsError, match="any frame but processed"):
        model_io(Settings(format="qwen2_5_vl", frame=frame), "own_model")


@pytest.mark.parametrize(
    ("frame", "resize"),
    [("norm1000", Unchanged()), ("original", Unchanged()), ("padded1", PaddedSquare())],
)
def test_an_unknown_model_whose_format_and_frame_are_said(frame: str, resize: Resize) -> None:
    io = model_io(Settings(format="qwen2_5_vl", frame=frame), "own_model")
    assert (io.format.name, io.resize) == ("qwen2_5_vl", resize)


@pytest.mark.parametrize(
    ("model_type", "limits", "expected"),
    [
        pytest.param(
            "qwen2_5_vl",
            Limits({"MAX_PIXELS": "401408"}),
            QwenResize(None, 4, 512),
            id="tokens of 28",
        ),
        pytest.param(
            "qwen3_vl",
            Limits({"MAX_PIXELS": "401408"}),
            QwenResize(None, 4, 392, 32),
            id="tokens of 32",
        ),
        pytest.param(
            "qwen3_vl",
            Limits({"IMAGE_MAX_TOKEN_NUM": "9"}),
            QwenResize(None, 4, 9, 32),
            id="token number",
        ),
        pytest.param(
            "qwen3_5", Limits({}, 50_000), QwenResize(50_000, factor=32), id="--max_pixels"
        ),
        pytest.param("internvl_chat", Limits({"MAX_NUM": "6"}), TileResize(448, 6), id="MAX_NUM"),
        pytest.param(
            "internvl",
            Limits({"MAX_NUM": "6"}),
            TileResize(448, 12),
            id="MAX_NUM, which it does not read",
        ),
        pytest.param("griffon", Limits(), SquareResize(1022), id="square"),
        pytest.param(
            "griffon",
            Limits({}, 50_000),
            Rescaled(50_000, SquareResize(1022)),
            id="square after --max_pixels",
        ),
        pytest.param(
            "griffon", Limits({}, -1), SquareResize(1022), id="--max_pixels -1 means unlimited"
        ),
        pytest.param(
            "paligemma",
            Limits(processor={"size": {"height": 896, "width": 896}}),
            SquareResize(896),
            id="processor",
        ),
        pytest.param(
            "paligemma",
            Limits(processor={"size": 448}),
            SquareResize(448),
            id="processor, one number",
        ),
        pytest.param(
            "kosmos2",
            Limits(processor={"size": {"shortest_edge": 9}}),
            SquareResize(224),
            id="other fields",
        ),
    ],
)
def test_limits(model_type: str, limits: Limits, expected: Resize) -> None:
    assert FAMILIES[model_type].resize(limits) == expected


@pytest.mark.parametrize(
    ("model_type", "environ", "match"),
    [
        ("internvl_chat", {"MAX_NUM": "0"}, "see INPUT_SIZE and MAX_NUM"),
        (
            "internvl_chat",
            {"MAX_NUM": "many"},
            "whole number in the environment variable MAX_NUM, got 'many'",
        ),
        ("ovis2_5", {"MAX_PIXELS": "28x28"}, "environment variable MAX_PIXELS, got '28x28'"),
        ("minicpmv4_5", {"MAX_SLICE_NUMS": "0"}, "see MAX_SLICE_NUMS"),
    ],
)
def test_impossible_limits_are_settings_errors(
    model_type: str, environ: dict[str, str], match: str
) -> None:
    with pytest.raises(SettingsError, match=match):
        model_io(Settings(), model_type, Limits(environ))


@pytest.mark.parametrize(
    ("config", "expected"),
    [
        pytest.param(
            {"architectures": ["Qwen2_5_VLForConditionalGeneration"]},
            "qwen2_5_vl",
            id="by architecture",
        ),
        pytest.param({"model_type": "qwen3_vl"}, "qwen3_vl", id="by model type"),
        pytest.param(
            {"architectures": None, "model_type": "glm4v"}, "glm4v", id="no architectures"
        ),
        pytest.param(
            {"architectures": ["InternVLChatModel"], "model_type": "x"},
            "internvl_chat",
            id="either",
        ),
        pytest.param(
            {"architectures": ["MiniCPMV"], "version": 2.6}, "minicpmv2_6", id="MiniCPM-V 2.6"
        ),
        pytest.param({"model_type": "minicpmv", "version": 4.5}, "minicpmv4_5", id="MiniCPM-V 4.5"),
        pytest.param({"architectures": ["MiniCPMV"], "version": 4}, "minicpmv4", id="MiniCPM-V 4"),
        pytest.param({"architectures": ["MiniCPMV"]}, None, id="MiniCPM-V of no version"),
        pytest.param({"architectures": ["QWenLMHeadModel"], "visual": {}}, "qwen_vl", id="Qwen-VL"),
        pytest.param({"architectures": ["QWenLMHeadModel"]}, None, id="Qwen, which has no eyes"),
        pytest.param({"model_type": "gemma2_Griffon"}, "griffon", id="Griffon-G"),
        pytest.param({"model_type": "griffon_g"}, "griffon_g", id="Griffon-G, converted"),
        pytest.param(
            {"architectures": ["DeepseekOCRForCausalLM"], "model_type": "deepseek_vl_v2"},
            None,
            id="DeepSeek-OCR",
        ),
        pytest.param(
            {"architectures": ["LlamaForCausalLM"], "model_type": "llama"}, None, id="unknown"
        ),
        pytest.param({}, None, id="empty"),
    ],
)
def test_model_type_of_a_checkpoint(config: dict[str, Any], expected: str | None) -> None:
    assert model_type_of(config) == expected


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("Qwen/Qwen2.5-VL-7B-Instruct", "qwen2_5_vl"),
        ("Qwen/Qwen2-VL-7B-Instruct", "qwen2_vl"),
        ("Qwen/Qwen-VL-Chat", "qwen_vl"),
        ("Qwen/Qwen3.5-4B", "qwen3_5"),
        ("XiaomiMiMo/MiMo-VL-7B-RL", "qwen2_5_vl"),
        ("google/gemma-3-4b-it", "gemma3_vision"),
        ("google/gemma-3n-E4B-it", None),
        ("google/gemma-4-31B-it", "gemma4"),
        ("openbmb/MiniCPM-V-4_5", "minicpmv4_5"),
        ("openbmb/MiniCPM-o-2_6", "minicpmo"),
        ("zai-org/GLM-4.6V", "glm4v_moe"),
        ("llava-hf/llava-1.5-7b-hf", None),
        ("Qwen/Qwen2.5-Omni-7B", "qwen2_5_omni"),
        ("Qwen/Qwen3-Omni-30B-A3B-Instruct", "qwen3_omni_moe"),
        ("Qwen/Qwen3-VL-30B-A3B-Instruct", "qwen3_vl_moe"),
        ("Qwen/Qwen3-VL-Embedding-8B", None),
        ("Qwen/Qwen3.6-35B-A3B", "qwen3_5_moe"),
        ("Qwen/Qwen3-8B", None),
        ("openbmb/MiniCPM-V-4", "minicpmv4"),
        ("zai-org/cogvlm-chat-hf", "cogvlm"),
        ("IDEA-Research/Rex-Omni", "qwen2_5_vl"),
        ("OpenGVLab/InternVL3-8B-hf", "internvl"),
        ("OpenGVLab/InternVL3-8B", "internvl_chat"),
        ("google/medgemma-4b-it", "gemma3_vision"),
    ],
)
def test_model_type_by_the_name_on_a_hub(name: str, expected: str | None) -> None:
    assert find_checkpoint(name).model_type == expected


def test_lists_in_a_processors_fields_can_be_remembered() -> None:
    """A reward's scorer is shared by what `model_io` gives, so that has to be hashable."""
    processor = {
        "candidate_resolutions": [[384, 384], [768, 384]],
        "size": {"height": 448, "width": 448},
    }
    for model_type in FAMILIES:
        assert hash(model_io(Settings(), model_type, Limits(processor=processor)))
    layout = settings_from({"format": "json", "json": {"box": ["x1", "y1", "x2", "y2"]}})
    assert hash((layout, model_io(layout)))


@pytest.mark.parametrize(
    ("model_type", "arguments", "expected"),
    [
        pytest.param("qwen3_vl", {"enable_thinking": True}, True, id="told to think, args.json"),
        pytest.param("qwen3_vl", {"enable_thinking": "true"}, True, id="told to think, recipe"),
        pytest.param("qwen3_vl", {"enable_thinking": None}, False, id="not told"),
        pytest.param("qwen2_5_vl", {"enable_thinking": True}, False, id="has no such way"),
        pytest.param("qwen2_5_vl", {"response_prefix": "<think>\n"}, True, id="response prefix"),
        pytest.param(None, {}, False, id="nothing known"),
    ],
)
def test_reasoning_that_the_run_opens(
    model_type: str | None, arguments: dict[str, Any], expected: bool
) -> None:
    chat = ChatOptions.of(arguments)
    assert (chat.reasoning(model_type or "", "none") == "think") == expected


@pytest.mark.parametrize(
    ("name", "kept", "expected"),
    [
        pytest.param("MiMo-VL-7B-RL", {}, ChatOptions("mimo_vl"), id="by the name"),
        pytest.param("mimo-vl/checkpoint-10", {}, ChatOptions(), id="of the last folder only"),
        pytest.param(
            "checkpoint-10",
            {"template": "glm4_5v", "response_prefix": "<think>", "enable_thinking": True},
            ChatOptions("glm4_5v", None, "<think>"),
            id="what inference takes from args.json",
        ),
    ],
)
def test_the_chat_options_of_a_checkpoint(
    tmp_path: Path, name: str, kept: dict[str, Any], expected: ChatOptions
) -> None:
    folder = tmp_path / name
    folder.mkdir(parents=True)
    (folder / "args.json").write_text(json.dumps(kept))
    assert find_checkpoint(str(folder)).chat == expected


def test_the_args_of_an_adapter_count_instead_of_the_models(tmp_path: Path) -> None:
    for name, kept in {"base": "mimo_vl", "lora": "glm4_5v"}.items():
        (tmp_path / name).mkdir()
        arguments = {"template": kept, "model_type": "minicpmo"}
        (tmp_path / name / "args.json").write_text(json.dumps(arguments))
    (tmp_path / "plain").mkdir()
    base, lora, plain = (str(tmp_path / name) for name in ("base", "lora", "plain"))
    assert find_checkpoint(base, [plain, lora]).chat.template == "glm4_5v"
    assert find_checkpoint(base, [plain, "some/hub-id"]).chat.template == "mimo_vl"
    assert find_checkpoint(plain, [lora]).model_type == "minicpmo", "no config.json tells it"


def test_what_is_said_wins_over_what_is_known() -> None:
    known = ChatOptions("mimo_vl", True, "<think>")
    assert ChatOptions(enable_thinking=False).over(known) == ChatOptions(
        "mimo_vl", False, "<think>"
    )
