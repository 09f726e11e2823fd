"""Checks the answers for signs of another coordinate frame. Never looks at the ground truth."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from swift_plugin_visionr1.errors import InputError
from swift_plugin_visionr1.geometry.frames import FRAMES, Frame, Size, View
from swift_plugin_visionr1.geometry.resize import QwenResize, Resize
from swift_plugin_visionr1.models.model_io import ModelIO

from .answer import Answer, ReadAnswer

# the share of boxes that may leave the image without a warning, or leave a frame that is said to
# fit
TOLERATED = 0.01
MANY, FAR = (
    50,
    0.75,
)  # so many boxes of which hardly one reaches so far are a sign of a smaller frame
# the share of a frame's side that some box reaches where the frame is to fit: others are far too
# large
FILLED = 0.25
# MAX_PIXELS in tokens, as people often set it
COMMON_TOKENS = (64, 128, 256, 384, 512, 640, 768, 1024, 1280, 2560, 4096, 16384)
OTHER_FRAMES = {
    "processed": "pixels of the resized image",
    "original": "pixels of the original image",
    "norm1": "fractions of the image",
    "norm1000": "thousandths of the image",
}

Usual = tuple[str, Frame, Resize]  # in words


def view_of(answer: Answer, resize: Resize) -> View:
    """What the model saw: the processed size recorded in the row, else the one `resize` computes.

    Raises:
        InputError: no processor accepts an image of that size; the message names it.
    """
    if answer.processed is not None:
        return _recorded(answer.image.size, answer.processed, resize)
    return _view(answer, resize)


def _recorded(size: Size, processed: Size, resize: Resize) -> View:
    """A view of the recorded size. If the rule pads, the image lies in the middle."""
    try:
        padded = resize.view(size).content is not None
    except ValueError:  # the size is recorded, so inference accepted it
        padded = False
    if not padded:
        return View(size, processed)
    scale = min(processed[0] / size[0], processed[1] / size[1])
    width, height = size[0] * scale, size[1] * scale
    x, y = (processed[0] - width) / 2, (processed[1] - height) / 2
    return View(size, processed, (x, y, x + width, y + height))


def _distinct(read: Sequence[ReadAnswer]) -> int:
    """Number of boxes, those that an answer repeats counted once."""
    return sum(len(np.unique(one.parsed.boxes, axis=0)) for one in read)


def frame_warnings(read: Sequence[ReadAnswer], outside: int, io: ModelIO) -> tuple[str, ...]:
    """Evidence in the answers against the frame they were read in; `outside` boxes leave it."""
    with_boxes = [one for one in read if len(one.parsed.boxes)]
    boxes = sum(len(one.parsed.boxes) for one in with_boxes)
    if not boxes:
        return ()
    frame = io.format.frame
    if (
        frame.side(with_boxes[0].view) != (1, 1)
        and max(one.parsed.boxes.max() for one in with_boxes) <= 1
    ):
        return (
            f"all {boxes} boxes lie between 0 and 1: the model seems to write fractions of the "
            "image: --frame norm1",
        )
    reach = [_reach(one, frame, one.view) for one in with_boxes]
    far = sum(int((one > FAR).sum()) for one in reach)
    if outside > TOLERATED * boxes:
        sign = (
            f"{outside} of {boxes} boxes ({outside / boxes:.1%}) extend beyond the image that the "
            "model supposedly saw"
        )
    elif _distinct(with_boxes) >= MANY and far <= TOLERATED * boxes:
        sign = (
            f"{far} of {boxes} boxes reach beyond {FAR:.0%} of the width or height of their "
            "image, unusually few"
        )
    else:
        return ()
    return (f"{sign}: {_cause(with_boxes, boxes, io)}",)


def _reach(read: ReadAnswer, frame: Frame, view: View) -> NDArray[np.float64]:
    """(n,) how far each box reaches, as a share of the frame's width or height."""
    return np.asarray((read.parsed.boxes / np.array(frame.limit(view) * 2)).max(axis=1))


def _cause(read: Sequence[ReadAnswer], boxes: int, io: ModelIO) -> str:
    """The smallest of the usual frames that the boxes fit and fill: some box almost always touches
    its border."""
    fitting = []
    for words, frame, resize in usual_frames(io):
        views = [one.view if resize is io.resize else _view(one.answer, resize) for one in read]
        pairs = zip(read, views, strict=True)
        out = sum(int((~frame.is_inside(one.parsed.boxes, view)).sum()) for one, view in pairs)
        far = max(_reach(one, frame, view).max() for one, view in zip(read, views, strict=True))
        if out <= TOLERATED * boxes and far > FILLED:
            fitting.append((float(np.mean([_area(frame.limit(view)) for view in views])), words))
    if not fitting:
        seen = io.format.frame.units == "processed" or io.format.frame.padded
        return "none of the usual frames fits them" + (
            "; record the input size in the rows" if seen else ""
        )
    return min(fitting)[1]


def usual_frames(io: ModelIO) -> list[Usual]:
    """Other frames and sizes that the answers may use, and their names."""
    assumed = io.format.frame
    usual: list[Usual] = [
        (
            f"they fit {words}, so the model seems to write these: try --frame {name}",
            FRAMES[name],
            io.resize,
        )
        for name, words in OTHER_FRAMES.items()
        if FRAMES[name].units != assumed.units
    ]
    if not isinstance(io.resize, QwenResize):
        return usual
    if assumed.units != "processed":
        return [*usual, *_older_qwen(io.resize)]
    for tokens in COMMON_TOKENS:
        pixels = tokens * io.resize.factor**2
        other = replace(io.resize, max_pixels=None, max_tokens=max(tokens, io.resize.min_tokens))
        if other != io.resize:
            words = (
                f"of the usual frames they fit MAX_PIXELS={pixels} best: with which MAX_PIXELS "
                "was inference run?"
            )
            usual.append((words, assumed, other))
    return usual


def _older_qwen(resize: QwenResize) -> list[Usual]:
    """Qwen2.5-VL's pixels, for answers read as those of its successors, which have larger visual
    tokens."""
    newer, older = resize.factor**2, QwenResize.factor**2
    if newer == older:
        return []
    most = (
        resize.max_tokens
        if resize.max_tokens == QwenResize.max_tokens
        else resize.max_tokens * newer // older
    )
    words = "they fit pixels of the image that Qwen2.5-VL sees: --model-type qwen2_5_vl"
    return [
        (words, FRAMES["processed"], replace(resize, factor=QwenResize.factor, max_tokens=most))
    ]


def _area(size: tuple[float, float]) -> float:
    return size[0] * size[1]


def _view(answer: Answer, resize: Resize) -> View:
    image = answer.image
    try:
        return resize.view(image.size)
    except ValueError as error:
        raise InputError(f"image {image.id!r} ({image.file_name}): {error}") from None
