"""COCO results, the form of detections in files and in MMDetection."""

from typing import Any

CocoResult = dict[
    str, Any
]  # image_id, category_id, bbox as [x, y, width, height] in original pixels, score
