"""Whose fault an exception is: what ms-swift, a model or the data raise is a finding, a mistake of
our own is not."""

import traceback

from ..errors import VisionR1Error

OURS = __name__.partition(".")[0]
BELOW_OURS = ("numpy", "scipy", "json", "re")  # what these raise is the fault of who called them


def reraise_own(error: Exception) -> None:
    """Raise the error again where our own code is to blame: it must not be taken for the user's.

    To blame is the innermost function that is not a mere tool of the one that called it.
    """
    if isinstance(error, (VisionR1Error, ImportError, OSError, MemoryError)):
        return
    for frame, _ in reversed(list(traceback.walk_tb(error.__traceback__))):
        package = str(frame.f_globals.get("__name__", "")).partition(".")[0]
        if package not in BELOW_OURS:
            if package == OURS:
                raise error
            return
