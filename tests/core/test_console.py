"""What is printed is harmless and readable in every locale, and both command lines end as shells expect."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from swift_plugin_visionr1.cli import main
from swift_plugin_visionr1.console import Parser
from swift_plugin_visionr1.text import one_line, printable

ROOT = Path(__file__).parents[2]
ASCII = {"LC_ALL": "C", "PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
VISION_R1, MMDET_EVAL = "swift_plugin_visionr1.cli", "mmdet_eval"


def shell(command: str, **environ: str) -> subprocess.CompletedProcess[bytes]:
    """Run by a shell whose exit code is the one of the first command of a pipe."""
    return subprocess.run(
        ["bash", "-c", f"set -o pipefail; {command}"],
        capture_output=True,
        cwd=ROOT,
        env={**os.environ, **environ},
        check=False,
    )


@given(text=st.text())
def test_printable_text_has_nothing_that_a_terminal_acts_on(text: str) -> None:
    shown = printable(text)
    assert not set(shown) & {chr(c) for c in (*range(9), *range(11, 32), *range(127, 160))}
    assert not set(shown) & set("\u2028\u2029\u202e\u2066")
    shown.encode("utf-8")
    assert len(one_line(text).splitlines()) <= 1


def test_what_people_write_is_left_alone() -> None:
    text = "Tür\tzwei\n猫 👩‍🚒 café"
    assert printable(text) == text


@pytest.mark.parametrize("module", [VISION_R1, MMDET_EVAL])
@pytest.mark.parametrize(
    ("end", "code"),
    [
        pytest.param("| true", 141, id="closed pipe"),
        pytest.param(">/dev/full", 2, id="full disk"),
        pytest.param(">&-", 0, id="no stdout"),
        pytest.param(">&- 2>&-", 0, id="no output at all"),
    ],
)
def test_output_that_nobody_takes(module: str, end: str, code: int) -> None:
    command = "settings" if module == VISION_R1 else "--help"
    # The reader is gone before anything is written.
    result = shell(f"{{ sleep 0.3; exec {sys.executable} -m {module} {command}; }} {end}")
    assert (result.returncode, b"Traceback" in result.stderr) == (code, False)
    assert b"Exception ignored" not in result.stderr


@pytest.mark.parametrize(
    "words",
    [
        pytest.param(["settings", "\x1b[31mred.yaml"], id="a name with an escape sequence"),
        pytest.param(["score", "caf\u00e9\u202e.jsonl"], id="a name that turns the line"),
        pytest.param(["explain", "--solution", '{"width": "\x1b]0;title\x07"}'], id="a solution"),
        pytest.param(["recipe", "a\x9b31m.yaml"], id="a recipe"),
    ],
)
def test_errors_show_escapes(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(words) == 2
    said = capsys.readouterr().err
    assert printable(said) == said
    assert said.count("\n") == 1


@pytest.mark.parametrize("module", [VISION_R1, MMDET_EVAL])
def test_errors_of_ascii_locales(module: str) -> None:
    words = "settings 'tür\u202e.yaml'" if module == VISION_R1 else "--ann 'tür.json' --pred x"
    result = shell(f"{sys.executable} -m {module} {words}", **ASCII)
    assert result.returncode == 2
    assert b"Traceback" not in result.stderr


def test_a_table_in_an_ascii_locale_is_whole(tmp_path: Path) -> None:
    solution = {"width": 99, "height": 99, "boxes": [[1, 1, 50, 50]], "labels": ["Tür 猫"]}
    answer = [{"bbox_2d": [1, 1, 50, 50], "label": "Tür 猫"}]
    row = {name: json.dumps(v) for name, v in (("solution", solution), ("response", answer))}
    path = tmp_path / "rows.jsonl"
    path.write_text(json.dumps(row, ensure_ascii=False), encoding="utf-8")
    result = shell(f"{sys.executable} -m {VISION_R1} explain --row {path}:1", **ASCII)
    assert (result.returncode, result.stderr) == (0, b"")
    assert result.stdout.isascii()
    assert rb"T\xfcr \u732b" in result.stdout


def test_options_may_have_underscores_everywhere() -> None:
    parser = Parser()
    parser.add_argument("--max-pixels", type=int)
    sub = parser.add_subparsers().add_parser("ask")
    sub.add_argument("--model-type")
    words = ["--max_pixels=7", "ask", "--model_type", "a_b", "--top_k", "1"]
    known, rest = parser.parse_known_args(words)
    assert (known.max_pixels, known.model_type, rest) == (7, "a_b", ["--top_k", "1"])
