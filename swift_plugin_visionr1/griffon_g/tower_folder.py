"""The folder of the vision tower, which is published apart from the language model."""

from collections.abc import Mapping
from dataclasses import dataclass
from math import isqrt
from pathlib import Path
from typing import Any

from ..errors import InputError
from ..files import read_json
from .configuration import PUBLISHED_TOWER
from .published_names import TOWER
from .weight_files import Weight

_PATCHES = f"{TOWER}embeddings.patch_embedding.weight"
_POSITIONS = f"{TOWER}embeddings.position_embedding.weight"


@dataclass(frozen=True)
class TowerFolder:
    """What a folder tells of the vision tower.

    Attributes:
        path: the folder; None without such a folder, where the published tower is assumed.
        config: of its config.json.
        processor: of its preprocessor_config.json; empty without one.
    """

    path: Path | None
    config: dict[str, Any]
    processor: Mapping[str, Any]

    def sized(self, weights: Mapping[str, Weight]) -> tuple[dict[str, Any], int]:
        """Its configuration with the size that its position embeddings are for, and the side of the
        images that it is given, in pixels. Where these differ, the embeddings are interpolated."""
        config = dict(self.config.get("vision_config") or self.config)
        side = int(config.get("image_size", PUBLISHED_TOWER["image_size"]))
        table = self._table(weights)
        if table is not None:
            config["image_size"] = table
        return config, _side(self.processor) or max(side, table or 0)

    def _table(self, weights: Mapping[str, Weight]) -> int | None:
        if _PATCHES not in weights or _POSITIONS not in weights:
            return None
        patch, count = weights[_PATCHES].shape[-1], weights[_POSITIONS].shape[0] - 1
        return int(isqrt(count) * patch)


def find_tower(source: Path, published: Mapping[str, Any], given: Path | None) -> TowerFolder:
    """The folder that is given, or that config.json's mm_vision_tower names, or one of that name
    beside the checkpoint or in it.

    Raises:
        InputError: the given folder holds no vision tower.
    """
    named = Path(str(published.get("mm_vision_tower") or "vision_tower"))
    places = (named, source / named, source.parent / named.name, source / "vision_tower")
    path = given or next((p for p in places if (p / "config.json").is_file()), None)
    if path is None:
        return TowerFolder(None, dict(PUBLISHED_TOWER), {})
    if not (path / "config.json").is_file():
        raise InputError(
            f"expected the folder of a CLIP vision tower with config.json, got {path}: download "
            "JefferyZhan/clip-vit-large-path14-336_to_1022"
        )
    processor = path / "preprocessor_config.json"
    return TowerFolder(
        path, read_json(path / "config.json"), read_json(processor) if processor.is_file() else {}
    )


def _side(processor: Mapping[str, Any]) -> int | None:
    for name in ("crop_size", "size"):
        value = processor.get(name)
        if isinstance(value, Mapping):
            value = value.get("height") or value.get("shortest_edge")
        if isinstance(value, int):
            return value
    return None
