"""Folders of models without weights: configuration, tokenizer and processor as published, for
`probe.py` to fill with random weights on the device; and rows to train on."""

import importlib
import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import yaml
from PIL import Image

from swift_plugin_visionr1.data.ground_truth import read_solution
from swift_plugin_visionr1.formats.questions import detection_question
from swift_plugin_visionr1.models.families import Limits
from swift_plugin_visionr1.models.model_io import ModelIO, model_io
from swift_plugin_visionr1.models.right_answer import right_answer
from swift_plugin_visionr1.reward.settings import Settings

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
MODELS: dict[str, dict[str, Any]] = yaml.safe_load((HERE / "models.yaml").read_text())
# Numbers 151643 to 151656 of the published vocabulary; ms-swift's templates have some built in.
SPECIAL_TOKENS = (
    *("<|endoftext|>", "<|im_start|>", "<|im_end|>", "<|object_ref_start|>", "<|object_ref_end|>"),
    *("<|box_start|>", "<|box_end|>", "<|quad_start|>", "<|quad_end|>", "<|vision_start|>"),
    *("<|vision_end|>", "<|vision_pad|>", "<|image_pad|>", "<|video_pad|>"),
)
# Where there is no GPU: the same model types, some hundred times narrower.
TINY_TEXT = {
    "hidden_size": 64,
    "intermediate_size": 128,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
}
TINY_VISION = {"depth": 2, "hidden_size": 64, "intermediate_size": 128, "num_heads": 4}
IMAGE_SIZE = (1024, 768)  # every recipe's limit makes 494 visual tokens of it
CLASSES = ("person", "car", "dog", "chair", "bottle", "bird", "boat", "cup", "book", "clock")
BOXES, VARIANTS, IMAGES = 10, 4, 8  # in a row, answers to it, and in all


def configuration(name: str, tiny: bool) -> Any:
    """The model's configuration in transformers; `tiny` for machines without a GPU."""
    from transformers import Qwen2_5_VLConfig, Qwen3VLConfig

    facts = MODELS[name]
    text, vision, qwen3 = facts["text"], facts["vision"], facts["model_type"] == "qwen3_vl"
    if tiny:
        head = {"head_dim": 16} if qwen3 else {}
        sections = {"mrope_section": [4, 2, 2]}
        text = text | TINY_TEXT | head | {"rope_parameters": text["rope_parameters"] | sections}
        vision = vision | TINY_VISION | {"out_hidden_size": TINY_TEXT["hidden_size"]}
        deep = {"deepstack_visual_indexes": [0]} if qwen3 else {"fullatt_block_indexes": [1]}
        vision = vision | deep
    kind = Qwen3VLConfig if qwen3 else Qwen2_5_VLConfig
    tied = {"tie_word_embeddings": facts["tie_word_embeddings"]}
    return kind(text_config=text | tied, vision_config=vision, **tied)


def model_class(model_type: str) -> Any:
    """The model in transformers."""
    import transformers

    names = {"qwen2_5_vl": "Qwen2_5_VL", "qwen3_vl": "Qwen3VL"}
    return getattr(transformers, f"{names[model_type]}ForConditionalGeneration")


def write_checkpoint(name: str, tiny: bool, words: Any, folder: Path) -> None:
    """Everything of a published checkpoint but its weights."""
    config = configuration(name, tiny)
    config.architectures = [model_class(config.model_type).__name__]
    processor = _processor(config.model_type, words)
    processor.save_pretrained(folder)
    config.save_pretrained(folder)
    generation = {
        "do_sample": True,
        "eos_token_id": [words.eos_token_id, words.pad_token_id],
        "pad_token_id": words.pad_token_id,
    }
    (folder / "generation_config.json").write_text(json.dumps(generation))


def tokenizer() -> Any:
    """Qwen's, from the package dashscope; takes some seconds."""
    return from_example("tiny_model").full_tokenizer(SPECIAL_TOKENS)


def from_example(module: str) -> Any:
    """A script of examples/shapes."""
    folder = str(ROOT / "examples" / "shapes")
    if folder not in sys.path:
        sys.path.append(folder)
    return importlib.import_module(module)


def _processor(model_type: str, words: Any) -> Any:
    import transformers as t

    if model_type == "qwen3_vl":
        size = {"shortest_edge": 65536, "longest_edge": 16777216}
        images = t.Qwen2VLImageProcessor(patch_size=16, size=size)
        return t.Qwen3VLProcessor(images, words, t.Qwen3VLVideoProcessor())
    images = t.Qwen2VLImageProcessor(size={"shortest_edge": 3136, "longest_edge": 12845056})
    return t.Qwen2_5_VLProcessor(images, words, t.Qwen2VLVideoProcessor())


def write_rows(model_type: str, environ: dict[str, str], count: int, folder: Path) -> Path:
    """Rows for GRPO on noisy pictures; `likely` of a row are answers with boxes somewhat off, as a
    trained model might give, for the rewards to score. `environ` has the limits on images."""
    io = model_io(Settings(), model_type, Limits(environ))
    rng = np.random.default_rng(0)
    paths = [_write_image(rng, folder / f"{number}.jpg") for number in range(IMAGES)]
    rows = [_row(io, paths[number % IMAGES], rng) for number in range(count)]
    file = folder / f"{model_type}.jsonl"
    file.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return file


def _write_image(rng: np.random.Generator, path: Path) -> str:
    path.parent.mkdir(parents=True, exist_ok=True)
    coarse = rng.integers(0, 256, (48, 64, 3), dtype=np.uint8)
    Image.fromarray(coarse).resize(IMAGE_SIZE, Image.Resampling.BICUBIC).save(path)
    return str(path.resolve())


def _row(io: ModelIO, image: str, rng: np.random.Generator) -> dict[str, Any]:
    width, height = IMAGE_SIZE
    corners = rng.integers(0, (width - 200, height - 200), (BOXES, 2))
    boxes_xyxy = np.concatenate([corners, corners + rng.integers(50, 200, (BOXES, 2))], axis=1)
    labels = [CLASSES[index] for index in rng.integers(0, len(CLASSES), BOXES)]
    solution = {"width": width, "height": height, "labels": labels}
    likely = []
    for _ in range(VARIANTS):
        moved = (boxes_xyxy + rng.integers(-20, 21, boxes_xyxy.shape)).clip(0, (width, height) * 2)
        truth = read_solution(json.dumps(solution | {"boxes": moved.tolist()}))
        likely.append(right_answer(truth, io.resize.view(truth.size), io.format))
    question = detection_question(list(CLASSES), io.format.questions)
    return {
        "messages": [{"role": "user", "content": f"<image>{question}"}],
        "images": [image],
        "solution": json.dumps(solution | {"boxes": boxes_xyxy.tolist()}),
        "likely": json.dumps(likely),
    }
