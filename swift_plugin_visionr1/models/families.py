"""Model families, by ms-swift's `model_type`: how each writes boxes, and how it sees an image.

Kosmos-2 is not in ms-swift, nor is Griffon as its authors publish it; their answers can be
evaluated, under names of ours. `griffon_g` is what this plugin adds to ms-swift.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from ..formats import Reasoning
from ..geometry.resize import (
    BudgetResize,
    CandidateResize,
    GlmResize,
    OvisResize,
    QwenResize,
    Rescaled,
    Resize,
    SliceResize,
    SquareResize,
    TileResize,
)
from ..geometry.resize.base import whole_number
from ..geometry.resize.candidates import CANDIDATES


@dataclass(frozen=True)
class Limits:
    """What decides a family's processed size in one run.

    Attributes:
        environ: environment variables, for MAX_PIXELS and its kin as ms-swift reads them.
        max_pixels: ms-swift's own --max_pixels, which rescales before anything else; None for no
            limit.
        processor: the fields of the checkpoint's image processor (preprocessor_config.json); empty
            if unknown.
    """

    environ: Mapping[str, str] = field(default_factory=dict)
    max_pixels: int | None = None
    processor: Mapping[str, Any] = field(default_factory=dict)


MakeResize = Callable[[Limits], Resize]


@dataclass(frozen=True)
class Family:
    """Models that see and write alike.

    Attributes:
        format: a key of FORMATS.
        resize: makes the rule of the processed size from a run's limits; raises ValueError for
            limits it cannot have.
        reasoning: what stands around the answer in the text that ms-swift hands on.
        names: how a checkpoint's config.json names such a model, in `architectures` or as
            `model_type`.
    """

    format: str
    resize: MakeResize
    reasoning: Reasoning = "none"
    names: tuple[str, ...] = ()


def _qwen(factor: int) -> MakeResize:
    return lambda limits: QwenResize.from_environment(limits.environ, limits.max_pixels, factor)


def _ovis(limits: Limits) -> Resize:
    """--max_pixels is ignored: the template replaces it by MAX_PIXELS, or by its own default."""
    return OvisResize(
        whole_number(limits.environ, "MIN_PIXELS", OvisResize.min_pixels),
        whole_number(limits.environ, "MAX_PIXELS", OvisResize.max_pixels),
    )


def _square(side: int) -> MakeResize:
    """`side` is what the family publishes, for checkpoints of which nothing is known."""
    return _after_max_pixels(lambda limits: SquareResize(_side(limits.processor, side)))


def _after_max_pixels(make: MakeResize) -> MakeResize:
    def resize(limits: Limits) -> Resize:
        rule = make(limits)
        return (
            Rescaled(limits.max_pixels, rule)
            if limits.max_pixels and limits.max_pixels > 0
            else rule
        )

    return resize


@_after_max_pixels
def _glm(limits: Limits) -> Resize:
    size = limits.processor.get("size") or {}
    return GlmResize(
        size.get("shortest_edge", GlmResize.min_pixels),
        size.get("longest_edge", GlmResize.max_pixels),
    )


@_after_max_pixels
def _internvl_chat(limits: Limits) -> Resize:
    return TileResize(
        whole_number(limits.environ, "INPUT_SIZE", TileResize.side),
        whole_number(limits.environ, "MAX_NUM", TileResize.most),
    )


@_after_max_pixels
def _internvl(limits: Limits) -> Resize:
    """Transformers' own InternVL: its processor decides; MAX_NUM and INPUT_SIZE are ignored."""
    of = limits.processor.get
    return TileResize(
        _side(limits.processor, TileResize.side),
        of("max_patches", TileResize.most),
        of("min_patches", TileResize.least),
    )


@_after_max_pixels
def _deepseek_vl2(limits: Limits) -> Resize:
    given = limits.processor.get("candidate_resolutions") or CANDIDATES
    return CandidateResize(tuple((width, height) for width, height in given))


def _minicpm(merges: int) -> MakeResize:
    """`merges`: patches along a side that become one token, so that a slice must hold whole
    ones."""

    def resize(limits: Limits) -> Resize:
        of = limits.processor.get
        most = of("max_slice_nums", SliceResize.most) if merges == 1 else SliceResize.most
        return SliceResize(
            whole_number(limits.environ, "MAX_SLICE_NUMS", most),
            of("scale_resolution", SliceResize.resolution),
            of("patch_size", SliceResize.multiple) * merges,
        )

    return _after_max_pixels(resize)


@_after_max_pixels
def _gemma4(limits: Limits) -> Resize:
    of = limits.processor.get
    return BudgetResize(
        of("max_soft_tokens", BudgetResize.tokens),
        of("patch_size", 16) * of("pooling_kernel_size", 3),
    )


def _side(processor: Mapping[str, Any], default: int) -> int:
    size = processor.get("size")
    side = size.get("height") if isinstance(size, Mapping) else size
    return side if isinstance(side, int) else default


FAMILIES: dict[str, Family] = {
    "qwen_vl": Family("qwen_vl", _square(448)),
    "qwen2_vl": Family(
        "qwen2_vl", _qwen(28), names=("Qwen2VLForConditionalGeneration", "qwen2_vl")
    ),
    "qwen2_5_vl": Family(
        "qwen2_5_vl", _qwen(28), names=("Qwen2_5_VLForConditionalGeneration", "qwen2_5_vl")
    ),
    "qwen2_5_omni": Family(
        "qwen2_5_vl",
        _qwen(28),
        names=("Qwen2_5OmniModel", "Qwen2_5OmniForConditionalGeneration", "qwen2_5_omni"),
    ),
    "qwen3_vl": Family(
        "qwen3_vl", _qwen(32), names=("Qwen3VLForConditionalGeneration", "qwen3_vl")
    ),
    "qwen3_vl_moe": Family(
        "qwen3_vl", _qwen(32), names=("Qwen3VLMoeForConditionalGeneration", "qwen3_vl_moe")
    ),
    "qwen3_omni_moe": Family(
        "qwen3_vl", _qwen(32), names=("Qwen3OmniMoeForConditionalGeneration", "qwen3_omni_moe")
    ),
    "qwen3_5": Family(
        "qwen3_vl", _qwen(32), "think", ("Qwen3_5ForConditionalGeneration", "qwen3_5")
    ),
    "qwen3_5_moe": Family(
        "qwen3_vl", _qwen(32), "think", ("Qwen3_5MoeForConditionalGeneration", "qwen3_5_moe")
    ),
    "qwen4_exp": Family(
        "qwen3_vl", _qwen(32), "think", ("Qwen4ExpForConditionalGeneration", "qwen4_exp")
    ),
    "glm4v": Family("glm4v", _glm, "think_answer", ("Glm4vForConditionalGeneration", "glm4v")),
    "glm4v_moe": Family("glm4v", _glm, "think", ("Glm4vMoeForConditionalGeneration", "glm4v_moe")),
    "ovis2_5": Family("ovis", _ovis, names=("Ovis2_5", "ovis2_5")),
    "internvl_chat": Family(
        "internvl", _internvl_chat, names=("InternVLChatModel", "internvl_chat")
    ),
    "internvl": Family(
        "internvl", _internvl, names=("InternVLForConditionalGeneration", "internvl")
    ),
    "deepseek_vl2": Family("deepseek_vl2", _deepseek_vl2, names=("DeepseekVLV2ForCausalLM",)),
    "minicpmv2_6": Family("minicpm_v", _minicpm(1)),
    "minicpmv4": Family("minicpm_v", _minicpm(1)),
    "minicpmv4_5": Family("minicpm_v", _minicpm(1), "think"),
    "minicpmv4_6": Family(
        "minicpm_v", _minicpm(4), "think", ("MiniCPMV4_6ForConditionalGeneration", "minicpmv4_6")
    ),
    "minicpmv4_7": Family(
        "minicpm_v", _minicpm(4), "think", ("MiniCPMV4_7ForConditionalGeneration", "minicpmv4_7")
    ),
    "minicpmo": Family("minicpm_v", _minicpm(1), names=("MiniCPMO", "minicpmo")),
    "paligemma": Family(
        "paligemma", _square(224), names=("PaliGemmaForConditionalGeneration", "paligemma")
    ),
    "florence": Family(
        "florence2", _square(768), names=("Florence2ForConditionalGeneration", "florence2")
    ),
    "gemma3_vision": Family(
        "gemini", _square(896), names=("Gemma3ForConditionalGeneration", "gemma3")
    ),
    "gemma4": Family("gemini", _gemma4, names=("Gemma4ForConditionalGeneration", "gemma4")),
    "gemma4_unified": Family(
        "gemini", _gemma4, "think", ("Gemma4UnifiedForConditionalGeneration", "gemma4_unified")
    ),
    "cogvlm": Family("cogvlm", _square(490), names=("CogVLMForCausalLM",)),
    "cogagent_chat": Family("cogvlm", _square(1120), names=("CogAgentForCausalLM",)),
    "griffon": Family("griffon", _square(1022), names=("gemma2_Griffon", "qwen2_Griffon")),
    "griffon_g": Family(
        "griffon", _square(1022), names=("GriffonGForConditionalGeneration", "griffon_g")
    ),
    "kosmos2": Family(
        "kosmos2", _square(224), names=("Kosmos2ForConditionalGeneration", "kosmos-2")
    ),
}


def model_type_of(config: Mapping[str, Any]) -> str | None:
    """The model type, a key of FAMILIES, of a checkpoint by its config.json; None for unknown
    models.

    Where ms-swift cannot tell (one architecture, several model types) it is the one that writes
    boxes.
    """
    written = {*(config.get("architectures") or ()), config.get("model_type")}
    if written & {"MiniCPMV", "minicpmv"}:
        return _MINICPM_VERSIONS.get(str(config.get("version")))
    if "QWenLMHeadModel" in written:
        return "qwen_vl" if "visual" in config else None  # Qwen and Qwen-Audio share the name
    return next(
        (name for name, family in FAMILIES.items() if written.intersection(family.names)), None
    )


_MINICPM_VERSIONS = {
    "2.6": "minicpmv2_6",
    "4": "minicpmv4",
    "4.0": "minicpmv4",
    "4.5": "minicpmv4_5",
}
