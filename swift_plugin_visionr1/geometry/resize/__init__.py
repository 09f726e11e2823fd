"""How ms-swift and a model's own processor turn an image's size into what the vision tower is
fed."""

from .base import FRAME_VARIABLES, Rescaled, Resize
from .budget import BudgetResize
from .candidates import CandidateResize
from .smart import GlmResize, OvisResize, QwenResize, smart_resize
from .square import PaddedSquare, SquareResize, Unchanged
from .tiles import SliceResize, TileResize

__all__ = [
    "FRAME_VARIABLES",
    "BudgetResize",
    "CandidateResize",
    "GlmResize",
    "OvisResize",
    "PaddedSquare",
    "QwenResize",
    "Rescaled",
    "Resize",
    "SliceResize",
    "SquareResize",
    "TileResize",
    "Unchanged",
    "smart_resize",
]
