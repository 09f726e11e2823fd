"""Files and folders that are not data sets, refused in runs with a vision_r1 reward. ms-swift's own
loading fails on them: it answers COCO annotations with `integer division or modulo by zero`."""

from pathlib import Path
from typing import Any

from datasets import Dataset
from swift.dataset.loader import DatasetLoader
from swift.dataset.preprocessor.core import AutoPreprocessor

from ..data.dataset_files import require_columns, require_dataset
from .run_context import current_loading

_ms_swifts_load = DatasetLoader.load


def _load(self: Any, dataset_syntax: Any, dataset_meta: Any, **options: Any) -> Any:
    """ms-swift's own loading, with a clear error for files that it could make no rows from."""
    path = Path(dataset_syntax.dataset)
    checked = (
        current_loading().has_our_reward
        and path.exists()
        and isinstance(dataset_meta.preprocess_func, AutoPreprocessor)
    )
    if checked:
        require_dataset(path, (self.columns or {}).values())
    data = _ms_swifts_load(self, dataset_syntax, dataset_meta, **options)
    if checked and isinstance(data, Dataset) and not len(data):
        require_columns((), path)
    return data


DatasetLoader.load = _load
