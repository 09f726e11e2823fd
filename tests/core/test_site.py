"""The documentation: the site builds without warnings, and what is made from the code is up to
date."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def test_the_site_builds_without_warnings(tmp_path: Path) -> None:
    pytest.importorskip("mkdocs", reason="needs the dependency group `docs`")
    command = [
        sys.executable,
        "-m",
        "mkdocs",
        "build",
        "--strict",
        "-f",
        ROOT / "mkdocs.yml",
        "-d",
        tmp_path,
    ]
    result = subprocess.run(
        command,
        capture_output=True,
        text=True,
        env=os.environ | {"NO_MKDOCS_2_WARNING": "1"},
        check=False,
    )
    assert result.returncode == 0, result.stderr[-2000:]
    assert (tmp_path / "settings" / "index.html").is_file()


def test_the_settings_page_is_up_to_date(tmp_path: Path) -> None:
    shutil.copytree(ROOT / "docs", tmp_path / "docs", ignore=shutil.ignore_patterns("images"))
    subprocess.run([sys.executable, tmp_path / "docs" / "reference.py"], check=True)
    written = (tmp_path / "docs" / "settings.md").read_text("utf-8")
    assert written == (ROOT / "docs" / "settings.md").read_text("utf-8"), (
        "run python docs/reference.py"
    )
    assert "| `precision_over` | `matched`, `valid`, `predicted`, `larger` | `matched` |" in written


def test_troubleshooting_quotes_what_doctor_says() -> None:
    """Every quotation is in doctor's own texts, or in what its tests see it print."""
    page = (ROOT / "docs" / "troubleshooting.md").read_text("utf-8")
    entries = page.split("\n### ")[1:]
    assert len(entries) >= 15
    files = [
        *(ROOT / "swift_plugin_visionr1" / "doctor").rglob("*.py"),
        ROOT / "swift_plugin_visionr1" / "data" / "dataset_files.py",
        *(ROOT / "tests" / "core").glob("test_doctor*.py"),
    ]
    known = re.sub(r"\{[^}]*\}", "...", "\n".join(path.read_text("utf-8") for path in files))
    known = re.sub(r'"\s*f?"', "", known)  # strings that go over two lines
    quoted = [
        text
        for line in re.findall(r"\*\*doctor\*\*.*", page)
        for text in re.findall(r"`([^`]+)`", line)
    ]
    pieces = [piece.strip(" ,:;%") for text in quoted for piece in text.split("...")]
    strange = [piece for piece in pieces if len(piece) > 6 and piece not in known]
    assert not strange
    assert len(pieces) > 10
