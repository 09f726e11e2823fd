"""Whose fault an exception is: what ms-swift, a model or the data raise is a finding, a bug of ours
is not."""

import traceback

from ..errors import VisionR1Error

OURS = __name__.partition(".")[0]
BELOW_OURS = ("numpy", "scipy", "json", "re")  # what these raise is the caller's fault


def reraise_own(error: Exception) -> None:
    """Raise the error again if our own code is to blame, so that it is not reported as the user's.

    The innermost function that is not a mere tool of its caller is to blame.
    """
    if isinstance(error, (VisionR1Error, ImportError, OSError, MemoryError)):
        return
    for frame, _ in reversed(list(traceback.walk_tb(error.__traceback__))):
        package = str(frame.f_globals.get("__name__", "")).partition(".")[0]
        if package not in BELOW_OURS:
            if package == OURS:
                raise error
            return
