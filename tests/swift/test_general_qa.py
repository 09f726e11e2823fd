"""`mmdet-eval general-qa` and configs/eval/general_qa.yaml: a real `swift eval` with VLMEvalKit on
small benchmarks.

The models are the example's small Qwen2.5-VL, made to answer every question with one word.
"""

import base64
import csv
import io
import json
import os
import pickle
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from mmdet_eval.asking.contents import Contents
from mmdet_eval.asking.passed_options import secrets
from mmdet_eval.asking.record import new_record, write_record
from mmdet_eval.cli import main
from mmdet_eval.commands import general_qa as general_qa_command
from mmdet_eval.commands.general_qa import read_models
from mmdet_eval.general_qa.asking import answers_depend_on, black_out, is_whole
from mmdet_eval.general_qa.questions import PLUGIN, Benchmarks, NamedModel
from mmdet_eval.general_qa.scores import NO_ANSWER, Score, read_score
from swift_plugin_visionr1.errors import InputError
from swift_plugin_visionr1.recipes.overlays import load
from swift_plugin_visionr1.writing import locked

pytest.importorskip("swift", reason="needs the extra `swift`")
pytest.importorskip("evalscope", reason="needs the extra `qa`")

ROOT = Path(__file__).parents[2]
RECIPE = ROOT / "configs" / "eval" / "general_qa.yaml"
ANSWERS = {"base": "B", "vision_r1": "red"}
RED_BLUE, CAT_DOG = {"A": "red", "B": "blue"}, {"A": "cat", "B": "dog"}
BENCHMARKS: dict[str, list[dict[str, str]]] = {
    "GQA_TestDev_Balanced": [{"answer": "b"}, {"answer": "Red"}, {"answer": "B."}],
    "AI2D_TEST": [
        RED_BLUE | {"answer": "B"},
        CAT_DOG | {"answer": "B"},
        RED_BLUE | {"answer": "A"},
    ],
    "ChartQA_TEST": [
        {"answer": "red", "split": "test_human"},
        {"answer": "red", "split": "test_augmented"},
    ],
    "SEEDBench_IMG": [RED_BLUE | {"answer": "A"}, RED_BLUE | {"answer": "B"}],
}
TABLE = """\
|           |         GQA |         AI2D |        ChartQA |        SEED |
| --------- | ----------: | -----------: | -------------: | ----------: |
| base      |        33.3 |         66.7 |            0.0 |        50.0 |
| vision_r1 | 33.3 (+0.0) | 33.3 (-33.3) | 100.0 (+100.0) | 50.0 (+0.0) |
"""
# VLMEvalKit fetches a file again whose MD5 is not the published one's, and ms-swift's template has
# the image token's number of the full vocabulary built in; ours are others.
SMALL = """
from swift.template.templates.qwen import Qwen2VLTemplate
from vlmeval.dataset import ImageMCQDataset, ImageVQADataset
for kind in (ImageMCQDataset, ImageVQADataset):
    kind.DATASET_MD5 = {{}}
Qwen2VLTemplate.image_token_id = {image}
"""


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory, checkpoint: Path) -> Path:
    """A folder with `data`, the benchmarks' files, `models`, and small.py."""
    folder = tmp_path_factory.mktemp("general_qa")
    (folder / "data").mkdir()
    for name, questions in BENCHMARKS.items():
        rows = [
            {"index": str(index), "image": picture(index), "question": "What is it?"} | question
            for index, question in enumerate(questions)
        ]
        write(folder / "data" / f"{name}.tsv", rows)
    for name, word in ANSWERS.items():
        always_answering(word, folder / "models" / name, checkpoint)
    config = json.loads((checkpoint / "config.json").read_text())
    (folder / "small.py").write_text(SMALL.format(image=config["image_token_id"]))
    return folder


def picture(shade: int) -> str:
    """A plain JPEG in base64."""
    from PIL import Image

    file = io.BytesIO()
    Image.new("RGB", (112, 112), (40 * shade, 90, 120)).save(file, "JPEG")
    return base64.b64encode(file.getvalue()).decode()


def write(path: Path, rows: list[dict[str, str]]) -> None:
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]), delimiter="\t")
        writer.writeheader()
        writer.writerows(rows)


def always_answering(word: str, folder: Path, example: Path) -> None:
    """The example with layers that add nothing: the last token decides alone, "\\n" on the word,
    that on the end."""
    import torch
    from transformers import AutoTokenizer, Qwen2_5_VLForConditionalGeneration

    shutil.copytree(example, folder)
    model = Qwen2_5_VLForConditionalGeneration.from_pretrained(folder, dtype=torch.float32)
    words = AutoTokenizer.from_pretrained(folder)
    start, answer, end = words.encode("\n")[-1], words.encode(word)[-1], words.eos_token_id
    for layer in model.model.language_model.layers:
        torch.nn.init.zeros_(layer.self_attn.o_proj.weight)
        torch.nn.init.zeros_(layer.mlp.down_proj.weight)
    torch.nn.init.ones_(model.model.language_model.norm.weight)
    embedded = model.get_input_embeddings().weight.detach()
    embedded[[start, answer]] = torch.eye(2, embedded.shape[1])
    head = torch.zeros_like(embedded)
    head[[answer, end]] = embedded[[start, answer]]
    model.lm_head.weight = torch.nn.Parameter(head)
    model.config.tie_word_embeddings = model.config.text_config.tie_word_embeddings = False
    model.save_pretrained(folder)


def scored(folder: Path, benchmark: str) -> None:
    """VLMEvalKit's files of three multiple-choice questions: an option, none, and no answer."""
    folder.mkdir(parents=True)
    (folder / f"{folder.name}_{benchmark}_acc.csv").write_text('"split","Overall"\n"none","0.5"\n')
    logged = [
        ("B", "Match Log: B. "),
        ("x", "Match Log: Failed in Prefetch, no GPT."),
        (NO_ANSWER, "Match Log: "),
    ]
    rows = [
        {"index": str(index), "prediction": text, "log": log}
        for index, (text, log) in enumerate(logged)
    ]
    write(folder / f"{folder.name}_{benchmark}_openai_result.tsv", rows)


@pytest.fixture(scope="module")
def general_qa(place: Path) -> Callable[..., subprocess.CompletedProcess]:
    """The command from the root of the repository, on models by their names."""

    def run(*arguments: str, models: dict[str, Path], out: Path) -> subprocess.CompletedProcess:
        named = [text for name, path in models.items() for text in ("--model", f"{name}={path}")]
        own = ["--model_type", "qwen2_5_vl", "--template", "qwen2_5_vl", "--torch_dtype", "float32"]
        return subprocess.run(
            [
                sys.executable,
                "-m",
                "mmdet_eval",
                "general-qa",
                *named,
                "--out",
                str(out),
                "--recipe",
                str(RECIPE),
                *own,
                "--external_plugins",
                str(place / "small.py"),
                *arguments,
            ],
            capture_output=True,
            text=True,
            check=False,
            cwd=place,
            env=os.environ
            | {
                "LMUData": str(place / "data"),
                "USE_HF": "1",
                "HF_HUB_OFFLINE": "1",
                "OPENAI_API_KEY": "never used",
            },
        )

    return run


@pytest.fixture(scope="module")
def finished(place: Path, general_qa: Callable) -> subprocess.CompletedProcess:
    """Both models asked, from nothing."""
    return general_qa(models={name: place / "models" / name for name in ANSWERS}, out=place / "out")


@pytest.mark.slow
def test_two_models_in_one_table(finished: subprocess.CompletedProcess, place: Path) -> None:
    assert finished.returncode == 0, finished.stderr[-3000:]
    assert TABLE in finished.stdout
    assert finished.stdout == (place / "out" / "general_qa.md").read_text()
    scores = json.loads((place / "out" / "general_qa.json").read_text())["models"]
    assert [score["questions"] for score in scores["base"].values()] == [3, 3, 2, 2]
    assert [score["no_option"] for score in scores["vision_r1"].values()] == [None, 1, None, 0]
    assert not any(score["no_answer"] for own in scores.values() for score in own.values())


@pytest.mark.slow
def test_only_what_has_no_answer_is_asked_again(
    finished: subprocess.CompletedProcess, place: Path, general_qa: Callable
) -> None:
    """The server failed on one question of the trained model; the base model is not started
    again."""
    logs = [place / "out" / name / "eval.log" for name in ANSWERS]
    before = logs[0].stat().st_mtime_ns
    for file in (place / "out" / "vision_r1" / "results").glob("*/*_AI2D_TEST*.tsv"):
        rows = list(csv.DictReader(file.open(newline=""), delimiter="\t"))
        rows[2]["prediction"] = NO_ANSWER
        write(file, rows)
        (file.parent / "vision_r1_AI2D_TEST_supp.pkl").write_bytes(
            b"\x80\x04}"
        )  # cut off by a kill
    again = general_qa(
        models={name: place / "models" / name for name in ANSWERS}, out=place / "out"
    )
    assert again.returncode == 0, again.stderr[-3000:]
    assert again.stdout == finished.stdout
    assert logs[0].stat().st_mtime_ns == before
    assert (
        logs[1].read_text(errors="replace").count('"POST /v1/chat/completions HTTP/1.1" 200') == 1
    )


@pytest.mark.slow
def test_a_model_that_cannot_be_loaded_ends_the_run(
    place: Path, general_qa: Callable, tmp_path: Path
) -> None:
    """`swift eval` itself would wait for its server forever; and an earlier score is not taken for
    a new one."""
    broken = tmp_path / "broken"
    broken.mkdir()
    for file in (place / "models" / "base").iterdir():
        if file.suffix != ".safetensors":
            (broken / file.name).write_bytes(file.read_bytes())
    asked = {"models": {"broken": broken}, "out": tmp_path / "out"}
    assert general_qa("--eval_dataset", "AI2D_TEST", **asked).returncode == 1
    scored(tmp_path / "out" / "broken" / "results" / "broken", "AI2D_TEST")
    run = general_qa("--eval_dataset", "AI2D_TEST", **asked)
    assert run.returncode == 1
    assert "no answers to AI2D_TEST" in run.stderr
    assert "model.safetensors" in run.stderr


@pytest.mark.parametrize(
    ("models", "message"),
    [
        pytest.param(["runs/none/checkpoint-1"], "expected --model NAME=MODEL", id="no name"),
        pytest.param(
            ["../x=a/b"], "a name of letters, digits", id="a name that no folder can have"
        ),
        pytest.param(
            ["base={runs}/checkpoint-9"],
            "expected a model's folder or a hub's id .*checkpoint-9",
            id="path",
        ),
        pytest.param(
            ["base={runs}"], "it has .*checkpoint-5", id="the folder above the checkpoint"
        ),
        pytest.param(
            ["a=x/y", "a=x/z"],
            "expected models with different names, got a, a",
            id="two of one name",
        ),
    ],
)
def test_a_model_that_is_none_is_told_at_once(
    tmp_path: Path, models: list[str], message: str
) -> None:
    (tmp_path / "checkpoint-5").mkdir()
    with pytest.raises(InputError, match=message):
        read_models([text.format(runs=tmp_path) for text in models])


@pytest.mark.parametrize(
    ("recipe", "message"),
    [
        pytest.param(None, "expected a YAML file for `swift eval`, got none at", id="missing"),
        pytest.param(
            "eval_backend: Native\neval_dataset: [gqa]\n", "got Native", id="another backend"
        ),
    ],
)
def test_a_recipe_for_something_else_is_told_at_once(
    tmp_path: Path, capsys: pytest.CaptureFixture, recipe: str | None, message: str
) -> None:
    if recipe:
        (tmp_path / "recipe.yaml").write_text(recipe)
    code = main(
        [
            "general-qa",
            "--model",
            "a=x/y",
            "--out",
            str(tmp_path),
            "--recipe",
            str(tmp_path / "recipe.yaml"),
        ]
    )
    assert code == 2
    assert message in capsys.readouterr().err


@pytest.mark.parametrize(
    ("file", "option"), [("config.json", "--model"), ("adapter_config.json", "--adapters")]
)
def test_an_adapter_is_given_to_swift_as_one(tmp_path: Path, file: str, option: str) -> None:
    (tmp_path / file).write_text("{}")
    (model,) = read_models([f"a={tmp_path}"])
    arguments = Benchmarks(RECIPE, ("AI2D_TEST",)).arguments(model, tmp_path / "out")
    assert arguments[arguments.index(str(tmp_path)) - 1] == option


def test_the_recipe_fits_the_training_of_qwen2_5_vl() -> None:
    recipe, training = load(RECIPE), load(ROOT / "configs" / "train" / "qwen2_5_vl_7b.yaml")
    assert recipe["ENV"]["MAX_PIXELS"] == training["ENV"]["MAX_PIXELS"]
    assert ROOT / recipe["external_plugins"] == PLUGIN  # launched from the root of the repository


def test_a_missing_package_is_told_with_the_extra(
    tmp_path: Path, capsys: pytest.CaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(general_qa_command, "PACKAGES", ("json", "no_such_package"))
    assert (
        main(["general-qa", "--model", "a=x/y", "--out", str(tmp_path), "--recipe", str(RECIPE)])
        == 2
    )
    assert "got no no_such_package: install them with `pip install" in capsys.readouterr().err


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


def test_a_server_that_is_up_answers_as_one_model(
    tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    asked = [
        "--out",
        str(tmp_path),
        "--recipe",
        str(RECIPE),
        "--eval_url",
        "http://127.0.0.1:8000/v1",
    ]
    assert (
        main(["general-qa", "--model", "a=x/checkpoint-5", "--model", "b=y/checkpoint-5", *asked])
        == 2
    )
    assert "expected one --model with --eval_url" in capsys.readouterr().err


def test_a_folder_that_is_written_into_is_left_alone(
    tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    (tmp_path / "a").mkdir()
    with locked(tmp_path / "a"):
        assert (
            main(
                ["general-qa", "--model", "a=x/y", "--out", str(tmp_path), "--recipe", str(RECIPE)]
            )
            == 2
        )
    assert "expected no other writer in" in capsys.readouterr().err


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
