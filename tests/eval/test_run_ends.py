"""`mmdet-eval run` when `swift infer` fails, and what is said before a model is asked."""

import io
import json
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from mmdet_eval.asking.session import run
from mmdet_eval.asking.swift_infer import InferenceFailed, key_of, read_answers
from mmdet_eval.cli import main
from mmdet_eval.coco.annotations import read_annotations
from mmdet_eval.suites.prompt_rows import prompt_rows
from mmdet_eval.suites.protocols import load_protocol
from mmdet_eval.suites.spec import DatasetSpec
from swift_plugin_visionr1.errors import ImageError
from swift_plugin_visionr1.progress import Progress, duration

from .runs import MODEL, PROTOCOL, answer_all, record_run, swift_line


@pytest.fixture
def spec(dataset: Any, write: Any, tmp_path: Path) -> DatasetSpec:
    """Three images; image 3 has two categories, so that there are four questions."""
    for image in dataset["images"]:
        (tmp_path / image["file_name"]).parent.mkdir(exist_ok=True)
        Image.new("L", (image["width"], image["height"])).save(tmp_path / image["file_name"])
    return DatasetSpec("odd", write("ann.json", dataset), tmp_path)


@pytest.fixture
def dead_swift(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A `swift infer` that ends at once."""
    package = tmp_path / "dead" / "swift" / "cli"
    package.mkdir(parents=True)
    for folder in (package.parent, package):
        (folder / "__init__.py").touch()
    (package / "main.py").write_text("raise SystemExit('this image is broken')")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path / "dead"))


def keep_answers(folder: Path, count: int) -> None:
    part = folder / "parts" / "000.jsonl"
    part.write_text("".join(part.read_text().splitlines(keepends=True)[:count]))


def run_about(spec: DatasetSpec, folder: Path, model: str, *options: str) -> int:
    """`mmdet-eval run` into folder/out; its exit code."""
    places = ["--ann", str(spec.ann), "--images", str(spec.images), "--out", str(folder / "out")]
    return main(["run", "--model", model, *places, *options])


@pytest.mark.usefixtures("dead_swift")
def test_a_question_that_is_never_answered(
    spec: DatasetSpec, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    answer_all(spec, tmp_path / "out")
    keep_answers(tmp_path / "out", 3)
    with pytest.raises(
        InferenceFailed, match="1 of 4 questions without an answer.* then with --allow-missing"
    ):
        run(MODEL, [spec], PROTOCOL, tmp_path / "out")
    answered, asked, _ = run(MODEL, [spec], PROTOCOL, tmp_path / "out", allow_missing=True)
    assert asked == 1
    rows = [json.loads(line) for line in answered[0].answers.read_text().splitlines()]
    assert [row["image_id"] for row in rows] == [3, 3, 0]
    assert "this image is broken" in capsys.readouterr().err, "what the process said"


@pytest.mark.usefixtures("dead_swift")
def test_what_ended_a_call_is_asked_last(spec: DatasetSpec, tmp_path: Path) -> None:
    answer_all(spec, tmp_path / "out")
    keep_answers(tmp_path / "out", 1)
    for _ in range(2):
        run(MODEL, [spec], PROTOCOL, tmp_path / "out", allow_missing=True)
    parts = sorted((tmp_path / "out" / "parts").glob("*.prompts.jsonl"))
    order = [[key_of(json.loads(line)) for line in part.read_text().splitlines()] for part in parts]
    assert order[1] == [*order[0][1:], order[0][0]]


@pytest.mark.usefixtures("dead_swift")
def test_nothing_answered_is_a_failure_whatever_may_be_missing(
    spec: DatasetSpec, tmp_path: Path
) -> None:
    with pytest.raises(InferenceFailed, match="4 of 4 questions without an answer"):
        run(MODEL, [spec], PROTOCOL, tmp_path / "out", allow_missing=True)


@pytest.mark.usefixtures("dead_swift")
def test_somebody_elses_report_is_told_before_the_model_is_asked(
    spec: DatasetSpec, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    out.mkdir()
    (out / "summary.md").write_text("mine")
    assert run_about(spec, tmp_path, "m", "--protocol", "vision_r1_odinw") == 2
    assert [path.name for path in out.iterdir()] == ["summary.md"]


@pytest.mark.usefixtures("dead_swift")
def test_the_command_counts_what_is_missing_as_empty(spec: DatasetSpec, tmp_path: Path) -> None:
    """Also a data set without any answer."""
    (tmp_path / "twins").symlink_to(tmp_path / "val")
    text = spec.ann.read_text().replace("val/", "twins/")
    (tmp_path / "twin.json").write_text(text)
    suite = tmp_path / "suite.yaml"
    suite.write_text(
        "protocol: vision_r1_odinw\ndatasets:\n  odd: {ann: ann.json, images: .}\n  twin: {ann: "
        "twin.json, images: .}\n"
    )
    out = tmp_path / "out"
    places = ["--suite", str(suite), "--root", str(tmp_path), "--out", str(out)]
    command = ["run", "--model", "m", *places]
    assert main([*command, "--engine", "hotcoco"]) == 1, "nothing is answered"
    record = (out / "run.json").read_text()
    answer_all(spec, out)
    keep_answers(out, 3)
    (out / "run.json").write_text(record)
    assert main([*command, "--engine", "hotcoco"]) == 1
    assert main([*command, "--engine", "hotcoco", "--allow-missing"]) == 0
    found = json.loads((out / "metrics.json").read_text())["datasets"]
    assert {name: one["counts"]["missing"] for name, one in found.items()} == {"odd": 1, "twin": 4}


@pytest.mark.usefixtures("dead_swift")
@pytest.mark.parametrize(
    ("model", "options", "query"),
    [
        pytest.param(
            "google/paligemma2-3b-mix-448",
            [],
            "detect red circle ; blue square ; Cat",
            id="by its name",
        ),
        pytest.param(
            "m", ["--model-type", "paligemma"], "detect red circle ; blue square ; Cat", id="said"
        ),
        pytest.param(
            "m",
            ["--format", "rex_omni"],
            "Detect red circle, blue square, Cat. Output",
            id="by its format",
        ),
        pytest.param(
            "m",
            ["--model-type", "paligemma", "--protocol", "vision_r1_coco"],
            "Locate every item from",
            id="protocol",
        ),
        pytest.param("m", [], "Locate every item from", id="nothing known"),
    ],
)
def test_a_model_is_asked_in_the_words_of_its_authors(
    spec: DatasetSpec, tmp_path: Path, model: str, options: list[str], query: str
) -> None:
    assert run_about(spec, tmp_path, model, *options) == 1
    file = tmp_path / "out" / "parts" / "000.prompts.jsonl"
    rows = [json.loads(line) for line in file.read_text().splitlines()]
    assert all(row["messages"][0]["content"].startswith(f"<image>{query}") for row in rows)


@pytest.mark.usefixtures("dead_swift")
@pytest.mark.parametrize(
    ("model", "options", "note"),
    [
        pytest.param(
            "m",
            [],
            "the model type of m is unknown, so its answers are read as qwen2",
            id="no",
        ),
        pytest.param("m", ["--format", "griffon"], None, id="said"),
        pytest.param("Qwen3-VL-4B", [], None, id="by its name"),
        pytest.param(
            "Qwen3-VL-4B",
            ["--model-type", "qwen2_5_vl"],
            "checkpoint looks like qwen3_vl",
            id="not so",
        ),
    ],
)
def test_a_doubtful_model_type_is_told(
    spec: DatasetSpec,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    model: str,
    options: list[str],
    note: str | None,
) -> None:
    assert run_about(spec, tmp_path, model, *options, "--protocol", "vision_r1_odinw") == 1
    notes = [
        line
        for line in capsys.readouterr().err.splitlines()
        if line.startswith("note: ") and "read as" in line
    ]
    assert len(notes) == (note is not None)
    assert note is None or note in notes[0]


@pytest.mark.parametrize(
    ("content", "code"),
    [
        pytest.param(b"", "empty", id="empty"),
        pytest.param(b"no image", "unreadable", id="broken"),
        pytest.param(None, "missing", id="missing"),
    ],
)
def test_a_broken_image_is_named_before_a_model_is_started(
    spec: DatasetSpec, tmp_path: Path, content: bytes | None, code: str
) -> None:
    (tmp_path / "val" / "12.png").unlink()
    if content is not None:
        (tmp_path / "val" / "12.png").write_bytes(content)
    with pytest.raises(ImageError, match=r"image 12 of odd: .*12\.png") as raised:
        run(MODEL, [spec], PROTOCOL, tmp_path / "out")
    assert raised.value.code == code
    assert not (tmp_path / "out").exists()


def test_categories_without_annotations_are_told_before_the_model_is_asked(
    spec: DatasetSpec, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = json.loads(spec.ann.read_text())
    data["categories"].append({"id": 9, "name": "pieces"})
    spec.ann.write_text(json.dumps(data))
    protocol = load_protocol("vision_r1_coco")
    texts = {
        row["images"][0]: row for row in prompt_rows(spec, read_annotations(spec.ann), protocol)
    }
    (tmp_path / "out" / "parts").mkdir(parents=True)
    lines = [swift_line(Path(path), row["query"]) for path, row in texts.items()]
    (tmp_path / "out" / "parts" / "000.jsonl").write_text("".join(lines))
    record_run(spec, tmp_path / "out", MODEL, protocol)
    run(MODEL, [spec], protocol, tmp_path / "out")
    assert (
        "odd: 1 of 4 categories are asked about but never annotated ('pieces')"
        in capsys.readouterr().err
    )


@pytest.mark.parametrize("cut", [1, 20, 60], ids=["no-line-end", "in-the-columns", "in-a-word"])
def test_half_a_line_is_no_answer(tmp_path: Path, cut: int) -> None:
    first, second = (
        swift_line(Path("/a.png"), "Wo ist die Tür?"),
        swift_line(Path("/b.png"), "Wo ist die Tür?"),
    )
    (tmp_path / "000.jsonl").write_bytes((first + second).encode()[:-cut])
    (tmp_path / "000.prompts.jsonl").write_text(first)
    assert list(read_answers(tmp_path)) == [("/a.png", "<image>Wo ist die Tür?")]


def test_a_key_is_the_same_in_a_prompt_and_in_its_answer() -> None:
    prompt = {"messages": [{"role": "user", "content": "<image>Where?"}], "images": ["/a.png"]}
    assert key_of(prompt) == key_of(json.loads(swift_line(Path("/a.png"), "Where?")))


def test_progress_in_a_log(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = iter([0, 100, 110, 130, 131])
    monkeypatch.setattr("swift_plugin_visionr1.progress.time.monotonic", lambda: next(clock))
    stream = io.StringIO()
    progress = Progress(total=200, before=40, stream=stream, verb="answered")
    for done in (40, 50, 60, 100, 200):
        progress.show(done)
    assert stream.getvalue().splitlines() == [
        "40 of 200 answered (20%), waiting for the first",
        "50 of 200 answered (25%)",
        "100 of 200 answered (50%), 1.7 a second, 60 s left",
        "200 of 200 answered (100%)",
    ]


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(45.4, "45 s"), (90, "2 min"), (5000, "83 min"), (12000, "3 h 20 min")],
    ids=str,
)
def test_durations(seconds: float, text: str) -> None:
    assert duration(seconds) == text
