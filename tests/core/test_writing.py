"""Output files: the old content or the new one, one writer at a time, never over an input."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from swift_plugin_visionr1.cli import main
from swift_plugin_visionr1.curate.output import output
from swift_plugin_visionr1.errors import InputError, SolutionError
from swift_plugin_visionr1.writing import check_output, locked, scratch_of, write_file

# Writes a file and is killed before it gets its name; holds a lock where `hold` is said.
PROGRAM = """
import os, signal, sys, time
from pathlib import Path
from swift_plugin_visionr1.writing import locked, write_file
path = Path(sys.argv[1])
if sys.argv[2] == "hold":
    with locked(path):
        print("locked", flush=True)
        time.sleep(60)
kill = lambda event, _: os.kill(os.getpid(), signal.SIGKILL) if event == "os.rename" else None
sys.addaudithook(kill)
write_file(path, "new")
"""


def start(path: Path, what: str) -> "subprocess.Popen[bytes]":
    command = [sys.executable, "-c", PROGRAM, str(path), what]
    return subprocess.Popen(command, stdout=subprocess.PIPE)


def test_a_file_whose_writer_is_killed_keeps_its_content(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_text("old")
    assert start(path, "write").wait() == -signal.SIGKILL
    assert path.read_text() == "old"
    write_file(path, "new")
    assert [(one.name, one.read_text()) for one in tmp_path.iterdir()] == [("rows.jsonl", "new")]


def test_a_lock_ends_with_its_process(tmp_path: Path) -> None:
    holder = start(tmp_path / "out", "hold")
    assert holder.stdout is not None
    holder.stdout.readline()
    with pytest.raises(InputError), locked(tmp_path / "out"):
        pass
    holder.kill()
    holder.wait()
    with locked(tmp_path / "out"), scratch_of(tmp_path / "out"):
        (tmp_path / "out" / "file").touch()
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["file"]


def test_a_folder_that_nothing_was_written_into_goes(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError), locked(tmp_path / "a" / "b"):
        raise ZeroDivisionError
    assert not (tmp_path / "a").exists()


def test_somebodys_file_of_the_locks_name_stays(tmp_path: Path) -> None:
    (tmp_path / "lock").write_text("mine")
    with locked(tmp_path):
        pass
    assert (tmp_path / "lock").read_text() == "mine"


def test_a_link_stays_one(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path / "file")
    write_file(tmp_path / "link", "new")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "file").read_text() == "new"


def test_a_planted_link_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "theirs").write_text("theirs")
    for name in (".file.new", "lock"):
        (tmp_path / name).symlink_to(tmp_path / "theirs")
    with pytest.raises(OSError, match="link"):
        write_file(tmp_path / "file", "new")
    with pytest.raises(OSError, match="link"), locked(tmp_path):
        pass
    assert (tmp_path / "theirs").read_text() == "theirs"


def test_half_a_surrogate_pair_is_an_escape_that_json_reads(tmp_path: Path) -> None:
    write_file(tmp_path / "rows.jsonl", json.dumps("\ud83dé", ensure_ascii=False))
    assert json.loads((tmp_path / "rows.jsonl").read_text("utf-8")) == "\ud83dé"


def test_a_pipe_is_written_to(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    reader = subprocess.Popen(["cat", str(tmp_path / "pipe")], stdout=subprocess.PIPE)
    write_file(tmp_path / "pipe", "new")
    assert reader.communicate()[0] == b"new"


@pytest.mark.parametrize("name", ["in.jsonl", "hard.jsonl", "link.jsonl", "sub/../in.jsonl", "sub"])
def test_an_output_that_is_an_input_is_refused(tmp_path: Path, name: str) -> None:
    (tmp_path / "in.jsonl").write_text("{}")
    (tmp_path / "sub").mkdir()
    os.link(tmp_path / "in.jsonl", tmp_path / "hard.jsonl")
    (tmp_path / "link.jsonl").symlink_to("in.jsonl")
    with pytest.raises(InputError):
        check_output(tmp_path / name, [None, "no/such", tmp_path / "in.jsonl"])


@pytest.mark.parametrize(
    "command",
    [["score"], ["prepare", "--rows"], ["recipe"]],
    ids=["score", "prepare", "recipe"],
)
def test_commands_do_not_write_over_their_input(tmp_path: Path, command: list[str]) -> None:
    file = tmp_path / "in.jsonl"
    file.write_text("{}\n")
    assert main([*command, str(file), "--out", str(file)]) == 2
    assert file.read_text() == "{}\n"


def test_prepared_rows_are_whole_or_not_there(tmp_path: Path) -> None:
    out = tmp_path / "rows.jsonl"
    out.write_text("old\n")
    (tmp_path / ".rows.jsonl.new" / ".vision-r1-writing").mkdir(parents=True)  # of a killed run
    with pytest.raises(SolutionError), output(out, []) as result:
        result.add({"a": {1}})
    assert out.read_text() == "old\n"
    with output(out, []) as result:
        result.add({"a": 1})
        with pytest.raises(InputError), output(out, []):
            pass
    assert out.read_text() == '{"a": 1}\n'
    assert [path.name for path in tmp_path.iterdir()] == ["rows.jsonl"]
