"""Published forms of rows, each turned into the rows that training reads: messages, images,
solution."""

from .base import Row, RowForm, SizeOf
from .ms_swift_grounding import GROUNDING
from .vision_r1 import AUTHORS
from .visual_rft import VISUAL_RFT
from .vlm_r1 import VLM_R1_CONVERSATION, VLM_R1_PROBLEM

FORMS: tuple[RowForm, ...] = (GROUNDING, AUTHORS, VISUAL_RFT, VLM_R1_PROBLEM, VLM_R1_CONVERSATION)


def form_of(row: Row) -> RowForm | None:
    """The form of a data set whose first row this is; None for our own rows and unknown forms."""
    return next((form for form in FORMS if form.recognises(row)), None)


__all__ = ["FORMS", "Row", "RowForm", "SizeOf", "form_of"]
