"""What becomes of each answer and each box in the reports: rewards, failures, faults."""

from pathlib import Path

import pytest

from mmdet_eval.evaluation import Evaluation
from mmdet_eval.reports.gallery import chosen
from mmdet_eval.reports.judged import judge, ranked
from mmdet_eval.reports.report import make_report
from mmdet_eval.suites.protocols import load_protocol

from .evaluations import (
    ANSWERS,
    CAT,
    DOG,
    SCRIPT,
    TRUTHS,
    boxes,
    coco,
    evaluated,
    given,
    summary_of,
)

JUDGED = {
    "perfect": (3.0, {"perfect"}),
    "loose": (1 + 1 + (0.6 + 1) / 2, {"missed", "extra"}),
    "missed": (1 + 0.5 + 1, {"missed"}),
    "extra": (1.0, {"extra"}),
    "prose": (0.0, {"unparseable", "broken", "missed"}),
    "cut": (2.0, {"truncated", "broken"}),
    "strange": (0.0, {"broken", "unknown", "outside", "missed", "extra"}),
}


@pytest.mark.parametrize("name", JUDGED)
def test_an_answer_is_worth_its_reward_and_named_by_its_failures(
    zoo: Evaluation, name: str
) -> None:
    judged = dict(zip(ANSWERS, judge(zoo), strict=True))[name]
    reward, kinds = JUDGED[name]
    assert judged.reward.total == pytest.approx(reward)
    assert set(judged.kinds) == kinds


def test_each_box_is_right_or_called_something_else_or_wrong(zoo: Evaluation) -> None:
    judged = dict(zip(ANSWERS, judge(zoo), strict=True))
    assert judged["loose"].states == ["right", "label"]
    assert judged["loose"].ious == pytest.approx([0.6, 1.0])
    assert (judged["extra"].states, judged["extra"].ious) == (["wrong"], [None])


def test_a_query_for_one_category_is_judged_by_that_category(tmp_path: Path) -> None:
    truths = coco({"pair": [(1, CAT), (2, DOG)]})
    answers = {"pair/cat": boxes((CAT, "cat")), "pair/dog": boxes((DOG, "dog"))}
    made = evaluated(tmp_path, "pairs", answers, truths, protocol=load_protocol("vision_r1_odinw"))
    assert [(one.kinds, one.truth.labels) for one in judge(made)] == [
        (("perfect",), ("cat",)),
        (("perfect",), ("dog",)),
    ]


def test_crowds_and_boxes_without_area_are_nothing_to_find(tmp_path: Path) -> None:
    truths = coco({"one": [(1, CAT), (2, DOG), (1, [5, 5, 5, 9])]})
    truths["annotations"][1]["iscrowd"] = 1
    (judged,) = judge(evaluated(tmp_path, "crowd", {"one": boxes((CAT, "cat"))}, truths))
    assert judged.truth.boxes.tolist() == [CAT]
    assert judged.kinds == ("perfect",)


def test_given_boxes_are_judged_without_text(tmp_path: Path) -> None:
    result = {"image_id": 1, "category_id": 1, "bbox": [10, 10, 100, 100], "score": 0.5}
    beyond = {"image_id": 7, "category_id": 1, "bbox": [300, 10, 100, 100], "score": 0.5}
    judged = dict(zip(TRUTHS, judge(given(tmp_path, [result, beyond])), strict=True))
    assert judged["perfect"].kinds == ("perfect",)
    assert judged["extra"].kinds == ("perfect",), "no boxes where there is nothing"
    assert len(judged["strange"].read.boxes) == 0


@pytest.mark.parametrize("limit", [1, 3, 8, 20])
def test_the_choice_has_the_best_the_worst_and_the_unparseable(tmp_path: Path, limit: int) -> None:
    names = [f"image{n}" for n in range(40)]
    texts = [ANSWERS[kind] for kind in ("perfect", "strange", "missed", "prose")] * 10
    made = evaluated(
        tmp_path,
        "many",
        dict(zip(names, texts, strict=True)),
        coco({name: [(1, CAT)] for name in names}),
    )
    judged = judge(made)
    places = chosen(judged, limit)
    assert len(set(places)) == len(places) == limit
    assert places == [place for place in ranked(judged) if place in set(places)]
    if limit >= 3:
        assert judged[places[0]].reward.total == 3
        assert judged[places[-1]].reward.total == 0
    if limit >= 8:
        assert {kind for place in places for kind in judged[place].kinds} >= {
            "unparseable",
            "unknown",
            "perfect",
        }
        assert sum(judged[place].read.answer.text == SCRIPT for place in places) >= limit // 4


def test_faults_are_counted_once_and_the_most_frequent_comes_first(zoo: Evaluation) -> None:
    faults = {fault.key: fault for fault in make_report([zoo]).faults}
    assert {key: (fault.count, fault.total) for key, fault in faults.items()} == {
        "unreadable": (1, 8),  # prose
        "label": (1, 8),  # loose: a dog called cat
        "missed": (2, 8),  # missed: the dog; strange: the cat
        "absent": (1, 7),  # extra
        "background": (1, 7),  # strange
    }
    assert next(iter(faults)) == "missed"
    assert faults["label"].labels == (("dog called cat", 1),)
    names = list(ANSWERS)
    assert [names[place] for _, place in faults["missed"].examples] == ["missed", "strange"]


def test_images_without_an_answer_are_a_fault(tmp_path: Path) -> None:
    made = evaluated(tmp_path, answers={"perfect": ANSWERS["perfect"]}, missing="empty")
    faults = {fault.key: fault for fault in make_report([made]).faults}
    assert (faults["unanswered"].count, faults["unanswered"].total) == (7, 8)


def test_a_detectors_boxes_are_judged_from_its_best_f1(tmp_path: Path) -> None:
    right = {"image_id": 1, "category_id": 1, "bbox": [10, 10, 100, 100], "score": 0.5}
    doubtful = {"image_id": 1, "category_id": 2, "bbox": [150, 10, 50, 50], "score": 0.1}
    made = given(tmp_path, [right, doubtful])
    report = make_report([made])
    assert [len(one.read.boxes) for one in report.judged[0]] == [1, 0, 0, 0, 0, 0, 0]
    assert "0.5" in summary_of([made])
