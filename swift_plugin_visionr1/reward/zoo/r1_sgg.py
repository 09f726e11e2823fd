"""R1-SGG's rewards of the nodes of a scene graph (Chen et al., arXiv:2504.13617).

Read from gpt4vision/R1-SGG@e4de64d4c4c9, open_r1/grpo.py. Names count as similar where they are
equal in lower case; the published code asks spaCy's vectors.
"""

import numpy as np
from numpy.typing import NDArray

from ...geometry.boxes import giou
from .answer import PeerAnswer

WEIGHT = 2.0  # of each of the two rewards


def node_rewards(answer: PeerAnswer) -> dict[str, float]:
    """`node_acc` = 2 sum(sim) / m and `node_box` = 2 sum((2 IoU + 5 exp(-L1)) / 7) / m over the
    assigned pairs, in [0, 2] each.

    Assigned at the least (1 - sim) + 2 (1 - GIoU) + 5 L1; L1 is the sum over the four coordinates,
    divided by the sides of the image. More boxes than annotated cost nothing.

    >>> box = np.array([[0, 0, 20, 20.0]])
    >>> node_rewards(PeerAnswer(box, ("cat",), box, ("dog",), (100, 100)))
    {'node_acc': 0.0, 'node_box': 2.0}
    """
    # Here, because it takes longer to import than this whole package.
    from scipy.optimize import linear_sum_assignment

    if not len(answer.boxes) or not len(answer.truths):
        return {"node_acc": 0.0, "node_box": 0.0}
    names, truth_names = (
        np.array([label.lower() for label in labels], object)
        for labels in (answer.labels, answer.truth_labels)
    )
    similar: NDArray[np.float64] = (names[:, None] == truth_names).astype(np.float64)
    boxes, truths = (each / np.array(answer.size * 2) for each in (answer.boxes, answer.truths))
    distance = np.abs(boxes[:, None] - truths).sum(axis=2)
    with np.errstate(all="ignore"):  # boxes without area
        overlap = np.nan_to_num(giou(boxes, truths))
    cost = (1 - similar) + 2 * (1 - overlap) + 5 * distance
    rows, columns = linear_sum_assignment(cost)
    near = (2 * answer.ious + 5 * np.exp(-distance)) / 7
    scale = WEIGHT / len(truths)
    return {
        "node_acc": scale * float(similar[rows, columns].sum()),
        "node_box": scale * float(near[rows, columns].sum()),
    }
