"""`mmdet-eval run` into a folder with answers: whose they are is known by content, or they are not
used."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from mmdet_eval.asking.asked_model import AskedModel
from mmdet_eval.asking.contents import Contents, model_files
from mmdet_eval.asking.passed_options import recorded, secrets
from mmdet_eval.asking.process import FILTER
from mmdet_eval.asking.session import run
from mmdet_eval.asking.swift_infer import InferenceFailed, read_answers
from mmdet_eval.cli import main
from mmdet_eval.suites.spec import DatasetSpec
from swift_plugin_visionr1.errors import InputError
from swift_plugin_visionr1.writing import locked

from .runs import MODEL, PROTOCOL, answer_all
from .test_output_folders import state
from .test_run_ends import dead_swift, keep_answers, spec  # noqa: F401

FILES = {
    "model.safetensors": b"weights",
    "config.json": b"{}",
    "generation_config.json": b"{}",
    "preprocessor_config.json": b"{}",
    "tokenizer.json": b"{}",
    "chat_template.jinja": b"{}",
    "merges.txt": b"a b",
    "modeling.py": b"pass",
    "args.json": b"{}",
    "additional_chat_templates/tool.jinja": b"{}",
}


@pytest.fixture
def model(tmp_path: Path) -> AskedModel:
    """A model and an adapter in folders, with a plugin and a system prompt in files."""
    for name in ("model", "adapter"):
        for file, content in FILES.items():
            path = tmp_path / name / file
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
    (tmp_path / "plugin.py").write_text("pass")
    (tmp_path / "system.txt").write_text("Be brief.")
    options = ["--adapters", f"lora={tmp_path / 'adapter'}", f"--system={tmp_path / 'system.txt'}"]
    plugin = ["--external_plugins", str(tmp_path / "plugin.py")]
    return AskedModel(str(tmp_path / "model"), options=(*options, *plugin))


def change_unseen(path: Path) -> None:
    """Another content of the same size, at the same time, in the same place."""
    before = path.stat()
    path.write_bytes(bytes(byte ^ 1 for byte in path.read_bytes()))
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


@pytest.mark.parametrize(
    "name",
    [
        *(f"model/{file}" for file in FILES),
        "adapter/model.safetensors",
        "plugin.py",
        "system.txt",
        "val/3.png",
    ],
)
def test_a_file_of_another_content_is_another_model(
    spec: DatasetSpec,  # noqa: F811
    tmp_path: Path,
    model: AskedModel,
    name: str,
) -> None:
    out = tmp_path / "out"
    answer_all(spec, out, model=model)
    contents = Contents()
    contents.hashes([*model_files(tmp_path / "model"), tmp_path / name])
    contents.save(out)
    assert run(model, [spec], PROTOCOL, out)[1] == 0
    before = state(out)
    change_unseen(tmp_path / name)
    with pytest.raises(InputError):
        run(model, [spec], PROTOCOL, out)
    assert state(out) == before


@pytest.mark.parametrize(
    ("code", "module"),
    [
        pytest.param("import rules", "rules.py", id="module"),
        pytest.param("def f():\n    from rules import x", "rules.py", id="inside a function"),
        pytest.param("import first", "rules.py", id="by another module"),
        pytest.param("from kit import words", "kit/words.py", id="of a package"),
        pytest.param("import kit.words", "kit/__init__.py", id="package on the way"),
        pytest.param("import kit.words", "kit/deep.py", id="relative"),
    ],
)
def test_a_module_that_a_plugin_imports_is_part_of_it(
    spec: DatasetSpec,  # noqa: F811
    tmp_path: Path,
    model: AskedModel,
    code: str,
    module: str,
) -> None:
    (tmp_path / "plugin.py").write_text(f"import os\n{code}\n")
    (tmp_path / "first.py").write_text("import rules\nimport plugin")
    (tmp_path / "kit").mkdir()
    for name in ("rules.py", "other.py", "kit/__init__.py", "kit/deep.py"):
        (tmp_path / name).write_text("x = 1")
    (tmp_path / "kit" / "words.py").write_text("from .deep import x")
    answer_all(spec, tmp_path / "out", model=model)
    (tmp_path / "other.py").write_text("x = 2")
    assert run(model, [spec], PROTOCOL, tmp_path / "out")[1] == 0
    (tmp_path / module).write_text("x = 2")
    with pytest.raises(InputError):
        run(model, [spec], PROTOCOL, tmp_path / "out")


@pytest.mark.parametrize("options", [(), ("--external_plugins", "other.py")], ids=["kept", "told"])
def test_a_plugin_that_args_json_names_is_part_of_the_model(
    spec: DatasetSpec,  # noqa: F811
    tmp_path: Path,
    options: tuple[str, ...],
) -> None:
    (tmp_path / "model").mkdir()
    plugin = tmp_path / "plugin.py"
    plugin.write_text("x = 1")
    (tmp_path / "model" / "args.json").write_text(json.dumps({"external_plugins": [str(plugin)]}))
    model = AskedModel(str(tmp_path / "model"), options=options)
    answer_all(spec, tmp_path / "out", model=model)
    plugin.write_text("x = 2")
    if options:
        assert run(model, [spec], PROTOCOL, tmp_path / "out")[1] == 0
    else:
        with pytest.raises(InputError):
            run(model, [spec], PROTOCOL, tmp_path / "out")


@pytest.mark.parametrize(
    "name", ["optimizer.pt", "trainer_state.json", "training_args.bin", "README.md", "log.jsonl"]
)
def test_what_training_writes_beside_a_model_does_not_matter(
    spec: DatasetSpec,  # noqa: F811
    tmp_path: Path,
    model: AskedModel,
    name: str,
) -> None:
    answer_all(spec, tmp_path / "out", model=model)
    (tmp_path / "model" / name).write_text("more")
    assert run(model, [spec], PROTOCOL, tmp_path / "out")[1] == 0


def cut(path: Path, size: int) -> None:
    os.truncate(path, size)


@pytest.mark.parametrize(
    "spoil",
    [
        pytest.param(lambda path: path.unlink(), id="missing"),
        pytest.param(lambda path: cut(path, 0), id="empty"),
        pytest.param(lambda path: cut(path, 100), id="cut off"),
        pytest.param(lambda path: path.write_bytes(b"\0" * 100), id="NULs"),
        pytest.param(lambda path: path.write_text("[]"), id="foreign"),
        pytest.param(lambda path: path.write_text("[" * 99999), id="nested"),
        pytest.param(lambda path: path.write_text('{"layout": 2}'), id="without content"),
        pytest.param(
            lambda path: path.write_text('{"fingerprint": {"model": "some/model"}}'),
            id="of an earlier version",
        ),
    ],
)
def test_answers_of_an_unknown_model_are_not_used(
    spec: DatasetSpec,  # noqa: F811
    tmp_path: Path,
    spoil: Callable[[Path], Any],
) -> None:
    answer_all(spec, tmp_path / "out")
    spoil(tmp_path / "out" / "run.json")
    before = state(tmp_path / "out")
    with pytest.raises(InputError, match=r"run\.json"):
        run(MODEL, [spec], PROTOCOL, tmp_path / "out")
    assert state(tmp_path / "out") == before


@pytest.mark.usefixtures("dead_swift")
def test_a_run_without_answers_does_not_block_its_folder(
    spec: DatasetSpec,  # noqa: F811
    tmp_path: Path,
) -> None:
    out = tmp_path / "out"
    with pytest.raises(InferenceFailed):
        run(MODEL, [spec], PROTOCOL, out)
    (out / "parts" / "000.jsonl").write_text('{"response": "half')
    with pytest.raises(InferenceFailed):
        run(replace(MODEL, path="other/model"), [spec], PROTOCOL, out)
    assert json.loads((out / "run.json").read_text())["fingerprint"]["model"] == "other/model"
    assert [path.name for path in (out / "parts").iterdir()] == ["000.prompts.jsonl"]


@pytest.mark.usefixtures("dead_swift")
@pytest.mark.parametrize(
    "damage",
    [b"\0" * 4096 + b"\n", b"[]\n", b'{"images": []}\n', b"\xff\xfe\n", b'{"images": [3], "mess'],
    ids=["NULs", "a list", "half a row", "no UTF-8", "cut off"],
)
@pytest.mark.parametrize("file", ["000.jsonl", "000.prompts.jsonl"])
def test_what_is_whole_is_kept(
    spec: DatasetSpec,  # noqa: F811
    tmp_path: Path,
    damage: bytes,
    file: str,
) -> None:
    out = tmp_path / "out"
    answer_all(spec, out)
    keep_answers(out, 2)
    part = out / "parts" / file
    part.write_bytes(
        damage + (part.read_bytes() if part.exists() and damage[-1:] == b"\n" else b"")
    )
    left = len(read_answers(out / "parts"))
    if not left:
        return
    with pytest.raises(InferenceFailed):
        run(MODEL, [spec], PROTOCOL, out)
    asked = (out / "parts" / "001.prompts.jsonl").read_text().splitlines()
    assert len(asked) == 4 - left == 2


@pytest.mark.usefixtures("dead_swift")
def test_every_version_that_answered_is_recorded(
    spec: DatasetSpec,  # noqa: F811
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    out = tmp_path / "out"
    answer_all(spec, out)
    keep_answers(out, 2)
    for version in ("1", "2"):
        monkeypatch.setattr("mmdet_eval.asking.session.versions", lambda _, v=version: {"swift": v})
        with pytest.raises(InferenceFailed):
            run(MODEL, [spec], PROTOCOL, out)
    calls = json.loads((out / "run.json").read_text())["calls"]
    assert [call["versions"] for call in calls] == [{"swift": "1"}, {"swift": "2"}]


@pytest.mark.usefixtures("dead_swift")
def test_a_second_run_leaves_the_folder_of_the_first_alone(
    spec: DatasetSpec,  # noqa: F811
    tmp_path: Path,
) -> None:
    out = tmp_path / "out"
    answer_all(spec, out)
    before = state(out)
    with locked(out), pytest.raises(InputError):
        run(replace(MODEL, path="other/model"), [spec], PROTOCOL, out)
    assert state(out) == before


def test_half_a_surrogate_pair_in_an_answer(spec: DatasetSpec, tmp_path: Path) -> None:  # noqa: F811
    answer_all(spec, tmp_path / "out")
    part = tmp_path / "out" / "parts" / "000.jsonl"
    part.write_text(part.read_text().replace("0 Cat", "\\ud83d"))
    answered, _, _ = run(MODEL, [spec], PROTOCOL, tmp_path / "out")
    rows = [json.loads(line) for line in answered[0].answers.read_text("utf-8").splitlines()]
    assert "\ud83d" in [row["response"] for row in rows]


SECRETS = (
    *("hf_abcdefgh", "sk-12345678", "p4ssw0rd!", "hf_12345678", "sk-abcdefgh", "b3arer-t0ken"),
    "unknown-value",
)
SECRET_OPTIONS = [
    *("--hub_token", "hf_abcdefgh", "--api-key=sk-12345678", "--wandb_password", "p4ssw0rd!"),
    *("--adapters", "https://me:p4ssw0rd!@host/lora", "--something_new", "unknown-value"),
    *("--temperature", "0"),
    *("--hub_tok=hf_12345678", "--api", "sk-abcdefgh"),  # argparse takes abbreviations
    *("--vllm_engine_kwargs", '{"headers": {"Authorization": "Bearer b3arer-t0ken"}}'),
]


@pytest.mark.usefixtures("dead_swift")
def test_secrets_are_written_nowhere(spec: DatasetSpec, tmp_path: Path) -> None:  # noqa: F811
    """The stand-in for `swift infer` prints its arguments, as ms-swift does."""
    program = tmp_path / "dead" / "swift" / "cli" / "main.py"
    program.write_text("import sys\nprint(sys.argv)\nsys.exit(1)")
    out = tmp_path / "out"
    places = ["--ann", str(spec.ann), "--images", str(spec.images), "--out", str(out)]
    command = ["run", "--model", "m", *places, "--engine", "hotcoco", *SECRET_OPTIONS]
    command += ["--protocol", "vision_r1_odinw"]
    assert main(command) == 1
    record = (out / "run.json").read_text()
    assert "--temperature" in record, "what is harmless is recorded"
    answer_all(spec, out)
    (out / "run.json").write_text(record)
    assert main(command) == 0
    assert len(list(out.rglob("*.*"))) > 10
    for path in out.rglob("*.*"):
        text = path.read_bytes().decode(errors="replace") if path.is_file() else ""
        shown = SECRETS[:-1] if path.name == "infer.log" else SECRETS
        assert not [secret for secret in shown if secret in text], path
    assert "***" in (out / "infer.log").read_text()


def test_another_secret_is_no_other_answer() -> None:
    assert recorded(["--hub_token", "a" * 9]) == recorded(["--hub_token", "b" * 9]) == []
    assert recorded(["--something_new", "a"]) != recorded(["--something_new", "b"])


def test_secrets_of_the_environment_and_of_urls() -> None:
    found = secrets(["--adapters", "http://u:abcdefgh@x/y"], {"HF_TOKEN": "12345678", "PATH": "/"})
    assert found == ["u:abcdefgh", "12345678", "abcdefgh"]
    environ = {"PGPASSWORD": "p4ssw0rd", "X_APIKEY": "k3y-k3y", "http_proxy": "http://u:pr0xy99@h"}
    assert set(secrets([], environ)) == {"p4ssw0rd", "k3y-k3y", "u:pr0xy99", "pr0xy99"}
    harmless = {"PWD": "/home/me/project", "OLDPWD": "/home/me", "MAX_BATCHED_TOKENS": "100000"}
    assert secrets([], harmless) == []
    assert secrets([], {"DB_PWD": "/hidden", "MY_TOKENS": "abcdef"}) == ["/hidden", "abcdef"]


@pytest.mark.parametrize(
    ("option", "value"),
    [
        pytest.param("--vllm_engine_kwargs", '{"a": {"hf_token": "hf_abcdefgh"}}', id="JSON"),
        pytest.param("--adapters", "https://host/lora?rev=1&api_key=hf_abcdefgh", id="URL"),
        pytest.param("--load_args", "--verbose --api-key hf_abcdefgh", id="options"),
        pytest.param("--load_args", "--hub_tok=hf_abcdefgh", id="abbreviated option"),
        pytest.param("--h", '{"Authorization": "Bearer hf_abcdefgh"}', id="header"),
        pytest.param("--h", '["authorization: Basic hf_abcdefgh"]', id="line of a header"),
        pytest.param("--h", "Bearer hf_abcdefgh", id="scheme alone"),
        pytest.param("--h", '"{\\"api_key\\": \\"hf_abcdefgh\\"}"', id="JSON in JSON"),
    ],
)
def test_secrets_inside_values(option: str, value: str) -> None:
    assert "hf_abcdefgh" not in str(recorded([option, value]))
    assert secrets([option, value], {}) == ["hf_abcdefgh"]


def test_a_secret_of_several_words() -> None:
    value = "{'password': 'correct horse'}"
    assert secrets(["--load_args", value], {}) == ["correct horse"]


def test_harmless_values_are_recorded_as_they_are() -> None:
    long = ("a" * 100_000, "a:" * 50_000, "a " * 50_000, "a" + " " * 50_000, "\\" * 50_000)
    for value in ('{"max_tokens": 100000}', "The key: cat", "You have basic understanding.", *long):
        assert recorded(["--system", value])[1] == value
        assert secrets(["--system", value], {}) == []


def test_the_log_is_copied_without_secrets(tmp_path: Path) -> None:
    command = [sys.executable, "-S", str(FILTER), str(tmp_path / "log")]
    text = json.dumps(["abc", "ü"]).encode() + b"\nx abc y\n\xc3\xbc half \xff line"
    subprocess.run(command, input=text, check=True)
    assert (tmp_path / "log").read_bytes() == b"x *** y\n*** half \xff line"


def test_the_order_of_options_changes_no_answer() -> None:
    one, other = ["--seed", "1", "--top_p=1", "--seed", "2"], ["--top-p", "1", "--seed", "2"]
    assert recorded(one) == recorded(other) == ["--seed", "2", "--top_p", "1"]


def test_half_a_surrogate_pair_in_a_question(
    spec: DatasetSpec,  # noqa: F811
    tmp_path: Path,
) -> None:
    data = json.loads(spec.ann.read_text())
    data["categories"][0]["name"] = "red \ud83d"
    spec.ann.write_text(json.dumps(data))
    out = tmp_path / "prompts.jsonl"
    command = ["prompts", "--ann", str(spec.ann), "--images", str(spec.images), "--out", str(out)]
    assert main(command) == 0
    rows = [json.loads(line) for line in out.read_text("utf-8").splitlines()]
    assert all("red \ud83d" in row["query"] for row in rows)
