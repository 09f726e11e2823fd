"""Boxes and tokens per second of `mmdet-eval run`, from what `swift infer` prints."""

import json
from pathlib import Path

import pytest

from mmdet_eval.asking.session import run
from mmdet_eval.asking.speed import EngineTime, engine_time, total_time
from mmdet_eval.asking.swift_infer import InferenceFailed
from mmdet_eval.cli import main
from mmdet_eval.suites.spec import DatasetSpec

from .runs import MODEL, PROTOCOL, answer_all
from .test_run_ends import keep_answers, spec  # noqa: F401


def stats(questions: int, tokens: int, seconds: float) -> str:
    """A line as `swift infer` prints it."""
    figures = {
        "num_prompt_tokens": 9,
        "num_generated_tokens": tokens,
        "num_samples": questions,
        "runtime": seconds,
    }
    return f"{figures | {'samples/s': questions / seconds, 'tokens/s': tokens / seconds}}\n"


@pytest.mark.parametrize(
    ("log", "asked", "expected"),
    [
        pytest.param("Loading\n" + stats(4, 80, 2.0), 4, EngineTime(4, 80, 2.0), id="one process"),
        pytest.param(
            f"[rank0] {stats(3, 60, 2.0)}[rank1] {stats(1, 20, 1.0)}",
            4,
            EngineTime(4, 80, 2.0),
            id="questions shared out",
        ),
        pytest.param(
            f"[rank0] {stats(4, 80, 2.0)}[rank1] {stats(4, 80, 2.1)}",
            4,
            EngineTime(4, 80, 2.1),
            id="a model over two processes",
        ),
        pytest.param("Loading\nKilled\n", 4, None, id="interrupted"),
        pytest.param("", 4, None, id="nothing printed"),
    ],
)
def test_what_the_engine_prints(log: str, asked: int, expected: EngineTime | None) -> None:
    assert engine_time(log, asked) == expected


def test_calls_without_a_time_do_not_count() -> None:
    calls = [{"time": {"questions": 2, "tokens": 10, "seconds": 1.5}}, {"answers": "001.jsonl"}]
    assert total_time(calls) == EngineTime(2, 10, 1.5)
    assert total_time(calls[1:]) is None


@pytest.fixture
def printing_swift(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A `swift infer` that answers "[]" to all but one, and prints its figures."""
    package = tmp_path / "printing" / "swift" / "cli"
    package.mkdir(parents=True)
    for folder in (package.parent, package):
        (folder / "__init__.py").touch()
    (package / "main.py").write_text(
        "import json, sys\n"
        "arguments = dict(zip(sys.argv[2::2], sys.argv[3::2]))\n"
        "rows = [json.loads(line) for line in open(arguments['--val_dataset'])]\n"
        "with open(arguments['--result_path'], 'a') as file:\n"
        "    for row in rows[: max(1, len(rows) - 1)]:\n"
        "        file.write(json.dumps({'response': '[]', **row}) + '\\n')\n"
        "if len(rows) > 1: sys.exit('killed')\n"
        f"print({stats(1, 30, 0.5)!r})\n"
    )
    monkeypatch.setenv("PYTHONPATH", str(tmp_path / "printing"))


@pytest.mark.usefixtures("printing_swift")
def test_a_resumed_run_counts_the_calls_that_told_their_time(
    spec: DatasetSpec,  # noqa: F811
    tmp_path: Path,
) -> None:
    """The first call is interrupted after three of four questions, the second answers one."""
    places = ["--ann", spec.ann, "--images", spec.images, "--protocol", PROTOCOL.name]
    options = ["--engine", "hotcoco", "--out", tmp_path / "out", *MODEL.options]
    command = [str(word) for word in ("run", "--model", "some/model", *places, *options)]
    assert [main(command), main(command), main(command)] == [1, 0, 0]
    found = json.loads((tmp_path / "out" / "metrics.json").read_text())["speed"]
    assert found == {
        "answers": 1,
        "of": 4,
        "boxes": 0,
        "tokens": 30,
        "seconds": 0.5,
        "boxes_per_second": 0.0,
        "tokens_per_second": 60.0,
    }
    assert "tokens per second: 60.0" in (tmp_path / "out" / "summary.md").read_text()
    answers = ["--ann", spec.ann, "--pred", tmp_path / "out" / "answers" / "ann.jsonl"]
    again = [*answers, "--engine", "hotcoco", "--out", tmp_path / "again"]
    assert main([str(word) for word in again]) == 0
    assert json.loads((tmp_path / "again" / "metrics.json").read_text())["speed"] is None


@pytest.mark.usefixtures("printing_swift")
def test_only_answers_of_timed_calls_are_timed(
    spec: DatasetSpec,  # noqa: F811
    tmp_path: Path,
) -> None:
    out = tmp_path / "out"
    answer_all(spec, out, copies=1)
    keep_answers(out, 3)
    session = run(MODEL, [spec], PROTOCOL, out)
    assert (session.asked, session.time) == (1, EngineTime(1, 30, 0.5))
    assert [sorted(one.timed) for one in session.answered] == [[4]]


@pytest.mark.usefixtures("printing_swift")
def test_an_interrupted_run_has_no_time(
    spec: DatasetSpec,  # noqa: F811
    tmp_path: Path,
) -> None:
    with pytest.raises(InferenceFailed):
        run(MODEL, [spec], PROTOCOL, tmp_path / "out")
    record = json.loads((tmp_path / "out" / "run.json").read_text())
    assert "time" not in record["calls"][0]
