"""What the numbers were made with."""

import platform
from importlib.metadata import PackageNotFoundError, version

PACKAGES = (
    "swift-plugin-visionr1", "mmdet", "mmengine", "mmcv", "mmcv-lite", "onedl-mmdetection", "onedl-mmengine",
    "onedl-mmcv", "pycocotools", "hotcoco", "torch", "numpy",
)  # fmt: skip


def versions() -> dict[str, str]:
    """Versions of Python and of the packages that decide the numbers; those not installed are left out."""
    found = {"python": platform.python_version()}
    for package in PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found
