"""Saying that there is nothing: right where nothing is annotated, wrong where something is."""

import json
from pathlib import Path
from typing import Any

import pytest

from mmdet_eval.cli import main

BOX = json.dumps([{"bbox_2d": [10, 10, 50, 50], "label": "x"}])
PRESENT = {(3, 7), (3, 2), (0, 5), (12, 7)}  # image and category
NAMES = {7: "red circle", 2: "blue square", 5: "Cat"}


@pytest.mark.parametrize(
    ("absent", "present", "rates"),
    [
        pytest.param("[]", BOX, (1.0, 0.0), id="always right"),
        pytest.param("```json\n[]\n```", "```json\n[]\n```", (1.0, 1.0), id="refuses always"),
        pytest.param("There are none.", BOX, (1.0, 0.0), id="in words"),
        pytest.param("[{", BOX, (0.0, 0.0), id="what cannot be read is not a refusal"),
        pytest.param(BOX, "[]", (0.0, 1.0), id="always wrong"),
    ],
)
def test_refusal(
    dataset: Any,
    write: Any,
    tmp_path: Path,
    absent: str,
    present: str,
    rates: tuple[float, float],
) -> None:
    protocol = tmp_path / "mine.yaml"
    protocol.write_text("prompt: 'Find {category}.'\nqueries: each\nlabels: query\n")
    rows = [
        {
            "image_id": image["id"],
            "response": present if (image["id"], category) in PRESENT else absent,
            "messages": [{"role": "user", "content": f"<image>Find {name}."}],
        }
        for image in dataset["images"]
        for category, name in NAMES.items()
    ]
    answers = tmp_path / "answers.jsonl"
    answers.write_text("\n".join(map(json.dumps, rows)))
    options = ["--protocol", str(protocol), "--engine", "hotcoco", "--out", str(tmp_path / "out")]
    main(["--ann", str(write("ann.json", dataset)), "--pred", str(answers), *options])
    found = json.loads((tmp_path / "out" / "metrics.json").read_text())["datasets"]
    (beside,) = [one["beside"] for one in found.values()]
    assert (beside["refused where absent"], beside["refused where present"]) == rates
