"""`mmdet-eval run` with a real `swift infer`: nothing is asked twice, whatever happens in
between."""

import json
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest

from mmdet_eval.asking.asked_model import AskedModel
from mmdet_eval.asking.session import run
from mmdet_eval.asking.swift_infer import InferenceFailed
from mmdet_eval.asking.verification import p_yes
from mmdet_eval.suites.protocols import load_protocol
from mmdet_eval.suites.spec import DatasetSpec
from swift_plugin_visionr1.errors import InputError

pytest.importorskip("swift", reason="needs the extra `swift`")
psutil = pytest.importorskip("psutil")  # comes with ms-swift
pytestmark = pytest.mark.slow

SCENES = 60
PROTOCOL = load_protocol("vision_r1_coco")  # the prompt that the small model was trained on
OFFLINE = {"USE_HF": "1", "HF_HUB_OFFLINE": "1"}
COMMAND = """
import argparse, sys
from mmdet_eval.commands import run
parser = argparse.ArgumentParser()
run.add_parser(parser.add_subparsers())
arguments, rest = parser.parse_known_args()
arguments.infer_arguments = rest
sys.exit(run.run_command(arguments))
"""


@pytest.fixture
def datasets(tmp_path: Path, checkpoint: Path) -> list[DatasetSpec]:
    """Drawn scenes as two data sets that share a folder of images."""
    script = checkpoint.parent / "scenes.py"
    subprocess.run(
        [sys.executable, script, "--out", tmp_path, "--train", "1", "--val", str(SCENES)],
        check=True,
    )
    coco = json.loads((tmp_path / "val.json").read_text())
    found = []
    for name, images in (("first", coco["images"][:40]), ("second", coco["images"][40:])):
        ids = {image["id"] for image in images}
        part = {
            **coco,
            "images": images,
            "annotations": [a for a in coco["annotations"] if a["image_id"] in ids],
        }
        (tmp_path / f"{name}.json").write_text(json.dumps(part))
        found.append(DatasetSpec(name, tmp_path / f"{name}.json", tmp_path / "images"))
    return found


@pytest.fixture
def model(checkpoint: Path, monkeypatch: pytest.MonkeyPatch) -> AskedModel:
    """The small model, whose answers reach the disk one by one."""
    for name, value in OFFLINE.items():
        monkeypatch.setenv(name, value)
    options = [
        "--model_type",
        "qwen2_5_vl",
        "--template",
        "qwen2_5_vl_pruned",
        "--torch_dtype",
        "float32",
        "--external_plugins",
        checkpoint.parent / "pruned_template.py",
        "--max_new_tokens",
        160,
        "--write_batch_size",
        1,
    ]
    return AskedModel(str(checkpoint), options=tuple(map(str, options)), logprobs=True)


def start(
    model: AskedModel, datasets: list[DatasetSpec], out: Path, score: str = "logprob"
) -> "subprocess.Popen[str]":
    """The command in a process of its own, on the two data sets as a suite of one domain that
    names a metric."""
    suite = out.parent / "suite.yaml"
    lines = [
        f"  {spec.name}: {{ann: {spec.ann.name}, images: {spec.images.name}, domain: Scenes}}\n"
        for spec in datasets
    ]
    head = "protocol: vision_r1_coco\nmetrics: [by_sample]\ndatasets:\n"
    suite.write_text(head + "".join(lines))
    command = [
        sys.executable,
        "-c",
        COMMAND,
        "run",
        "--model",
        model.path,
        "--suite",
        str(suite),
        "--root",
        str(out.parent),
        "--out",
        str(out),
        "--logprobs",
        "true",
        "--score",
        score,
        *model.options,
    ]
    return subprocess.Popen(command, stderr=subprocess.PIPE, text=True)


def wait_for_answers(out: Path, process: "subprocess.Popen[str]", count: int) -> None:
    part = out / "parts" / "000.jsonl"
    while not part.exists() or part.read_bytes().count(b"\n") < count:
        assert process.poll() is None, process.communicate()[1]
        time.sleep(0.01)


def lines(path: Path) -> list[str]:
    return path.read_text().split("\n")[:-1]


def test_a_killed_run_goes_on_where_it_stopped(
    model: AskedModel, datasets: list[DatasetSpec], tmp_path: Path
) -> None:
    out = tmp_path / "out"
    process = start(model, datasets, out)
    wait_for_answers(out, process, count=2)
    orphans = psutil.Process(process.pid).children(recursive=True)
    for orphan in orphans:
        orphan.suspend()
    process.kill()
    process.wait()
    with pytest.raises(InputError, match="`swift` that a killed one left behind"):
        run(model, datasets, PROTOCOL, out)
    for orphan in orphans:
        orphan.kill()
    psutil.wait_procs(orphans)
    part = out / "parts" / "000.jsonl"
    kept = lines(part)
    assert 2 <= len(kept) < SCENES
    with part.open("a") as file:
        file.write(kept[0][: len(kept[0]) // 2])  # as if it had been writing

    answered, asked, _ = run(model, datasets, PROTOCOL, out)
    assert asked == SCENES - len(kept)
    assert len(lines(out / "parts" / "001.jsonl")) == asked
    assert [len(lines(found.answers)) for found in answered] == [40, 20]
    rows = [json.loads(line) for found in answered for line in lines(found.answers)]
    assert [row["image_id"] for row in rows] == list(range(1, SCENES + 1))
    assert all(row["logprobs"]["content"] for row in rows), "--score logprob asks for them"
    assert sum('"bbox_2d"' in row["response"] for row in rows) > SCENES / 2

    before = sorted(path.stat().st_mtime_ns for path in (out / "parts").iterdir())
    again = start(model, datasets, out)
    printed = again.communicate()[1]
    assert again.returncode == 0, printed
    assert "0 questions" in printed
    assert sorted(path.stat().st_mtime_ns for path in (out / "parts").iterdir()) == before, (
        "no swift was started"
    )
    found = json.loads((out / "metrics.json").read_text())
    assert {name: one["counts"]["answers"] for name, one in found["datasets"].items()} == {
        "first": 40,
        "second": 20,
    }
    assert all(one["metrics"]["AP50"] > 0.2 for one in found["datasets"].values())
    assert found["domains"] == {"Scenes": found["metrics"]}
    low, high = found["intervals"]["metrics"]["macroF1@.5"]
    assert 0.2 < low < found["metrics"]["macroF1@.5"] < high
    speed = found["speed"]
    assert (speed["answers"], speed["of"]) == (asked, SCENES), "the killed call told no time"
    assert speed["boxes"] == sum(row["response"].count('"bbox_2d"') for row in rows[-asked:])
    assert speed["tokens"] > 10 * asked
    assert 0 < speed["tokens_per_second"] < 1e5
    kept_boxes = sum(one["counts"]["boxes_kept"] for one in found["datasets"].values())
    check_verified(model, datasets, out, kept_boxes)


def check_verified(model: AskedModel, datasets: list[DatasetSpec], out: Path, boxes: int) -> None:
    """The model is asked about each box. This one knows no question but that for boxes, so it says
    neither yes nor no, which ends the command and keeps the answers."""
    process = start(model, datasets, out, "verify")
    printed = process.communicate()[1]
    assert process.returncode, printed
    assert "neither yes nor no" in printed
    answers = [json.loads(line) for line in lines(out / "verify" / "parts" / "000.jsonl")]
    assert 0 < len(answers) <= boxes, "equal boxes of an image are one question"
    places = [one["logprobs"]["content"] for one in answers]
    assert {len(place[0]["top_logprobs"]) for place in places} == {20}
    assert {p_yes(one["logprobs"]) for one in answers} == {None}


def test_a_terminated_run_ends_its_swift_too(
    model: AskedModel, datasets: list[DatasetSpec], tmp_path: Path
) -> None:
    process = start(model, datasets, tmp_path / "out")
    wait_for_answers(tmp_path / "out", process, count=1)
    children = psutil.Process(process.pid).children(recursive=True)
    assert children
    process.terminate()
    _, printed = process.communicate(timeout=60)
    assert process.returncode == 128 + signal.SIGTERM
    assert not psutil.wait_procs(children, timeout=5)[1]
    assert f"of {SCENES} answered" in printed


def test_a_failure_shows_the_end_of_the_log(
    model: AskedModel, datasets: list[DatasetSpec], tmp_path: Path
) -> None:
    wrong = replace(model, options=(*model.options, "--no_such_option", "1"))
    with pytest.raises(
        InferenceFailed, match=rf"exit code 1 and {SCENES} of {SCENES} questions"
    ) as failure:
        run(wrong, datasets, PROTOCOL, tmp_path / "out")
    assert "no_such_option" in str(failure.value)
