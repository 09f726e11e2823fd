"""A completion by the rules of another work: measured as the paper's are, and paid as that work
pays."""

from dataclasses import replace

from ..formats import Format
from ..formats.issue_meanings import CONTENT
from .equations import RewardBreakdown
from .schedule import Criteria
from .scoring import MatchedReading, Reading, score_matched
from .settings import Settings
from .zoo.answer import PeerAnswer
from .zoo.peers import Peer


def answer_of(text: str, reading: Reading, format: Format, peer: Peer) -> PeerAnswer:
    """A completion as the rewards of other works see it, in pixels of the original image."""
    stated = format.confidences(text) if peer.reads_confidences else []
    truth = reading.truth
    return PeerAnswer(
        reading.boxes_xyxy,
        reading.labels,
        truth.boxes,
        truth.labels,
        truth.size,
        tuple(stated) if len(stated) == len(reading.boxes_xyxy) else (),
        text,
        template_is_right=CONTENT.keys() >= set(reading.issues),
        denies=reading.denies,
    )


def score_peer(
    matched: MatchedReading, answer: PeerAnswer, criteria: Criteria, settings: Settings, peer: Peer
) -> RewardBreakdown:
    """The breakdown of one completion; its format, recall and precision are not paid for."""
    measured = score_matched(matched, criteria, settings)
    return replace(measured, terms=peer.pays(answer, criteria))
