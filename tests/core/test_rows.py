"""Published forms of rows, in the shape that they are published in, and what is wrong with bad
ones."""

import json

import pytest

from swift_plugin_visionr1 import SolutionError, read_solution
from swift_plugin_visionr1.data.published import RowForm, form_of
from swift_plugin_visionr1.data.published.ms_swift_grounding import GROUNDING
from swift_plugin_visionr1.data.published.vision_r1 import AUTHORS
from swift_plugin_visionr1.data.published.visual_rft import VISUAL_RFT
from swift_plugin_visionr1.data.published.vlm_r1 import VLM_R1_CONVERSATION as TURNS
from swift_plugin_visionr1.data.published.vlm_r1 import VLM_R1_PROBLEM as REC

SIZE = (500, 200)


def authors(**changes: object) -> dict:
    return {
        "image": {"bytes": b"png", "path": None},
        "problem": "Locate every item from the category list in the image ...",
        "solution": json.dumps(
            [["cat", [[10, 20, 30, 40], [50, 20, 90, 40]]], ["dog", [[0, 0, 5, 5]]]]
        ),
        "width": 500,
        "height": 200,
        "num_instances": 3,
        "target_id_maps": '{"cat": 1}',
    } | changes


def rec(**changes: object) -> dict:
    return {
        "height": 200,
        "width": 500,
        "dataset_name": "refcoco",
        "bbox_list": [[10.5, 20.0, 30.0, 40.0]],
        "image": "train2014/1.jpg",
        "problem": "Please provide the bounding box coordinate of the region this sentence "
        "describes: the left cat.",
        "normal_caption": "the left cat",
        "solution": [10.5, 20.0, 31.0, 41.0],
        "normalized_solution": [21, 100, 62, 205],
    } | changes


def rec_turns(answer: object = (10.5, 20, 31, 41), asked: str = "") -> dict:
    default = (
        "<image>Please provide the bounding box coordinate of the region this sentence "
        "describes: left cat."
    )
    answer = list(answer) if isinstance(answer, tuple) else answer
    turns = [{"from": "human", "value": asked or default}, {"from": "gpt", "value": answer}]
    return {"id": 1, "image": "1.jpg", "conversations": turns}


OVD = (
    "Please carefully check the image and detect the following objects: ['cat', \"rider's "
    'helmet"]. Output the bbox '
    "coordinates of detected objects in JSON format in <answer></answer>. ... simply respond with "
    '"None".'
)


def ovd(answer: object, asked: str = OVD) -> dict:
    return rec_turns(answer, asked)


def rft(answer: str, problem: str = "") -> dict:
    default = (
        "Detect all objects belonging to the category 'hot dog' in the image, and provide the "
        "bounding boxes (between "
        "0 and 1000, integer) and confidence (between 0 and 1, with two decimal places).\n ... "
        "strictly follow ..."
    )
    return {
        "image": {"bytes": b"png", "path": None},
        "problem": problem or default,
        "solution": answer,
    }


def grounding(
    answer: str | None, ref: list, bbox: list, asked: str = "<image>Find it", **objects: object
) -> dict:
    messages = [{"role": "user", "content": asked}]
    messages += [{"role": "assistant", "content": answer}] if answer is not None else []
    return {
        "messages": messages,
        "images": ["1.jpg"],
        "objects": {"ref": ref, "bbox": bbox} | objects,
    }


def converted(row: dict) -> dict:
    form = form_of(row)
    assert form is not None
    return form.convert(row, lambda image: SIZE)


A, B, C = [10, 20, 30, 40], [50, 20, 90, 40], [0, 0, 5, 5]
FENCED = '```json\n[{"bbox_2d": [10, 20, 30, 40], "label": "cat"}]\n```'


@pytest.mark.parametrize(
    ("row", "boxes", "labels"),
    [
        pytest.param(authors(), [A, B, C], ["cat", "cat", "dog"], id="authors"),
        pytest.param(authors(solution="[]"), [], [], id="authors, nothing to find"),
        pytest.param(rec(), [[10.5, 20, 31, 41]], ["the left cat"], id="VLM-R1 REC json"),
        pytest.param(rec_turns(), [[10.5, 20, 31, 41]], ["left cat"], id="VLM-R1 REC jsonl"),
        pytest.param(
            rec_turns("[10.5, 20, 31, 41]"),
            [[10.5, 20, 31, 41]],
            ["left cat"],
            id="VLM-R1 REC as text",
        ),
        pytest.param(ovd(FENCED), [A], ["cat"], id="VLM-R1 OVD"),
        pytest.param(ovd("None", OVD + " bbox"), [], [], id="VLM-R1 OVD, nothing to find"),
        pytest.param(
            rft(
                "<answer>[{'Position': [20, 100, 60, 200], 'Confidence': 1}, {'Position': [0, 0, "
                "1000, 1000], "
                "'Confidence': 1}]</answer>"
            ),
            [A, [0, 0, 500, 200]],
            ["hot dog"] * 2,
            id="Visual-RFT",
        ),
        pytest.param(rft("<answer>No Objects</answer>"), [], [], id="Visual-RFT, nothing to find"),
        pytest.param(
            grounding("<ref-object><bbox> and <ref-object><bbox> play", ["a dog", "a man"], [A, B]),
            [A, B],
            ["a dog", "a man"],
            id="objects, names in the answer",
        ),
        pytest.param(
            grounding("<bbox><bbox>", ["sheep"], [A, B], "<image>Find the <ref-object>"),
            [A, B],
            ["sheep"] * 2,
            id="objects, one name in the question",
        ),
        pytest.param(
            grounding(
                '[{"bbox_2d": <bbox>, "label": "<ref-object>"}]',
                ["cat", "a cat"],
                [A],
                "Find <ref-object>",
            ),
            [A],
            ["a cat"],
            id="objects, names in both",
        ),
        pytest.param(
            grounding("<ref-object><bbox><bbox>, <ref-object><bbox>", ["cat", "dog"], [A, B, C]),
            [A, B, C],
            ["cat", "cat", "dog"],
            id="objects, a name before several boxes",
        ),
        pytest.param(
            grounding('```json\n[{"bbox_2d": <bbox>, "label": "cat"}]\n```', [], [A]),
            [A],
            ["cat"],
            id="objects, labels as text",
        ),
        pytest.param(
            grounding(None, ["cat", "dog"], [A, B]),
            [A, B],
            ["cat", "dog"],
            id="objects without an answer",
        ),
        pytest.param(
            grounding(None, ["cat"], [A, B]), [A, B], ["cat", "cat"], id="objects, one name for all"
        ),
        pytest.param(
            grounding("<bbox>", ["cat"], [[0.1, 0.5, 0.5, 1]], bbox_type="norm1"),
            [[50, 100, 250, 200]],
            ["cat"],
            id="objects, norm1",
        ),
        pytest.param(grounding("None", [], []), [], [], id="objects, nothing to find"),
    ],
)
def test_boxes_are_in_original_pixels_with_their_labels(
    row: dict, boxes: list, labels: list
) -> None:
    truth = read_solution(converted(row)["solution"])
    assert truth.size == SIZE
    assert truth.boxes.tolist() == [pytest.approx(box) for box in boxes]
    assert list(truth.labels) == labels


@pytest.mark.parametrize(
    ("row", "content"),
    [
        pytest.param(
            authors(),
            "<image>Locate every item from the category list in the image ...",
            id="authors",
        ),
        pytest.param(rec(), "<image>" + rec()["problem"], id="VLM-R1 REC json"),
        pytest.param(
            rec_turns(), rec_turns()["conversations"][0]["value"], id="VLM-R1 REC jsonl, tag once"
        ),
        pytest.param(
            ovd(FENCED),
            "<image>Locate every item from the category list in the image and output the "
            "coordinates in JSON format. "
            "The category set includes cat, rider's helmet.",
            id="VLM-R1 OVD, without its answer tags",
        ),
        pytest.param(
            rft("<answer>No Objects</answer>"),
            "<image>Locate every hot dog in the image and output the coordinates in JSON format.",
            id="Visual-RFT, without its answer format",
        ),
    ],
)
def test_questions(row: dict, content: str) -> None:
    assert converted(row)["messages"] == [{"role": "user", "content": content}]


def test_a_grounding_row_keeps_the_names_that_its_question_refers_to_and_loses_its_answer() -> None:
    row = grounding("<bbox>", ["sheep"], [A], "<image>Find the <ref-object>") | {"image_id": 7}
    row["messages"].insert(0, {"role": "system", "content": "You see."})
    made = converted(row)
    assert [message["role"] for message in made["messages"]] == ["system", "user"]
    assert made["objects"] == {"ref": ["sheep"], "bbox": []}
    assert made["image_id"] == 7
    assert converted(grounding("<ref-object><bbox>", ["sheep"], [A]))["objects"] is None


def test_sharegpt_turns_are_messages_too() -> None:
    row = grounding("<bbox>", ["cat"], [A])
    turns = [{"from": "human", "value": "<image>Find it"}, {"from": "gpt", "value": "<bbox>"}]
    made = converted({"conversations": turns, "images": row["images"], "objects": row["objects"]})
    assert made["messages"] == [{"role": "user", "content": "<image>Find it"}]


def test_only_what_was_read_is_taken_away() -> None:
    made = converted(rec())
    assert set(made) == {"dataset_name", "messages", "images", "solution"}
    assert made["images"] == ["train2014/1.jpg"]


@pytest.mark.parametrize(
    "row",
    [
        pytest.param({"messages": [], "images": [], "solution": '{"width": 1}'}, id="ours"),
        pytest.param(
            grounding("<bbox>", ["cat"], [A]) | {"solution": "{}"}, id="objects beside a solution"
        ),
        pytest.param({"instruction": "Say hi", "input": "", "output": "hi"}, id="alpaca"),
        pytest.param(
            {"image": "1.jpg", "problem": "What is 1 + 1?", "solution": "<answer>2</answer>"},
            id="a sum",
        ),
        pytest.param(
            {"image": "1.jpg", "problem": "Which?", "solution": "[1, 2]"},
            id="a list without a size",
        ),
        pytest.param(rec_turns("A cat sleeps."), id="a conversation"),
        pytest.param(
            rec_turns("None", "<image>Any cats?"), id="a conversation that ends with None"
        ),
        pytest.param({}, id="nothing"),
    ],
)
def test_other_rows_are_left_to_ms_swift(row: dict) -> None:
    assert form_of(row) is None


@pytest.mark.parametrize(
    ("form", "bad", "message"),
    [
        pytest.param(
            AUTHORS,
            authors(width=None),
            "expected columns width and height",
            id="authors without width",
        ),
        pytest.param(
            AUTHORS,
            authors(width=60),
            "expected box 1 inside the original image of 60",
            id="outside",
        ),
        pytest.param(
            AUTHORS, authors(image=None), "expected one image in the row, got 0", id="no image"
        ),
        pytest.param(
            AUTHORS,
            authors(image=["1.jpg", "2.jpg"]),
            "one image in the row, got 2",
            id="two images",
        ),
        pytest.param(AUTHORS, authors(problem=" "), "expected a question", id="no question"),
        pytest.param(
            REC, rec(solution=[0.1, 0.2, 0.3, 0.4]), "normalised to 1", id="norm1 in pixels' place"
        ),
        pytest.param(
            REC, rec(solution=[10, 20, 21, 21, 5]), r"got \[10, 20, 21, 21, 5\]", id="five numbers"
        ),
        pytest.param(
            REC, rec(solution=[100, 20, 31, 41]), r"is it \[x, y, width, height\]", id="xywh"
        ),
        pytest.param(
            REC,
            rec(normal_caption=None, problem="Where?"),
            "expected a normal_caption, or a question",
            id="no caption",
        ),
        pytest.param(
            TURNS, rec_turns("the cat"), "expected .*bbox_2d and label.*, got the cat", id="prose"
        ),
        pytest.param(
            TURNS, rec_turns('[{"bbox_2d": "no", "label": "cat"}]'), "boxes as", id="a box of text"
        ),
        pytest.param(
            TURNS,
            ovd(FENCED, "Find bbox of cats in <answer></answer>"),
            "no <answer> tags",
            id="tags, no list",
        ),
        pytest.param(
            VISUAL_RFT,
            rft("<answer>[{'Position': [1, 2, 3, 1001]}]</answer>"),
            "coordinates from 0 to 1000",
            id="beyond 1000",
        ),
        pytest.param(
            VISUAL_RFT,
            rft("<answer>[{'Box': [1, 2, 3, 4]}]</answer>"),
            "expected a list of {'Position'",
            id="no Position",
        ),
        pytest.param(
            VISUAL_RFT,
            rft("<answer>[]</answer>", "Detect the category 'cat' in the image, in pixels"),
            "says what the coordinates are",
            id="another frame",
        ),
        pytest.param(
            VISUAL_RFT,
            rft("<answer>[]</answer>", "Boxes between 0 and 1000"),
            "names its category",
            id="no category",
        ),
        pytest.param(
            GROUNDING, grounding("<bbox>", ["cat"], [[3, 4]]), "a point is not a box", id="a point"
        ),
        pytest.param(
            GROUNDING,
            grounding("<bbox>", ["a"], [A], bbox_type="norm1000"),
            "bbox_type real or norm1.*'norm1000'",
            id="norm1000",
        ),
        pytest.param(
            GROUNDING,
            grounding("<bbox>", ["a"], [A], bbox_type="norm1"),
            "coordinates from 0 to 1",
            id="pixels called norm1",
        ),
        pytest.param(
            GROUNDING,
            grounding("a cat", ["a"], [A], "<image>What is at <bbox>?"),
            "got <bbox> in the question",
            id="a region to describe",
        ),
        pytest.param(
            GROUNDING, grounding("<bbox>", ["a"], [A, B]), "each of the 2 boxes, got 1", id="fewer"
        ),
        pytest.param(
            GROUNDING,
            grounding(None, ["a", "b"], [A, B, C]),
            "one ref for each of the 3",
            id="names that fit no box",
        ),
        pytest.param(
            GROUNDING,
            grounding("<bbox>", ["a"], [A], image_id=[1]),
            "the row's one image",
            id="another image",
        ),
        pytest.param(
            GROUNDING,
            grounding("", [], []) | {"objects": None},
            "expected objects",
            id="no objects",
        ),
    ],
)
def test_what_cannot_be_read_is_refused(form: RowForm, bad: dict, message: str) -> None:
    with pytest.raises(SolutionError, match=message):
        form.convert(bad, lambda image: SIZE)
