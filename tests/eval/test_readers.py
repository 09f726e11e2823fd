"""Prediction files of every kind: told apart by content, read, or refused with the place of the
fault."""

import io
import json
import os
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mmdet_eval import (
    Annotations,
    Converted,
    InputError,
    read_annotations,
    read_predictions,
    read_rows,
)
from mmdet_eval.answers.readers import coco_json
from mmdet_eval.answers.rows import AnswerRow
from mmdet_eval.answers.truncation import looks_truncated

Write = Callable[[str, Any], Path]


@pytest.fixture
def annotations(dataset: Any, write: Write) -> Annotations:
    return read_annotations(write("ann.json", dataset))


def boxes_of(path: Path, annotations: Annotations, **options: Any) -> Converted:
    found = read_predictions(path, annotations, **options)
    assert isinstance(found, Converted)
    return found


def rows_of(path: Path, annotations: Annotations) -> list[AnswerRow]:
    found = read_predictions(path, annotations)
    assert isinstance(found, list)
    return found


# JSONL of `swift infer`


def test_swift_infer(annotations: Annotations, write: Write) -> None:
    logprobs = {"content": [{"token": "[]", "logprob": -0.5, "bytes": [91, 93]}]}
    path = write(
        "infer.jsonl",
        [{"response": "[]", "logprobs": logprobs, "image_id": 3, "finish_reason": None}],
    )
    (row,) = rows_of(path, annotations)
    assert (row.line, row.text, row.truncated, row.request, row.processed) == (
        1,
        "[]",
        False,
        None,
        None,
    )
    assert [(token.text, token.logprob) for token in row.tokens or ()] == [("[]", -0.5)]
    assert row.columns["image_id"] == 3


@pytest.mark.parametrize(
    ("text", "message"),
    [
        pytest.param("", "empty file", id="empty"),
        pytest.param("\n \n", "empty file", id="blank-lines"),
        pytest.param(
            '{"image_id": 1}',
            r"line 1: .*\"response\", got the keys \['image_id'\]",
            id="no-response",
        ),
        pytest.param('{"response": null}', 'text in "response"', id="null-response"),
        pytest.param("7", "got a int", id="no-object"),
        pytest.param('{"response": ""}\n{"resp', "line 2: .*still writing", id="half-a-line"),
        pytest.param(
            '{"response": "", "logprobs": {"content": [{"token": 1}]}}',
            "line 1.*logprobs",
            id="logprobs",
        ),
        pytest.param(
            '{"response": "", "processed_size": [0, 28]}',
            r"line 1.*input size.*got \[0, 28\]",
            id="size",
        ),
        pytest.param(
            '{"response": "", "input_width": 28}', r"input size.*got \[28, None\]", id="half-a-size"
        ),
    ],
)
def test_other_lines_are_refused(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "infer.jsonl"
    path.write_text(text)
    with pytest.raises(InputError, match=message):
        read_rows(path)


def test_binary_and_missing_files_are_named(tmp_path: Path, annotations: Annotations) -> None:
    (tmp_path / "binary.jsonl").write_bytes(b"\xff\xfe\x00")
    for name in ("binary.jsonl", "nowhere.jsonl"):
        with pytest.raises(InputError, match=name):
            read_rows(tmp_path / name)
        with pytest.raises(InputError, match=name):
            read_predictions(tmp_path / name, annotations)


def test_unicode_line_ends_inside_an_answer_do_not_end_the_row(tmp_path: Path) -> None:
    path = tmp_path / "infer.jsonl"
    path.write_text('{"response": "a\u2028b\x85"}\n{"response": ""}\n', encoding="utf-8")
    assert [(row.line, row.text) for row in read_rows(path)] == [(1, "a\u2028b\x85"), (2, "")]


@pytest.mark.parametrize(
    "columns",
    [{"input_width": 644, "input_height": 476}, {"processed_size": [644, 476]}],
    ids=["columns", "pair"],
)
def test_the_recorded_input_size_is_read(write: Write, columns: dict[str, Any]) -> None:
    (row,) = read_rows(write("infer.jsonl", [{"response": "", **columns}]))
    assert row.processed == (644, 476)


@pytest.mark.parametrize(
    ("reason", "expected"), [("length", True), ("stop", False), (None, True)], ids=str
)
def test_finish_reason_goes_before_the_look_of_the_text(
    write: Write, reason: str | None, expected: bool
) -> None:
    (row,) = read_rows(write("infer.jsonl", [{"response": "[", "finish_reason": reason}]))
    assert row.truncated is expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param('[{"bbox_2d": [1, 2, 3, 4], "label": "a"}]', False, id="whole"),
        pytest.param(
            '```json\n[{"bbox_2d": [1, 2, 3, 4], "label": "a"}]\n```', False, id="whole-fenced"
        ),
        pytest.param('[{"bbox_2d": [1, 2, 3', True, id="in-a-box"),
        pytest.param('[{"bbox_2d": [1, 2, 3, 4], "label": "re', True, id="in-a-label"),
        pytest.param('[{"bbox_2d": [1, 2, 3, 4], "label": "a"},', True, id="between-entries"),
        pytest.param("```json\n[]", True, id="fence-left-open"),
        pytest.param(
            '[{"bbox_2d": [1, 2, 3, 4], "label": "[{\\"["}]', False, id="brackets-in-a-label"
        ),
        pytest.param("There is nothing.", False, id="prose"),
        pytest.param("", False, id="empty"),
        pytest.param('"' * 5001, False, id="quotes-only"),
    ],
)
def test_truncation_without_finish_reason(text: str, expected: bool) -> None:
    assert looks_truncated(text) is expected


# JSONL of OpenAI-style servers

CHAT = {"index": 0, "message": {"role": "assistant", "content": "[]"}, "finish_reason": "length"}


@pytest.mark.parametrize(
    ("data", "text", "request_id"),
    [
        pytest.param({"id": "chatcmpl-1", "choices": [CHAT]}, "[]", "chatcmpl-1", id="chat"),
        pytest.param(
            {"id": 7, "choices": [{"text": "[]", "finish_reason": "length"}]},
            "[]",
            "7",
            id="completion",
        ),
        pytest.param({"image_id": 3, "choices": [CHAT]}, "[]", None, id="image_id"),
        pytest.param(
            {
                "id": "vllm-1",
                "custom_id": "3",
                "error": None,
                "response": {"status_code": 200, "body": {"id": "chatcmpl-1", "choices": [CHAT]}},
            },
            "[]",
            "3",
            id="batch",
        ),
        pytest.param(
            {
                "choices": [
                    {
                        "message": {
                            "content": [
                                {"type": "text", "text": "["},
                                {"type": "text", "text": "]"},
                            ]
                        },
                        "finish_reason": "length",
                    }
                ]
            },
            "[]",
            None,
            id="parts",
        ),
        pytest.param(
            {"choices": [{"message": {"content": None}, "finish_reason": "length"}]},
            "",
            None,
            id="null",
        ),
    ],
)
def test_openai(write: Write, data: dict[str, Any], text: str, request_id: str | None) -> None:
    (row,) = read_rows(write("answers.jsonl", [data]))
    assert (row.text, row.request, row.truncated) == (text, request_id, True)


@pytest.mark.parametrize(
    "logprobs",
    [
        pytest.param(
            {"content": [{"token": "a", "logprob": -1.0}, {"token": "b", "logprob": -2}]}, id="chat"
        ),
        pytest.param(
            {"tokens": ["a", "b"], "token_logprobs": [-1.0, -2.0], "text_offset": [0, 1]},
            id="completion",
        ),
    ],
)
def test_openai_logprobs(write: Write, logprobs: dict[str, Any]) -> None:
    (row,) = read_rows(write("answers.jsonl", [{"choices": [CHAT | {"logprobs": logprobs}]}]))
    assert [(token.text, token.logprob) for token in row.tokens or ()] == [("a", -1.0), ("b", -2.0)]


@pytest.mark.parametrize(
    ("data", "message"),
    [
        pytest.param({"choices": []}, 'exactly one answer in "choices", got 0 of them', id="none"),
        pytest.param({"choices": [CHAT, CHAT]}, "got 2 of them: ask again with n=1", id="two"),
        pytest.param({"choices": [{"finish_reason": "stop"}]}, "message.content", id="no-text"),
        pytest.param(
            {"custom_id": "3", "response": None, "error": {"message": "too long"}},
            "too long",
            id="failed",
        ),
        pytest.param(
            {
                "custom_id": "3",
                "response": {"status_code": 500, "body": {"error": {"message": "oops"}}},
            },
            "oops",
            id="500",
        ),
        pytest.param({"custom_id": "3", "candidates": []}, "got only candidates", id="Gemini's"),
        pytest.param({"images": ["3.jpg"], "response": None}, '"response", got null', id="null"),
    ],
)
def test_openai_rows_without_one_answer_are_refused(
    write: Write, data: dict[str, Any], message: str
) -> None:
    with pytest.raises(InputError, match=f"line 1.*{message}"):
        read_rows(write("answers.jsonl", [data]))


THOUGHTS = "Two cats?"
TYPED = [{"type": "thinking", "thinking": [{"type": "text", "text": THOUGHTS}]}]


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(
            {"choices": [{"message": {"content": "[]", "reasoning_content": THOUGHTS}}]},
            id="vLLM, SGLang, DeepSeek",
        ),
        pytest.param(
            {
                "choices": [
                    {
                        "message": {
                            "content": "[]",
                            "reasoning_content": THOUGHTS,
                            "reasoning": THOUGHTS,
                        }
                    }
                ]
            },
            id="both names of newer vLLM",
        ),
        pytest.param(
            {
                "custom_id": "3",
                "response": {
                    "body": {
                        "choices": [
                            {"message": {"content": [*TYPED, {"type": "text", "text": "[]"}]}}
                        ]
                    }
                },
            },
            id="typed parts in a batch",
        ),
        pytest.param(
            {
                "choices": [
                    {
                        "message": {
                            "content": [
                                {"type": "reasoning", "text": THOUGHTS},
                                {"type": "text", "text": "[]"},
                            ]
                        }
                    }
                ]
            },
            id="a part of reasoning with text",
        ),
        pytest.param(
            {
                "object": "response",
                "status": "completed",
                "reasoning": {"effort": "high", "summary": "detailed"},
                "output": [
                    {"type": "reasoning", "summary": [{"type": "summary_text", "text": THOUGHTS}]},
                    {"type": "message", "content": [{"type": "output_text", "text": "[]"}]},
                ],
            },
            id="responses API",
        ),
        pytest.param(
            {
                "message": {"role": "assistant", "content": "[]", "thinking": THOUGHTS},
                "done_reason": "stop",
            },
            id="Ollama's chat",
        ),
        pytest.param(
            {"response": "[]", "thinking": THOUGHTS, "done_reason": "stop"}, id="Ollama's generate"
        ),
        pytest.param({"response": "[]", "reasoning_content": THOUGHTS}, id="a row of one's own"),
    ],
)
@pytest.mark.parametrize("kind", ["answers.jsonl", "answers.json"])
def test_reasoning_of_a_server_is_no_part_of_the_answer(
    write: Write, annotations: Annotations, kind: str, data: dict[str, Any]
) -> None:
    content: Any = [data] if kind.endswith("l") else [data, data]
    rows = read_predictions(write(kind, content), annotations)
    assert not isinstance(rows, Converted)
    row = rows[0]
    assert (row.text, row.reasoning, row.served, row.truncated) == ("[]", THOUGHTS, True, False)


@pytest.mark.parametrize(
    "data",
    [
        pytest.param({"message": {"content": "["}, "done_reason": "length"}, id="Ollama's chat"),
        pytest.param({"response": "[", "done_reason": "length"}, id="Ollama's generate"),
        pytest.param(
            {
                "output": [{"type": "message", "content": [{"type": "output_text", "text": "["}]}],
                "incomplete_details": {"reason": "max_output_tokens"},
            },
            id="responses API",
        ),
    ],
)
def test_an_answer_that_a_server_cut_off(write: Write, data: dict[str, Any]) -> None:
    (row,) = read_rows(write("answers.jsonl", [data]))
    assert (row.text, row.truncated) == ("[", True)


def test_probabilities_of_the_responses_api(write: Write) -> None:
    part = {
        "type": "output_text",
        "text": "[]",
        "logprobs": [{"token": "[", "logprob": -1.0}, {"token": "]", "logprob": -2.0}],
    }
    output = [{"type": "reasoning"}, {"type": "message", "content": [part]}]
    (row,) = read_rows(write("answers.jsonl", [{"output": output}]))
    assert [(token.text, token.logprob) for token in row.tokens or ()] == [("[", -1.0), ("]", -2.0)]


# COCO results


def result(**changes: Any) -> dict[str, Any]:
    made = {"image_id": 3, "category_id": 7, "bbox": [1, 2.5, 3, 4], "score": 0.5, **changes}
    return {key: value for key, value in made.items() if value is not None}


def laid_out(results: list[dict[str, Any]], kind: str) -> str:
    """The results as other programs write them."""
    if kind == "braces in a text":
        results = [{**one, "note": 'a "}, {" in it'} for one in results]
    if kind == "objects inside":
        inside = [{"size": [1, 2]}, {"counts": "}, {"}]
        results = [{**one, "segments": inside} for one in results]
    text = json.dumps(results, indent=2 if kind == "indented" else None)
    return "\ufeff" + text if kind == "byte order mark" else text


@pytest.mark.parametrize("block", [1, 7, 100, 1 << 22])
@pytest.mark.parametrize(
    "kind", ["plain", "indented", "braces in a text", "objects inside", "byte order mark"]
)
def test_results_are_the_same_wherever_the_file_is_cut(
    annotations: Annotations, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str, block: int
) -> None:
    one = {"image_id": annotations.images[0].id, "category_id": next(iter(annotations.categories))}
    given = [{**one, "bbox": [n, 0.1, 5, n / 7], "score": 1 / (n + 1)} for n in range(30)]
    path = tmp_path / "results.json"
    path.write_text(laid_out(given, kind), "utf-8")
    monkeypatch.setattr(coco_json, "FIRST", block)
    monkeypatch.setattr(coco_json, "BLOCK", block)
    assert boxes_of(path, annotations).results == given


def test_coco_results_are_taken_as_they_are(annotations: Annotations, write: Write) -> None:
    given = [result(image_id=12), result(), result(score=0.75), result(image_id=0)]
    found = boxes_of(write("results.json", given), annotations)
    assert found.results == [given[3], given[1], given[2], given[0]], "by image id, then as given"
    assert (
        found.counts.images,
        found.counts.boxes_read,
        found.counts.boxes_kept,
        found.answers,
    ) == (3, 4, 4, ())


def test_no_results_are_none(annotations: Annotations, write: Write) -> None:
    assert boxes_of(write("results.json", []), annotations).results == []


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        pytest.param(
            result(score=None),
            "result 1 of .*score, got None: --score does not apply",
            id="no-score",
        ),
        pytest.param(result(score=float("nan")), "finite score, got nan", id="NaN-score"),
        pytest.param(result(score="0.5"), "finite score, got '0.5'", id="score-as-text"),
        pytest.param(result(image_id=99), "result 1 .*image_id.*99", id="unknown-image"),
        pytest.param(result(category_id=1), "result 1 .*category_id.*1", id="unknown-category"),
        pytest.param(result(category_id=[7]), "category_id", id="unhashable"),
        pytest.param(result(bbox=[1, 2, 3]), "four finite numbers", id="three-numbers"),
        pytest.param(result(bbox=[1, 2, 3, float("nan")]), "four finite numbers", id="NaN"),
        pytest.param(result(bbox=["1", 2, 3, 4]), "four finite numbers", id="number-as-text"),
        pytest.param(result(bbox=[1, 2, 3, 10**400]), "four finite numbers", id="beyond-float"),
        pytest.param([1], "an object with image_id", id="no-object"),
    ],
)
def test_bad_results_are_named(
    annotations: Annotations, write: Write, entry: Any, message: str
) -> None:
    with pytest.raises(InputError, match=message):
        read_predictions(write("results.json", [result(), entry]), annotations)


def test_a_real_detectors_results_are_read(shared_data: Path) -> None:
    folder = shared_data / "coco_val80"
    annotations = read_annotations(folder / "instances_val80.json")
    found = boxes_of(folder / "yolox_nano_results.json", annotations)
    given = json.loads((folder / "yolox_nano_results.json").read_text())
    assert sorted(map(json.dumps, found.results)) == sorted(map(json.dumps, given))


def test_images_with_boxes_are_counted(annotations: Annotations, write: Write) -> None:
    counts = boxes_of(
        write("results.json", [result(), result(score=0.75), result(image_id=0)]), annotations
    ).counts
    assert (counts.images, counts.answers, counts.missing) == (3, 2, 0)


# What people give by mistake, or slightly otherwise


@pytest.mark.parametrize("name", ["infer.jsonl", "results.json"])
def test_a_byte_order_mark_is_no_part_of_the_file(
    annotations: Annotations, tmp_path: Path, name: str
) -> None:
    content = '{"response": "[]"}' if name == "infer.jsonl" else json.dumps([result()])
    (tmp_path / name).write_text(content, encoding="utf-8-sig")
    found = read_predictions(tmp_path / name, annotations)
    assert len(found if isinstance(found, list) else found.results) == 1
    if name == "infer.jsonl":
        assert len(read_rows(tmp_path / name)) == 1


@pytest.mark.parametrize(
    "row", [{"response": "[1"}, {"choices": [{"text": "[1"}]}], ids=["swift", "openai"]
)
def test_a_json_list_of_answers_is_rows(
    annotations: Annotations, write: Write, row: dict[str, Any]
) -> None:
    found = rows_of(write("answers.json", [row | {"image_id": 3}, row]), annotations)
    assert [(one.line, one.text) for one in found] == [(1, "[1"), (2, "[1")]
    with pytest.raises(InputError, match=r"answers\.json, entry 2: .*got a int"):
        read_predictions(write("answers.json", [row, 7]), annotations)


@pytest.mark.parametrize("indent", [None, 1], ids=["one-line", "indented"])
def test_annotations_are_no_predictions(
    annotations: Annotations, dataset: Any, tmp_path: Path, indent: Any
) -> None:
    (tmp_path / "pred.json").write_text(json.dumps(dataset, indent=indent))
    with pytest.raises(
        InputError, match=r"pred\.json to hold predictions, got COCO annotations: .*--ann"
    ):
        read_predictions(tmp_path / "pred.json", annotations)


# mmdet's dump


def sample(image: int, boxes: list[list[float]], labels: list[int]) -> dict[str, Any]:
    """What mmengine's Evaluator hands to a metric."""
    import torch

    scores = torch.linspace(0.9, 0.5, len(boxes))
    instances = {
        "bboxes": torch.tensor(boxes).reshape(-1, 4),
        "scores": scores,
        "labels": torch.tensor(labels).long(),
    }
    return {
        "img_id": image,
        "img_path": f"val/{image}.png",
        "ori_shape": (427, 641),
        "pad_shape": torch.Size((448, 672)),
        "scale_factor": np.array([1.5, 1.5]),
        "flip": False,
        "pred_instances": instances,
    }


@pytest.fixture
def dump(tmp_path: Path) -> Callable[..., Path]:
    """A file written by mmengine's own DumpResults."""
    metric = pytest.importorskip("mmengine.evaluator", reason="needs the extra `eval`").DumpResults

    def write(*samples: dict[str, Any]) -> Path:
        path = tmp_path / "dump.pkl"
        dumper = metric(out_file_path=str(path))
        dumper.process({}, samples)
        dumper.compute_metrics(dumper.results)
        return path

    return write


def test_a_dump_of_mmengine_is_read(annotations: Annotations, dump: Callable[..., Path]) -> None:
    path = dump(
        sample(12, [[1, 2, 31, 42.5], [0, 0, 5, 5]], [0, 2]),
        sample(0, [], []),
        sample(3, [[5, 5, 6, 6]], [1]),
    )
    found = boxes_of(path, annotations)
    assert [(r["image_id"], r["category_id"]) for r in found.results] == [
        (3, 2),
        (12, 7),
        (12, 5),
    ], "the file's order"
    assert found.results[1]["bbox"] == [1, 2, 30, 40.5]
    assert found.results[1]["score"] == pytest.approx(0.9)
    assert (found.counts.answers, found.counts.missing, found.counts.boxes_kept) == (3, 0, 3)
    assert (
        "order of the categories evaluated: 'red circle', 'blue square', 'Cat'"
        in found.label_policy
    )


@pytest.mark.parametrize(
    ("samples", "message"),
    [
        pytest.param(
            [(3, [[5, 5, 6, 6]], [3])], r"labels \(n\) below 3", id="label-beyond-the-classes"
        ),
        pytest.param([(3, [[5, 5, 6, 6]], [-1])], "labels from 0", id="negative-label"),
        pytest.param([(3, [[5, 5, 6, float("nan")]], [0])], "finite boxes", id="NaN"),
        pytest.param([(3, [], []), (3, [], [])], "two for image 3", id="duplicate"),
        pytest.param([(4, [], [])], "img_ids of the annotation file .*got 4", id="unknown-image"),
        pytest.param([(3, [], [])], "none for 2: 0 .*--allow-missing", id="missing"),
    ],
)
def test_bad_dumps_are_named(
    annotations: Annotations, dump: Callable[..., Path], samples: list[Any], message: str
) -> None:
    with pytest.raises(InputError, match=message):
        read_predictions(dump(*[sample(*one) for one in samples]), annotations)


def test_images_missing_from_a_dump_are_counted_when_allowed(
    annotations: Annotations, dump: Callable[..., Path]
) -> None:
    counts = boxes_of(dump(sample(3, [], [])), annotations, missing="empty").counts
    assert (counts.answers, counts.missing) == (1, 2)


class Hostile:
    """Runs a command when it is unpickled."""

    def __init__(self, marker: Path) -> None:
        self.marker = marker

    def __reduce__(self) -> Any:
        return os.mkdir, (str(self.marker),)


class HostileStorage(Hostile):
    """Hides the same in what torch calls a storage, which torch itself unpickles."""

    def __reduce__(self) -> Any:
        import torch

        inner = io.BytesIO()
        torch.save(Hostile(self.marker), inner, _use_new_zipfile_serialization=False)
        return torch.storage._load_from_bytes, (inner.getvalue(),)


@pytest.mark.parametrize("kind", [Hostile, HostileStorage])
@pytest.mark.parametrize("protocol", [2, pickle.HIGHEST_PROTOCOL])
def test_a_hostile_pickle_runs_nothing(
    annotations: Annotations, tmp_path: Path, kind: type[Hostile], protocol: int
) -> None:
    pytest.importorskip("torch", reason="needs the extra `eval`")
    path, marker = tmp_path / "dump.pkl", tmp_path / "marker"
    path.write_bytes(pickle.dumps([kind(marker)], protocol))
    with pytest.raises(InputError, match=r"dump\.pkl"):
        read_predictions(path, annotations)
    assert not marker.exists()
    pickle.loads(path.read_bytes())
    assert marker.exists(), "without the guard it does run"


@pytest.mark.parametrize(
    "content",
    [
        b"\x80",
        b"\x80\x04.",
        pickle.dumps({"a": 1}),
        pickle.dumps([1]),
        pickle.dumps([{"img_id": 3}]),
    ],
    ids=["cut", "empty", "dict", "numbers", "no-predictions"],
)
def test_other_pickles_are_refused(
    annotations: Annotations, tmp_path: Path, content: bytes
) -> None:
    (tmp_path / "dump.pkl").write_bytes(content)
    with pytest.raises(InputError, match=r"dump\.pkl"):
        read_predictions(tmp_path / "dump.pkl", annotations)
