"""The documentation: the site builds without warnings, and what is made from the code is up to date."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def test_the_site_builds_without_warnings(tmp_path: Path) -> None:
    pytest.importorskip("mkdocs", reason="needs the dependency group `docs`")
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "-f", ROOT / "mkdocs.yml", "-d", tmp_path]
    result = subprocess.run(
        command, capture_output=True, text=True, env=os.environ | {"NO_MKDOCS_2_WARNING": "1"}, check=False
    )
    assert result.returncode == 0, result.stderr[-2000:]
    assert (tmp_path / "settings" / "index.html").is_file()


def test_the_settings_page_is_up_to_date(tmp_path: Path) -> None:
    shutil.copytree(ROOT / "docs", tmp_path / "docs", ignore=shutil.ignore_patterns("images"))
    subprocess.run([sys.executable, tmp_path / "docs" / "reference.py"], check=True)
    written = (tmp_path / "docs" / "settings.md").read_text("utf-8")
    assert written == (ROOT / "docs" / "settings.md").read_text("utf-8"), "run python docs/reference.py"
    assert "| `precision_over` | `matched`, `valid`, `predicted`, `larger` | `matched` |" in written
