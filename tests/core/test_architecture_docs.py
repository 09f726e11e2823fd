"""The pages for contributors name files that exist, and show the house as it is."""

import re
import runpy
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGES = ("swift_plugin_visionr1", "mmdet_eval")


@pytest.mark.parametrize("page", ["architecture.md", "contributing.md"])
def test_every_file_that_a_page_names_exists(page: str) -> None:
    text = (ROOT / "docs" / page).read_text("utf-8")
    names = set(re.findall(r"`([\w/.]+(?:\.(?:py|md|yaml)|/))`", text))
    assert len(names) >= 10
    places = [ROOT, *(ROOT / package for package in PACKAGES)]
    rooms = [*places, *(room for place in places[1:] for room in place.iterdir() if room.is_dir())]
    missing = {name for name in names if not any((room / name).exists() for room in rooms)}
    assert missing == {"summary.md", "config.json"} & names


def test_the_house_is_drawn_as_it_is() -> None:
    pytest.importorskip("tomllib", reason="Python 3.11 reads TOML")
    drawn = runpy.run_path(str(ROOT / "docs" / "house.py"))["picture"]()
    assert drawn == (ROOT / "docs" / "images" / "house.svg").read_text("utf-8"), (
        "run python docs/house.py"
    )


def test_the_python_page_runs(tmp_path: Path) -> None:
    page = (ROOT / "docs" / "python_api.md").read_text("utf-8")
    rewards = re.findall(r"```python\n(.*?)```", page, re.DOTALL)[0]
    names: dict[str, object] = {}
    exec(rewards, names)
    assert (names["reward"].format, names["reward"].recall) == (1.0, 1.0)  # type: ignore[attr-defined]
