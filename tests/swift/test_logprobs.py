"""`swift infer --logprobs` for real: the tokens are the answer's, and each box gets its own
probability."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from mmdet_eval import join, read_annotations, read_rows, to_coco_results
from mmdet_eval.answers.tokens import locate
from swift_plugin_visionr1 import Settings, model_io

pytest.importorskip("swift", reason="needs the extra `swift`")
pytestmark = pytest.mark.slow


def test_every_box_gets_the_probability_of_its_own_tokens(
    swift: Callable, checkpoint: Path, tmp_path: Path
) -> None:
    script = checkpoint.parent / "scenes.py"
    subprocess.run(
        [sys.executable, script, "--out", tmp_path, "--train", "1", "--val", "8"], check=True
    )
    answers = tmp_path / "infer.jsonl"
    run = swift(
        "infer",
        "--val_dataset",
        tmp_path / "val.jsonl",
        "--result_path",
        answers,
        "--temperature",
        0,
        "--max_new_tokens",
        128,
        "--max_batch_size",
        8,
        "--logprobs",
        "true",
        out=tmp_path,
    )
    assert run.code == 0, run.text[-3000:]
    rows = read_rows(answers)
    assert len(rows) == 8
    for row in rows:
        assert row.tokens
        assert "".join(token.text for token in row.tokens) == f"{row.text}<|im_end|>"
        assert locate(row.tokens, row.text) is not None

    annotations = read_annotations(tmp_path / "val.json")
    joined = join(rows, annotations.images)
    found = to_coco_results(
        joined.answers, model_io(Settings()), annotations.categories, joined.images, "logprob"
    )
    scores = [result["score"] for result in found.results]
    assert len(scores) >= 8, "the small model finds something in each scene"
    assert all(0 < score <= 1 for score in scores)
    assert len(set(scores)) == len(scores), "different boxes are not equally probable"
    assert (found.counts.without_confidence, found.counts.whole_answer_scores) == (0, 0)
    certain = json.loads(answers.read_text().splitlines()[0])["logprobs"]["content"]
    assert min(entry["logprob"] for entry in certain) < -0.1, (
        "raw probabilities, not those of greedy decoding"
    )
