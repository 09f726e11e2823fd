"""Vision-R1's rewards and progressive rule refinement: the pure part, which needs no training framework."""

from .criteria import Criteria, Schedule
from .formats import FORMATS, Format, JsonLayout, ParsedCompletion, get_format
from .ground_truth import GroundTruth, SolutionError, read_solution
from .models import FAMILIES, Limits, ModelIO, model_io
from .resize import QwenResize
from .scorer import Scorer
from .scoring import RewardBreakdown, score
from .settings import PRESETS, Settings, SettingsError, load_settings

__all__ = [
    "FAMILIES", "FORMATS", "PRESETS", "Criteria", "Format", "GroundTruth", "JsonLayout", "Limits", "ModelIO",
    "ParsedCompletion", "QwenResize", "RewardBreakdown", "Schedule", "Scorer", "Settings", "SettingsError",
    "SolutionError", "get_format", "load_settings", "model_io", "read_solution", "score",
]  # fmt: skip
