"""Fixtures that several folders of tests share."""

import os
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from hypothesis import settings

settings.register_profile(
    "project", deadline=None, derandomize=True
)  # no test is judged by its time
settings.load_profile("project")

ROOT = Path(__file__).parents[1]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Files with the most slow tests first, those of the core last: two workers end together.

    pytest-xdist's own order, by number of tests, leaves the longest runs for the end.
    """
    slow = Counter(item.path for item in items if item.get_closest_marker("slow"))
    items.sort(key=lambda item: (-slow[item.path], item.path.parent.name == "core"))


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real data for tests, which does not belong to the project."""
    folder = Path(os.environ.get("VISION_R1_TEST_DATA", ROOT.parent / "shared" / "data"))
    if not folder.is_dir():
        pytest.skip(f"real test data is not at {folder}; set VISION_R1_TEST_DATA to its folder")
    return folder


@pytest.fixture(scope="session")
def checkpoint() -> Path:
    """The example's small Qwen2.5-VL."""
    return ROOT / "examples" / "shapes" / "checkpoint"


@pytest.fixture(autouse=True, scope="session")
def no_cache_of_the_user(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Tests neither read nor write the cache of the person who runs them."""
    os.environ["XDG_CACHE_HOME"] = str(tmp_path_factory.mktemp("cache"))


@contextmanager
def _environment_kept() -> Iterator[None]:
    """`datasets` puts a copy in the place of os.environ, in which monkeypatch undoes nothing."""
    environ, variables = os.environ, dict(os.environ)
    yield
    os.environ = environ  # noqa: B003  it is put back, not replaced
    os.environ.clear()
    os.environ.update(variables)


@pytest.fixture(autouse=True, scope="module")
def environment_as_before_the_file() -> Iterator[None]:
    """What fixtures of a file set in the environment ends with the file."""
    with _environment_kept():
        yield


@pytest.fixture(autouse=True)
def environment_as_before() -> Iterator[None]:
    """ms-swift, run in this process, sets variables that later tests would see."""
    with _environment_kept():
        yield
