"""Vision-R1's rewards and progressive rule refinement: the pure part, which needs no training framework."""

from .coords import QwenResize
from .criteria import Criteria, Schedule
from .formats import FORMATS, Format, ParsedCompletion, get_format
from .ground_truth import GroundTruth, SolutionError, read_solution
from .scorer import Scorer
from .scoring import RewardBreakdown, score
from .settings import PRESETS, Settings, SettingsError, load_settings

__all__ = [
    "FORMATS", "PRESETS", "Criteria", "Format", "GroundTruth", "ParsedCompletion", "QwenResize",
    "RewardBreakdown", "Schedule", "Scorer", "Settings", "SettingsError", "SolutionError", "get_format",
    "load_settings", "read_solution", "score",
]  # fmt: skip
