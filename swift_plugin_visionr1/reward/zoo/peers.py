"""The published rewards as presets: what each pays for an answer in any of our formats.

A published reward is the sum of its terms. `format` is 1 where the answer has the form that our
format asks for, as the published one is where it has its own. A preset reads boxes as `paper` does.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Literal

from ...geometry.frames import convert
from ..schedule import Criteria, Schedule, Stage, Stages, numbered, two_stages
from ..schedule_settings import PARTS
from . import perception_r1, rex_omni, v_triune, vision_reasoner, visual_rft, vlm_r1
from .answer import PeerAnswer

PeerRules = Literal[
    "vlm_r1",
    "vlm_r1_od_ap",
    "vlm_r1_od_ap50",
    "vlm_r1_od_length",
    "vlm_r1_rec",
    "visual_rft",
    "perception_r1",
    "vision_reasoner",
    "rex_omni",
    "v_triune",
]
Terms = Mapping[str, float]
# Settings that other works do not read: they have no stages of ours and match in their own way.
UNUSED = ("schedule", *PARTS, "differentiation", "matcher", "wrong_label", "precision_over")
# The published ratios come with each data row; these are ours.
V_TRIUNE_RATIOS = {"iou_max_label_first": 1.0, "iou_completeness": 0.3}


@dataclass(frozen=True)
class Peer:
    """A published reward.

    Attributes:
        what: the work, and which of its rewards are added up.
        pays: the terms of an answer under a stage's criteria.
        highest: the greatest sum of the terms.
        pays_denial: whether a right answer that nothing is there earns `highest`.
        reads_labels: whether labels change the reward.
        reads_confidences: whether confidences that the answer states change it.
        one_object: whether only the first box counts.
        thresholds: xi0 of each stage, from which recall and precision are measured.
        begins: the fractions of the run at which the stages after the first begin.
    """

    what: str
    pays: Callable[[PeerAnswer, Criteria], Terms]
    highest: float
    pays_denial: bool = False
    reads_labels: bool = False
    reads_confidences: bool = False
    one_object: bool = False
    thresholds: tuple[float, ...] = (0.5,)
    begins: tuple[Fraction, ...] = ()

    @property
    def unused(self) -> tuple[str, ...]:
        """The names of settings that these rules do not read."""
        read = {"fixed_stage"} if self.begins else set()
        return tuple(name for name in UNUSED if name not in read)

    def schedule(self, fixed: Stage | None) -> Schedule:
        """Its stages; f is the identity."""
        criteria = tuple(Criteria(xi0, 0.0, 1.0) for xi0 in self.thresholds)
        if fixed or not self.begins:
            return two_stages(criteria[0], criteria[-1], Fraction(1), fixed=fixed)
        return Stages(numbered(criteria), (Fraction(0), *self.begins))


def _vlm_r1(accuracy: Callable[[PeerAnswer], float]) -> Callable[[PeerAnswer, Criteria], Terms]:
    """Where nothing is annotated, text that cannot be read earns no accuracy."""

    def pays(answer: PeerAnswer, criteria: Criteria) -> Terms:
        paid = accuracy(answer) if len(answer.truths) else float(answer.denies)
        return {"format": float(answer.template_is_right), "accuracy": paid}

    return pays


def _vlm_r1_rec(answer: PeerAnswer, criteria: Criteria) -> Terms:
    accuracy = vlm_r1.rec_iou(answer.boxes, answer.truths)
    return {"format": float(answer.template_is_right), "accuracy": accuracy}


def _visual_rft(answer: PeerAnswer, criteria: Criteria) -> Terms:
    iou, confidence = visual_rft.rewards(answer)
    return {"format": float(answer.template_is_right), "iou": iou, "confidence": confidence}


def _perception_r1(answer: PeerAnswer, criteria: Criteria) -> Terms:
    accuracy = perception_r1.grounding_reward(answer.boxes, answer.truths)
    return {"format": float(answer.template_is_right), "accuracy": accuracy}


def _vision_reasoner(answer: PeerAnswer, criteria: Criteria) -> Terms:
    """The middle of a box stands for its point."""
    frame = (vision_reasoner.SIDE, vision_reasoner.SIDE)
    sides = (convert(boxes, answer.size, frame) for boxes in (answer.boxes, answer.truths))
    predicted, truths = (
        vision_reasoner.DescribedObjects(boxes, (boxes[:, :2] + boxes[:, 2:]) / 2)
        for boxes in sides
    )
    return {
        "format": answer.template_is_right + 2.0 * bool(len(answer.boxes)),
        "non_repeat": vision_reasoner.non_repeat(answer.text),
        "accuracy": vision_reasoner.accuracy(predicted, truths),
    }


def _v_triune(answer: PeerAnswer, criteria: Criteria) -> Terms:
    """The stage's xi0 is the threshold."""
    score = v_triune.detection_score(answer, V_TRIUNE_RATIOS, (criteria.xi0,))
    weight, form = v_triune.FORMAT_WEIGHT, answer.template_is_right and len(answer.boxes) > 0
    return {"format": weight * form / (1 + weight), "accuracy": score.final / (1 + weight)}


PEERS: dict[str, Peer] = {
    "vlm_r1": Peer(
        "VLM-R1: format + weighted_sum", _vlm_r1(vlm_r1.weighted_sum), 2.0, True, reads_labels=True
    ),
    "vlm_r1_od_ap": Peer(
        "VLM-R1: format + od_ap", _vlm_r1(vlm_r1.od_ap), 2.0, True, reads_labels=True
    ),
    "vlm_r1_od_ap50": Peer(
        "VLM-R1: format + od_ap50",
        _vlm_r1(lambda answer: vlm_r1.od_ap(answer, (0.5,))),
        2.0,
        True,
        reads_labels=True,
    ),
    "vlm_r1_od_length": Peer(
        "VLM-R1: format + odLength", _vlm_r1(vlm_r1.od_length), 2.0, True, reads_labels=True
    ),
    "vlm_r1_rec": Peer(
        "VLM-R1, one referred object: format + IoU", _vlm_r1_rec, 2.0, one_object=True
    ),
    "visual_rft": Peer(
        "Visual-RFT: format + IoU + confidence", _visual_rft, 3.0, reads_confidences=True
    ),
    "perception_r1": Peer(
        "Perception-R1, one referred object: format + squared IoU",
        _perception_r1,
        2.0,
        one_object=True,
    ),
    "vision_reasoner": Peer(
        "VisionReasoner: format + non_repeat + accuracy", _vision_reasoner, 7.0
    ),
    "rex_omni": Peer(
        "Rex-Omni: F1 of the best IoU each way",
        lambda answer, criteria: {"accuracy": rex_omni.box_iou(answer)},
        1.0,
        True,
        reads_labels=True,
    ),
    "v_triune": Peer(
        "V-Triune: (0.1 format + accuracy) / 1.1",
        _v_triune,
        1.0,
        reads_labels=True,
        thresholds=(0.85, 0.95, 0.99),  # v_triune.dynamic_threshold
        begins=(Fraction(1, 10), Fraction(1, 4)),
    ),
}
