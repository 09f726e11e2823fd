"""The frame of the answers, and signs in the boxes that it is another one. Never looks at the ground truth."""

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np

from swift_plugin_visionr1.boxes import is_inside
from swift_plugin_visionr1.coords import Size
from swift_plugin_visionr1.resize import QwenResize

from ..data.annotations import Image
from ..errors import InputError
from .answer import Answer, ReadAnswer

TOLERATED = 0.01  # the share of boxes that may leave the image without a warning, or leave a frame that is said to fit
MANY, FAR = 50, 0.75  # so many boxes of which hardly one reaches so far are a sign of a smaller frame
NORM = 1000  # Qwen2-VL, Qwen3-VL and InternVL write coordinates from 0 to this
# MAX_PIXELS in tokens, as people often set it
COMMON_TOKENS = (64, 128, 256, 384, 512, 640, 768, 1024, 1280, 2560, 4096, 16384)


def processed_size(answer: Answer, resize: QwenResize) -> Size:
    """(width, height) of what the model saw: as the row recorded it, else by `resize`.

    Raises:
        InputError: no processor takes an image of that size; the message names it.
    """
    if answer.processed is not None:
        return answer.processed
    return _resized(resize, answer.image)


def frame_warnings(read: Sequence[ReadAnswer], outside: int, resize: QwenResize) -> tuple[str, ...]:
    """What the boxes say against the frame that they were read in; `outside` of them leave it."""
    with_boxes = [one for one in read if len(one.parsed.boxes)]
    boxes = sum(len(one.parsed.boxes) for one in with_boxes)
    if not boxes:
        return ()
    if max(one.parsed.boxes.max() for one in with_boxes) <= 1:
        return (f"all {boxes} boxes lie between 0 and 1: the model seems to write fractions of the image, not pixels",)
    far = sum(int(((one.parsed.boxes / np.array(one.processed * 2)).max(axis=1) > FAR).sum()) for one in with_boxes)
    if outside > TOLERATED * boxes:
        sign = (
            f"{outside} of {boxes} boxes ({outside / boxes:.1%}) leave the image that the model is taken to have seen"
        )
    elif boxes >= MANY and far <= TOLERATED * boxes:
        sign = f"{far} of {boxes} boxes reach beyond {FAR:.0%} of the width or height of their image, unusually few"
    else:
        return ()
    return (f"{sign}: {_cause(with_boxes, boxes, resize)}",)


def _cause(read: Sequence[ReadAnswer], boxes: int, resize: QwenResize) -> str:
    """The smallest of the usual frames that the boxes fit: some box nearly always touches the border of its frame."""
    fitting = []
    for words, frame in _usual_frames(resize):
        sizes = [frame(one) for one in read]
        out = sum(int((~is_inside(one.parsed.boxes, size)).sum()) for one, size in zip(read, sizes, strict=True))
        if out <= TOLERATED * boxes:
            fitting.append((float(np.mean([width * height for width, height in sizes])), words))
    if not fitting:
        return "they fit none of the usual frames; record the input size in the rows"
    return min(fitting)[1]


def _usual_frames(resize: QwenResize) -> list[tuple[str, Callable[[ReadAnswer], Size]]]:
    frames: list[tuple[str, Callable[[ReadAnswer], Size]]] = [
        ("they fit the original images, so the model seems to write pixels of the original", _original),
        (f"they fit 0 to {NORM}, so the model seems to write thousandths of the image", lambda _: (NORM, NORM)),
    ]
    for tokens in COMMON_TOKENS:
        pixels = tokens * resize.factor**2
        other = replace(resize, max_pixels=None, max_tokens=max(tokens, resize.min_tokens))
        if other == resize:
            continue
        words = f"of the usual frames they fit MAX_PIXELS={pixels} best: with which MAX_PIXELS was inference run?"
        frames.append((words, lambda one, other=other: _resized(other, one.answer.image)))  # type: ignore[misc]
    return frames


def _original(read: ReadAnswer) -> Size:
    return read.answer.image.size


def _resized(resize: QwenResize, image: Image) -> Size:
    try:
        return resize.processed_size(image.size)
    except ValueError as error:
        raise InputError(f"image {image.id!r} ({image.file_name}): {error}") from None
