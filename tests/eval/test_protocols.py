"""Protocols: the named ones are frozen; one's own are checked; what each asks about an image."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from mmdet_eval.coco.annotations import read_annotations
from mmdet_eval.suites.protocols import Protocol, in_words_of, load_protocol, protocol_names
from mmdet_eval.suites.queries import Query, queries
from mmdet_eval.suites.spec import Caption
from swift_plugin_visionr1.errors import InputError
from swift_plugin_visionr1.formats import FORMATS
from swift_plugin_visionr1.formats.questions import DETECT

LOCATE = "Locate every {category} in the image and output the coordinates in JSON format."
QWEN3 = (
    "Locate every instance that belongs to the following categories: '{categories}'. "
    "Report bbox coordinates in JSON format."
)
EXPRESSION = "Locate {expression} in the image and output the coordinates in JSON format."
GRIFFON = (
    "Examine the image for any objects from the category set. Report the coordinates of each "
    "detected object. The category set includes {categories}."
)
POSITION = "Locate the exact position of {category} in the picture, if possible."
POINT = "Can you point out {expression} in the image and provide the coordinates of its location?"
COUNT = "How many {expression} are there in the image? Answer with a number only."
COUNT_BOXES = "Locate every {expression} in the image and output the coordinates in JSON format."
NAMED = {  # prompt, queries, labels, captions, label_aware
    "count": (COUNT, "referring", "query", False, False),
    "count_boxes": (COUNT_BOXES, "referring", "query", False, False),
    "count_question": (
        "{expression} Answer with a number only.",
        "referring",
        "query",
        False,
        False,
    ),
    "each": (LOCATE, "each", "query", False, False),
    "griffon_coco": (GRIFFON, "all", "answer", False, False),
    "griffon_odinw": (POSITION, "present", "query", False, True),
    "griffon_refcoco": (POINT, "expression", "query", False, False),
    "positives": (DETECT.format("{categories}"), "together", "answer", False, True),
    "qwen3_odinw": (QWEN3, "all", "answer", False, False),
    "qwen_odinw": (LOCATE, "present", "query", True, True),
    "refcoco": (EXPRESSION, "expression", "query", False, False),
    "referring": (EXPRESSION, "referring", "query", False, False),
    "refusal": (LOCATE, "each", "query", False, True),
    "vision_r1_coco": (DETECT.format("{categories}"), "all", "answer", False, False),
    "vision_r1_odinw": (LOCATE, "present", "answer", False, True),
}


def test_the_named_protocols_are_these() -> None:
    assert protocol_names() == tuple(NAMED)


@pytest.mark.parametrize("name", NAMED)
def test_a_named_protocol_is_frozen(name: str) -> None:
    """A change of these would make new numbers differ from published ones of the same name."""
    protocol = load_protocol(name)
    choices = (
        protocol.prompt,
        protocol.queries,
        protocol.labels,
        protocol.captions,
        protocol.label_aware,
    )
    assert (protocol.name, choices) == (name, NAMED[name])
    assert protocol.description.endswith(".")


def own(tmp_path: Path, **changes: Any) -> str:
    lines = {"prompt": "'Find {category}.'", "queries": "each", "labels": "query"} | changes
    path = tmp_path / "mine.yaml"
    path.write_text(
        "".join(f"{key}: {value}\n" for key, value in lines.items() if value is not None)
    )
    return str(path)


def test_ones_own_protocol(tmp_path: Path) -> None:
    path = own(tmp_path)
    expected = Protocol("mine", "Find {category}.", "each", "query", False, False, f"from {path}")
    assert load_protocol(path) == expected


OVIS = (
    "Find every <ref>{categories:</ref>, <ref>}</ref> in the image. Please provide the bounding "
    "box coordinates."
)
WORDS = {  # prompt, labels
    "vision_r1_coco:ovis": (OVIS, "answer"),
    "vision_r1_coco:paligemma": ("detect {categories: ; }", "answer"),
    "vision_r1_odinw:glm4v": (
        "Help me to locate {category} in the image and give me its bounding boxes.",
        "query",
    ),
    "refcoco:kosmos2": ("<grounding><phrase> {expression}</phrase>", "query"),
}


@pytest.mark.parametrize("name", WORDS)
def test_a_named_protocol_in_the_words_of_a_family(name: str) -> None:
    protocol, plain = load_protocol(name), load_protocol(name.split(":")[0])
    assert (protocol.name, protocol.prompt, protocol.labels) == (name, *WORDS[name])
    assert (
        replace(
            protocol,
            name=plain.name,
            prompt=plain.prompt,
            labels=plain.labels,
            description=plain.description,
        )
        == plain
    )


@pytest.mark.parametrize("name", ["vision_r1_coco:glm4v", "vision_r1_odinw:qwen2_5_vl"])
def test_words_that_a_family_does_not_document(name: str) -> None:
    with pytest.raises(
        InputError, match="expected a format whose authors document a question for vision_r1_"
    ):
        load_protocol(name)


def test_ones_own_words_are_no_familys(tmp_path: Path) -> None:
    protocol = load_protocol(own(tmp_path))
    assert in_words_of(FORMATS["paligemma"], protocol) == protocol


def test_categories_joined_as_ones_own_protocol_says(
    dataset: Any, write: Any, tmp_path: Path
) -> None:
    path = own(tmp_path, prompt='"detect {categories: ; }"', queries="all", labels="answer")
    assert (
        asked(path, write("ann.json", dataset))[3][0].text
        == "detect red circle ; blue square ; Cat"
    )


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        pytest.param({"prompts": "x"}, "got 'prompts'; did you mean 'prompt'", id="unknown-key"),
        pytest.param(
            {"label_aware": "false"}, "got 'label_aware'", id="label-aware-is-not-ones-own-to-say"
        ),
        pytest.param({"labels": None}, "expected labels in .*, got none", id="missing-key"),
        pytest.param(
            {"queries": "presnt"},
            "'all' or 'present' or 'each'.*'presnt'; did you mean 'present'",
            id="queries",
        ),
        pytest.param(
            {"labels": "model"}, "labels of .* to be 'answer' or 'query', got", id="labels"
        ),
        pytest.param({"captions": "2"}, "captions of .* to be true or false", id="captions"),
        pytest.param({"prompt": "[1]"}, "prompt of .* to be text", id="prompt-no-text"),
        pytest.param({"prompt": "Find things."}, r"a text with \{category\}", id="no-placeholder"),
        pytest.param(
            {"prompt": "'{category} of {categories}'"},
            r"a text with \{category\}",
            id="two-placeholders",
        ),
        pytest.param(
            {"queries": "all", "prompt": "'{categories}'"}, "labels to be answer", id="all-by-query"
        ),
    ],
)
def test_wrong_protocols_are_refused(tmp_path: Path, changes: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        load_protocol(own(tmp_path, **changes))


@pytest.mark.parametrize("content", ["- a\n", "a: [\n", ""], ids=["list", "no-yaml", "empty"])
def test_a_file_that_is_no_mapping_is_refused(tmp_path: Path, content: str) -> None:
    path = tmp_path / "p.yaml"
    path.write_text(content)
    with pytest.raises(InputError, match=r"p\.yaml"):
        load_protocol(str(path))


def test_a_near_name_is_offered() -> None:
    with pytest.raises(InputError, match="did you mean 'vision_r1_coco'"):
        load_protocol("vision_r1_cocos")


def asked(
    name: str, path: Path, captions: dict[str, Caption] | None = None
) -> dict[Any, tuple[Query, ...]]:
    return queries(load_protocol(name), read_annotations(path), captions or {})


def test_all_names_are_asked_for_at_once_in_the_files_order(dataset: Any, write: Any) -> None:
    found = asked("vision_r1_coco", write("ann.json", dataset))
    text = DETECT.format("red circle, blue square, Cat")
    assert found == {3: (Query(text),), 0: (Query(text),), 12: (Query(text),)}


def test_only_present_categories_are_asked_for_in_the_files_order(dataset: Any, write: Any) -> None:
    dataset["annotations"].reverse()  # neither their order nor crowds nor repetition decides
    dataset["annotations"].append(dataset["annotations"][-1] | {"id": 9})
    dataset["annotations"].append(
        dataset["annotations"][0] | {"id": 10, "category_id": 5, "iscrowd": 1}
    )
    found = asked("vision_r1_odinw", write("ann.json", dataset))
    assert {key: [(q.category, q.name) for q in asked_] for key, asked_ in found.items()} == {
        3: [(7, "red circle"), (2, "blue square")],
        0: [(5, "Cat")],
        12: [(7, "red circle")],
    }
    assert (
        found[0][0].text
        == "Locate every Cat in the image and output the coordinates in JSON format."
    )


def test_an_image_without_objects_gets_no_query_about_present_ones(
    dataset: Any, write: Any
) -> None:
    dataset["annotations"] = [
        record for record in dataset["annotations"] if record["image_id"] != 0
    ]
    assert asked("vision_r1_odinw", write("ann.json", dataset))[0] == ()


def test_each_category_is_asked_for(dataset: Any, write: Any, tmp_path: Path) -> None:
    found = asked(own(tmp_path), write("ann.json", dataset))
    assert [q.text for q in found[12]] == ["Find red circle.", "Find blue square.", "Find Cat."]


@pytest.mark.parametrize(
    ("caption", "called"),
    [
        (Caption(name="disc"), "disc"),
        (Caption(prefix="a ", suffix=" on the wall"), "a red circle on the wall"),
        (Caption(name="discs", prefix="some "), "some discs"),
    ],
    ids=["name", "around", "both"],
)
def test_captions_are_used_where_the_protocol_says_so(
    dataset: Any, write: Any, caption: Caption, called: str
) -> None:
    path = write("ann.json", dataset)
    assert asked("qwen_odinw", path, {"red circle": caption})[12][0].name == called
    assert asked("vision_r1_odinw", path, {"red circle": caption})[12][0].name == "red circle"


def test_names_with_braces_are_no_placeholders(dataset: Any, write: Any) -> None:
    dataset["categories"][0]["name"] = "{category} {0} {"
    text = asked("vision_r1_odinw", write("ann.json", dataset))[12][0].text
    assert (
        text
        == "Locate every {category} {0} { in the image and output the coordinates in JSON format."
    )


def test_expressions_are_asked_of_images_that_have_one(dataset: Any, write: Any) -> None:
    dataset["images"][0]["caption"] = "the larger one"
    found = asked("refcoco", write("ann.json", dataset))
    text = "Locate the larger one in the image and output the coordinates in JSON format."
    assert found == {3: (Query(text, 7, "the larger one", True),), 0: (), 12: ()}
