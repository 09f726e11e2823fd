"""The Vision-R1 reward of an answer, by which an evaluation ranks what it shows."""

from swift_plugin_visionr1.data.ground_truth import GroundTruth
from swift_plugin_visionr1.formats import Format
from swift_plugin_visionr1.reward.equations import RewardBreakdown
from swift_plugin_visionr1.reward.scoring import score
from swift_plugin_visionr1.reward.settings import PRESETS

from ..answers.answer import ReadAnswer

SETTINGS = PRESETS["paper"]
WORDS = "the Vision-R1 reward (preset paper, beginner stage): format + recall + precision, 0 to 3"


def answer_reward(read: ReadAnswer, truth: GroundTruth, format: Format) -> RewardBreakdown:
    """The reward of preset `paper` at the beginner's criteria.

    Args:
        read: the answer.
        truth: what it should have said, in pixels of the original image.
        format: the format that the answer was parsed with.
    """
    return score(read.parsed, format, truth, read.view, SETTINGS.beginner, SETTINGS)
