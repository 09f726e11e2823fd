"""Files from outside: what is no UTF-8, no YAML or far too much is one error, at once."""

import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmdet_eval.answers.labels import read_synonyms
from mmdet_eval.general_qa.questions import read_recipe
from mmdet_eval.suites.files import read_suite
from mmdet_eval.suites.protocols import load_protocol
from swift_plugin_visionr1.errors import InputError, VisionR1Error
from swift_plugin_visionr1.files import decoded, load_yaml, read_json
from swift_plugin_visionr1.models.checkpoint import find_checkpoint
from swift_plugin_visionr1.recipes.overlays import merged
from swift_plugin_visionr1.reward.settings import load_settings
from swift_plugin_visionr1.runs.run_folder import run_arguments

AT_ONCE = 5.0  # seconds of a core; the longest of these takes two
LAUGHS = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 9)}]\n" for i in range(1, 60)
)
MERGES = "a0: &a0 {k0: 1}\n" + "".join(
    f"a{i}: &a{i}\n  <<: [{', '.join([f'*a{i - 1}'] * 9)}]\n" for i in range(1, 30)
)

HOSTILE_YAML = [
    pytest.param(LAUGHS, id="nested aliases"),
    pytest.param(MERGES, id="nested merges"),
    pytest.param("a: &a [*a]", id="an alias of itself"),
    pytest.param("a: *b", id="an alias of nothing"),
    pytest.param("[" * 100_000, id="deep lists"),
    pytest.param("a: " + "{a: " * 3000, id="deep mappings"),
    pytest.param("- " * 50_000, id="deep dashes"),
    pytest.param("a: [" + "1," * 300_000 + "]", id="very many values"),
    pytest.param("a" * 2_000_000, id="very long"),
    pytest.param("a: " + "9" * 5000, id="an integer of 5000 digits"),
    pytest.param("step: 1/2\nb: 1\nstep: 1/3", id="a name twice"),
    pytest.param("{a: 1, a: 2}", id="a name twice on a line"),
    pytest.param("a:\n\t- b", id="a tab"),
    pytest.param("a: \x1b[31mred", id="an escape sequence"),
    pytest.param("a: 2001-99-99", id="no date"),
    pytest.param("a: !!int ''", id="an empty integer"),
    pytest.param("a: !!bool x", id="no boolean"),
    pytest.param("a: !!timestamp x", id="no time"),
    pytest.param("a: 0x_", id="no hexadecimal"),
    pytest.param("a: !!python/object/apply:os.system [ls]", id="a function"),
    pytest.param("? [a]\n: b", id="a list as a key"),
    pytest.param("a: 1\n---\nb: 2", id="two documents"),
]


@pytest.mark.parametrize("text", HOSTILE_YAML)
def test_hostile_yaml_is_one_error_at_once(text: str, tmp_path: Path) -> None:
    path = tmp_path / "hostile.yaml"
    path.write_text(text)
    began = time.process_time()
    with pytest.raises(InputError) as caught:
        load_yaml(path)
    assert time.process_time() - began < AT_ONCE
    assert "\n" not in str(caught.value)
    assert str(path) in str(caught.value)
    assert len(str(caught.value)) < 500


READERS: dict[str, Callable[[Path], Any]] = {
    "settings": lambda path: load_settings(str(path)),
    "recipe": lambda path: merged([path]),
    "protocol": lambda path: load_protocol(str(path)),
    "suite": lambda path: read_suite(str(path), "."),
    "synonyms": read_synonyms,
    "general-qa": read_recipe,
}


@pytest.mark.parametrize("reader", READERS)
@pytest.mark.parametrize(
    "raw",
    [
        pytest.param("a: caf\xe9".encode("latin1"), id="Latin-1"),
        pytest.param("a: 1".encode("utf-16"), id="UTF-16"),
        pytest.param(LAUGHS.encode(), id="nested aliases"),
        pytest.param(b"a: 1\na: 2", id="a name twice"),
        pytest.param(b"- 1\n- 2", id="a list"),
    ],
)
def test_every_reader_of_yaml_refuses_in_one_message(
    reader: str, raw: bytes, tmp_path: Path
) -> None:
    path = tmp_path / "hostile.yaml"
    path.write_bytes(raw)
    with pytest.raises(VisionR1Error, match=r"hostile\.yaml|unknown setting"):
        READERS[reader](path)


@pytest.mark.parametrize("reader", READERS)
def test_a_folder_and_a_missing_file_are_refused(reader: str, tmp_path: Path) -> None:
    (tmp_path / "folder.yaml").mkdir()
    for name in ("folder.yaml", "gone.yaml"):
        with pytest.raises(VisionR1Error, match=name):
            READERS[reader](tmp_path / name)


def test_what_yaml_may_have(tmp_path: Path) -> None:
    path = tmp_path / "good.yaml"
    path.write_bytes(b"\xef\xbb\xbfbase: &b {x: 1, y: 2}\r\nmore: {<<: *b, x: 3}\r\n")
    assert load_yaml(path) == {"base": {"x": 1, "y": 2}, "more": {"x": 3, "y": 2}}


@given(raw=st.binary(max_size=200))
def test_any_bytes_are_read_or_refused(
    raw: bytes, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.getbasetemp() / "any.yaml"
    path.write_bytes(raw)
    for reader in (load_yaml, read_json):
        with suppress(InputError):
            reader(path)


@given(text=st.text(alphabet=st.sampled_from(list("ab:-[]{}&*!?|>'\"#%@, \n\t<~0.9eE_xé\ud800"))))
def test_any_text_like_yaml_is_read_or_refused(
    text: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.getbasetemp() / "any.yaml"
    path.write_bytes(text.encode("utf-8", "surrogatepass"))
    with suppress(InputError):
        load_yaml(path)


def test_the_line_of_a_bad_byte_is_named() -> None:
    with pytest.raises(InputError, match=r"line 3 of x: .* 0xE9"):
        decoded(b"a\n\nb\xe9c\n", Path("x"))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        pytest.param('{"a": 1,\n "b": }', "line 2 of .*column 7", id="a place"),
        pytest.param("[" * 100_000, "nested", id="deep"),
        pytest.param("9" * 5000, "4300 digits", id="5000 digits"),
    ],
)
def test_json_that_is_refused_names_the_place(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "x.json"
    path.write_text(text)
    with pytest.raises(InputError, match=said):
        read_json(path)


@pytest.mark.parametrize(
    "raw", [b"[" * 100_000, b"\xff", b"7", b""], ids=["deep", "bytes", "number", "empty"]
)
def test_a_run_or_checkpoint_whose_own_files_are_broken_tells_nothing(
    raw: bytes, tmp_path: Path
) -> None:
    for name in ("args.json", "config.json"):
        (tmp_path / name).write_bytes(raw)
    assert run_arguments(tmp_path) == {}
    assert find_checkpoint(str(tmp_path)).source == "nowhere"
