"""The models that have recipes; write.py makes configs/train and configs/sft of them."""

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Model:
    """A model that ms-swift trains.

    Attributes:
        name: of the recipe.
        hub: its id at ModelScope, ms-swift's default hub.
        model_type: ms-swift's.
        billions: parameters as published, for the arithmetic of memory.
        template: ms-swift's, where the model type has several and it is not the usual one.
        hugging_face: its id there, where it is another.
        step: STEP of Table 5.
        completion: tokens of an answer; models that reason need more.
        nodes: of 8 GPUs with 80 GB, for all parameters.
        attention: ms-swift's attn_impl.
        options: options of its own, with the reason.
        environ: limits on its images, with the reason.
        why_step: what speaks for this STEP.
        note: what a user has to know before.
        needs: packages beside those of all recipes.
    """

    name: str
    hub: str
    model_type: str
    billions: float
    template: str | None = None
    hugging_face: str | None = None
    step: str = "1"
    completion: int = 512
    nodes: int = 1
    attention: str = "sdpa"
    options: dict[str, tuple[object, str]] = field(default_factory=dict)
    environ: dict[str, tuple[object, str]] = field(default_factory=dict)
    why_step: str = "the paper's choice for a model that is not a strong localiser"
    note: str = ""
    needs: str = ""

    @property
    def overlay(self) -> str:
        """Of LoRA on the smallest GPU of which its bfloat16 weights take at most three quarters,
        else on a node."""
        fits = [size for size in (24, 40, 80) if 2 * self.billions <= 0.75 * size]
        return f"lora_{fits[0]}gb" if fits else "lora_node"

    @property
    def gathers(self) -> bool:
        """Whether a GPU's share of the training (18 bytes a parameter) leaves room for all weights
        in bfloat16."""
        return self.billions * (18 / (8 * self.nodes) + 2) <= 60


TOKENS = "at most 512 visual tokens an image, as in the paper's released command"
PIXELS_28 = {"MAX_PIXELS": (401408, TOKENS)}
PIXELS_32 = {
    "MAX_PIXELS": (
        524288,
        "512 visual tokens an image at most, as in the paper's released command, here of 32 x 32 "
        "pixels",
    )
}
PAPERS_STEP = "what the paper reports for Qwen2.5-VL-7B (discussion of Table 5)"
STRONG = (
    "the paper's choice for a strong localiser (Table 5), which this one is taken for; "
    "measure yours"
)
OFFLOAD = {
    "deepspeed": (
        "zero3_offload",
        "two nodes' GPUs do not hold it: weights and optimizer are in the nodes' memory",
    )
}
CPU_ADAM = (
    "offloading makes DeepSpeed compile its CPU optimizer at the first start, which takes a C++ "
    "compiler and the "
    "CUDA toolkit."
)

EXPERTS = (
    "a mixture of experts, which Megatron trains faster than ZeRO-3: configs/megatron. "
    "LoRA on all-linear "
    "reaches its attention only, since transformers keeps the experts as plain parameters."
)
NO_THINKING = {
    "enable_thinking": (
        "false",
        "ours: the answer alone, as in the paper; with true it reasons first and needs "
        "max_completion_length 2048",
    )
}
LINEAR = (
    "most layers are linear attention, which is slow without: "
    "pip install flash-linear-attention causal-conv1d."
)
QWEN3_5 = (
    "its authors publish no format for boxes; this recipe takes Qwen3-VL's, JSON in thousandths. "
    f"Look at some of its answers first: vision-r1 doctor with --sample. {LINEAR[0].upper()}{LINEAR[1:]}"
)

MODELS = (
    Model("qwen2_5_vl_3b", "Qwen/Qwen2.5-VL-3B-Instruct", "qwen2_5_vl", 3.8, environ=PIXELS_28),
    Model(
        "qwen2_5_vl_7b",
        "Qwen/Qwen2.5-VL-7B-Instruct",
        "qwen2_5_vl",
        8.3,
        environ=PIXELS_28,
        why_step=PAPERS_STEP,
    ),
    Model(
        "qwen2_5_vl_32b",
        "Qwen/Qwen2.5-VL-32B-Instruct",
        "qwen2_5_vl",
        33.5,
        nodes=2,
        environ=PIXELS_28,
    ),
    Model(
        "qwen2_5_vl_72b",
        "Qwen/Qwen2.5-VL-72B-Instruct",
        "qwen2_5_vl",
        73.4,
        nodes=2,
        options=OFFLOAD,
        environ=PIXELS_28,
        note=CPU_ADAM,
    ),
    Model("qwen2_vl_7b", "Qwen/Qwen2-VL-7B-Instruct", "qwen2_vl", 8.3, environ=PIXELS_28),
    Model(
        "qwen3_vl_4b",
        "Qwen/Qwen3-VL-4B-Instruct",
        "qwen3_vl",
        4.4,
        step="1/2",
        environ=PIXELS_32,
        why_step=STRONG,
    ),
    Model(
        "qwen3_vl_8b",
        "Qwen/Qwen3-VL-8B-Instruct",
        "qwen3_vl",
        8.8,
        step="1/2",
        environ=PIXELS_32,
        why_step=STRONG,
    ),
    Model(
        "qwen3_vl_30b_a3b",
        "Qwen/Qwen3-VL-30B-A3B-Instruct",
        "qwen3_vl_moe",
        31.1,
        step="1/2",
        nodes=2,
        environ=PIXELS_32,
        why_step=STRONG,
        note=EXPERTS,
    ),
    Model(
        "qwen3_5_9b",
        "Qwen/Qwen3.5-9B",
        "qwen3_5",
        9.4,
        step="1/2",
        options=NO_THINKING,
        environ=PIXELS_32,
        why_step=STRONG,
        note=QWEN3_5,
    ),
    Model(
        "qwen3_6_27b",
        "Qwen/Qwen3.6-27B",
        "qwen3_5",
        28,
        step="1/2",
        nodes=2,
        options=NO_THINKING,
        environ=PIXELS_32,
        why_step=STRONG,
        note=QWEN3_5,
    ),
    Model(
        "qwen3_6_35b_a3b",
        "Qwen/Qwen3.6-35B-A3B",
        "qwen3_5_moe",
        35.1,
        step="1/2",
        nodes=2,
        options=NO_THINKING,
        environ=PIXELS_32,
        why_step=STRONG,
        note=f"{EXPERTS} {QWEN3_5[0].upper()}{QWEN3_5[1:]}",
    ),
    Model(
        "internvl2_5_8b",
        "OpenGVLab/InternVL2_5-8B",
        "internvl_chat",
        8.1,
        environ={
            "MAX_NUM": (
                6,
                "at most 6 tiles of 448 x 448 pixels and a thumbnail, 256 visual tokens each",
            )
        },
        why_step="12.1 mAP on COCO before (Table 1), below Qwen2.5-VL-7B's 17.7",
        needs="transformers==4.57.6 timm",
        note="its code comes with the checkpoint, and what is public of it (InternLM2) cannot "
        "generate from "
        "transformers 4.50 on, while GRPO needs 4.53.2: derive InternLM2ForCausalLM in the "
        "checkpoint's "
        "modeling_internlm2.py from transformers.GenerationMixin, too. The recipe internvl3_8b "
        "needs none of this. "
        "The tests run this recipe with code of ours in its place.",
    ),
    Model("internvl3_8b", "OpenGVLab/InternVL3-8B-hf", "internvl", 7.9),
    Model("internvl3_5_8b", "OpenGVLab/InternVL3_5-8B-HF", "internvl", 8.5),
    Model(
        "glm4_1v_9b",
        "ZhipuAI/GLM-4.1V-9B-Thinking",
        "glm4v",
        10.3,
        hugging_face="zai-org/GLM-4.1V-9B-Thinking",
        completion=2048,
        options={"max_pixels": (401408, TOKENS)},
    ),
    Model(
        "glm4_6v_flash",
        "ZhipuAI/GLM-4.6V-Flash",
        "glm4v",
        10.3,
        hugging_face="zai-org/GLM-4.6V-Flash",
        template="glm4_5v",
        options={"max_pixels": (401408, TOKENS), **NO_THINKING},
    ),
    Model(
        "minicpm_v_4_6",
        "OpenBMB/MiniCPM-V-4.6",
        "minicpmv4_6",
        1.3,
        hugging_face="openbmb/MiniCPM-V-4.6",
        options=NO_THINKING,
        note=f"its language model is Qwen3.5's: {LINEAR}",
    ),
    Model(
        "gemma4_e4b",
        "google/gemma-4-E4B-it",
        "gemma4",
        8.0,
        template="gemma4_nothinking",
    ),
    Model(
        "ovis2_5_9b",
        "AIDC-AI/Ovis2.5-9B",
        "ovis2_5",
        9.2,
        environ=PIXELS_32,
        needs="transformers==4.57.6",
        note="its code comes with the checkpoint, and what is public of it does not load with "
        "transformers 5. "
        "The tests run this recipe with code of ours in its place.",
    ),
    Model(
        "mimo_vl_7b",
        "XiaomiMiMo/MiMo-VL-7B-RL",
        "qwen2_5_vl",
        8.3,
        template="mimo_vl",
        completion=2048,
        environ=PIXELS_28,
    ),
    Model(
        "griffon_g_9b",
        "models/Griffon-G-gemma2-9B",
        "griffon_g",
        9.6,
        step="1/2",
        why_step="the paper's choice for Griffon-G, its strong localiser (Table 5)",
        note="this is a folder, which you make first: the published weights "
        "(JefferyZhan/Griffon-G-gemma2-9B at Hugging Face) are in a layout of their own authors. "
        "vision-r1 convert griffon-g DOWNLOADED models/Griffon-G-gemma2-9B (docs/griffon_g.md). "
        "Gemma 2 caps its attention scores, which SDPA does not: the language model takes eager "
        "attention by itself, and the vision tower SDPA.",
    ),
    Model(
        "paligemma2_3b",
        "AI-ModelScope/paligemma2-3b-pt-448",
        "paligemma",
        3.0,
        hugging_face="google/paligemma2-3b-pt-448",
        attention="eager",
        template="paligemma_grpo",
    ),
)
