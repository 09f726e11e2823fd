"""`vision-r1 doctor` on supervised rows: the answers are found in every form that ms-swift takes,
and judged as the model is taught them."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from swift_plugin_visionr1 import Settings
from swift_plugin_visionr1.models.model_io import model_io
from swift_plugin_visionr1.models.right_answer import target

from .planted import Row

pytest.importorskip("PIL", reason="needs the extra `viz`")

SFT = {"rlhf_type": None, "reward_funcs": [], "callbacks": []}
ENTRY = '{"bbox_2d": <bbox>, "label": "<ref-object>"}'
QWEN3 = {"model": "Qwen/Qwen3-VL-8B-Instruct", "model_type": "qwen3_vl"}


def truth_of(row: Row) -> dict:
    return json.loads(row["solution"])


def full(scenes: list[Row]) -> list[Row]:
    return [row for row in scenes if truth_of(row)["boxes"]]


def objects_row(row: Row, answer: Callable[[int], str], messages: bool = True) -> Row:
    """ms-swift's `objects` row with a question that names the first category by a placeholder."""
    truth = truth_of(row)
    count = len(truth["boxes"])
    turns = [
        {"role": "user", "content": "<image>Find <ref-object>"},
        {"role": "assistant", "content": answer(count)},
    ]
    refs = [truth["labels"][0], *truth["labels"]]
    objects = {"ref": refs, "bbox": truth["boxes"]}
    columns = {"messages": turns} if messages else {"query": turns[0]["content"]}
    if not messages:
        columns["response"] = turns[1]["content"]
    return columns | {"images": row["images"], "objects": objects}


def as_json(count: int) -> str:
    return "[" + ", ".join([ENTRY] * count) + "]"


@pytest.mark.parametrize("model", [{}, QWEN3], ids=["qwen2_5_vl", "qwen3_vl"])
@pytest.mark.parametrize("messages", [True, False], ids=["messages", "query and response"])
def test_objects_with_the_new_format_are_right_answers(
    scenes: list[Row], examine: Callable, model: dict, messages: bool
) -> None:
    rows = [objects_row(row, as_json, messages) for row in full(scenes)]
    told = examine(rows, ENV={"QWENVL_BBOX_FORMAT": "new"}, **SFT, **model)
    assert told.code == 0, told.text
    assert f"{len(rows)} of {len(rows)} (100%)" in told.findings["ok targets"]


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(as_json, id="json"),
        pytest.param(lambda count: "<ref-object><bbox>" * count, id="classic"),
    ],
)
@pytest.mark.parametrize("model", [{}, QWEN3], ids=["qwen2_5_vl", "qwen3_vl"])
def test_special_tokens_in_the_answers_are_named_with_the_remedy(
    scenes: list[Row], examine: Callable, model: dict, answer: Callable[[int], str]
) -> None:
    told = examine([objects_row(row, answer) for row in full(scenes)], **SFT, **model)
    assert told.code == 1
    assert [name for name in told.findings if name.startswith("problem")] == ["problem bbox_format"]


def test_classic_rows_are_right_for_qwen2_vl(scenes: list[Row], examine: Callable) -> None:
    rows = [objects_row(row, lambda count: "<ref-object><bbox>" * count) for row in full(scenes)]
    told = examine(rows, **SFT, model="Qwen/Qwen2-VL-7B-Instruct", model_type="qwen2_vl")
    assert told.code == 0, told.text


def test_objects_alone_teach_nothing(scenes: list[Row], examine: Callable) -> None:
    rows = [objects_row(row, as_json) for row in full(scenes)]
    asked = [row | {"messages": row["messages"][:1]} for row in rows]
    told = examine(asked, **SFT)
    assert told.code == 1
    assert "problem no_targets" in told.findings


def test_more_placeholders_than_objects(scenes: list[Row], examine: Callable) -> None:
    rows = [objects_row(row, lambda count: as_json(count + 1)) for row in full(scenes)]
    told = examine(rows, ENV={"QWENVL_BBOX_FORMAT": "new"}, **SFT)
    assert told.code == 1
    assert "problem placeholders" in told.findings


def supervised(row: Row, form: str) -> Row:
    """A right answer of Qwen2.5-VL in another of the forms that ms-swift takes."""
    question = row["messages"][0]["content"]
    answer, _ = target(truth_as_read(row), model_io(Settings(), "qwen2_5_vl"))
    turns = {
        "conversations": [("human", question), ("gpt", answer)],
        "messages": [("user", question), ("assistant", answer)],
    }
    names = {"conversations": ("from", "value"), "messages": ("role", "content")}
    if form in turns:
        columns = {form: [dict(zip(names[form], turn, strict=True)) for turn in turns[form]]}
    elif form == "sharegpt":
        columns = {"conversations": [{"human": question, "assistant": answer}]}
    else:
        asked, answered = form.split("/")
        columns = {asked: question, answered: answer}
    return columns | {"images": row["images"]}


def truth_as_read(row: Row) -> object:
    from swift_plugin_visionr1 import read_solution

    return read_solution(row["solution"])


FORMS = ["messages", "conversations", "sharegpt", "query/response", "problem/answer"]


@pytest.mark.parametrize("form", FORMS)
def test_answers_are_found_in_every_form(scenes: list[Row], examine: Callable, form: str) -> None:
    rows = [supervised(row, form) for row in full(scenes)]
    told = examine(rows, **SFT)
    assert told.code == 0, told.text
    assert f"{len(rows)} of {len(rows)} (100%)" in told.findings["ok targets"]


def test_answers_in_another_frame_than_the_models(
    shared_data: Path, tmp_path: Path, examine: Callable
) -> None:
    """Rows without a solution: only how far the boxes reach tells thousandths from pixels."""
    from .planted import photographs

    io = model_io(Settings(), "qwen3_vl")
    rows = []
    for row in photographs(shared_data / "bccd", "instances_val", tmp_path):
        answer, _ = target(truth_as_read(row), io)
        turn = {"role": "assistant", "content": answer}
        rows.append({"messages": [*row["messages"], turn], "images": row["images"]})
    assert examine(rows, **SFT, **QWEN3).code == 0
    told = examine(rows, **SFT)
    assert told.code == 1
    assert "problem targets_frame" in told.findings


def test_unreadable_lines_are_named(scenes: list[Row], examine: Callable, tmp_path: Path) -> None:
    good = json.dumps(supervised(full(scenes)[0], "messages"))
    (tmp_path / "broken.jsonl").write_text(f"{good}\n{{cut off\n")
    told = examine(scenes, dataset=str(tmp_path / "broken.jsonl"), **SFT)
    assert told.code == 1
    assert "problem rows" in told.findings


@pytest.mark.parametrize("recipe", [SFT, {}], ids=["sft", "grpo"])
def test_an_image_that_the_processor_refuses_is_named(
    scenes: list[Row], examine: Callable, tmp_path: Path, recipe: dict
) -> None:
    from PIL import Image

    Image.new("RGB", (900, 3)).save(tmp_path / "long.png")
    row = full(scenes)[0]
    solution = {"width": 900, "height": 3, "boxes": [[0, 0, 90, 3]], "labels": ["red circle"]}
    answer = {"role": "assistant", "content": '[{"bbox_2d": [0, 0, 90, 3], "label": "red circle"}]'}
    long = {"images": [str(tmp_path / "long.png")], "messages": [*row["messages"], answer]}
    good = [supervised(each, "messages") for each in full(scenes)] if recipe else full(scenes)
    extra = {} if recipe else {"solution": json.dumps(solution), "messages": row["messages"]}
    told = examine([*good, long | extra], **recipe)
    assert told.code == 1
    assert "long.png" in told.findings["problem image_shape"]
    assert f"row {len(good) + 1} of train.jsonl" in told.findings["problem image_shape"]


@pytest.mark.parametrize(
    "image",
    [
        pytest.param("a\0b.png", id="NUL in the name"),
        pytest.param("x" * 300 + ".png", id="name too long"),
        pytest.param({"path": None, "bytes": None}, id="neither path nor bytes"),
        pytest.param(7, id="a number"),
    ],
)
def test_a_strange_image_is_no_crash(scenes: list[Row], examine: Callable, image: object) -> None:
    told = examine([full(scenes)[0] | {"images": [image]}, *scenes[1:]])
    assert told.code in (0, 1)


STRANGE = [
    pytest.param({"messages": ["hello", 3, None]}, id="messages of text"),
    pytest.param({"messages": [{"role": ["user"], "content": "?"}]}, id="role is a list"),
    pytest.param({"messages": [{"role": "assistant", "content": [1, 2, 3, 4]}]}, id="box as text"),
    pytest.param({"messages": [{"role": "assistant", "content": None}]}, id="no content"),
    pytest.param({"conversations": [{"from": "gpt", "value": {"a": 1}}]}, id="value is a dict"),
    pytest.param({"query": {"a": 1}, "response": []}, id="query is a dict"),
    pytest.param({"objects": {"ref": "cat", "bbox": [[1, 2, 3, 4]]}}, id="ref is text"),
    pytest.param({"objects": {"ref": [], "bbox": [[1, None, 3, 4]]}}, id="box with null"),
    pytest.param({"objects": {"bbox": [[1, 2, 3, 4]], "image_id": 1}}, id="image_id is a number"),
    pytest.param({"objects": []}, id="objects is a list"),
    pytest.param({"images": {}}, id="images is empty"),
    pytest.param({"solution": 5}, id="solution is a number"),
    pytest.param({"solution": '{"width": [], "boxes": {}, "labels": 3}'}, id="strange solution"),
]


@pytest.mark.parametrize("recipe", [SFT, {}], ids=["sft", "grpo"])
@pytest.mark.parametrize("change", STRANGE)
def test_a_strange_row_is_no_crash(
    scenes: list[Row], examine: Callable, change: dict, recipe: dict
) -> None:
    good = full(scenes)[:5]
    rows = [supervised(row, "messages") for row in good] if recipe else good
    told = examine([*rows, rows[0] | change], **recipe)
    assert told.code in (0, 1)
    assert told.text.splitlines()[-1].startswith("verdict")


@pytest.mark.parametrize(
    ("change", "words", "exit_code"),
    [
        pytest.param(lambda row: row["messages"].pop(), "no assistant's message", 0, id="none"),
        pytest.param(
            lambda row: row["objects"].update(bbox_type="norm1000"),
            "'norm1000' in row",
            1,
            id="unit",
        ),
        pytest.param(
            lambda row: row["objects"]["bbox"].append([1, 2, 30, 40]),
            "more boxes in",
            0,
            id="spare",
        ),
    ],
)
def test_a_row_of_which_something_is_not_taught(
    scenes: list[Row],
    examine: Callable,
    change: Callable[[Row], None],
    words: str,
    exit_code: int,
) -> None:
    rows = [objects_row(row, as_json) for row in full(scenes)]
    change(rows[3])
    told = examine(rows, ENV={"QWENVL_BBOX_FORMAT": "new"}, **SFT)
    (line,) = [line for line in told.text.splitlines() if "row 4 of" in line]
    assert words in line
    assert told.code == exit_code, told.text
