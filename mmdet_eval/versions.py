"""What the numbers were made with."""

import platform
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, version

PACKAGES = (
    "swift-plugin-visionr1",
    "mmdet",
    "mmengine",
    "mmcv",
    "mmcv-lite",
    "onedl-mmdetection",
    "onedl-mmengine",
    "onedl-mmcv",
    "pycocotools",
    "hotcoco",
    "torch",
    "numpy",
)


def versions(packages: Sequence[str] = PACKAGES) -> dict[str, str]:
    """Versions of Python and of `packages`, without those not installed."""
    numbers = {"python": platform.python_version()}
    for package in packages:
        try:
            numbers[package] = version(package)
        except PackageNotFoundError:
            continue
    return numbers
