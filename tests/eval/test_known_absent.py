"""What may be asked as absent: only what is known not to be in the image."""

from dataclasses import replace
from typing import Any

import pytest

from mmdet_eval.coco.annotations import Annotations, read_annotations
from mmdet_eval.suites.protocols import Protocol, load_protocol
from mmdet_eval.suites.queries import queries

# Image 3 shows 7 and 2, image 0 shows 5, image 12 shows 7: see the fixture `dataset`.
PRESENT = {3: {7, 2}, 0: {5}, 12: {7}}


def read(write: Any, dataset: Any) -> Annotations:
    return read_annotations(write("ann.json", dataset))


def asked(annotations: Annotations, protocol: Protocol) -> dict[Any, set[Any]]:
    found = queries(protocol, annotations, {})
    return {image: {query.category for query in some} for image, some in found.items()}


def test_in_an_exhaustive_set_all_others_are_absent(dataset: Any, write: Any) -> None:
    assert read(write, dataset).absent() == {3: {5}, 0: {7, 2}, 12: {2, 5}}


def test_a_crowd_is_neither_present_nor_absent(dataset: Any, write: Any) -> None:
    dataset["annotations"][3]["iscrowd"] = 1
    annotations = read(write, dataset)
    assert annotations.present()[12] == ()
    assert annotations.absent()[12] == {2, 5}
    assert 7 not in asked(annotations, load_protocol("refusal"))[12]


def test_in_a_federated_set_only_verified_categories_are_absent(dataset: Any, write: Any) -> None:
    for image, negative in zip(dataset["images"], ([], [2], [5, 7]), strict=True):
        image["neg_category_ids"] = negative
    annotations = read(write, dataset)
    # 7 is in image 12, whatever the file says.
    assert annotations.absent() == {3: set(), 0: {2}, 12: {5}}
    every = {3: {7, 2}, 0: {5, 2}, 12: {7, 5}}
    assert asked(annotations, load_protocol("each")) == every
    assert asked(annotations, load_protocol("refusal")) == every
    assert asked(annotations, load_protocol("vision_r1_odinw")) == PRESENT


def test_an_image_may_list_what_is_asked_about_it(dataset: Any, write: Any) -> None:
    dataset["images"][0]["asked_category_ids"] = [2, 5]
    annotations = read(write, dataset)
    assert annotations.absent()[3] == {5}
    every = {7, 2, 5}
    assert asked(annotations, load_protocol("each")) == {3: {2, 5}, 0: every, 12: every}


@pytest.mark.parametrize("count", [0, 1, 2, 9])
def test_absent_categories_are_drawn_the_same_every_time(
    dataset: Any, write: Any, count: int
) -> None:
    annotations = read(write, dataset)
    protocol = replace(load_protocol("refusal"), absent=count)
    found = asked(annotations, protocol)
    assert found == asked(annotations, protocol)
    absent = annotations.absent()
    for image, some in found.items():
        assert some - PRESENT[image] <= absent[image]
        assert len(some) == len(PRESENT[image]) + min(count, len(absent[image]))


def test_positives_are_asked_together(dataset: Any, write: Any) -> None:
    found = queries(load_protocol("positives"), read(write, dataset), {})
    assert [query.text for query in found[3]] == [
        "Locate every item from the category list in the image and output the coordinates in JSON "
        "format. The category set includes red circle, blue square."
    ]
    assert found[3][0].category is None
