"""Writes the recipes of configs/train and configs/sft, their table in docs/recipes.md, and the overlays of structured
outputs, from models.py and the formats.

python configs/write.py
"""

import sys
import textwrap
from pathlib import Path

import yaml
from models import MODELS, Model

from swift_plugin_visionr1.data.ground_truth import read_solution
from swift_plugin_visionr1.formats import FORMATS
from swift_plugin_visionr1.formats.answer_regex import answer_regex
from swift_plugin_visionr1.formats.questions import detection_question
from swift_plugin_visionr1.models.chat import TEMPLATES, ChatOptions
from swift_plugin_visionr1.models.families import Limits
from swift_plugin_visionr1.models.model_io import ModelIO, model_io
from swift_plugin_visionr1.models.right_answer import right_answer
from swift_plugin_visionr1.reward.settings import Settings

ROOT = Path(__file__).parents[1]
CAT = '{"width": 640, "height": 480, "boxes": [[10, 20, 110, 220]], "labels": ["cat"]}'

TRAIN = """\
# Vision-R1 on {title}, with the paper's setting (section 4.1). Written by configs/write.py.
#
# Prerequisites
#   pip install ".[swift]" deepspeed    in a clone of this repository
{needs}#   {hardware} of 8 GPUs with 80 GB{each}: {memory}
{note}\
# Data, with the question that this model is used to
#   vision-r1 prepare --ann instances_train.json --images images/ --model-type {model_type} --out train.jsonl
{question}
# What it is to answer for a cat at (10, 20, 110, 220) of an image of 640 x 480 pixels: format {format},
# {frame}
{answer}
# Check, launch{on_each}
#   vision-r1 doctor configs/train/{name}.yaml --dataset train.jsonl
#   {launch}swift rlhf configs/train/{name}.yaml --dataset train.jsonl
# {smaller}, other numbers of nodes, today's practice instead of the paper's: overlays (docs/recipes.md), as
#   vision-r1 recipe configs/train/{name}.yaml configs/overlays/{overlay}.yaml --out mine.yaml
#   {smaller_launch}swift rlhf mine.yaml --dataset train.jsonl
# A flag behind the file replaces the line of that name.
#
# The paper gives beta, learning rate, epochs and data; the rest is what its released command sets, or is said to be
# ours. Nobody has trained with this recipe to the end yet; the tests run it for two steps on a tiny model of this
# architecture.

rlhf_type: grpo
model: {hub}{at_hugging_face}
{template}\

# The sum of the format, recall and precision rewards (Eq. 7). The callback logs the stage and each part.
reward_funcs: vision_r1
callbacks: vision_r1

# A group is the 4 completions of one prompt (Eq. 1); 16 prompts a step are {gpus} GPUs x 4 completions x
# {accumulation} accumulation step{s}. With other numbers of GPUs keep the product at 64.
num_generations: 4
per_device_train_batch_size: 4
gradient_accumulation_steps: {accumulation}
temperature: 1.0
# Each token is one of the 50 likeliest, transformers' default when the paper was trained. Say it: where it is left out,
# ms-swift takes the checkpoint's own top_k, and with 1, as some have it, the 4 completions are the same.
top_k: 50
max_completion_length: {completion}{why_completion}
{gather}
# beta weighs the KL term of Eq. 2. The paper says 0.2; its released command has 0.04.
beta: 0.2
learning_rate: 1.0e-6
num_train_epochs: 1
# What the paper's framework leaves at transformers' defaults; ms-swift's own are cosine, 0.1 and 0.95. Both start
# without warm-up, clip gradients at norm 1, scale rewards by the group's standard deviation, take the mean over each
# answer's tokens (loss_type grpo), and train once on each completion.
lr_scheduler_type: linear
weight_decay: 0.0
adam_beta2: 0.999
{common}
logging_steps: 1
log_completions: true     # completions.jsonl, which `vision-r1 plot`, `score` and `explain` read
save_steps: 500           # a run that stops goes on from there: --resume_from_checkpoint
save_total_limit: 2       # {checkpoint} each; three while one is written
report_to: tensorboard    # and wandb, swanlab
output_dir: runs/{name}
add_version: false        # checkpoints straight under output_dir
{environ}"""

SFT = """\
# The SFT baseline ("+ SFT" in the paper's tables) on {title}: the samples of Vision-R1, learning rate
# 2e-6, batch 128, one epoch (section 4.1). Written by configs/write.py.
#
# Prerequisites
#   pip install ".[swift]" deepspeed    in a clone of this repository
{needs}#   {hardware} of 8 GPUs with 80 GB{each}: {sft_memory}
{note}\
# Data: the annotations that Vision-R1 is trained on, with the right answers as this model writes them. They depend
# on the size that the model sees, so give the same limits on images here and there.
#   {limits}vision-r1 prepare --ann instances_train.json --images images/ \\
#       --target --model-type {model_type}{prepared} --out sft.jsonl
# or, of rows that Vision-R1 is trained on, --rows train.jsonl in the place of --ann and --images.
# For a cat at (10, 20, 110, 220) of an image of 640 x 480 pixels: format {format},
# {frame}
{answer}
# Launch{on_each}
#   {launch}swift sft configs/sft/{name}.yaml --dataset sft.jsonl
# {smaller} (ours, not the paper's: LoRA and its learning rate)
#   vision-r1 recipe configs/sft/{name}.yaml configs/overlays/{sft_overlay}.yaml --out mine.yaml
#   {smaller_launch}swift sft mine.yaml --dataset sft.jsonl

model: {hub}{at_hugging_face}
{template}\

# {gpus} GPUs x 4 rows x {sft_accumulation} accumulation steps = 128.
per_device_train_batch_size: 4
gradient_accumulation_steps: {sft_accumulation}
learning_rate: 2.0e-6
num_train_epochs: 1
# The rest (cosine without warm-up, weight decay 0.1) is ms-swift's: the paper does not name it.
{common}
logging_steps: 1
save_steps: 500
save_total_limit: 2    # {checkpoint} each; three while one is written
report_to: tensorboard
output_dir: runs/{name}_sft
add_version: false
{sft_environ}"""

ATTENTION = {
    "sdpa": "faster: pip install flash-attn --no-build-isolation, and flash_attn here",
    "eager": "this model caps its attention scores, which SDPA does not",
}

LAYERS = """\
# ZeRO-3 gathers all weights on every GPU to sample, and here they do not fit beside the rest: gather layer by layer.
# Every token then fetches every layer anew, so that sampling is far slower than learning: first measure some steps.
ds3_gather_for_generation: false
"""

COMMON = """
# Everything is trained.
tuner_type: full
freeze_vit: false
freeze_aligner: false
torch_dtype: bfloat16
attn_impl: {attention}
gradient_checkpointing: true
deepspeed: {deepspeed}
{options}"""


def recipes(model: Model) -> dict[str, str]:
    """The text of each file of a model, by its path under configs/."""
    facts = _facts(model)
    return {
        f"train/{model.name}.yaml": TRAIN.format(**facts),
        f"sft/{model.name}.yaml": SFT.format(**facts),
    }


def _facts(model: Model) -> dict[str, object]:
    return vars(model) | _shown(model) | _hardware(model) | _lines(model)


def _shown(model: Model) -> dict[str, object]:
    """How it is asked, and what it answers."""
    io = model_io(Settings(), model.model_type, _limits(model), ChatOptions(model.template))
    return {
        "title": model.hub.split("/")[1],
        "note": _comment(f"Know before: {model.note}") if model.note else "",
        "question": _question(io),
        "format": io.format.name,
        "frame": io.format.frame.describe(),
        "answer": _answer(io),
        "limits": "".join(f"{name}={value} " for name, (value, _) in model.environ.items()),
        "prepared": "".join(
            f" --{name.replace('_', '-')} {value}" for name, value in _prepared(model).items()
        ),
    }


def _prepared(model: Model) -> dict[str, object]:
    """The options that the right answers depend on."""
    options = {name: value for name, (value, _) in model.options.items() if name == "max_pixels"}
    return options | ({"template": model.template} if model.template in TEMPLATES else {})


def _hardware(model: Model) -> dict[str, object]:
    nodes, gpus, overlay = model.nodes, 8 * model.nodes, model.overlay
    several = "NNODES=2 NODE_RANK=0 MASTER_ADDR=10.0.0.1 \\\n#     " if nodes > 1 else ""
    one = overlay != "lora_node"
    return {
        "gpus": gpus,
        "accumulation": 16 // gpus,
        "s": "s" * (gpus < 16),
        "sft_accumulation": 32 // gpus,
        "hardware": "one node" if nodes == 1 else f"{nodes} nodes",
        "each": " each" * (nodes > 1),
        "on_each": " on each node, with its rank and the first one's address, on a disk that all see"
        * (nodes > 1),
        "launch": f"{several}NPROC_PER_NODE=8 ",
        "smaller": "One GPU" if one else "One node with LoRA",
        "overlay": overlay,
        "sft_overlay": "sft_lora" if one else "sft_lora_node",
        "smaller_launch": "" if one else "NPROC_PER_NODE=8 ",
        "memory": _memory(model, reference=True),
        "sft_memory": _memory(model, reference=False),
    }


def _lines(model: Model) -> dict[str, object]:
    """The settings that differ between models."""
    deepspeed, why = model.options.get("deepspeed", ("zero3", ""))
    others = {name: line for name, line in model.options.items() if name != "deepspeed"}
    return {
        "gather": "" if model.gathers else LAYERS,
        "checkpoint": f"{14 * model.billions:.0f} GB",
        "needs": f"#   pip install {model.needs}\n" if model.needs else "",
        "at_hugging_face": f"    # with USE_HF=1: {model.hugging_face}"
        if model.hugging_face
        else "",
        "template": f"template: {model.template}\n" if model.template else "",
        "why_completion": "    # ours: it reasons before it answers"
        if model.completion > 512
        else "",
        "common": COMMON.format(
            attention=f"{model.attention}    # {ATTENTION[model.attention]}",
            deepspeed=f"{deepspeed}    # {why}" if why else deepspeed,
            options="".join(
                f"{name}: {value}    # {why}\n" for name, (value, why) in others.items()
            ),
        ),
        "environ": _environ(model),
        "sft_environ": _environ(model, stage=False),
    }


def _limits(model: Model) -> Limits:
    environ = {name: str(value) for name, (value, _) in model.environ.items()}
    most = model.options.get("max_pixels", (None, ""))[0]
    return Limits(environ, most if isinstance(most, int) else None)


def _answer(io: ModelIO) -> str:
    truth = read_solution(CAT)
    answer = right_answer(truth, io.resize.view(truth.size), io.format)
    return "\n".join(f"#   {line}".rstrip().replace("\t", "    ") for line in answer.split("\n"))


def _question(io: ModelIO) -> str:
    return _comment(detection_question(["cat", "dog"], io.format.questions), "#   ").rstrip()


def _comment(text: str, start: str = "# ") -> str:
    return textwrap.fill(text, 118, initial_indent=start, subsequent_indent=start) + "\n"


def _memory(model: Model, reference: bool) -> str:
    """By arithmetic: bfloat16 weights and gradients, float32 weights and two moments of AdamW, bfloat16 reference.

    Offloaded, gradients are float32.
    """
    offloaded = "deepspeed" in model.options
    each = 16 + 2 * reference + 2 * offloaded
    total = model.billions * each
    what = "weights, gradients, optimizer" + (" and reference model" if reference else "")
    where = f"{total / (8 * model.nodes):.0f} GB of each GPU under ZeRO-3"
    if offloaded:
        where = f"about {total / model.nodes:.0f} GB of each node's own memory"
    elif reference and model.gathers:
        where += f",\n#   and all weights, {2 * model.billions:.0f} GB, while it samples"
    return f"{what}\n#   of {model.billions} billion parameters take {each} bytes each: {where}"


def _environ(model: Model, stage: bool = True) -> str:
    lines = [
        f'  # {why[0].upper()}{why[1:]}.\n  # Evaluate with the same.\n  {name}: "{value}"\n'
        for name, (value, why) in model.environ.items()
    ]
    if stage:
        settings = "configs/reward/beginner_only.yaml" if model.step == "1" else "paper"
        lines.append(
            f"  # STEP = {model.step}: {model.why_step}.\n  VISION_R1_CONFIG: {settings}\n"
        )
    return "\nENV:\n" + "".join(lines) if lines else ""


STRUCTURED = """\
# Answers that always parse: vLLM samples only what is a whole answer in the format {format}, or the beginning of one.
# Use it when a model writes the format badly at the start. Corners in the wrong order and boxes outside the image remain
# possible, and an answer that is cut off breaks the format as ever. Lay it over vllm.yaml or today.yaml:
#   vision-r1 recipe configs/train/NAME.yaml configs/overlays/vllm.yaml configs/overlays/structured_{format}.yaml --out mine.yaml
#   swift rlhf mine.yaml --dataset train.jsonl --output_dir runs/NAME_structured
#
# What may not be sampled is not learnt either: the trainer's probabilities are those of free answers, so weigh tokens by
# the ratio as today.yaml does, and evaluate without this. For models that write reasoning first, it does not fit.
# Written by configs/write.py.
rollout_importance_sampling_mode: token_truncate
rollout_importance_sampling_threshold: 2.0
{setting}"""
STRUCTURED_FORMATS = ("qwen2_5_vl", "qwen3_vl", "internvl", "gemini")


def structured(format: str) -> str:
    """The overlay that lets vLLM write answers of this format only."""
    setting = {"structured_outputs_regex": answer_regex(FORMATS[format])}
    return STRUCTURED.format(format=format, setting=yaml.safe_dump(setting, width=10_000))


def described() -> str:
    """The recipes, for `vision-r1 recipes`."""
    facts = {model.name: _needs(model) for model in MODELS}
    return "# What each recipe is for and needs. Written by configs/write.py.\n" + yaml.safe_dump(
        facts, sort_keys=False, width=200
    )


def _needs(model: Model) -> dict[str, str]:
    io = model_io(Settings(), model.model_type, _limits(model), ChatOptions(model.template))
    nodes = f"{model.nodes} node{'s' * (model.nodes > 1)} of 8 x 80 GB"
    return {
        "model": model.hub,
        "format": io.format.name,
        "frame": io.format.frame.describe(),
        "step": model.step,
        "all_parameters": nodes + ", offloaded" * ("deepspeed" in model.options),
        "lora": model.overlay,
        "weights": f"{2 * model.billions:.0f} GB",
    }


def table() -> str:
    """The recipes, for docs/recipes.md."""
    rows = [
        "| recipe | model | format, frame | STEP | all parameters | LoRA | weights |",
        "|---|---|---|---|---|---|---|",
    ]
    for model in MODELS:
        facts = _needs(model)
        rows.append(
            f"| `{model.name}` | {model.hub} | `{facts['format']}`, {facts['frame']} | {model.step} | "
            f"{facts['all_parameters']} | `{model.overlay}` | {facts['weights']} |"
        )
    return "\n".join(rows)


def main() -> int:
    """Write them."""
    for model in MODELS:
        for name, text in recipes(model).items():
            (ROOT / "configs" / name).write_text(text)
    for format in STRUCTURED_FORMATS:
        (ROOT / "configs" / "overlays" / f"structured_{format}.yaml").write_text(structured(format))
    (ROOT / "configs" / "models.yaml").write_text(described())
    page = ROOT / "docs" / "recipes.md"
    before, rest = page.read_text().split("<!-- recipes -->\n")
    after = rest.split("<!-- /recipes -->")[1]
    page.write_text(f"{before}<!-- recipes -->\n{table()}\n<!-- /recipes -->{after}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
