"""How often a model says that there is nothing, where that is right and where it is wrong."""

import numpy as np
from numpy.typing import NDArray

from .scores import Metrics


def refusal_rates(refused: NDArray[np.bool_], present: NDArray[np.bool_]) -> Metrics:
    """The shares of answers that say that there is nothing.

    Args:
        refused: (n,) whether each answer does.
        present: (n,) whether something that was asked for is annotated.

    Returns:
        "refused where absent", which is right, and "refused where present", which is wrong; None
        without such answers.

    >>> refusal_rates(np.array([True, False, False]), np.array([False, False, True]))
    {'refused where absent': 0.5, 'refused where present': 0.0}
    """
    sides = {"refused where absent": refused[~present], "refused where present": refused[present]}
    return {name: float(some.mean()) if len(some) else None for name, some in sides.items()}
