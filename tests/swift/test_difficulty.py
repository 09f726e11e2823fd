"""`vision-r1 prepare difficulty --model`: real answers of the small model, sampled and scored."""

import json
from pathlib import Path

import pytest

from swift_plugin_visionr1.cli import main

from .conftest import OFFLINE, SMALL, Row

pytest.importorskip("swift", reason="needs the extra `swift`")


@pytest.mark.slow
def test_rows_are_rated_by_sampled_answers(
    rows: list[Row], checkpoint: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in OFFLINE.items():
        monkeypatch.setenv(name, value)
    asked, out = tmp_path / "rows.jsonl", tmp_path / "useful.jsonl"
    asked.write_text("".join(json.dumps(row) + "\n" for row in rows[:4]))
    words = ["prepare", "difficulty", "--rows", str(asked), "--keep"]
    plugin = ["--external_plugins", str(checkpoint.parent / "pruned_template.py")]
    limits = ["--max_new_tokens", "32", "--max_batch_size", "8"]
    sampled = ["--model", str(checkpoint), "--samples", "2", *SMALL, *plugin, *limits]
    assert main([*words, *sampled, "--out", str(out)]) == 0

    folder = tmp_path / "useful.jsonl.answers"
    (answers,) = folder.glob("answers_*.jsonl")
    texts = [json.loads(line)["response"] for line in answers.read_text().splitlines()]
    assert len(texts) == 8
    assert any(one != other for one, other in zip(texts[:4], texts[4:], strict=True))
    rated = [json.loads(line) for line in out.read_text().splitlines()]
    assert [row["image_id"] for row in rated] == [row["image_id"] for row in rows[:4]]
    assert [row["reward_answers"] for row in rated] == [2] * 4
    assert all(0 <= row["reward_mean"] <= 3 for row in rated)

    small = ["--model_type", SMALL[1], "--template", SMALL[3]]
    read = tmp_path / "read.jsonl"
    assert main([*words, *small, "--answers", str(answers), "--out", str(read)]) == 0
    assert read.read_bytes() == out.read_bytes()
    assert main([*words, *sampled, "--out", str(out)]) == 0
    assert len(list(folder.glob("asked_*.jsonl"))) == 1  # nothing was asked again
    assert read.read_bytes() == out.read_bytes()
