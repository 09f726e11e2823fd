"""VisionReasoner and Seg-Zero: a list of {"bbox_2d": [x1, y1, x2, y2], "point_2d": [x, y]}.

Their code stretches every image to 840 x 840 pixels, so coordinates run from 0 to 840 on both
sides. Through ms-swift, which keeps the image's shape, such a model answers in pixels of the
processed image: `frame: processed`. A point inside the object stands beside its box; it is written
as the box's middle and not read. Questions name one thing and boxes carry no label, so a box
without one is no issue; where several categories are asked for, labels are written after the point.
Reasoning comes first: `reasoning: think_answer`. No empty answer is documented: here it is the
empty list.
Question: dvlab-research/Seg-Zero, inference_scripts. Issue codes: see `json_boxes`.
"""

from ..geometry.frames import FRAMES
from .base import Questions
from .json_boxes import JsonBoxes
from .json_layout import JsonLayout

QUESTIONS = Questions(
    locate='Please find "{}" with bboxs and points.Compare the difference between object(s) and '
    "find the most closely matched object(s).Output the thinking process in <think> </think> and "
    "final answer in <answer> </answer> tags.Output the bbox(es) and point(s) inside the "
    "interested object(s) in JSON format.i.e., <think> thinking process here </think><answer>"
    '[{"bbox_2d": [10,100,200,210], "point_2d": [30,110]}, '
    '{"bbox_2d": [225,296,706,786], "point_2d": [302,410]}]</answer>'
)

VISION_REASONER = JsonBoxes(
    name="vision_reasoner",
    frame=FRAMES["norm840"],
    layout=JsonLayout(),
    others=("bbox",),
    indent=None,
    labelled=False,
    point="point_2d",
    questions=QUESTIONS,
)
