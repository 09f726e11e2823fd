"""The Vision-R1 reward of answers, by which an evaluation ranks what it shows."""

from collections.abc import Sequence

from swift_plugin_visionr1.data.ground_truth import GroundTruth
from swift_plugin_visionr1.formats import Format
from swift_plugin_visionr1.reward.equations import RewardBreakdown
from swift_plugin_visionr1.reward.scoring import match_readings, read_completion, score_matched
from swift_plugin_visionr1.reward.settings import PRESETS

from ..answers.answer import ReadAnswer

SETTINGS = PRESETS["paper"]
WORDS = "the Vision-R1 reward (preset paper, beginner stage): format + recall + precision, 0 to 3"


def answer_rewards(
    read: Sequence[ReadAnswer], truths: Sequence[GroundTruth], format: Format
) -> list[RewardBreakdown]:
    """The rewards of preset `paper` at the beginner's criteria.

    Args:
        read: the answers.
        truths: what each should have said, in pixels of the original image.
        format: the format that the answers were parsed with.
    """
    readings = [
        read_completion(one.parsed, format, truth, one.view, SETTINGS)
        for one, truth in zip(read, truths, strict=True)
    ]
    matched = match_readings(readings, SETTINGS)
    return [score_matched(one, SETTINGS.beginner, SETTINGS) for one in matched]
