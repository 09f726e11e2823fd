"""What an evaluation writes: the old result or the new one, whatever happens in between."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from mmdet_eval.cli import main
from mmdet_eval.reports.outputs import output_folder, write_outputs
from mmdet_eval.suites.spec import LONGEST_NAME, check_names
from swift_plugin_visionr1.errors import InputError

from .evaluations import evaluated
from .killed_writer import compared, state


@pytest.fixture
def command(dataset: Any, rows: Any, write: Any, tmp_path: Path) -> list[str]:
    """An evaluation of perfect answers into `out`."""
    files = ["--ann", str(write("ann.json", dataset)), "--pred", str(write("infer.jsonl", rows))]
    options = ["--max-pixels", "401408", "--engine", "hotcoco", "--orders", "0"]
    return [*files, *options, "--out", str(tmp_path / "out")]


@pytest.fixture
def worse(command: list[str], rows: Any, write: Any) -> list[str]:
    """The same evaluation of worse answers."""
    pred = write("worse.jsonl", [{**row, "response": "[]"} for row in rows])
    return [*command, "--pred", str(pred)]


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 512 KiB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=512k", "tmpfs", str(folder)]
    if os.name != "posix" or os.geteuid() or subprocess.run(mount, check=False).returncode:
        pytest.skip("only root can mount a small disk")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


def test_a_run_that_is_killed_leaves_the_old_result_or_the_new_one(tmp_path: Path) -> None:
    write_outputs(tmp_path / "old", [evaluated(tmp_path)], None, [], dump=False)
    driver = Path(__file__).with_name("killed_writer.py")
    command = [sys.executable, str(driver), str(tmp_path), "8"]
    ran = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    found = [json.loads(line) for line in ran.stdout.splitlines()]
    assert {one["state"] for one in found} == {"old", "mixed", "new"}
    for one in found:
        assert one["compare"] == (2 if one["state"] == "mixed" else 0)
        assert one["again"], "the same command again gives the new result and nothing else"


def test_a_full_disk_leaves_the_old_result(
    command: list[str], small_disk: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command[-1] = str(small_disk / "out")
    assert main(command) == 0
    before = state(small_disk)
    filler = small_disk / "filler"
    filler.write_bytes(b"0" * (shutil.disk_usage(small_disk).free - 32768))
    capsys.readouterr()
    assert main(command) == 2
    printed = capsys.readouterr()
    assert "No space left" in printed.err
    assert len(printed.err.splitlines()) == 1
    assert not printed.out, "no numbers that were not written"
    filler.unlink()
    assert state(small_disk) == before
    assert [path.name for path in small_disk.iterdir()] == ["out"]


def test_two_at_once(command: list[str], worse: list[str], tmp_path: Path) -> None:
    assert main(command) == 0
    before = state(tmp_path / "out")
    with output_folder(tmp_path / "out"):
        assert main(worse) == 2
    assert state(tmp_path / "out") == before
    assert main(worse) == 0


def as_input(name: str) -> Callable[[Path], Path]:
    return lambda folder: folder / name


@pytest.mark.parametrize(
    "place",
    [
        pytest.param(as_input("ann.json"), id="the annotations"),
        pytest.param(as_input("infer.jsonl"), id="the answers"),
        pytest.param(as_input("infer.jsonl/out"), id="below a file"),
        pytest.param(as_input("images"), id="the images"),
    ],
)
def test_an_out_that_would_touch_an_input_is_refused(
    command: list[str], tmp_path: Path, place: Callable[[Path], Path]
) -> None:
    (tmp_path / "images").mkdir()
    before = state(tmp_path)
    command[-1] = str(place(tmp_path))
    assert main([*command, "--images", str(tmp_path / "images")]) == 2
    assert state(tmp_path) == before


@pytest.mark.parametrize("name", ["metrics.json", "report.html", "old/coco_results.json"])
def test_an_input_in_the_place_of_a_result_is_refused(
    command: list[str], tmp_path: Path, name: str
) -> None:
    out = tmp_path / "out"
    (out / "old").mkdir(parents=True)
    (out / "old" / "matches.npz").write_bytes(b"of an earlier result")
    (tmp_path / "infer.jsonl").rename(out / name)
    command[command.index("--pred") + 1], command[-1] = str(out / name), str(out)
    before = state(tmp_path)
    assert main(command) == 2
    assert state(tmp_path) == before


def test_answers_may_lie_in_the_folder_of_their_result(command: list[str], tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.mkdir()
    answers = (tmp_path / "infer.jsonl").rename(out / "infer.jsonl")
    command[command.index("--pred") + 1], command[-1] = str(answers), str(out)
    before = answers.read_bytes()
    assert main(command) == main(command) == 0
    assert answers.read_bytes() == before


def test_a_refused_run_leaves_no_folder(command: list[str], tmp_path: Path) -> None:
    (tmp_path / "infer.jsonl").write_text("no answers\n")
    command[-1] = str(tmp_path / "new" / "out")
    assert main(command) == 2
    assert not (tmp_path / "new").exists()


def test_files_of_others_stay(command: list[str], tmp_path: Path) -> None:
    out = tmp_path / "out"
    theirs = [out / "notes.txt", out / "ann" / "mine.png", out / "ann/pictures/best/1_mine.png"]
    assert main(command) == 0
    for path in theirs:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("mine")
    assert main(command) == 0
    assert {path.read_text() for path in theirs} == {"mine"}


@pytest.mark.parametrize("name", ["report.html", "summary.md", "metrics.json"])
def test_a_folder_with_somebody_elses_report_is_refused(
    command: list[str], tmp_path: Path, name: str
) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / name).write_text("{}")
    assert main(command) == 2
    assert state(tmp_path / "out").keys() == {name}


def test_pictures_of_the_run_before_go_where_they_are_unchanged(tmp_path: Path) -> None:
    made, out = evaluated(tmp_path), tmp_path / "out"
    write_outputs(out, [made], None, [], dump=False)
    drawn_on = out / "zoo/pictures/best/1_perfect.png"
    drawn_on.write_bytes(drawn_on.read_bytes() + b"mine")
    write_outputs(out, [replace(made, images=None)], None, [], dump=False)
    assert list((out / "zoo/pictures").rglob("*.png")) == [drawn_on]


@pytest.mark.parametrize("link", ["zoo", "zoo/pictures", "zoo/pictures/best", "metrics.json"])
def test_nothing_is_written_or_removed_through_a_link(tmp_path: Path, link: str) -> None:
    made, out, elsewhere = evaluated(tmp_path), tmp_path / "out", tmp_path / "elsewhere"
    write_outputs(out, [made], None, [], dump=False)
    shutil.move(out / link, elsewhere)
    (out / link).symlink_to(elsewhere)
    files = elsewhere if elsewhere.is_dir() else elsewhere.parent
    before = {name: digest for name, digest in state(files).items() if "out/" not in name}
    with pytest.raises(InputError):
        write_outputs(out, [made], None, [], dump=False)
    after = {name: digest for name, digest in state(files).items() if "out/" not in name}
    assert after == before


@pytest.mark.parametrize(
    "spoil",
    [
        pytest.param(lambda out: (out / "ann/matches.npz").unlink(), id="matches missing"),
        pytest.param(lambda out: (out / "ann/per_class.csv").write_text(""), id="classes empty"),
        pytest.param(lambda out: os.truncate(out / "metrics.json", 100), id="metrics cut off"),
        pytest.param(lambda out: (out / "metrics.json").write_text("[" * 9999), id="nested"),
        pytest.param(lambda out: (out / "ann/coco_results.json").write_bytes(b"\0"), id="NULs"),
        pytest.param(
            lambda out: shutil.copy(out.parent / "other/metrics.json", out), id="metrics of another"
        ),
        pytest.param(
            lambda out: shutil.copy(out.parent / "other/ann/matches.npz", out / "ann"),
            id="matches of another",
        ),
    ],
)
@pytest.mark.parametrize("hashed", [True, False], ids=["", "of an earlier version"])
def test_compare_refuses_files_of_several_evaluations(
    command: list[str],
    worse: list[str],
    tmp_path: Path,
    spoil: Callable[[Path], Any],
    hashed: bool,
    request: pytest.FixtureRequest,
) -> None:
    if not hashed and "NULs" in request.node.callspec.id:
        pytest.skip("compare does not read it, and earlier versions have no hash of it")
    assert main(command) == 0
    assert main([*worse, "--out", str(tmp_path / "other")]) == 0
    shutil.copytree(tmp_path / "out", tmp_path / "base")
    if not hashed:
        for name in ("out", "other", "base"):
            metrics = tmp_path / name / "metrics.json"
            content = json.loads(metrics.read_text())
            del content["files"]
            metrics.write_text(json.dumps(content))
    assert compared(tmp_path / "base", tmp_path / "out") == 0
    spoil(tmp_path / "out")
    assert compared(tmp_path / "base", tmp_path / "out") == 2


@pytest.mark.parametrize("value", [0.123, "0.5", [], {}, True, float("nan")], ids=str)
def test_compare_refuses_numbers_that_were_changed(
    command: list[str], tmp_path: Path, value: Any
) -> None:
    assert main(command) == 0
    shutil.copytree(tmp_path / "out", tmp_path / "base")
    metrics = tmp_path / "out" / "metrics.json"
    content = json.loads(metrics.read_text())
    content["datasets"]["ann"]["metrics"]["mAP"] = value
    metrics.write_text(json.dumps(content))
    assert compared(tmp_path / "base", tmp_path / "out") == 2
    assert compared(tmp_path / "out", tmp_path / "base") == 2


@pytest.mark.parametrize(
    "place",
    [
        ["metrics", "mAP"],
        ["datasets", "ann", "metrics", "APs"],
        ["datasets", "ann", "beside", "F1"],
        ["datasets", "ann", "counts", "missing"],
    ],
    ids=".".join,
)
def test_compare_refuses_numbers_that_it_does_not_show(
    command: list[str], tmp_path: Path, place: list[str]
) -> None:
    assert main(command) == 0
    shutil.copytree(tmp_path / "out", tmp_path / "base")
    metrics = tmp_path / "out" / "metrics.json"
    content = json.loads(metrics.read_text())
    entry = content
    for name in place[:-1]:
        entry = entry[name]
    entry[place[-1]] = 0.123
    metrics.write_text(json.dumps(content))
    assert compared(tmp_path / "base", tmp_path / "out") == 2


def test_what_people_read_may_be_changed_or_removed(command: list[str], tmp_path: Path) -> None:
    assert main(command) == 0
    shutil.copytree(tmp_path / "out", tmp_path / "base")
    (tmp_path / "out/summary.md").write_text("my notes")
    (tmp_path / "out/report.html").unlink()
    (tmp_path / "out/ann/coco_results.json").unlink()
    assert compared(tmp_path / "base", tmp_path / "out") == 0


@pytest.mark.parametrize(
    "names",
    [
        pytest.param(["../../x"], id="leads out"),
        pytest.param(["/etc/x"], id="absolute"),
        pytest.param(["a\\b"], id="backslash"),
        pytest.param([""], id="empty"),
        pytest.param([" "], id="blank"),
        pytest.param(["."], id="dot"),
        pytest.param([".."], id="dots"),
        pytest.param([".vision-r1-writing"], id="ours while writing"),
        pytest.param(["x."], id="dot at the end"),
        pytest.param(["a\0b"], id="NUL"),
        pytest.param(["a\nb"], id="line end"),
        pytest.param(["a\ud800"], id="half a pair"),
        pytest.param(["x" * (LONGEST_NAME + 1)], id="long"),
        pytest.param(["ä" * (LONGEST_NAME // 2 + 1)], id="long in bytes"),
        pytest.param(["metrics.json"], id="a file of ours"),
        pytest.param(["Answers"], id="a folder of ours"),
        pytest.param(["a", "a"], id="twice"),
        pytest.param(["Birds", "birds"], id="twice but for case"),
        pytest.param(["é", "e\u0301"], id="twice but for composition"),
    ],
)
def test_names_that_cannot_be_folders_beside_each_other(names: list[str]) -> None:
    with pytest.raises(InputError):
        check_names(names)


def test_names_that_can_be_folders() -> None:
    check_names(["AerialMaritimeDrone large", "x" * LONGEST_NAME, "küche", "a.b", "a-b"])


@pytest.mark.parametrize("verb", [[], ["prompts"], ["run", "--model", "m"]], ids=str)
def test_a_suite_with_such_a_name_is_refused_first(
    command: list[str], tmp_path: Path, verb: list[str]
) -> None:
    suite = tmp_path / "suite.yaml"
    suite.write_text(
        "protocol: vision_r1_coco\ndatasets:\n  ../../x: {ann: missing.json, images: .}\n"
    )
    out = tmp_path / "new" / "out"
    pred = [] if verb else ["--pred", command[3]]
    assert main([*verb, "--suite", str(suite), *pred, "--out", str(out)]) == 2
    assert not out.parent.exists()


@pytest.mark.parametrize("shown", [False, True], ids=["not shown", "shown where allowed"])
def test_images_outside_their_folder(tmp_path: Path, shown: bool) -> None:
    (tmp_path / "images").mkdir()
    made = replace(evaluated(tmp_path), images=tmp_path / "images", shows_outside=shown)
    images = [replace(one, file_name=f"../{one.file_name}") for one in made.annotations.images]
    by_id = {image.id: image for image in images}
    answers = [
        replace(read, answer=replace(read.answer, image=by_id[read.answer.image.id]))
        for read in made.converted.answers
    ]
    made = replace(made, converted=replace(made.converted, answers=answers))
    write_outputs(tmp_path / "out", [made], None, [], dump=False)
    assert (tmp_path / "out/zoo/pictures").exists() == shown
    assert ("data:image/jpeg" in (tmp_path / "out/report.html").read_text()) == shown
