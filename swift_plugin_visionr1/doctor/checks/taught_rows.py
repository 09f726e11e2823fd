"""Supervised rows of which something is not taught: the whole answer, or some of their boxes."""

from collections.abc import Sequence

from ...data.published.ms_swift_grounding import BOX
from ...text import listed, share
from ..cases import Case
from ..findings import Finding, problem, warning
from ..rows import DoctorRow
from ..turns import text_of

UNITS = (None, "", "real", "norm1")  # what ms-swift knows of `bbox_type`


def taught_row_findings(cases: Sequence[Case]) -> list[Finding]:
    """Rows without an answer beside rows with one, and `objects` that are not taught as meant."""
    rows = [case.row for case in cases]
    silent = [row for row in rows if not row.target]
    units = [row for row in rows if row.objects and row.objects.get("bbox_type") not in UNITS]
    spare = [row for row in rows if _has_spare_boxes(row)]
    findings = []
    if silent:
        text = f"{share(len(silent), len(rows))} rows have no assistant's message to learn from"
        findings.append(warning("no_target", f"{text}: {_places(silent)}"))
    if units:
        unit = (units[0].objects or {}).get("bbox_type")
        findings.append(
            problem(
                "bbox_type",
                f"{share(len(units), len(rows))} rows have objects with a bbox_type other than "
                f"real or norm1, which ms-swift reads as pixels: {unit!r} in {_places(units)}",
            )
        )
    if spare:
        text = f"{share(len(spare), len(rows))} rows have more boxes in `objects` than {BOX} in"
        findings.append(
            warning(
                "spare_boxes", f"{text} their messages, so some are not taught: {_places(spare)}"
            )
        )
    return findings


def _has_spare_boxes(row: DoctorRow) -> bool:
    """Whether boxes are left over; rows without any placeholder have written answers."""
    if row.objects is None:
        return False
    asked = "".join(text_of(message.get("content")) for message in row.messages)
    places = (asked + row.target).count(BOX)
    return 0 < places < len(row.objects["bbox"])


def _places(rows: Sequence[DoctorRow]) -> str:
    return listed(row.place for row in rows)
