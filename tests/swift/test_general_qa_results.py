"""Which answers of `mmdet-eval general-qa` are used again, and how its results are read."""

import json
import pickle
from pathlib import Path

import pytest

from mmdet_eval.asking.contents import Contents
from mmdet_eval.asking.passed_options import secrets
from mmdet_eval.asking.record import new_record, write_record
from mmdet_eval.cli import main
from mmdet_eval.general_qa.asking import answers_depend_on, black_out, is_whole
from mmdet_eval.general_qa.questions import PLUGIN, Benchmarks, NamedModel
from mmdet_eval.general_qa.scores import NO_ANSWER, Score, read_score
from swift_plugin_visionr1.errors import InputError

from .benchmark_files import scored

pytest.importorskip("swift", reason="needs the extra `swift`")
pytest.importorskip("evalscope", reason="needs the extra `qa`")

RECIPE = Path(__file__).parents[2] / "configs" / "eval" / "general_qa.yaml"


def dependencies(options: list[str], plugins: list[str]) -> dict[str, object]:
    asked = Benchmarks(RECIPE, ("AI2D_TEST",), tuple(plugins), tuple(options))
    return answers_depend_on(NamedModel("a", "x/y"), asked, Contents())


def test_answers_to_other_questions_are_not_reused(
    tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    told = dependencies([], []) | {"environment": {"MAX_PIXELS": "1"}}
    scored(tmp_path / "a" / "results" / "m", "AI2D_TEST")
    write_record(tmp_path / "a", new_record(told))
    command = ["general-qa", "--model", "a=x/y", "--out", str(tmp_path), "--recipe", str(RECIPE)]
    assert main(command) == 2
    told = capsys.readouterr().err
    assert "'MAX_PIXELS': '1'" in told
    assert "'MAX_PIXELS': '401408'" in told


@pytest.mark.parametrize("content", [None, "", "\0\0", "[]", "{}", '{"answers depend on": {}}'])
def test_answers_of_an_unknown_model_are_not_reused(tmp_path: Path, content: str | None) -> None:
    scored(tmp_path / "a" / "results" / "m", "AI2D_TEST")
    if content is not None:
        (tmp_path / "a" / "run.json").write_text(content)
    command = ["general-qa", "--model", "a=x/y", "--out", str(tmp_path), "--recipe", str(RECIPE)]
    assert main(command) == 2


@pytest.mark.parametrize(
    ("options", "plugins", "changed"),
    [
        pytest.param(["--max-batch-size", "4"], [], set(), id="speed"),
        pytest.param(
            ["--eval_url", "http://127.0.0.1:8000/v1"], [], set(), id="a server that is up"
        ),
        pytest.param(["--api_key", "sk-abcdefgh"], [], set(), id="a secret"),
        pytest.param(["--eval_limit=10"], [], {"arguments"}, id="fewer questions"),
        pytest.param([], [str(PLUGIN)], {"arguments", "option_files"}, id="a plugin"),
    ],
)
def test_what_the_answers_depend_on(
    options: list[str], plugins: list[str], changed: set[str]
) -> None:
    plain, own = dependencies([], []), dependencies(options, plugins)
    assert {name for name in own if own[name] != plain.get(name)} == changed


def test_a_pickle_is_looked_through_and_not_loaded(tmp_path: Path) -> None:
    class Hostile:
        def __reduce__(self) -> tuple[object, tuple[str]]:
            return exec, (f"open({str(tmp_path / 'ran')!r}, 'w')",)

    file = tmp_path / "answers.pkl"
    file.write_bytes(pickle.dumps(Hostile()))
    assert is_whole(file)
    assert not (tmp_path / "ran").exists()
    file.write_bytes(pickle.dumps({1: "red" * 99})[:-20])
    assert not is_whole(file)
    file.write_bytes(b"\0" * 99)
    assert not is_whole(file)


def test_results_of_two_models_in_one_folder_are_refused(tmp_path: Path) -> None:
    for model in ("one", "two"):
        (tmp_path / model).mkdir()
        (tmp_path / model / f"{model}_AI2D_TEST_acc.csv").write_text(
            '"split","Overall"\n"none","0.5"\n'
        )
    with pytest.raises(InputError, match="expected one model's results"):
        read_score(tmp_path, "AI2D_TEST")


def test_multiple_choice_is_a_fraction_and_the_rest_percent(tmp_path: Path) -> None:
    scored(tmp_path / "m", "AI2D_TEST")
    (tmp_path / "m" / "m_GQA_acc.csv").write_text('"Overall"\n"50.0"\n')
    (tmp_path / "m" / "m_GQA_results.tsv").write_text(
        f"index\tprediction\n0\tyes\n1\t{NO_ANSWER} \n"
    )
    assert read_score(tmp_path, "AI2D_TEST") == Score(0.5, 3, 1, 1)
    assert read_score(tmp_path, "GQA") == Score(0.5, 2, None, 1)
    assert read_score(tmp_path, "ChartQA_TEST") is None


@pytest.mark.parametrize(
    ("overall", "answers"),
    [
        pytest.param('"Overall"\n""\n', b"index\tprediction\n0\tyes\n", id="no number"),
        pytest.param('"Overall"\nnan\n', b"index\tprediction\n0\tyes\n", id="not finite"),
        pytest.param('"Overall"\n50\n', b"", id="no answers"),
        pytest.param('"Overall"\n50\n', b"\0" * 64, id="NULs"),
        pytest.param('"Overall"\n50\n', b"index\tanswer\n0\tyes\n", id="another column"),
        pytest.param('"Overall"\n50\n', b"index\tprediction\n0\t\xff\n", id="not UTF-8"),
    ],
)
def test_damaged_results_are_named_and_no_score(
    tmp_path: Path, overall: str, answers: bytes
) -> None:
    (tmp_path / "m").mkdir()
    (tmp_path / "m" / "m_GQA_acc.csv").write_text(overall)
    (tmp_path / "m" / "m_GQA_results.tsv").write_bytes(answers)
    with pytest.raises(InputError, match="m_GQA_"):
        read_score(tmp_path, "GQA")


def test_the_base_of_an_adapter_is_part_of_what_the_answers_depend_on(tmp_path: Path) -> None:
    adapter, base = tmp_path / "adapter", tmp_path / "base"
    for folder in (adapter, base):
        folder.mkdir()
    (adapter / "adapter_config.json").write_text(json.dumps({"base_model_name_or_path": str(base)}))
    asked = Benchmarks(RECIPE, ("AI2D_TEST",), (), ())
    seen = set()
    for weights in (b"one", b"two"):
        (base / "model.safetensors").write_bytes(weights)
        facts = answers_depend_on(NamedModel("a", str(adapter)), asked, Contents())
        seen.add(json.dumps(facts, sort_keys=True))
    assert len(seen) == 2


def test_secrets_go_out_of_evalscopes_records_and_stay_in_results(tmp_path: Path) -> None:
    kept = ("results/m/m_AI2D_TEST.tsv", "run.json")
    names = ("20260101_000000/configs/task_config.yaml", "20260101_000000/logs/eval_log.log")
    for name in (*kept, *names):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("key: sk-12345678 ü")
    black_out(tmp_path, ["sk-12345678"])
    assert {(tmp_path / name).read_text() for name in names} == {"key: *** ü"}
    assert {(tmp_path / name).read_text() for name in kept} == {"key: sk-12345678 ü"}


def test_a_key_in_the_recipe_is_known_as_a_secret(tmp_path: Path) -> None:
    recipe = tmp_path / "recipe.yaml"
    recipe.write_text(RECIPE.read_text() + "\napi_key: sk-12345678\n")
    told = Benchmarks(recipe, ("AI2D_TEST",), (), ("--hub_tok", "hf_12345678")).passed()
    assert secrets(told, {}) == ["hf_12345678", "sk-12345678"]
