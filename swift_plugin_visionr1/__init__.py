"""Vision-R1's rewards and progressive rule refinement: the pure part, which needs no training
framework."""

from .data.ground_truth import GroundTruth, read_solution
from .errors import SettingsError, SolutionError
from .formats import FORMATS, Format, JsonLayout, ParsedCompletion, get_format
from .geometry.resize import QwenResize
from .models.model_io import FAMILIES, Limits, ModelIO, model_io
from .reward.equations import RewardBreakdown
from .reward.schedule import Criteria, Schedule, two_stages
from .reward.scorer import Scorer
from .reward.scoring import score
from .reward.settings import PRESETS, Settings, load_settings

__all__ = [
    "FAMILIES",
    "FORMATS",
    "PRESETS",
    "Criteria",
    "Format",
    "GroundTruth",
    "JsonLayout",
    "Limits",
    "ModelIO",
    "ParsedCompletion",
    "QwenResize",
    "RewardBreakdown",
    "Schedule",
    "Scorer",
    "Settings",
    "SettingsError",
    "SolutionError",
    "get_format",
    "load_settings",
    "model_io",
    "read_solution",
    "score",
    "two_stages",
]
