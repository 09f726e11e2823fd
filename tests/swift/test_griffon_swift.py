"""Griffon-G through ms-swift: prompts, batches, training of its parts, LoRA, saving and resuming."""

import json
import math
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
import yaml

pytest.importorskip("swift", reason="needs the extra `swift`")
from PIL import Image
from safetensors.torch import load_file
from swift import get_model_processor, get_processor, get_template
from swift.infer_engine import InferRequest, RequestConfig, TransformersEngine
from transformers import AutoModelForImageTextToText, AutoProcessor

from swift_plugin_visionr1.griffon_g.conversion import convert

from .griffon_published import SIZES, converted
from .stand_ins.fork_server import ForkServer

FAMILIES = pytest.mark.parametrize("family", SIZES)
QUESTION, ANSWER = "Where is the cat?", "cat-[0.100,0.200,0.300,0.400]"
Folders = dict[str, Path]


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> Folders:
    """A tiny published model of each family, converted."""
    return converted(tmp_path_factory.mktemp)


@pytest.fixture(scope="module")
def images(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    folder = tmp_path_factory.mktemp("images")
    for number in range(8):
        Image.new("RGB", (80 + number, 60), (30 * number, 90, 200)).save(folder / f"{number}.png")
    return [str(folder / f"{number}.png") for number in range(8)]


@FAMILIES
@pytest.mark.parametrize("start", ["<image>", "<image>\n", ""], ids=["usual", "own-line", "none"])
def test_ms_swift_feeds_what_the_model_was_trained_on(
    folders: Folders, images: list[str], family: str, start: str
) -> None:
    template = get_template(get_processor(str(folders[family])))
    template.set_mode("train")
    turns = [
        {"role": "user", "content": start + QUESTION},
        {"role": "assistant", "content": ANSWER},
    ]
    encoded = template.encode({"messages": turns, "images": images[:1]})
    processor = AutoProcessor.from_pretrained(folders[family])
    content = [{"type": "image"}, {"type": "text", "text": QUESTION}]
    prompt = processor.apply_chat_template(
        [{"role": "user", "content": content}], add_generation_prompt=True
    )
    own = processor(
        images=Image.open(images[0]), text=prompt, add_special_tokens=False, return_tensors="pt"
    )
    size = own["input_ids"].shape[1]
    assert encoded["input_ids"][:size] == own["input_ids"][0].tolist()
    assert torch.equal(encoded["pixel_values"], own["pixel_values"])
    end = {"gemma2": "<end_of_turn>", "qwen2": "<|im_end|>"}[family]
    assert encoded["labels"][:size] == [-100] * size
    assert processor.tokenizer.decode(encoded["labels"][size:]) == ANSWER + end


def test_ms_swifts_own_box_tags_are_written_as_griffon_writes_boxes(
    folders: Folders, images: list[str]
) -> None:
    template = get_template(get_processor(str(folders["qwen2"])))
    template.set_mode("train")
    row = {
        "messages": [
            {"role": "user", "content": "<image>Find it."},
            {"role": "assistant", "content": "<ref-object>-<bbox>"},
        ],
        "images": images[:1],  # 80 x 60
        "objects": {"ref": ["cat"], "bbox": [[8, 12, 40, 60]]},
    }
    labels = [token for token in template.encode(row)["labels"] if token != -100]
    assert template.tokenizer.decode(labels) == "cat-[0.100,0.200,0.500,1.000]<|im_end|>"


@FAMILIES
def test_a_batch_of_different_prompts_answers_as_single_ones(
    folders: Folders, images: list[str], family: str
) -> None:
    engine = TransformersEngine(str(folders[family]), torch_dtype=torch.float32, max_batch_size=4)
    questions = ["Hi", QUESTION, "Examine the image for any objects from the category set."]
    requests = [
        InferRequest([{"role": "user", "content": f"<image>{text}"}], images=[image])
        for text, image in zip(questions, images, strict=False)
    ]
    config = RequestConfig(max_tokens=10, temperature=0, logprobs=True)

    def answers(asked: list[InferRequest]) -> list[tuple[str, list[float]]]:
        choices = [answer.choices[0] for answer in engine.infer(asked, config)]
        return [
            (one.message.content, [token["logprob"] for token in one.logprobs["content"]])
            for one in choices
        ]

    together = answers(requests)
    for request, (text, logprobs) in zip(requests, together, strict=True):
        ((alone, its_logprobs),) = answers([request])
        assert alone == text
        assert its_logprobs == pytest.approx(logprobs, abs=1e-4)
    assert together[0][1] != pytest.approx(together[1][1], abs=1e-4), "the prompts matter"


def test_packing_is_refused_and_the_published_layout_named(folders: Folders) -> None:
    assert not get_template(get_processor(str(folders["qwen2"]))).support_padding_free
    with pytest.raises(ValueError, match="vision-r1 convert griffon-g"):
        get_model_processor(str(folders["qwen2"].parent / "published"), model_type="griffon_g")


@pytest.fixture(scope="module")
def server() -> Iterator[ForkServer]:
    started = ForkServer({"USE_HF": "1", "HF_HUB_OFFLINE": "1"})
    yield started
    started.close()


@pytest.fixture(scope="module")
def rows(images: list[str], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """For supervised and for reinforcement learning."""
    path = tmp_path_factory.mktemp("rows") / "rows.jsonl"
    solution = {"width": 80, "height": 60, "boxes": [[8, 12, 24, 24]], "labels": ["cat"]}
    lines = [
        {
            "messages": [
                {"role": "user", "content": "<image>" + QUESTION * (1 + number % 3)},
                {"role": "assistant", "content": ANSWER},
            ],
            "images": [image],
            "solution": json.dumps(solution | {"width": 80 + number}),
        }
        for number, image in enumerate(images)
    ]
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    return path


def run(server: ForkServer, command: str, out: Path, **options: object) -> str:
    """`swift COMMAND` with options; what it printed."""
    common = {"torch_dtype": "float32", "check_model": "false"} if command != "export" else {}
    training = {
        "per_device_train_batch_size": 4,
        "gradient_accumulation_steps": 1,
        "max_steps": 2,
        "save_steps": 1,
        "logging_steps": 1,
        "dataloader_num_workers": 0,
        "report_to": "none",
        "output_dir": out,
        "add_version": "false",
        "learning_rate": "1e-3",
    }
    options = common | (training if command in ("sft", "rlhf") else {}) | options
    out.mkdir(parents=True, exist_ok=True)
    log = out / f"{command}.log"
    argv = [str(word) for name, value in options.items() for word in (f"--{name}", value)]
    code = server.run([command, *argv], out, log)
    text = log.read_text(errors="replace")
    assert code == 0, text[-3000:]
    return text


def logits(folder: Path, image: str) -> torch.Tensor:
    model = AutoModelForImageTextToText.from_pretrained(folder, dtype=torch.float32).eval()
    processor = AutoProcessor.from_pretrained(folder)
    batch = processor(images=Image.open(image), text=f"<image>\n{QUESTION}", return_tensors="pt")
    with torch.no_grad():
        return model(**batch).logits


def steps(out: Path) -> list[dict]:
    lines = map(json.loads, (out / "logging.jsonl").read_text().splitlines())
    return [line for line in lines if "loss" in line]


@pytest.mark.slow
def test_trained_saved_and_resumed_it_is_the_same_model(
    server: ForkServer, folders: Folders, rows: Path, images: list[str], tmp_path: Path
) -> None:
    whole, again = tmp_path / "whole", tmp_path / "again"
    options = {"model": folders["gemma2"], "dataset": rows, "tuner_type": "full"}
    options |= {"freeze_vit": "false", "freeze_aligner": "false", "gradient_checkpointing": "true"}
    run(server, "sft", whole, **options)
    options |= {"model": whole / "checkpoint-1", "resume_from_checkpoint": whole / "checkpoint-1"}
    run(server, "sft", again, **options)
    assert len(steps(again)) == 1
    assert all(math.isfinite(step["loss"]) for step in steps(whole))
    assert steps(again)[0]["loss"] == pytest.approx(steps(whole)[1]["loss"], abs=1e-5)
    one, other = (logits(folder / "checkpoint-2", images[0]) for folder in (whole, again))
    assert torch.allclose(one, other, atol=1e-4)
    before, after = (
        load_file(f / "model.safetensors") if (f / "model.safetensors").exists() else {}
        for f in (whole / "checkpoint-1", whole / "checkpoint-2")
    )
    moved = {name for name in before if not torch.equal(before[name], after[name])}
    for part in ("vision_tower", "multi_modal_projector", "language_model"):
        assert any(part in name for name in moved)
    convert(whole / "checkpoint-2", tmp_path / "published")
    convert(tmp_path / "published", tmp_path / "converted")
    assert torch.equal(logits(tmp_path / "converted", images[0]), one)


@pytest.mark.slow
def test_lora_reaches_the_parts_that_are_not_frozen_and_merges(
    server: ForkServer, folders: Folders, rows: Path, images: list[str], tmp_path: Path
) -> None:
    options = {"model": folders["qwen2"], "dataset": rows, "tuner_type": "lora"}
    run(
        server,
        "sft",
        tmp_path / "lora",
        target_modules="all-linear",
        save_steps=2,
        freeze_vit="false",
        freeze_aligner="true",
        **options,
    )
    adapter = tmp_path / "lora" / "checkpoint-2"
    names = load_file(adapter / "adapter_model.safetensors")
    assert any("vision_tower" in name for name in names)
    assert any("language_model" in name for name in names)
    assert not any("multi_modal_projector" in name or "lm_head" in name for name in names)
    run(
        server,
        "export",
        tmp_path / "merge",
        adapters=adapter,
        merge_lora="true",
        output_dir=tmp_path / "merged",
        torch_dtype="float32",
    )
    from peft import PeftModel

    base = AutoModelForImageTextToText.from_pretrained(folders["qwen2"], dtype=torch.float32)
    adapted = PeftModel.from_pretrained(base, adapter).eval()
    processor = AutoProcessor.from_pretrained(tmp_path / "merged")
    batch = processor(
        images=Image.open(images[0]), text=f"<image>\n{QUESTION}", return_tensors="pt"
    )
    with torch.no_grad():
        wanted = adapted(**batch).logits
    merged = logits(tmp_path / "merged", images[0])
    assert torch.allclose(merged, wanted, atol=1e-4)
    assert not torch.allclose(merged, logits(folders["qwen2"], images[0]), atol=1e-4)


@pytest.mark.slow
def test_vision_r1_trains_it_with_griffons_format_by_default(
    server: ForkServer, folders: Folders, rows: Path, tmp_path: Path
) -> None:
    text = run(
        server,
        "rlhf",
        tmp_path,
        rlhf_type="grpo",
        model=folders["qwen2"],
        dataset=rows,
        tuner_type="full",
        reward_funcs="vision_r1",
        callbacks="vision_r1",
        num_generations=4,
        max_completion_length=16,
        beta=0.2,
        save_steps=2,
    )
    assert "model type griffon_g; answers in the format griffon, coordinates from 0 to 1" in text
    assert [step["vision_r1/stage"] for step in steps(tmp_path)] == [1, 2]
    assert all(math.isfinite(step["kl"]) for step in steps(tmp_path))


def test_the_recipe_names_what_the_paper_says() -> None:
    path = Path(__file__).parents[2] / "configs" / "train" / "griffon_g_9b.yaml"
    recipe = yaml.safe_load(path.read_text())
    assert (recipe["beta"], recipe["learning_rate"]) == (0.2, 1e-6)
    assert recipe["ENV"]["VISION_R1_CONFIG"] == "paper", "STEP = 1/2"
