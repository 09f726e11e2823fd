"""Reads an mmdet config as the description of data sets."""

import os
from pathlib import Path
from typing import Any

from swift_plugin_visionr1.errors import InputError

from .spec import DatasetSpec, Suite, check_captions, check_classes

# mmdet's data set types whose ann_file is a COCO annotation file with boxes.
COCO = (
    "CocoDataset",
    "ADE20KInstanceDataset",
    "CityscapesDataset",
    "DeepFashionDataset",
    "iSAIDDataset",
    "LVISDataset",
    "LVISV05Dataset",
    "LVISV1Dataset",
    "Objects365V1Dataset",
    "Objects365V2Dataset",
    "V3DetDataset",
)
# Their default protocol.
PROTOCOLS = dict.fromkeys(COCO, "vision_r1_coco") | {"MDETRStyleRefCocoDataset": "refcoco"}


def read_config(path: str | Path, root: str | Path | None = None) -> Suite:
    """The data sets that a config evaluates on: those of its test_dataloader, else of its
    val_dataloader.

    A config is a Python file and is executed. The suite has the config's name, and so has a single
    data set. Several data sets are named by the evaluator's dataset_prefixes.

    Args:
        root: the folder that relative paths are relative to; default: the current folder, as in
            mmdet.

    Raises:
        InputError: mmengine is missing, or the config cannot be read or describes data sets of
            another kind.
    """
    path = Path(path)
    config = _load(path)
    split = "test" if config.get("test_dataloader") else "val"
    loader = config.get(f"{split}_dataloader")
    if not isinstance(loader, dict) or not isinstance(loader.get("dataset"), dict):
        raise InputError(
            f"expected {path} to have a test_dataloader or val_dataloader with a dataset, got none"
        )
    evaluator = config.get(f"{split}_evaluator") or {}
    dataset = _unwrapped(loader["dataset"])
    if _type(dataset) == "ConcatDataset":
        datasets = [_unwrapped(part) for part in dataset.get("datasets", [])]
        prefixes, metrics = _several(evaluator, len(datasets), path)
    else:
        datasets, prefixes, metrics = [dataset], [path.stem], [evaluator]
    folder = Path(root or ".")
    specs = [_spec(*parts, folder, path) for parts in zip(prefixes, datasets, metrics, strict=True)]
    return Suite(path.stem, PROTOCOLS[_type(datasets[0])], tuple(specs))


def _load(path: Path) -> dict[str, Any]:
    try:
        from mmengine.config import Config
    except ImportError as error:
        raise InputError(
            f"expected mmengine to read the config {path}, got: {error}; install mmengine"
        ) from None
    try:
        # Modules that the config would register are for models and pipelines and not needed here.
        return dict(Config.fromfile(path, import_custom_modules=False).to_dict())
    except Exception as error:  # whatever the config's own code raises
        raise InputError(
            f"expected an mmdet config at {path}, got {type(error).__name__}: {error}"
        ) from error


def _type(dataset: dict[str, Any]) -> str:
    return str(dataset.get("type")).rsplit(".", 1)[
        -1
    ]  # new-style configs name the class with its module


def _unwrapped(dataset: dict[str, Any]) -> dict[str, Any]:
    """The data set inside RepeatDataset, ClassBalancedDataset and similar wrappers."""
    while isinstance(dataset.get("dataset"), dict):
        dataset = dataset["dataset"]
    return dataset


def _several(evaluator: Any, count: int, path: Path) -> tuple[list[str], list[Any]]:
    """The evaluator's dataset_prefixes and metrics, one for each data set."""
    options = evaluator if isinstance(evaluator, dict) else {}
    prefixes, metrics = options.get("dataset_prefixes") or [], options.get("metrics") or []
    if not 0 < count == len(prefixes) == len(metrics) == len(set(prefixes)):
        raise InputError(
            f"expected the evaluator of {path} to have one metric and one of dataset_prefixes for "
            f"each of its {count} data sets (MultiDatasetsEvaluator), got {len(metrics)} metrics "
            f"and the prefixes {prefixes}"
        )
    return prefixes, metrics


def _spec(name: str, dataset: dict[str, Any], metric: Any, root: Path, path: Path) -> DatasetSpec:
    where = f"{name} in {path}" if name != path.stem else str(path)
    if _type(dataset) not in PROTOCOLS:
        raise InputError(
            f"expected {where} to be one of {', '.join(PROTOCOLS)}, whose annotations are COCO "
            f"files, got {dataset.get('type')}: convert the annotations to COCO format and give "
            "them with --ann"
        )
    folder = dataset.get("data_root") or ""
    ann = os.path.join(folder, dataset.get("ann_file") or "")
    judged = metric.get("ann_file") if isinstance(metric, dict) else None
    if judged and os.path.normpath(judged) != os.path.normpath(ann):
        raise InputError(
            f"expected the data set and the evaluator of {where} to name one file, got {ann} and "
            f"{judged}"
        )
    prefix = (dataset.get("data_prefix") or {}).get("img") or ""
    return DatasetSpec(
        name=name,
        ann=root / ann,
        images=root / folder / prefix,
        classes=check_classes((dataset.get("metainfo") or {}).get("classes"), where),
        captions=check_captions(dataset.get("caption_prompt"), where),
    )
