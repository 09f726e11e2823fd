"""What a reward can learn about the ms-swift run that it is built in, and the checks made before
the first step."""

import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from swift.utils import get_logger, is_local_master

from ..data.box_faults import TOLERANCE
from ..data.ground_truth import read_solution
from ..data.image_check import image_faults, require_usable
from ..data.row_files import read_jsonl
from ..errors import SolutionError
from ..geometry.frames import Size
from ..geometry.resize import Resize
from ..models.chat import ChatOptions

RESIZING = ("max_pixels", "min_pixels", "resized_width", "resized_height")

logger = get_logger()


def _frames() -> Iterator[dict[str, Any]]:
    """The local variables of each function that is running, innermost first."""
    frame = sys._getframe(1)
    while frame is not None:
        yield frame.f_locals
        frame = frame.f_back  # type: ignore[assignment]


def callers() -> Iterator[Any]:
    """The `self` of each method that is running, innermost first."""
    return (names["self"] for names in _frames() if "self" in names)


def loaded_data(args: Any) -> tuple[Any, Mapping[str, Any]] | None:
    """Who loaded the data sets of the run that is constructing a reward with `args`, and where they
    are by name.

    ms-swift hands a reward nothing but the training arguments, and these know neither the data set
    nor the template's max_pixels. The callers know: the trainer, the Ray driver, or the pipeline
    that makes Megatron's trainer.
    """
    for names in _frames():
        owner = names.get("self")
        if args is not None and getattr(owner, "args", None) is args:
            places = (getattr(owner, "__dict__", {}), getattr(owner, "_data_info", {}), names)
            if (
                place := next((each for each in places if "train_dataset" in each), None)
            ) is not None:
                return owner, place
    return None


def tells_no_step(args: Any) -> bool:
    """Whether the trainer that is constructing a reward with `args` is ms-swift's Ray driver, which
    knows no step."""
    return _caller(args, "_data_info") is not None


def running_template(args: Any) -> Any | None:
    """The template of the trainer, of any kind, that is constructing a reward with `args`, else
    None."""
    return getattr(_caller(args, "template"), "template", None)


def model_type(template: Any, args: Any) -> str | None:
    """ms-swift's name for the run's model: the template's, else that of the arguments (Ray's
    driver)."""
    meta = getattr(template, "model_meta", None)
    return getattr(meta, "model_type", None) or getattr(args, "model_type", None)


def chat_options(template: Any) -> ChatOptions:
    """The run's template, and what it puts before every response: by --enable_thinking, or what
    --response_prefix says."""
    if template is None:
        return ChatOptions()
    name, prefix = template.template_meta.template_type, template._get_response_prefix()
    return ChatOptions(name, response_prefix=prefix)


def image_processor(template: Any) -> dict[str, Any]:
    """The fields of the model's image processor, or of a processor that is one itself; empty where
    there is none."""
    processor = getattr(template, "processor", None)
    own = getattr(processor, "image_processor", None)
    return dict(own.to_dict()) if own is not None else dict(getattr(processor, "__dict__", {}))


def _caller(args: Any, attribute: str) -> Any | None:
    if args is None:
        return None
    return next(
        (c for c in callers() if getattr(c, "args", None) is args and hasattr(c, attribute)), None
    )


def has_our_reward() -> bool:
    """Whether the arguments that a data set is being loaded for name a vision_r1 reward."""
    names = next(
        (
            c.reward_funcs
            for c in callers()
            if hasattr(c, "load_dataset") and hasattr(c, "reward_funcs")
        ),
        None,
    )
    return any(isinstance(name, str) and name.startswith("vision_r1") for name in names or ())


def data_source() -> str:
    """The file, folder or id that ms-swift is loading."""
    for names in _frames():
        for name in ("dataset_path", "dataset_id"):
            if isinstance(names.get(name), str):
                return str(names[name])
    return "the data set"


def check_datasets(owner: Any, data: Mapping[str, Any], resize: Resize) -> None:
    """Check every row of the data sets in `data`, once per owner.

    Raises:
        SolutionError: a row's annotations or images cannot be used; names the row in its file where
            that is known.
    """
    if getattr(owner, "vision_r1_checked", False):
        return
    owner.vision_r1_checked = True
    for name in ("train_dataset", "eval_dataset", "val_dataset"):
        dataset = data.get(name)
        if dataset is None:
            continue
        if not hasattr(dataset, "__len__"):
            logger.info(f"Vision-R1: {name} is streamed, so its rows are checked as they come")
            continue
        clipped = check_dataset(dataset, name, resize)
        logger.info(f"Vision-R1: checked the annotations of {len(dataset)} rows in {name}")
        if clipped:
            logger.info(
                f"Vision-R1: {clipped} boxes in {name} left their image by up to {TOLERANCE:g} "
                "pixels: they are clipped to it, and answers are scored against the clipped boxes"
            )


def check_dataset(dataset: Any, name: str, resize: Resize) -> int:
    """Check every row of a `datasets.Dataset`; returns how many boxes are clipped to their image.

    Raises:
        SolutionError: as `check_datasets`.
    """
    columns = set(dataset.column_names)
    if "solution" not in columns:
        raise SolutionError(
            f'expected a column "solution" in {name}, got {", ".join(sorted(columns))}'
        )
    wanted = columns & {"solution", "width", "height", "images", "chat_template_kwargs"}
    sizes, clipped = [], 0
    for index, row in enumerate(dataset.select_columns(sorted(wanted))):
        try:
            truth = read_solution(row["solution"], row.get("width"), row.get("height"))
            resize.view(truth.size)
            _check_row(row)
        except ValueError as error:
            raise SolutionError(f"{_place(row, index, name)}: {error}") from None
        sizes.append(truth.size)
        clipped += truth.clipped
    if is_local_master():  # the other processes of this machine need not read the same files
        _check_images(dataset, sizes, name)
    return clipped


def _check_row(row: dict[str, Any]) -> None:
    limits = {
        key: value
        for key, value in (row.get("chat_template_kwargs") or {}).items()
        if key in RESIZING and value
    }
    if limits:
        raise SolutionError(
            "expected one limit of image sizes for the whole run (MAX_PIXELS), got this row's "
            f"{limits}"
        )
    if not row.get("images"):
        raise SolutionError('expected an image in "images", got none')


def _check_images(dataset: Any, sizes: Sequence[Size], name: str) -> None:
    """Look at the header of every image; `sizes` are what the rows say.

    Raises:
        SolutionError: some cannot be used.
    """

    def place(index: int) -> str:
        return _place(dataset[index], index, name)

    images = (row["images"][0] for row in dataset.select_columns(["images"]))
    for warning in require_usable(image_faults(images, sizes), len(sizes), place):
        logger.warning(f"Vision-R1: {name}: {warning}")


def _place(row: dict[str, Any], index: int, name: str) -> str:
    """Where the row stands in its file: ms-swift shuffles, so its place in the data set says
    little."""
    for path in _dataset_files():
        for number, data in read_jsonl(path):
            if not isinstance(data, str) and _same_row(data, row):
                return f"row {number} of {path}"
    return f"row {index + 1} of {name} as loaded"


def _dataset_files() -> list[Path]:
    for caller in callers():
        args: Any = getattr(caller, "args", None)
        if isinstance(getattr(args, "dataset", None), list):
            names = [*args.dataset, *(getattr(args, "val_dataset", None) or [])]
            paths = [Path(str(name).split("#")[0]) for name in names]
            return [path for path in paths if path.suffix == ".jsonl" and path.is_file()]
    return []


def _same_row(data: Mapping[str, Any], row: dict[str, Any]) -> bool:
    if data.get("solution") != row["solution"]:
        return False
    images = [
        image.get("path") if isinstance(image, dict) else image for image in row.get("images") or []
    ]
    own = data.get("images") or []
    own = own if isinstance(own, list) else [own]
    return [Path(str(a)).name for a in own] == [Path(str(b)).name for b in images]
