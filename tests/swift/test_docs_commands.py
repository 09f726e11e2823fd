"""The commands of two pages of the documentation, as they stand, with the small model for the big
one.

Every `sh` block runs, but for those under a comment `<!-- not run: why -->`.
"""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

pytest.importorskip("swift", reason="needs the extra `swift`")
pytest.importorskip("mmdet", reason="needs the extra `eval`")
pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
BLOCK = re.compile(r"(<!-- not run: [^>]+ -->\n)?```sh\n(.*?)```", re.DOTALL)
SMALL = {  # over a recipe: the small model on a CPU, two steps
    "model_type": "qwen2_5_vl",
    "template": "qwen2_5_vl_pruned",
    "torch_dtype": "float32",
    "attn_impl": "sdpa",
    "external_plugins": str(ROOT / "examples/shapes/pruned_template.py"),
    "max_steps": 2,
    "save_steps": 2,
    "gradient_checkpointing": "false",
    "per_device_train_batch_size": 4,
    "gradient_accumulation_steps": 2,
    "dataloader_num_workers": 0,
    "check_model": "false",
}


def script(page: str, replacements: dict[str, str]) -> str:
    """The page's commands; every replacement has to be of something that is there."""
    text = "".join(
        block for skipped, block in BLOCK.findall((ROOT / "docs" / page).read_text()) if not skipped
    )
    for old, new in replacements.items():
        assert old in text, f"{page} no longer has {old!r}"
        text = text.replace(old, new)
    return f"set -e\n{text}"


@pytest.fixture
def workplace(tmp_path: Path) -> Path:
    """A folder with what a clone has at its root, and overlays for the small model."""
    for name in ("configs", "examples"):
        (tmp_path / name).symlink_to(ROOT / name)
    for kind in ("train", "sft"):
        over = SMALL | {"model": str(ROOT / "examples/shapes/checkpoint")}
        over |= {"max_completion_length": 192} if kind == "train" else {}
        (tmp_path / f"small_{kind}.yaml").write_text(yaml.safe_dump(over))
    return tmp_path


def run(text: str, folder: Path) -> str:
    environ = os.environ | {
        "HF_HUB_OFFLINE": "1",
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
    }
    environ.pop("MAX_PIXELS", None)
    result = subprocess.run(
        ["bash", "-c", text],
        cwd=folder,
        env=environ | {"USE_HF": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        check=False,
    )
    assert result.returncode == 0, result.stdout[-4000:]
    return result.stdout


def evaluation_of(model: str) -> dict[str, str]:
    """`mmdet-eval run` with the small model in the place of `model`."""
    small = " ".join(
        f"--{name} {SMALL[name]}" for name in ("template", "torch_dtype", "external_plugins")
    )
    return {
        "mmdet-eval run --model": f"mmdet-eval run --model-type qwen2_5_vl {small} "
        "--max_new_tokens 192 --model",
        model: str(ROOT / "examples/shapes/checkpoint"),
    }


def test_the_quick_start(workplace: Path) -> None:
    text = script(
        "quickstart.md",
        {
            "--train 400 --val 100": "--train 32 --val 4",
            "lora_24gb.yaml": "lora_24gb.yaml small_train.yaml",
            "checkpoint-25": "checkpoint-2",
            "--ann instances_train.json --images images/": "--ann runs/quick/data/val.json "
            "--images runs/quick/data/images",
            **evaluation_of("Qwen/Qwen2.5-VL-3B-Instruct"),
        },
    )
    lora = "swift rlhf runs/quick/recipe.yaml --model " + str(ROOT / "examples/shapes/checkpoint")
    output = run(text.replace("swift rlhf runs/quick/recipe.yaml", lora), workplace)
    quick = workplace / "runs" / "quick"
    assert "verdict: " in output
    assert (quick / "grpo/checkpoint-2/adapter_model.safetensors").is_file()
    assert (quick / "grpo/vision_r1.png").is_file()
    assert (quick / "after/report.html").is_file()
    assert len((workplace / "train.jsonl").read_text().splitlines()) == 4


def test_the_papers_experiment(workplace: Path) -> None:
    coco = workplace / "data" / "coco"
    command = [
        sys.executable,
        ROOT / "examples/shapes/scenes.py",
        "--out",
        coco,
        "--train",
        "1",
        "--val",
        "20",
    ]
    subprocess.run(command, check=True)
    (coco / "annotations").mkdir()
    for split in ("train2017", "val2017"):
        (coco / split).symlink_to(coco / "images")
        (coco / "annotations" / f"instances_{split}.json").write_text(
            (coco / "val.json").read_text()
        )
    text = script(
        "qwen2_5_vl_7b.md",
        {
            "NPROC_PER_NODE=8 swift rlhf configs/train/qwen2_5_vl_7b.yaml": "swift rlhf train.yaml",
            "NPROC_PER_NODE=8 swift sft configs/sft/qwen2_5_vl_7b.yaml": "swift sft sft.yaml",
            "vision-r1 doctor configs/train/qwen2_5_vl_7b.yaml": "vision-r1 doctor train.yaml",
            "#49000": "#16",
            "checkpoint-3062": "checkpoint-2",
            "checkpoint-383": "checkpoint-2",
            **evaluation_of("Qwen/Qwen2.5-VL-7B-Instruct"),
        },
    )
    layers = "".join(
        f"vision-r1 recipe configs/{kind}/qwen2_5_vl_7b.yaml small_{kind}.yaml gone.yaml --out "
        f"{kind}.yaml\n"
        for kind in ("train", "sft")
    )
    (workplace / "gone.yaml").write_text("deepspeed: null\n")
    output = run(layers + text, workplace)
    assert "verdict: " in output
    assert (workplace / "eval/vision_r1/report.html").is_file()
    assert (workplace / "eval/sft/report.html").is_file()
