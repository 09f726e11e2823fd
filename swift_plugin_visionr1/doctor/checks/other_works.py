"""Rows that the reward of another work cannot judge as their annotations mean it."""

from collections.abc import Sequence

from ...reward.settings import Settings
from ...text import share
from ..findings import Finding, warning
from ..rows import DoctorRow


def rules_findings(rows: Sequence[DoctorRow], settings: Settings) -> list[Finding]:
    """Several objects where one is rewarded, and none where that is never paid in full."""
    peer, counts = settings.peer, [len(row.truth.boxes) for row in rows if row.truth]
    if peer is None:
        return []
    several, none = sum(count > 1 for count in counts), sum(not count for count in counts)
    findings = []
    if peer.one_object and several:
        text = (
            f"{share(several, len(counts))} rows have several objects, and the rules "
            f"{settings.rules} pay for the first box alone"
        )
        findings.append(warning("several_objects", text))
    if none and not peer.pays_denial:
        text = (
            f"{share(none, len(counts))} rows have nothing annotated, and the rules "
            f"{settings.rules} do not pay the answer that says so in full: leave them out, or use "
            "other rules"
        )
        findings.append(warning("negatives", text))
    return findings
