"""The tables of docs/formats.md and suites.md are those that the code and real answers give."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "formats.md"


def test_the_tables_of_formats_are_up_to_date(tmp_path: Path, shared_data: Path) -> None:
    before = PAGE.read_text("utf-8")
    (tmp_path / "docs").mkdir()
    for name in ("formats.md", "ms_swift_versions.md", "tables.py"):
        (tmp_path / "docs" / name).write_text((ROOT / "docs" / name).read_text("utf-8"), "utf-8")
    (tmp_path / "tests").symlink_to(ROOT / "tests")
    answers = shared_data / "completions" / "real_completions.jsonl"
    subprocess.run(
        [sys.executable, tmp_path / "docs" / "tables.py", "--answers", answers], check=True
    )
    after = (tmp_path / "docs" / "formats.md").read_text("utf-8")
    assert after == before, "run python docs/tables.py --answers FILE"
    assert after.count("\n| `") > 60
    versions, renewed = (root / "docs" / "ms_swift_versions.md" for root in (ROOT, tmp_path))
    assert renewed.read_text("utf-8") == versions.read_text("utf-8"), "run python docs/tables.py"


def test_the_tables_of_suites_are_up_to_date(tmp_path: Path) -> None:
    (tmp_path / "docs").mkdir()
    for name in ("suites.md", "suites.py", "tables.py"):
        (tmp_path / "docs" / name).write_text((ROOT / "docs" / name).read_text("utf-8"), "utf-8")
    subprocess.run([sys.executable, tmp_path / "docs" / "suites.py"], check=True)
    before, after = (root / "docs" / "suites.md" for root in (ROOT, tmp_path))
    assert after.read_text("utf-8") == before.read_text("utf-8"), "run python docs/suites.py"
