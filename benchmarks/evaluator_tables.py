"""The tables of docs/evaluation.md#speed, from what `evaluator_speed.py --store` measured.

python benchmarks/evaluator_tables.py
"""

import json
from pathlib import Path
from typing import Any

RESULTS = Path(__file__).with_suffix(".json")
PAGE = Path(__file__).parents[1] / "docs" / "evaluation.md"
MARKS = "<!-- benchmarks/evaluator_tables.py: {} -->", "<!-- end of {} -->"
ROWS = {
    "hotcoco alone": "hotcoco alone",
    "hotcoco and json.loads": "hotcoco, after reading the files in Python",
    "mmdet_eval hotcoco": "`mmdet-eval --engine hotcoco`",
    "mmdet_eval hotcoco --out": "the same with `--out`",
}
BASE = "hotcoco and json.loads"
# table -> column -> case
TABLES = {
    "coco": {"8 boxes an image": "coco 8 scored", "100 boxes an image": "coco 100 scored"},
    "larger": {"LVIS's size": "lvis 12 scored", "RF100-VL's layout": "rf100_vl 8 scored"},
}


def store(case: str, costs: dict[str, Any]) -> None:
    """Keep the costs of a case, by evaluator: seconds, processor seconds, MB."""
    kept = json.loads(RESULTS.read_text()) if RESULTS.exists() else {}
    RESULTS.write_text(json.dumps(kept | {case: costs}, indent=1) + "\n")


def table(columns: dict[str, str], results: dict[str, Any]) -> str:
    """Processor seconds, their ratio to `BASE`, and peaks, of what was measured."""
    columns = {column: case for column, case in columns.items() if case in results}
    head = [cell for column in columns for cell in (column, "ratio", "peak")]
    lines = [["", *head], ["---", *["---:"] * len(head)]]
    for name, words in ROWS.items():
        cells = []
        for case in columns.values():
            _, processor, peak = results[case][name]
            cells += [f"{processor:.1f} s", f"{processor / results[case][BASE][1]:.1f}"]
            cells.append(f"{peak:.0f} MB")
        lines.append([words, *cells])
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def main() -> None:
    results, text = json.loads(RESULTS.read_text()), PAGE.read_text("utf-8")
    for name, columns in TABLES.items():
        start, end = (mark.format(name) for mark in MARKS)
        before, rest = text.split(start)
        text = f"{before}{start}\n\n{table(columns, results)}\n\n{end}{rest.split(end, 1)[1]}"
    PAGE.write_text(text, "utf-8")


if __name__ == "__main__":
    main()
