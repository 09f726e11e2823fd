"""Rows of every form that GRPO takes to rows for a supervised run."""

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from swift_plugin_visionr1 import Settings
from swift_plugin_visionr1.cli import main
from swift_plugin_visionr1.models.model_io import Limits, model_io

from .test_rows import A, authors, grounding, ovd, rec, rec_turns, rft

OURS = {
    "messages": [
        {"role": "system", "content": "You see."},
        {"role": "user", "content": "<image>Find it"},
    ],
    "images": ["1.jpg"],
    "solution": json.dumps({"width": 500, "height": 200, "boxes": [A], "labels": ["cat"]}),
    "channel": "mine",
}
HERE = {"image": "1.jpg"}
PUBLISHED = {  # each with a box A of a cat in 1.jpg of 500 x 200
    "ours": OURS,
    "ours with an answer": OURS
    | {"messages": [*OURS["messages"], {"role": "assistant", "content": "Somewhere."}]},
    "authors": authors(**HERE, solution=json.dumps([["cat", [A]]])),
    "objects": grounding("<ref-object><bbox>", ["cat"], [A]),
    "objects that the question names": grounding(
        "<bbox>", ["cat"], [A], "<image>Find <ref-object>"
    ),
    "VLM-R1 problem": rec(**HERE, solution=A, normal_caption="cat"),
    "VLM-R1 conversation": rec_turns(A, "<image>Give the region this sentence describes: cat."),
    "VLM-R1 detection": ovd('```json\n[{"bbox_2d": [10, 20, 30, 40], "label": "cat"}]\n```'),
    "Visual-RFT": rft(
        "<answer>[{'Position': [20, 100, 60, 200], 'Confidence': 1}]</answer>",
        "the category 'cat' in the image, between 0 and 1000",
    )
    | HERE,
}


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with 1.jpg, in which the command runs with nothing in its environment."""
    for name in ("MAX_PIXELS", "VISION_R1_CONFIG", "ROOT_IMAGE_DIR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)
    Image.new("RGB", (500, 200)).save("1.jpg")
    return tmp_path


def prepared(*options: str, rows: list | None = None, file: str = "rows.jsonl") -> list[dict]:
    """What `vision-r1 prepare --rows` writes."""
    if rows is not None:
        Path(file).write_text("".join(json.dumps(row) + "\n" for row in rows))
    assert main(["prepare", "--rows", file, "--out", "out/sft.jsonl", *options]) == 0
    return [json.loads(line) for line in Path("out/sft.jsonl").read_text().splitlines()]


@pytest.mark.parametrize("model_type", ["qwen2_5_vl", "internvl_chat"])
@pytest.mark.parametrize("form", PUBLISHED)
def test_rows_of_each_form_get_the_answer_that_is_read_back(
    here: Path, form: str, model_type: str
) -> None:
    made = prepared("--target", "--model-type", model_type, rows=[PUBLISHED[form]] * 2)
    assert len(made) == 2
    io = model_io(Settings(), model_type, Limits({}))
    view = io.resize.view((500, 200))
    for row in made:
        assert [message["role"] for message in row["messages"][-2:]] == ["user", "assistant"]
        parsed = io.format.parse(row["messages"][-1]["content"])
        assert parsed.issues == ()
        assert parsed.labels == ("cat",)
        np.testing.assert_allclose(
            parsed.boxes, io.format.frame.from_image(np.array([A]), view), rtol=0, atol=0.5
        )
        assert json.loads(row["solution"]) == {
            "width": 500,
            "height": 200,
            "boxes": [A],
            "labels": ["cat"],
        }
        assert row["images"] == [str(here / "1.jpg")]


def test_rows_without_targets_keep_their_question_and_columns(here: Path) -> None:
    made = prepared(rows=[PUBLISHED["ours with an answer"]])
    assert made == [OURS | {"images": [str(here / "1.jpg")]}]
    question, answer = prepared("--target", rows=[PUBLISHED["objects that the question names"]])[0][
        "messages"
    ]
    assert question["content"] == "<image>Find <ref-object>"
    assert answer["content"].count("bbox_2d") == 1


def test_what_was_written_is_said(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    prepared(
        "--target", "--model-type", "qwen3_vl", rows=[OURS | {"images": [str(here / "1.jpg")]}] * 3
    )
    said = capsys.readouterr()
    assert said.out.startswith(
        "wrote out/sft.jsonl: 3 rows, 3 boxes\nfirst question: Find it\nanswers: qwen3_vl, "
    )
    assert said.err == ""


def test_rows_with_nothing_to_find_are_answered_so(here: Path) -> None:
    made = prepared("--target", "--model-type", "qwen2_5_vl", rows=[authors(**HERE, solution="[]")])
    assert made[0]["messages"][-1]["content"] == "```json\n[]\n```"


@pytest.mark.parametrize("suffix", ["json", "csv", "parquet"])
def test_each_kind_of_file_of_rows(here: Path, suffix: str) -> None:
    row = PUBLISHED["authors"]
    if suffix == "json":
        Path("rows.json").write_text(json.dumps([row, row]))
    else:
        datasets = pytest.importorskip("datasets")
        image = (
            {"bytes": Path("1.jpg").read_bytes(), "path": "gone.jpg"}
            if suffix == "parquet"
            else "1.jpg"
        )
        table = datasets.Dataset.from_list([row | {"image": image}] * 2)
        getattr(table, f"to_{suffix}")(f"rows.{suffix}")
    made = prepared("--target", file=f"rows.{suffix}")
    assert [json.loads(each["solution"])["boxes"] for each in made] == [[A], [A]]
    image = Path(made[0]["images"][0])
    assert image.read_bytes() == Path("1.jpg").read_bytes()
    assert image.parent == (here / "out" / "sft_images" if suffix == "parquet" else here)


def test_images_are_looked_for_as_ms_swift_does(
    here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (here / "elsewhere").mkdir()
    monkeypatch.chdir("elsewhere")
    monkeypatch.setenv("ROOT_IMAGE_DIR", str(here))
    url = "https://example.org/1.jpg"
    made = prepared("--target", rows=[OURS, OURS | {"images": [url]}])
    assert [row["images"] for row in made] == [[str(here / "1.jpg")], [url]]


@pytest.mark.parametrize(
    ("bad", "said"),
    [
        pytest.param(
            authors(**HERE, width=60),
            "row 2 of rows.jsonl, read as Vision-R1-Data: expected box 1 inside",
            id="a box outside",
        ),
        pytest.param(
            authors(image="gone.jpg"), "expected an image file at gone.jpg, got none", id="no image"
        ),
        pytest.param(
            authors(**HERE, width=501),
            "those of the image file, 500 x 200, got 501 x 200",
            id="another size",
        ),
        pytest.param(authors(image="rows.jsonl"), "an image that can be opened", id="no picture"),
        pytest.param([1], "row 2 of rows.jsonl: expected a JSON object, got a list", id="no row"),
    ],
)
def test_a_row_that_cannot_be_used_stops_and_leaves_what_was_there(
    here: Path, capsys: pytest.CaptureFixture[str], bad: object, said: str
) -> None:
    out = here / "out" / "sft.jsonl"
    prepared(rows=[OURS])
    before = out.read_text()
    Path("rows.jsonl").write_text(
        "".join(json.dumps(row) + "\n" for row in (PUBLISHED["authors"], bad))
    )
    assert main(["prepare", "--rows", "rows.jsonl", "--out", str(out), "--target"]) == 2
    error = capsys.readouterr().err.splitlines()[-1]
    assert "row 2 of rows.jsonl" in error
    assert said in error
    assert out.read_text() == before
    assert list(out.parent.iterdir()) == [out]


@pytest.mark.parametrize(
    ("row", "said"),
    [
        pytest.param(
            {"query": "Hi", "response": "Hi"},
            "a column solution, or a published form of rows, got query, response",
            id="another task",
        ),
        pytest.param(
            {"images": ["1.jpg"], "solution": OURS["solution"]},
            "expected messages with the question",
            id="no question",
        ),
    ],
)
def test_a_file_of_other_rows(
    here: Path, capsys: pytest.CaptureFixture[str], row: dict, said: str
) -> None:
    Path("rows.jsonl").write_text(json.dumps(row))
    assert main(["prepare", "--rows", "rows.jsonl", "--out", "sft.jsonl"]) == 2
    assert said in capsys.readouterr().err


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        pytest.param("rows.jsonl", "", "expected rows in rows.jsonl, got none", id="empty"),
        pytest.param(
            "rows.txt",
            "",
            "in a .jsonl, .jsonl.gz, .json, .parquet or .csv file, got rows.txt",
            id="another kind",
        ),
        pytest.param(
            "rows.parquet", "{}", "expected a .parquet file at rows.parquet", id="no parquet"
        ),
        pytest.param("gone/rows.jsonl", None, "No such file", id="none"),
    ],
)
def test_a_file_that_holds_no_rows(
    here: Path, capsys: pytest.CaptureFixture[str], name: str, content: str | None, said: str
) -> None:
    if name.endswith("parquet"):
        pytest.importorskip("pyarrow")
    if content is not None:
        Path(name).write_text(content)
    assert main(["prepare", "--rows", name, "--out", "sft.jsonl"]) == 2
    assert said in capsys.readouterr().err
    assert not Path("sft.jsonl").exists()


@pytest.mark.parametrize(
    ("options", "said"),
    [
        pytest.param(
            ["--rows", "r.jsonl", "--classes", "cat"],
            "--classes only with --ann",
            id="classes",
        ),
        pytest.param(
            ["--rows", "r.jsonl", "--prompt", "Find {}."],
            "--prompt only with --ann",
            id="prompt",
        ),
        pytest.param(
            ["--rows", "r.jsonl", "--images", "."],
            "--images only with --ann",
            id="images",
        ),
        pytest.param(
            ["--rows", "r.jsonl", "--model-type", "paligemma"],
            "--target with --rows",
            id="a model without an answer",
        ),
        pytest.param(["--ann", "a.json"], "--images with --ann", id="annotations without images"),
    ],
)
def test_options_that_do_not_go_together(
    here: Path, capsys: pytest.CaptureFixture[str], options: list[str], said: str
) -> None:
    assert main(["prepare", "--out", "sft.jsonl", *options]) == 2
    assert said in capsys.readouterr().err


def test_annotations_or_rows(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["prepare", "--out", "sft.jsonl"]) == 2
    assert "--rows" in capsys.readouterr().err
    with pytest.raises(SystemExit, match="2"):
        main(["prepare", "--out", "sft.jsonl", "--ann", "a.json", "--rows", "r.jsonl"])
    assert "--rows" in capsys.readouterr().err
