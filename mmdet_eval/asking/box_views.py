"""Pictures of a single box, to ask about it: cut out with some of what is around it, or drawn into
the whole image."""

from typing import Any, Literal

from swift_plugin_visionr1.explain.painter import RED, BoxMark, paint
from swift_plugin_visionr1.geometry.frames import Size

View = Literal["crop", "drawn"]
AROUND = 0.2  # of a box's side, on each end, that a crop shows too
LONGEST = 8  # times as long as wide may a crop be: processors refuse slivers
LEAST_SIDE = 56  # pixels of a crop: below, processors enlarge or refuse it
QUALITY = 95  # of the JPEG


def crop_of(box_xyxy: tuple[float, ...], size: Size) -> tuple[int, int, int, int]:
    """What a crop shows of an image: xyxy in whole pixels, with room around the box and no sliver,
    as far as the image allows.

    >>> crop_of((100, 100, 150, 200), (640, 480))
    (90, 80, 160, 220)
    """
    sides = [box_xyxy[k + 2] - box_xyxy[k] for k in (0, 1)]
    wanted = [side * (1 + 2 * AROUND) for side in sides]
    wanted = [max(side, max(wanted) / LONGEST, 1.0) for side in wanted]
    low, high = [], []
    for k, side in enumerate(wanted):
        centre = (box_xyxy[k] + box_xyxy[k + 2]) / 2
        start = min(max(round(centre - side / 2), 0), size[k] - 1)
        low.append(start)
        high.append(max(min(round(centre + side / 2), size[k]), start + 1))
    return low[0], low[1], high[0], high[1]


def picture(image: Any, box_xyxy: tuple[float, ...], view: View) -> Any:
    """A Pillow image that shows one box.

    Args:
        image: Pillow, as the model saw it.
        box_xyxy: in its pixels.
    """
    if view == "crop":
        part = image.crop(crop_of(box_xyxy, image.size))
        times = LEAST_SIDE / min(part.size)
        size = (max(LEAST_SIDE, round(side * times)) for side in part.size)
        return part if times <= 1 else part.resize(tuple(size))
    copy = image.copy()
    paint(copy, copy.size, [BoxMark(box_xyxy, "", RED)])
    return copy
