"""Processed sizes of other families than Qwen2.5-VL, as ms-swift's templates make them under the
run's limits."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("swift", reason="needs the extra `swift`")

from swift.model import MODEL_MAPPING
from swift.template import TEMPLATE_MAPPING

from swift_plugin_visionr1.geometry.resize import FRAME_VARIABLES, OvisResize
from swift_plugin_visionr1.models.families import FAMILIES, Limits

from .odd_sizes import SIZES

KINDS = {  # model_type -> (processor_class, image_processor_type, patch_size, architecture)
    "qwen2_vl": (
        "Qwen2VLProcessor",
        "Qwen2VLImageProcessor",
        14,
        "Qwen2VLForConditionalGeneration",
    ),
    "qwen3_vl": (
        "Qwen3VLProcessor",
        "Qwen2VLImageProcessor",
        16,
        "Qwen3VLForConditionalGeneration",
    ),
    "qwen3_5": ("Qwen3VLProcessor", "Qwen2VLImageProcessor", 16, "Qwen3_5ForConditionalGeneration"),
    "glm4v": ("Glm4vProcessor", "Glm4vImageProcessor", 14, "Glm4vForConditionalGeneration"),
}
UNSET = set(FRAME_VARIABLES)
SCRIPT = """
import json, os, sys
from PIL import Image
from swift.model import get_processor
from swift.template import get_template
from swift_plugin_visionr1.models.families import FAMILIES, Limits
for model_type, folder in {folders!r}.items():
    processor = get_processor(folder, model_type=model_type)
    template = get_template(processor, template_type=model_type, max_pixels={max_pixels!r}, max_length=100_000)
    template.use_model = False
    rule = FAMILIES[model_type].resize(
        Limits(os.environ, template.max_pixels, processor.image_processor.to_dict()))
    for size in {sizes!r}:
        row = {{"messages": [{{"role": "user", "content": "<image>?"}}], "images": [Image.new("RGB", size)]}}
        _, rows, columns = template.encode(row)["image_grid_thw"][0].tolist()
        patch = processor.image_processor.patch_size
        print("RESULT" + json.dumps([model_type, size, [columns * patch, rows * patch], rule.view(size).processed]))
"""


def make_checkpoint(folder: Path, example: Path, model_type: str) -> str:
    """The example's tokenizer with another family's processor; no weights."""
    processor, image_processor, patch, architecture = KINDS[model_type]
    folder.mkdir()
    for name in ("tokenizer.json", "tokenizer_config.json", "chat_template.jinja"):
        shutil.copy(example / name, folder)
    config = json.loads((example / "processor_config.json").read_text())
    config["processor_class"] = processor
    config["image_processor"].update(image_processor_type=image_processor, patch_size=patch)
    config["video_processor"].update(patch_size=patch)
    (folder / "processor_config.json").write_text(json.dumps(config))
    (folder / "config.json").write_text(
        json.dumps({"architectures": [architecture], "model_type": model_type})
    )
    return str(folder)


@pytest.mark.parametrize(
    ("model_types", "environ", "max_pixels"),
    [
        pytest.param([*KINDS], {}, None, id="defaults"),
        pytest.param(
            ["glm4v", "qwen3_vl"],
            {"MAX_PIXELS": "401408"},
            250_000,
            id="MAX_PIXELS and --max_pixels",
        ),
        pytest.param(
            ["qwen3_5"],
            {"MAX_PIXELS": "50000", "MIN_PIXELS": "30000"},
            None,
            id="MAX_PIXELS and MIN_PIXELS",
        ),
        pytest.param(
            ["qwen2_vl", "qwen3_vl"], {"IMAGE_MAX_TOKEN_NUM": "77"}, None, id="IMAGE_MAX_TOKEN_NUM"
        ),
        pytest.param(
            ["qwen2_vl", "qwen3_vl"],
            {"SPATIAL_MERGE_SIZE": "4", "MAX_PIXELS": "401408"},
            None,
            id="SPATIAL_MERGE_SIZE",
        ),
    ],
)
def test_processed_size_is_the_templates(
    tmp_path: Path,
    checkpoint: Path,
    model_types: list[str],
    environ: dict[str, str],
    max_pixels: int | None,
) -> None:
    folders = {name: make_checkpoint(tmp_path / name, checkpoint, name) for name in model_types}
    script = SCRIPT.format(folders=folders, max_pixels=max_pixels, sizes=SIZES)
    environment = (
        {k: v for k, v in os.environ.items() if k not in UNSET} | environ | {"USE_HF": "1"}
    )
    result = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, env=environment, check=False
    )
    lines = [
        json.loads(line[6:]) for line in result.stdout.splitlines() if line.startswith("RESULT")
    ]
    assert len(lines) == len(SIZES) * len(model_types), result.stderr[-2000:]
    for model_type, size, fed, own in lines:
        assert own == fed, f"{model_type}, image of {size}"


@pytest.mark.parametrize(
    "environ", [{}, {"MAX_PIXELS": "500000", "MIN_PIXELS": "5000"}], ids=["defaults", "set"]
)
def test_ovis_takes_its_limits_from_the_environment_alone(
    environ: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    meta = TEMPLATE_MAPPING["ovis2_5"]
    template = meta.template_cls(None, meta, max_pixels=123)
    template.model_meta = MODEL_MAPPING["ovis2_5"]
    # what ms-swift calls with the processor, whose code is the checkpoint's
    template.init_env_args()
    rule = FAMILIES["ovis2_5"].resize(Limits(os.environ, template.max_pixels))
    assert rule == OvisResize(template.min_pixels, template.max_pixels)
