"""Checks which flavour of each package is installed and whether they work together, and runs a real
evaluation to prove it.

MMDetection comes in two flavours (open-mmlab's and the fork onedl-*), mmcv in three (with compiled
ops, -lite, onedl's) and OpenCV in four that all write the same folder. Most broken environments mix
these.
"""

import json
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import distributions
from pathlib import Path
from typing import Literal

from .coco.annotations import read_annotations
from .metrics.mmdet_backend import evaluate

OWN_ENVIRONMENT = (
    "keep the evaluator in a separate environment: pip install 'swift-plugin-visionr1[eval]'"
)
MMDET = {"mmdet": "open-mmlab", "onedl-mmdetection": "the fork onedl"}
MMENGINE = {"mmengine": "open-mmlab", "onedl-mmengine": "the fork onedl"}
MMCV = {
    "mmcv": "with compiled ops",
    "mmcv-lite": "without compiled ops, which the metrics do not call",
    "onedl-mmcv": "the fork onedl",
}
COCO_APIS = {
    "pycocotools": "COCO's own API",
    "hotcoco": "recomputes the numbers",
    "faster-coco-eval": "not used",
}
OPENCV = (
    "opencv-python",
    "opencv-python-headless",
    "opencv-contrib-python",
    "opencv-contrib-python-headless",
)
TRAINING = ("torch", "ms-swift", "transformers", "vllm")


@dataclass(frozen=True)
class InstallationFinding:
    """One line of the report; a problem stops the evaluator, a note explains what is unusual."""

    state: Literal["ok", "note", "problem"]
    text: str


def installed() -> dict[str, str]:
    """Lower-case distribution name -> version, of this interpreter."""
    return {
        str(d.metadata["Name"]).lower().replace("_", "-"): d.version
        for d in distributions()
        if d.metadata["Name"]
    }


def examine(packages: Mapping[str, str]) -> list[InstallationFinding]:
    """What the installed `packages` (name -> version) mean for the evaluator."""
    findings = [_one_of("MMDetection", MMDET, packages), _one_of("MMEngine", MMENGINE, packages)]
    findings += [_mmcv(packages), *_coco_apis(packages), _opencv(packages)]
    findings += [
        InstallationFinding("ok", f"{name} {packages[name]}")
        for name in TRAINING
        if name in packages
    ]
    if "torch" not in packages:
        findings.append(InstallationFinding("problem", "torch is missing: pip install torch"))
    return findings


def _one_of(
    what: str, flavours: Mapping[str, str], packages: Mapping[str, str]
) -> InstallationFinding:
    installed = [name for name in flavours if name in packages]
    if not installed:
        return InstallationFinding("problem", f"{what} is missing: {OWN_ENVIRONMENT}")
    if len(installed) > 1:
        return InstallationFinding(
            "problem",
            f"{' and '.join(installed)} write the same folder: uninstall all of them, then "
            "install one",
        )
    return InstallationFinding(
        "ok", f"{what}: {installed[0]} {packages[installed[0]]} ({flavours[installed[0]]})"
    )


def _mmcv(packages: Mapping[str, str]) -> InstallationFinding:
    finding = _one_of("mmcv", MMCV, packages)
    name = next((name for name in ("mmcv", "mmcv-lite") if name in packages), None)
    if (
        finding.state == "ok"
        and name
        and "mmdet" in packages
        and not _goes_with_mmdet(packages[name])
    ):
        text = (
            f"{name} {packages[name]}, but MMDetection refuses it: pip install '{name}>=2.0,<2.2'"
        )
        return InstallationFinding("problem", text)
    return finding


def _goes_with_mmdet(version: str) -> bool:
    return version.split(".")[:2] in (["2", "0"], ["2", "1"])


def _coco_apis(packages: Mapping[str, str]) -> list[InstallationFinding]:
    findings = [
        InstallationFinding("ok", f"{name} {packages[name]} ({use})")
        for name, use in COCO_APIS.items()
        if name in packages
    ]
    if "pycocotools" not in packages:
        findings.append(
            InstallationFinding("problem", "pycocotools is missing: pip install pycocotools")
        )
    if "hotcoco" not in packages:
        findings.append(
            InstallationFinding(
                "note", "hotcoco is missing: pycocotools checks the numbers instead, more slowly"
            )
        )
    return findings


def _opencv(packages: Mapping[str, str]) -> InstallationFinding:
    installed = [f"{name} {packages[name]}" for name in OPENCV if name in packages]
    if not installed:
        return InstallationFinding(
            "problem",
            "OpenCV is missing, which MMEngine imports: pip install opencv-python-headless",
        )
    if len(installed) > 1:
        text = f"{' and '.join(installed)} both write cv2/, and the one installed last wins"
        advice = (
            "if `import cv2` fails, uninstall all of them and install opencv-python-headless "
            "with --no-deps"
        )
        return InstallationFinding("note", f"{text}; {advice}, or {OWN_ENVIRONMENT}")
    return InstallationFinding("ok", installed[0])


def try_out() -> InstallationFinding:
    """Evaluate one perfect box with MMDetection."""
    box = {"image_id": 1, "category_id": 1, "bbox": [8, 8, 48, 40]}
    data = {
        "images": [{"id": 1, "file_name": "a.png", "width": 64, "height": 64}],
        "categories": [{"id": 1, "name": "cat"}],
        "annotations": [{**box, "id": 1, "area": 1920, "iscrowd": 0}],
    }
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "instances.json"
        path.write_text(json.dumps(data), "utf-8")
        try:
            metrics = evaluate(read_annotations(path), [{**box, "score": 1.0}])
        except Exception as error:  # whatever a broken environment raises is the result
            return InstallationFinding(
                "problem", f"evaluating one box failed: {type(error).__name__}: {error}"
            )
    right = abs((metrics["mAP"] or 0) - 1) < 1e-9  # the sum of 101 precisions is inexact
    return InstallationFinding(
        "ok" if right else "problem", f"evaluating one perfect box gave mAP {metrics['mAP']:.3f}"
    )


def report() -> tuple[str, bool]:
    """The text to print, and whether the evaluator works here."""
    findings = [*examine(installed()), try_out()]
    lines = [f"ok       Python {sys.version.split()[0]}, {sys.prefix}"]
    lines += [f"{finding.state:<8} {finding.text}" for finding in findings]
    return "\n".join(lines), all(finding.state != "problem" for finding in findings)
