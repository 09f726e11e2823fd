"""Writes the tables of rewards.md on presets and how they are hacked: python docs/hacks.py

They come from benchmarks/reward_hacks.py.
"""

import sys
from pathlib import Path

from tables import put

sys.path.append(str(Path(__file__).parents[1] / "benchmarks"))

from reward_hacks import FEW, LABELLED, MANY, ON_NEGATIVES, WRONG, Earned, earn, table, worst

PAGE = Path(__file__).with_name("rewards.md")
PAYS = {
    "paper": "the answer's form, the share of objects found, the overlap of matched boxes",
    "official": "the same by GIoU, as the authors' code computes it",
    "strict": "the same; a wrong label does not match, missing and extra boxes lower precision",
    "vlm_r1": "format + `weighted_sum`: 0.7 × IoU of right boxes with the right label over all "
    "annotated ones, 0.3 × the shares of matched boxes on both sides",
    "vlm_r1_od_ap": "format + COCO's AP of the image, in the order of the answer",
    "vlm_r1_od_ap50": "format + AP at IoU .5",
    "vlm_r1_od_length": "format + AP × min(1, annotated / predicted)",
    "vlm_r1_rec": "format + IoU of the first box; for rows with one object",
    "visual_rft": "format + IoU of matched boxes over the larger number + confidence of matched "
    "boxes and doubt of the others; no labels",
    "perception_r1": "format + squared IoU of the first box; for rows with one object",
    "vision_reasoner": "format (to 3) + no repeated sentences (1) + matched boxes by IoU, distance "
    "and middle (to 3), over the larger number; no labels",
    "rex_omni": "F1 of the best IoU each way, among boxes of the same name; no format",
    "v_triune": "IoU of boxes of the right label above .85, .95, then .99, × 0.6 for each box too "
    "many or too few; a tenth for format",
}


def presets(earned: Earned) -> str:
    """A line for each preset: what it pays for, and what it pays bad answers of each kind."""
    kinds = (MANY, FEW, LABELLED, WRONG)
    lines = [f"| preset | pays for | {' | '.join(kinds)} |", "|---" * (2 + len(kinds)) + "|"]
    for name in earned.presets:
        pairs = (worst(earned, name, kind) for kind in kinds)
        cells = " | ".join(f"{100 * share:.0f}: {policy}" for policy, share in pairs)
        lines.append(f"| `{name}` | {PAYS[name]} | {cells} |")
    return "\n".join(lines)


def with_tables(page: str) -> str:
    """The page with its tables made anew."""
    earned = earn()
    for name, text in [
        ("pays", presets(earned)),
        ("hacks", table(earned.objects, earned.presets)),
        ("negatives", table(earned.negatives, earned.presets, ON_NEGATIVES)),
    ]:
        page = put(page, name, text)
    return page


def main() -> None:
    PAGE.write_text(with_tables(PAGE.read_text("utf-8")), "utf-8")


if __name__ == "__main__":
    main()
