"""`mmdet-eval general-qa` and configs/eval/general_qa.yaml: a real `swift eval` with VLMEvalKit on
small benchmarks.

The models are the example's small Qwen2.5-VL, made to answer every question with one word.
"""

import base64
import csv
import io
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from mmdet_eval.cli import main
from mmdet_eval.commands import general_qa as general_qa_command
from mmdet_eval.commands.general_qa import read_models
from mmdet_eval.general_qa.questions import PLUGIN, Benchmarks
from mmdet_eval.general_qa.scores import NO_ANSWER
from swift_plugin_visionr1.errors import InputError
from swift_plugin_visionr1.recipes.overlays import load
from swift_plugin_visionr1.writing import locked

from .benchmark_files import scored, write

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
    assert "AI2D_TEST" in run.stderr
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
    assert "no_such_package" in capsys.readouterr().err


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
