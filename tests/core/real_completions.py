"""What is read of answers that real models wrote, by format:
`python tests/core/real_completions.py FILE`.

FILE is a JSONL whose rows have "format" (a description), "text" and "expected_boxes_if_evident".
The expected boxes were extracted by script, so where they are not what the answer says, `DISAGREED`
says why.
"""

import json
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from swift_plugin_visionr1.formats import Format, JsonLayout, get_format

MOONDREAM = JsonLayout(box=("x_min", "y_min", "x_max", "y_max"), decimals=3)
KINDS: list[
    tuple[str, str, dict[str, Any]]
] = [  # words in the row's "format" -> our format; the first that fits
    (r"qwen2-vl special tokens", "qwen2_vl", {}),
    (r"qwen-vl <ref>", "qwen_vl", {}),
    (r"qwen3-vl point json|qwen3-vl json|tool call with bbox_2d", "qwen3_vl", {}),
    (r"qwen2\.5-vl|python-repr list|tool-call loop|json object pretty", "qwen2_5_vl", {}),
    (r"gemini", "gemini", {}),
    (r"paligemma", "paligemma", {}),
    (r"florence", "florence2", {}),
    (r"rex-omni", "rex_omni", {}),
    (r"internvl|template echo", "internvl", {}),
    (r"deepseek", "deepseek_vl2", {}),
    (r"kosmos", "kosmos2", {}),
    (r"cogagent|cogvlm", "cogvlm", {}),
    (r"griffon|caption instead", "griffon", {}),
    (r"glm", "glm4v", {}),
    (r"prose with malformed", "minicpm_v", {}),
    (r"moondream", "json", {"frame": "norm1", "layout": MOONDREAM}),
]
NO_FORMAT = {  # what no format of ours is for, and why
    "molmo": "points, not boxes",
    "doctags": "layout of a document, not objects",
    "ui-tars": "an action on a screen, at a point",
    "Thought + Action": "an action on a screen, at a point",
}
TOOL_CALL = "the arguments of a tool call, which are not an answer"
DISAGREED = {"rc049": TOOL_CALL, "rc051": TOOL_CALL, "rc052": TOOL_CALL}


@dataclass(frozen=True)
class Case:
    """A row, the format that it is read with (None if we have no such format), and what it should
    give."""

    row: dict[str, Any]
    name: str | None
    format: Format | None

    @property
    def expected(self) -> list[tuple[str, list[float]]] | None:
        """(label, xyxy) of each box; None where the row does not say."""
        boxes = self.row["expected_boxes_if_evident"]
        if self.row["id"] in DISAGREED or self.name is None:
            return []
        return (
            None if boxes is None else [((box["label"] or "").strip(), box["box"]) for box in boxes]
        )

    @property
    def found(self) -> list[tuple[str, list[float]]]:
        """What is read."""
        if self.format is None:
            return []
        parsed = self.format.parse(self.row["text"])
        return list(zip(parsed.labels, parsed.boxes.tolist(), strict=True))

    def right(self) -> bool:
        """Whether boxes and labels are as expected."""
        found, expected = self.found, self.expected or []
        return [label for label, _ in found] == [label for label, _ in expected] and np.allclose(
            [box for _, box in found], [box for _, box in expected]
        )


def cases(path: Path) -> Iterator[Case]:
    """Every row of `path`."""
    for line in path.read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        if any(word.lower() in row["format"].lower() for word in NO_FORMAT):
            yield Case(row, None, None)
            continue
        name, options = next(
            (name, options) for words, name, options in KINDS if re.search(words, row["format"])
        )
        yield Case(row, name, get_format(name, **options))


def table(path: Path) -> str:
    """Markdown: by format, how many answers are read as expected, and what is not read and why."""
    rows: dict[str, list[Case]] = {}
    for case in cases(path):
        rows.setdefault(case.name or "(none)", []).append(case)
    lines = [
        "| format | answers | boxes | as expected | not read, and why |",
        "|---|---|---|---|---|",
    ]
    for name in sorted(rows):
        group = rows[name]
        known = [case for case in group if case.expected is not None]
        right = sum(case.right() for case in known)
        boxes = sum(len(case.found) for case in group)
        lines.append(
            f"| `{name}` | {len(group)} | {boxes} | {right} of {len(known)} | "
            f"{'; '.join(_reasons(group))} |"
        )
    return "\n".join(lines)


def _reasons(group: list[Case]) -> list[str]:
    """What the group's answers without boxes are, each once."""
    found = []
    for case in group:
        if case.format is None:
            found += [
                why for word, why in NO_FORMAT.items() if word.lower() in case.row["format"].lower()
            ]
        elif not case.found:
            found.append(f"`{'`, `'.join(case.format.parse(case.row['text']).issues)}`")
    return list(dict.fromkeys(found))


if __name__ == "__main__":
    print(table(Path(sys.argv[1])))
