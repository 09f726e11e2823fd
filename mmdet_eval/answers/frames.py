"""The frame of the answers, and signs in the boxes that it is another one. Never looks at the ground truth."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from swift_plugin_visionr1.coords import FRAMES, Frame, View
from swift_plugin_visionr1.models import ModelIO
from swift_plugin_visionr1.resize import QwenResize, Resize

from ..errors import InputError
from .answer import Answer, ReadAnswer

TOLERATED = 0.01  # the share of boxes that may leave the image without a warning, or leave a frame that is said to fit
MANY, FAR = 50, 0.75  # so many boxes of which hardly one reaches so far are a sign of a smaller frame
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
    """What the model saw: the processed size that the row recorded, else the one by `resize`.

    Raises:
        InputError: no processor takes an image of that size; the message names it.
    """
    if answer.processed is not None:
        return View(answer.image.size, answer.processed)
    return _view(answer, resize)


def frame_warnings(read: Sequence[ReadAnswer], outside: int, io: ModelIO) -> tuple[str, ...]:
    """What the boxes say against the frame that they were read in; `outside` of them leave it."""
    with_boxes = [one for one in read if len(one.parsed.boxes)]
    boxes = sum(len(one.parsed.boxes) for one in with_boxes)
    if not boxes:
        return ()
    frame = io.format.frame
    if frame.side(with_boxes[0].view) != (1, 1) and max(one.parsed.boxes.max() for one in with_boxes) <= 1:
        return (
            f"all {boxes} boxes lie between 0 and 1: the model seems to write fractions of the image: --frame norm1",
        )
    reach = [(one.parsed.boxes / np.array(frame.limit(one.view) * 2)).max(axis=1) for one in with_boxes]
    far = sum(int((one > FAR).sum()) for one in reach)
    if outside > TOLERATED * boxes:
        sign = (
            f"{outside} of {boxes} boxes ({outside / boxes:.1%}) leave the image that the model is taken to have seen"
        )
    elif boxes >= MANY and far <= TOLERATED * boxes:
        sign = f"{far} of {boxes} boxes reach beyond {FAR:.0%} of the width or height of their image, unusually few"
    else:
        return ()
    return (f"{sign}: {_cause(with_boxes, boxes, io)}",)


def _cause(read: Sequence[ReadAnswer], boxes: int, io: ModelIO) -> str:
    """The smallest of the usual frames that the boxes fit: some box nearly always touches the border of its frame."""
    fitting = []
    for words, frame, resize in _usual_frames(io):
        views = [one.view if resize is io.resize else _view(one.answer, resize) for one in read]
        pairs = zip(read, views, strict=True)
        out = sum(int((~frame.is_inside(one.parsed.boxes, view)).sum()) for one, view in pairs)
        if out <= TOLERATED * boxes:
            fitting.append((float(np.mean([_area(frame.limit(view)) for view in views])), words))
    if not fitting:
        return "they fit none of the usual frames; record the input size in the rows"
    return min(fitting)[1]


def _usual_frames(io: ModelIO) -> list[Usual]:
    own = io.format.frame
    usual: list[Usual] = [
        (f"they fit {words}, so the model seems to write these: --frame {name}", FRAMES[name], io.resize)
        for name, words in OTHER_FRAMES.items()
        if FRAMES[name].units != own.units
    ]
    if own.units != "processed" or not isinstance(io.resize, QwenResize):
        return usual
    for tokens in COMMON_TOKENS:
        pixels = tokens * io.resize.factor**2
        other = replace(io.resize, max_pixels=None, max_tokens=max(tokens, io.resize.min_tokens))
        if other != io.resize:
            words = f"of the usual frames they fit MAX_PIXELS={pixels} best: with which MAX_PIXELS was inference run?"
            usual.append((words, own, other))
    return usual


def _area(size: tuple[float, float]) -> float:
    return size[0] * size[1]


def _view(answer: Answer, resize: Resize) -> View:
    image = answer.image
    try:
        return resize.view(image.size)
    except ValueError as error:
        raise InputError(f"image {image.id!r} ({image.file_name}): {error}") from None
