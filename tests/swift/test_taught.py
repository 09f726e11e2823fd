"""What the doctor says that a supervised run teaches, against ms-swift's own templates."""

import json
from pathlib import Path

import pytest
from PIL import Image

pytest.importorskip("swift", reason="needs the extra `swift`")

from swift import get_processor, get_template
from swift.model import MODEL_MAPPING
from swift.template import TEMPLATE_MAPPING

from swift_plugin_visionr1 import Settings
from swift_plugin_visionr1.doctor.rows import read_taught_row
from swift_plugin_visionr1.doctor.taught import BBOX_FORMAT, spelling_of, taught_answer
from swift_plugin_visionr1.models.families import FAMILIES
from swift_plugin_visionr1.models.model_io import model_io

OURS = {"griffon", "kosmos2"}  # models that are not in ms-swift
OTHERS = {"internvl", "internvl_phi3"}  # templates of InternVL 1, which is not taught boxes


@pytest.mark.parametrize("bbox_format", ["legacy", "new"])
@pytest.mark.parametrize("model_type", sorted(set(FAMILIES) - OURS))
def test_names_and_boxes_are_spelt_as_by_the_template(model_type: str, bbox_format: str) -> None:
    spelling = spelling_of(model_type, {BBOX_FORMAT: bbox_format})
    for name in set(MODEL_MAPPING[model_type].candidate_templates) - OTHERS:
        meta = TEMPLATE_MAPPING[name]
        template = meta.template_cls(None, meta)
        template.bbox_format = bbox_format
        assert spelling.ref("a cat") == "".join(template.replace_ref("a cat", 0, None))
        assert spelling.box([1, 2, 30, 40]) == "".join(
            template.replace_bbox([1, 2, 30, 40], 0, None)
        )
        assert spelling.in_pixels == (template.norm_bbox == "none")


BOXES = [[64, 96, 320, 336], [640, 480, 400.5, 240]]


@pytest.mark.parametrize("bbox_format", ["legacy", "new"])
@pytest.mark.parametrize("norm_bbox", [None, "norm1000"])
@pytest.mark.parametrize(
    "objects",
    [
        pytest.param({"ref": ["cat", "cat", "dog"], "bbox": BOXES}, id="pixels"),
        pytest.param(
            {
                "ref": ["cat", "cat", "dog"],
                "bbox": [[0.1, 0.2, 0.5, 0.7]] * 2,
                "bbox_type": "norm1",
            },
            id="norm1",
        ),
        pytest.param({"ref": ["cat", "cat"], "bbox": BOXES}, id="a name too few"),
        pytest.param(
            {"ref": ["cat", "cat", "dog"], "bbox": [[64, 96], [1, 2, 3, 4]]}, id="a point"
        ),
    ],
)
def test_a_row_is_taught_as_ms_swift_encodes_it(
    checkpoint: Path, tmp_path: Path, bbox_format: str, norm_bbox: str | None, objects: dict
) -> None:
    from swift.dataset.preprocessor.core import RowPreprocessor

    Image.new("RGB", (640, 480)).save(tmp_path / "1.png")
    answer = '[{"bbox_2d": <bbox>, "label": "<ref-object>"}, {"bbox_2d": <bbox>, "label": "<ref-object>"}]'
    row = {
        "messages": [
            {"role": "user", "content": "<image>Find <ref-object>"},
            {"role": "assistant", "content": answer},
        ],
        "images": [str(tmp_path / "1.png")],
        "objects": objects,
    }
    template = get_template(
        get_processor(str(checkpoint)), template_type="qwen2_5_vl", norm_bbox=norm_bbox
    )
    template.bbox_format = bbox_format
    template.set_mode("train")
    own = json.loads(json.dumps(row))
    RowPreprocessor._check_objects(own)
    labels = [token for token in template.encode(own)["labels"] if token != -100]
    view = model_io(Settings(), "qwen2_5_vl").resize.view((640, 480))
    spelling = spelling_of("qwen2_5_vl", {BBOX_FORMAT: bbox_format}, norm_bbox)
    taught = taught_answer(read_taught_row(row, "row 1"), view, spelling)
    assert (
        template.tokenizer.decode(labels).removesuffix("<|im_end|>\n").removesuffix("<|im_end|>")
        == taught
    )
