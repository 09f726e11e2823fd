"""The weights of a checkpoint's folder, read and written shard by shard.

Tensors are mapped from the disk and copied one shard at a time. Pickled files are opened with
`weights_only`, which runs no code of theirs.
"""

import json
import pickle
import re
import zipfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file

from ..errors import InputError
from ..text import short

SHARD_BYTES = 2 * 10**9
_STEMS = (("model", ".safetensors"), ("pytorch_model", ".bin"))


@dataclass(frozen=True)
class Weight:
    """One tensor of a file."""

    file: Path
    name: str
    shape: tuple[int, ...]
    bytes: int


class WeightFile:
    """An open file of weights."""

    def __init__(self, path: Path) -> None:
        try:
            self._open = _safetensors(path) if path.suffix == ".safetensors" else _pickled(path)
        except (OSError, SafetensorError, RuntimeError, pickle.UnpicklingError) as error:
            raise InputError(
                f"expected a file of weights, got {path}: {short(str(error))}"
            ) from None
        self.path = path

    def weights(self) -> list[Weight]:
        """What is in it, without reading it."""
        return [_described(self.path, name, self._open) for name in self._open.keys()]  # noqa: SIM118

    def read(self, name: str) -> torch.Tensor:
        """One tensor."""
        get = getattr(self._open, "get_tensor", None)
        tensor: torch.Tensor = get(name) if get else self._open[name]
        return tensor


def find_weights(folder: Path) -> list[Weight]:
    """All weights of a folder, by safetensors or else .bin, sharded or not; empty without any.

    Raises:
        InputError: a file of the index is missing, a file cannot be read, or a name comes twice.
    """
    weights = [weight for path in _files(folder) for weight in WeightFile(path).weights()]
    names = [weight.name for weight in weights]
    if len(set(names)) < len(names):
        twice = next(name for name in names if names.count(name) > 1)
        raise InputError(f"expected each weight once in {folder}, got {twice} in two files")
    return weights


def dtype_of(weight: Weight) -> torch.dtype:
    """As it is stored."""
    return WeightFile(weight.file).read(weight.name).dtype


def write_weights(out: Path, weights: Iterable[tuple[Weight, str]]) -> int:
    """Write weights under new names, into shards of at most `SHARD_BYTES` (or one weight) each.

    Returns:
        The number of shards.
    """
    shards = _shards(weights)
    index: dict[str, str] = {}
    for number, shard in enumerate(shards, start=1):
        name = f"model-{number:05}-of-{len(shards):05}.safetensors"
        save_file(_read(shard), out / name, metadata={"format": "pt"})
        index |= {new: name for _, new in shard}
    total = sum(weight.bytes for shard in shards for weight, _ in shard)
    content = {"metadata": {"total_size": total}, "weight_map": index}
    (out / "model.safetensors.index.json").write_text(json.dumps(content, indent=2))
    return len(shards)


def write_config(out: Path, content: Mapping[str, Any]) -> None:
    """config.json."""
    (out / "config.json").write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")


def _shards(weights: Iterable[tuple[Weight, str]]) -> list[list[tuple[Weight, str]]]:
    shards: list[list[tuple[Weight, str]]] = [[]]
    size = 0
    for weight, name in weights:
        if shards[-1] and size + weight.bytes > SHARD_BYTES:
            shards.append([])
            size = 0
        shards[-1].append((weight, name))
        size += weight.bytes
    return shards


def _read(shard: list[tuple[Weight, str]]) -> dict[str, torch.Tensor]:
    files = {path: WeightFile(path) for path in {weight.file for weight, _ in shard}}
    return {new: files[weight.file].read(weight.name).contiguous() for weight, new in shard}


def _files(folder: Path) -> list[Path]:
    for stem, suffix in _STEMS:
        index = folder / f"{stem}{suffix}.index.json"
        if index.is_file():
            return _indexed(index)
        if (folder / f"{stem}{suffix}").is_file():
            return [folder / f"{stem}{suffix}"]
    return []


def _indexed(index: Path) -> list[Path]:
    try:
        names = sorted(set(json.loads(index.read_text(encoding="utf-8"))["weight_map"].values()))
    except (ValueError, KeyError, AttributeError, TypeError):
        raise InputError(f"expected an index with a weight_map, got {index}") from None
    paths = [index.parent / Path(str(name)).name for name in names]
    missing = [path.name for path in paths if not path.is_file()]
    if missing:
        raise InputError(
            f"expected all files that {index} names, got none called {missing[0]}: copy the whole "
            "checkpoint"
        )
    return paths


def _safetensors(path: Path) -> Any:
    return safe_open(path, framework="pt")


def _pickled(path: Path) -> Mapping[str, torch.Tensor]:
    loaded = torch.load(path, map_location="cpu", weights_only=True, mmap=zipfile.is_zipfile(path))
    if not isinstance(loaded, Mapping):
        raise InputError(f"expected {path} to hold weights by name, got {type(loaded).__name__}")
    return {str(k): v for k, v in loaded.items() if isinstance(v, torch.Tensor)}


def _described(path: Path, name: str, file: Any) -> Weight:
    if isinstance(file, Mapping):
        tensor = file[name]
        return Weight(path, name, tuple(tensor.shape), tensor.nbytes)
    header = file.get_slice(name)
    shape = tuple(header.get_shape())
    count = 1
    for side in shape:
        count *= side
    return Weight(path, name, shape, count * _bytes_of(header.get_dtype()))


def _bytes_of(dtype: str) -> int:
    """The size of a number, by safetensors' name of its type: the bits are in it, as in BF16 or
    F8_E4M3; BOOL has none."""
    bits = re.search(r"\d+", dtype)
    return -(-int(bits[0]) // 8) if bits else 1
