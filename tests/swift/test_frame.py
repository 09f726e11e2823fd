"""The plugin's idea of the processed size is what ms-swift's template feeds the model, for odd
sizes and limits."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("swift", reason="needs the extra `swift`")

from .odd_sizes import SIZES

SCRIPT = """
import json, os, sys
from PIL import Image
from swift.model import get_processor
from swift.template import get_template
from swift_plugin_visionr1 import QwenResize
sys.path.insert(0, {example!r})
import pruned_template
max_pixels = json.loads({max_pixels!r})
processor = get_processor({checkpoint!r}, model_type="qwen2_5_vl")
template = get_template(processor, template_type="qwen2_5_vl_pruned", max_pixels=max_pixels, max_length=100_000)
template.use_model = False
resize = QwenResize.from_environment(os.environ, max_pixels)
pairs = []
for size in json.loads({sizes!r}):
    row = {{"messages": [{{"role": "user", "content": "<image>?"}}], "images": [Image.new("RGB", size)]}}
    encoded = template.encode(row)
    _, height, width = encoded["image_grid_thw"][0].tolist()
    tokens = encoded["input_ids"].count(template.image_token_id)
    pairs.append([size, [width * 14, height * 14], tokens * 28 * 28, list(resize.processed_size(tuple(size)))])
print("RESULT" + json.dumps(pairs))
"""


@pytest.mark.parametrize(
    ("environ", "max_pixels"),
    [
        pytest.param({}, None, id="defaults"),
        pytest.param({"MAX_PIXELS": "401408"}, None, id="MAX_PIXELS of the paper"),
        pytest.param(
            {"MAX_PIXELS": "50000", "MIN_PIXELS": "30000"}, None, id="MAX_PIXELS and MIN_PIXELS"
        ),
        pytest.param({"IMAGE_MAX_TOKEN_NUM": "77"}, None, id="IMAGE_MAX_TOKEN_NUM"),
        pytest.param({}, 123_456, id="--max_pixels"),
        pytest.param({"MAX_PIXELS": "90000"}, 200_000, id="both"),
    ],
)
def test_processed_size_is_the_templates(
    checkpoint: Path, environ: dict[str, str], max_pixels: int | None
) -> None:
    script = SCRIPT.format(
        example=str(checkpoint.parent),
        checkpoint=str(checkpoint),
        sizes=json.dumps(SIZES),
        max_pixels=json.dumps(max_pixels),
    )
    unset = {"MAX_PIXELS", "MIN_PIXELS", "IMAGE_MAX_TOKEN_NUM", "IMAGE_MIN_TOKEN_NUM"}
    environment = (
        {k: v for k, v in os.environ.items() if k not in unset} | environ | {"USE_HF": "1"}
    )
    result = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, env=environment, check=False
    )
    lines = [line for line in result.stdout.splitlines() if line.startswith("RESULT")]
    assert lines, result.stderr[-2000:]
    for size, fed, area, own in json.loads(lines[0].removeprefix("RESULT")):
        assert own == fed, f"image of {size}"
        assert area == fed[0] * fed[1], f"tokens of an image of {size}"
