"""The core needs numpy, scipy and PyYAML only."""

import subprocess
import sys

BLOCKED = (
    "swift",
    "torch",
    "transformers",
    "mmdet",
    "mmcv",
    "mmengine",
    "PIL",
    "cv2",
    "pycocotools",
    "matplotlib",
)

SCRIPT = f"""
import sys
for name in {BLOCKED!r}:
    sys.modules[name] = None
import swift_plugin_visionr1 as core
import swift_plugin_visionr1.cli, swift_plugin_visionr1.curate.coco
truth = core.read_solution('{{"width": 112, "height": 112, "boxes": [[0, 0, 20, 20]], "labels": ["cat"]}}')
scorer = core.Scorer(core.load_settings("paper"), core.model_io(core.load_settings("paper")))
print(scorer.score('[{{"bbox_2d": [0, 0, 20, 20], "label": "cat"}}]', truth, "beginner").total)
"""


def test_the_core_runs_with_every_framework_blocked() -> None:
    result = subprocess.run(
        [sys.executable, "-c", SCRIPT], capture_output=True, text=True, check=False
    )
    assert result.stdout.strip() == "3.0", result.stderr
