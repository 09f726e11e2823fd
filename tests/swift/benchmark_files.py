"""Files of VLMEvalKit: the questions of a benchmark, and what it leaves of their answers."""

import csv
from pathlib import Path

from mmdet_eval.general_qa.scores import NO_ANSWER


def write(path: Path, rows: list[dict[str, str]]) -> None:
    """A benchmark's table."""
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]), delimiter="\t")
        writer.writeheader()
        writer.writerows(rows)


def scored(folder: Path, benchmark: str) -> None:
    """VLMEvalKit's files of three multiple-choice questions: an option, none, and no answer."""
    folder.mkdir(parents=True)
    (folder / f"{folder.name}_{benchmark}_acc.csv").write_text('"split","Overall"\n"none","0.5"\n')
    logged = [
        ("B", "Match Log: B. "),
        ("x", "Match Log: Failed in Prefetch, no GPT."),
        (NO_ANSWER, "Match Log: "),
    ]
    rows = [
        {"index": str(index), "prediction": text, "log": log}
        for index, (text, log) in enumerate(logged)
    ]
    write(folder / f"{folder.name}_{benchmark}_openai_result.tsv", rows)
