"""Published data sets through ms-swift's own loading: our rows with our reward, nothing changed
without it."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

pytest.importorskip("swift", reason="needs the extra `swift`")
datasets = pytest.importorskip("datasets")

from swift.arguments import RLHFArguments  # noqa: E402

from swift_plugin_visionr1 import SolutionError, read_solution  # noqa: E402
from swift_plugin_visionr1.errors import InputError  # noqa: E402

from .published_rows import BOX, SIZE, authors, grounding, ours, ovd, png, rec, rec_turns, rft  # noqa: E402


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder with one image, where ms-swift also keeps its caches and looks for images."""
    (tmp_path / "1.png").write_bytes(png())
    for name in ("MODELSCOPE_CACHE", "HF_DATASETS_CACHE"):
        monkeypatch.setenv(name, str(tmp_path / "cache"))
    monkeypatch.setenv("ROOT_IMAGE_DIR", str(tmp_path))
    monkeypatch.setenv("USE_HF", "1")
    return tmp_path


def load(*paths: Path, rewards: tuple[str, ...] = ("vision_r1",), **changes: object) -> list[dict]:
    """What `swift rlhf --dataset paths --reward_funcs ...` trains on: its arguments' own loading,
    without a model."""
    arguments = RLHFArguments.__new__(RLHFArguments)
    fields = {
        "dataset": list(map(str, paths)),
        "val_dataset": [],
        "reward_funcs": list(rewards),
        "columns": {},
    }
    lists = {"model_name": None, "model_author": None, "interleave_prob": None}
    for name, value in (
        fields | lists | {"remove_unused_columns": False, "data_seed": 1} | changes
    ).items():
        setattr(arguments, name, value)
    return list(arguments.load_dataset()[0])


def jsonl(path: Path, rows: list[dict]) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


FORMS = [ours, authors, grounding, rec, rec_turns, ovd, rft]


@pytest.mark.parametrize("row", FORMS, ids=lambda row: row.__name__)
def test_each_form_becomes_our_rows(folder: Path, row: Callable[[], dict]) -> None:
    loaded = load(jsonl(folder / "rows.jsonl", [row()] * 3))
    assert len(loaded) == 3
    for made in loaded:
        truth = read_solution(made["solution"])
        assert truth.size == SIZE
        assert truth.boxes[0].tolist() == pytest.approx(BOX, abs=1e-6)
        assert truth.labels == ("cat",)
        assert [message["role"] for message in made["messages"]] == ["user"]
        assert made["messages"][0]["content"].count("<image>") == 1
        assert [image["path"] for image in made["images"]] == ["1.png"]


def test_several_forms_in_one_run(folder: Path) -> None:
    paths = [jsonl(folder / f"{number}.jsonl", [row()]) for number, row in enumerate(FORMS)]
    loaded = load(*paths)
    assert [read_solution(made["solution"]).size for made in loaded] == [SIZE] * len(FORMS)


def as_json(rows: list[dict], folder: Path) -> Path:
    (folder / "rows.json").write_text(json.dumps(rows))
    return folder / "rows.json"


def as_csv(rows: list[dict], folder: Path) -> Path:
    datasets.Dataset.from_list(rows).to_csv(folder / "rows.csv")
    return folder / "rows.csv"


def with_images(rows: list[dict]) -> object:
    table = datasets.Dataset.from_list(
        [row | {"image": {"bytes": png(), "path": "gone.png"}} for row in rows]
    )
    return table.cast_column("image", datasets.Image())


def as_parquet(rows: list[dict], folder: Path) -> Path:
    with_images(rows).to_parquet(folder / "rows.parquet")
    return folder / "rows.parquet"


def as_arrow(rows: list[dict], folder: Path) -> Path:
    with_images(rows).save_to_disk(folder / "saved")
    return next((folder / "saved").glob("*.arrow"))


@pytest.mark.parametrize("row", [authors, rft], ids=["authors", "rft"])
@pytest.mark.parametrize(
    "save", [as_json, as_csv, as_parquet, as_arrow], ids=["json", "csv", "parquet", "arrow"]
)
def test_each_kind_of_file(folder: Path, row: Callable[[], dict], save: Callable) -> None:
    loaded = load(save([row()] * 2, folder))
    assert [read_solution(made["solution"]).size for made in loaded] == [SIZE] * 2
    image = loaded[0]["images"][0]
    assert image["path"] == "1.png" if save in (as_json, as_csv) else image["bytes"] == png()


def test_a_stream(folder: Path) -> None:
    loaded = load(jsonl(folder / "rows.jsonl", [grounding()] * 3), streaming=True)
    assert [read_solution(made["solution"]).labels for made in loaded] == [("cat",)] * 3


def test_columns_by_another_name(folder: Path) -> None:
    row = authors()
    row["question"] = row.pop("problem")
    loaded = load(jsonl(folder / "rows.jsonl", [row]), columns={"question": "problem"})
    assert read_solution(loaded[0]["solution"]).labels == ("cat",)


@pytest.mark.parametrize("streaming", [False, True], ids=["map", "stream"])
def test_a_bad_row_is_named_with_its_file_and_reason(folder: Path, streaming: bool) -> None:
    path = jsonl(folder / "rows.jsonl", [authors(), authors() | {"width": 20}, authors()])
    with pytest.raises(
        SolutionError, match=f"row 2 of {path}, read as Vision-R1-Data: expected box 0 inside"
    ):
        load(path, streaming=streaming)


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        pytest.param("rows.zip", "PK", "unpack it", id="an archive"),
        pytest.param("names.txt", "1.png\n", "answer without a question", id="text"),
        pytest.param("empty.jsonl", "", "empty file", id="empty"),
        pytest.param(
            "coco.json",
            '{"images": [{"id": 1}], "annotations": [], "categories": []}',
            "vision-r1 prepare --ann",
            id="coco",
        ),
        pytest.param("other.csv", "img,bbox\n1.png,2\n", "bbox, img", id="other columns"),
    ],
)
def test_a_file_without_rows_is_refused_by_what_it_is(
    folder: Path, name: str, text: str, said: str
) -> None:
    (folder / name).write_text(text)
    with pytest.raises(InputError, match=said):
        load(folder / name)


def test_a_file_of_which_ms_swift_can_use_no_row(folder: Path) -> None:
    file = jsonl(folder / "rows.jsonl", [{"messages": [{"role": "nobody", "content": "x"}]}])
    with pytest.raises(InputError, match=r"leave out 1: row 1: .*the role nobody"):
        load(file)


def test_a_missing_image_is_named(folder: Path) -> None:
    path = jsonl(folder / "rows.jsonl", [rft() | {"image": "gone.png"}])
    with pytest.raises(
        SolutionError, match=f"row 1 of {path}.* expected an image file at .*gone.png"
    ):
        load(path)


WITHOUT = """
import json, sys
from swift.dataset import load_dataset
for path in sys.argv[1:]:
    rows = list(load_dataset(path, load_from_cache_file=False, remove_unused_columns=False)[0])
    print("ROWS" + json.dumps(rows))
"""
ALPACA = {"instruction": "Say it", "input": "twice", "output": "it it"}


def without_plugin(*paths: Path) -> list[list[dict]]:
    result = subprocess.run(
        [sys.executable, "-c", WITHOUT, *map(str, paths)],
        capture_output=True,
        text=True,
        check=True,
        env=os.environ | {"VISION_R1_NO_AUTOLOAD": "1"},
    )
    return [
        json.loads(line.removeprefix("ROWS"))
        for line in result.stdout.splitlines()
        if line.startswith("ROWS")
    ]


def test_without_our_reward_every_row_is_what_ms_swift_makes_of_it(folder: Path) -> None:
    kinds = [*FORMS, lambda: ALPACA]
    paths = [jsonl(folder / f"{number}.jsonl", [kind()] * 2) for number, kind in enumerate(kinds)]
    expected = without_plugin(*paths)
    assert len(expected) == len(paths)
    assert any("objects" in row and row["objects"] for rows in expected for row in rows)
    for path, rows in zip(paths, expected, strict=True):
        assert load(path, rewards=("accuracy",)) == rows
        assert load(path, rewards=()) == rows


def test_unknown_rows_are_ms_swifts_with_our_reward_too(folder: Path) -> None:
    path = jsonl(folder / "rows.jsonl", [ALPACA])
    assert load(path) == without_plugin(path)[0]


def without(row: dict, name: str) -> dict:
    return {key: value for key, value in row.items() if key != name}


ASKED = {"role": "user", "content": "<image>Find cats"}
UNREADABLE = [
    pytest.param(without(ours(), "messages"), 'it has no "messages"; it has only', id="missing"),
    pytest.param(
        without(ours(), "messages") | {"mesages": [ASKED]}, 'it has "mesages"', id="misspelt"
    ),
    pytest.param(ours() | {"messages": []}, 'its "messages" are empty', id="empty"),
    pytest.param(ours() | {"messages": None}, 'it has no "messages"', id="null"),
    pytest.param(
        ours() | {"messages": [{"role": "asker", "content": "?"}]}, "the role asker", id="role"
    ),
    pytest.param(ours() | {"messages": [{"role": "user"}]}, 'no "content"', id="content"),
]


@pytest.mark.parametrize(("row", "reason"), UNREADABLE)
def test_a_row_that_ms_swift_leaves_out_is_named(folder: Path, row: dict, reason: str) -> None:
    path = jsonl(folder / "rows.jsonl", [ours()] * 6 + [row] + [ours()] * 13)
    assert len(load(path, rewards=("accuracy",))) == 19
    with pytest.raises(InputError, match=f"the 20 rows of {path}.* leave out 1: row 7: .*{reason}"):
        load(path)


@pytest.mark.parametrize(("row", "reason"), UNREADABLE)
def test_rows_that_are_all_left_out_are_named(folder: Path, row: dict, reason: str) -> None:
    path = jsonl(folder / "rows.jsonl", [row] * 8)
    with pytest.raises(InputError, match=f"leave out 8: row 1: .*{reason}.*; and 3 more"):
        load(path)


def test_a_row_without_a_question_is_named(folder: Path) -> None:
    answer = {"role": "assistant", "content": "[]"}
    path = jsonl(folder / "rows.jsonl", [ours(), ours() | {"messages": [answer]}])
    with pytest.raises(InputError, match="row 2: no message is a user's; there are assistant"):
        load(path)


def test_a_published_row_with_bad_messages_is_named(folder: Path) -> None:
    bad = grounding() | {"messages": [{"role": "asker", "content": "<image>"}]}
    path = jsonl(folder / "rows.jsonl", [grounding(), bad])
    with pytest.raises(SolutionError, match=f"row 2 of {path}, read as"):
        load(path)


def with_blank_lines(rows: list[dict], folder: Path) -> Path:
    path = folder / "rows.jsonl"
    path.write_text("".join(f"\n{json.dumps(row)}\n" for row in rows))
    return path


@pytest.mark.parametrize(
    ("save", "number"),
    [
        pytest.param(as_json, 2, id="json"),
        pytest.param(with_blank_lines, 4, id="blank lines"),
        pytest.param(lambda rows, folder: as_csv(rows, folder), 2, id="csv"),
    ],
)
def test_each_kind_of_file_is_counted(folder: Path, save: Callable, number: int) -> None:
    rows = [ours(), ours() | {"messages": []}, ours()]
    path = save(rows, folder)
    with pytest.raises(InputError, match=f"leave out 1: row {number}: "):
        load(path)


def test_a_parquet_file_is_counted(folder: Path) -> None:
    path = folder / "rows.parquet"
    datasets.Dataset.from_list([ours(), ours(), ours() | {"messages": []}]).to_parquet(path)
    with pytest.raises(InputError, match="leave out 1: row 3: "):
        load(path)


def test_what_the_user_asks_to_leave_out_is_no_loss(folder: Path) -> None:
    path = jsonl(folder / "rows.jsonl", [ours()] * 20)
    assert len(load(path, split_dataset_ratio=0.25)) == 15
    assert len(load(f"{path}#7")) == 7
    assert len(load(path, path)) == 40


def test_a_loaded_row_has_no_column_of_ours(folder: Path) -> None:
    path = jsonl(folder / "rows.jsonl", [ours()] * 3)
    assert load(path) == without_plugin(path)[0]


@pytest.mark.slow
def test_a_run_on_published_rows(grpo: Callable, rows: list, tmp_path: Path) -> None:
    """The example's scenes, rewritten as the authors' rows."""
    published = []
    for row in rows:
        own = json.loads(row["solution"])
        pairs = [[label, [box]] for label, box in zip(own["labels"], own["boxes"], strict=True)]
        question = row["messages"][0]["content"].removeprefix("<image>")
        published.append(
            {
                "image": row["images"][0],
                "problem": question,
                "solution": json.dumps(pairs),
                "width": own["width"],
                "height": own["height"],
                "num_instances": len(pairs),
                "target_id_maps": "{}",
            }
        )
    rewards = ["--reward_funcs", "vision_r1", "--callbacks", "vision_r1"]
    run = grpo(published, tmp_path, *rewards, "--max_steps", 2, "--save_strategy", "no")
    assert run.code == 0, run.text[-3000:]
    assert "Vision-R1-Data" in run.text
    assert "16 rows in train_dataset" in run.text
    assert [row["vision_r1/truths"] > 0 for row in run.steps] == [True, True]
