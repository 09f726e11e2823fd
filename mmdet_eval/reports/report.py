"""The printed table and the files of a run."""

import json
import platform
from dataclasses import asdict, dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from swift_plugin_visionr1.coords import QwenResize

from ..answers.coco_results import Converted, Counts
from ..answers.confidence import POLICIES
from ..data.annotations import Annotations

PACKAGES = ("swift-plugin-visionr1", "mmdet", "mmengine", "mmcv", "mmcv-lite", "pycocotools", "torch", "numpy")
HEADLINE = ("mAP", "AP50", "AP75", "AR@100")
POLICY_TEXTS = {
    "labels": "exact category name, else without regard to case and surrounding space; other labels are dropped",
    "outside": "boxes that leave the image are clipped to it, and dropped when nothing is left",
    "truncated": 'finish_reason "length"; without that column, a fence or bracket that is opened and not closed',
    "limits": "COCO's own: at most 100 boxes per image and category, the first by score",
    "rounding": "CocoMetric rounds to 3 decimals; null where the annotations have nothing to measure",
}
LABELS_SHOWN = 5


@dataclass(frozen=True)
class Report:
    """Everything about one evaluation.

    Attributes:
        annotations: what was evaluated against.
        converted: COCO results and counts.
        metrics: as from `mmdet_backend.evaluate`.
        format: name of the output format.
        resize: the frame of the answers.
        policy: confidence policy.
        arguments: the command's arguments.
    """

    annotations: Annotations
    converted: Converted
    metrics: dict[str, float | None]
    format: str
    resize: QwenResize
    policy: str
    arguments: dict[str, Any]

    def table(self) -> str:
        """The text to print."""
        lines = [f"{name:<20}{count:>8}{note}" for name, count, note in _count_rows(self.converted)]
        lines += [f"annotations         {repair}" for repair in self.annotations.repairs]
        lines += [f"frame               {self.frame()}", f"confidence          {POLICIES[self.policy]}", ""]
        lines.append("".join(f"{name:>8}" for name in HEADLINE))
        lines.append("".join(_cell(self.metrics[name]) for name in HEADLINE))
        return "\n".join(lines)

    def frame(self) -> str:
        """How the boxes of the answers relate to the original images, in words."""
        limit = "no max_pixels" if self.resize.max_pixels is None else f"max_pixels {self.resize.max_pixels}"
        return (
            f"{self.format}, images processed with {limit}, {self.resize.min_tokens} to {self.resize.max_tokens} "
            f"visual tokens of {self.resize.factor} x {self.resize.factor} pixels"
        )

    def write(self, folder: Path) -> None:
        """Write metrics.json and coco_results.json into `folder`, over those of an earlier run."""
        (folder / "metrics.json").write_text(json.dumps(self._record(), indent=2) + "\n", "utf-8")
        (folder / "coco_results.json").write_text(json.dumps(self.converted.results) + "\n", "utf-8")

    def _record(self) -> dict[str, Any]:
        return {
            "metrics": self.metrics,
            "counts": asdict(self.converted.counts),
            "unknown_labels": self.converted.unknown_labels,
            "frame": {"format": self.format, **asdict(self.resize)},
            "policies": {"confidence": POLICIES[self.policy], **POLICY_TEXTS},
            "annotations": {"sha256": self.annotations.sha256, "repairs": self.annotations.repairs},
            "arguments": self.arguments,
            "versions": versions(),
        }


def _count_rows(converted: Converted) -> list[tuple[str, int, str]]:
    counts: Counts = converted.counts
    unknown = [f"{label[:40]!r} {n}" for label, n in converted.unknown_labels.items()]
    labels = ", ".join(unknown[:LABELS_SHOWN]) + (", ..." if len(unknown) > LABELS_SHOWN else "")
    return [
        ("images", counts.images, ""),
        ("answers", counts.answers, f"  {counts.missing} images have none" if counts.missing else ""),
        ("  not parsed", counts.unparsed, ""),
        ("  broken format", counts.broken_format, ""),
        ("  truncated", counts.truncated, ""),
        ("boxes read", counts.boxes_read, ""),
        ("  unknown label", counts.unknown_labels, f"  dropped: {labels}" if unknown else ""),
        ("  outside image", counts.outside, f"  clipped; {counts.nothing_left} dropped" if counts.outside else ""),
        ("boxes kept", counts.boxes_kept, ""),
    ]


def _cell(value: float | None) -> str:
    return f"{'-':>8}" if value is None else f"{value:>8.3f}"


def versions() -> dict[str, str]:
    """Versions of Python and of the packages that decide the numbers; those not installed are left out."""
    found = {"python": platform.python_version()}
    for package in PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found
