"""Rows of several tasks in one run: which of them our rewards judge, and what they pay."""

import json
from collections import Counter

import pytest

from swift_plugin_visionr1 import PRESETS, Scorer, get_format, model_io
from swift_plugin_visionr1.data.ground_truth import GroundTruth
from swift_plugin_visionr1.data.row_census import (
    RowCensus,
    few_names,
    kind_of_row,
    misplaced,
    other_rewards,
)
from swift_plugin_visionr1.data.row_tasks import CountTruth, PointTruth, target_of, targets_of
from swift_plugin_visionr1.errors import SolutionError
from swift_plugin_visionr1.formats.counts import parse_count
from swift_plugin_visionr1.formats.points import parse_points
from swift_plugin_visionr1.reward.batch_rows import PARTS, means_by_name
from swift_plugin_visionr1.reward.scorer import means
from swift_plugin_visionr1.reward.settings import load_settings

BOXES = [[0, 0, 100, 100], [200, 200, 300, 300]]
SOLUTION = json.dumps({"width": 1000, "height": 1000, "boxes": BOXES, "labels": ["cat", "cat"]})
TWO_NAMES = SOLUTION.replace('["cat", "cat"]', '["cat", "dog"]')
NOTHING = json.dumps({"width": 1000, "height": 1000, "boxes": [], "labels": []})
SETTINGS = load_settings("paper")
RIGHT = '[{"bbox_2d": [0, 0, 100, 100], "label": "cat"}]'


def scorer(mixed: bool = True, spec: str = "paper") -> Scorer:
    settings = load_settings(spec)
    return Scorer(settings, model_io(settings, "qwen3_vl"), mixed=mixed)


def points(*places: tuple, label: str = "cat") -> str:
    return json.dumps([{"point_2d": list(place), "label": label} for place in places])


@pytest.mark.parametrize(
    ("row", "kind"),
    [
        pytest.param({"solution": SOLUTION}, GroundTruth, id="boxes"),
        pytest.param({"solution": SOLUTION, "task": "my_own"}, GroundTruth, id="unknown task"),
        pytest.param({"solution": SOLUTION, "task": "Pointing"}, PointTruth, id="pointing"),
        pytest.param({"solution": SOLUTION, "task": "counting"}, CountTruth, id="count of boxes"),
        pytest.param({"solution": "7", "task": "counting"}, CountTruth, id="count"),
        pytest.param({"solution": '{"count": 7}', "task": "count"}, CountTruth, id="count object"),
        pytest.param({"solution": SOLUTION, "task": "vqa"}, type(None), id="task of others"),
        pytest.param({"solution": None}, type(None), id="no solution"),
        pytest.param({}, type(None), id="no column"),
        pytest.param({"solution": "B"}, type(None), id="a letter"),
        pytest.param({"solution": "\\boxed{42}"}, type(None), id="a number"),
    ],
)
def test_what_a_row_of_a_mixed_run_is(row: dict, kind: type) -> None:
    assert type(target_of(row, mixed=True)) is kind


@pytest.mark.parametrize(
    "row",
    [
        pytest.param({"solution": SOLUTION[:-9]}, id="cut off"),
        pytest.param({"solution": "cat 10 20 30 40"}, id="boxes in another form"),
        pytest.param({"solution": '{"boxs": []}'}, id="misspelt key"),
        pytest.param({"solution": None, "task": "detection"}, id="detection without boxes"),
        pytest.param({"solution": "B", "task": "pointing"}, id="pointing without boxes"),
        pytest.param({"solution": "many", "task": "counting"}, id="no number"),
        pytest.param({"solution": "-3", "task": "counting"}, id="below zero"),
        pytest.param({"solution": SOLUTION, "task": "countng"}, id="misspelt task"),
    ],
)
def test_mistakes_stay_errors_in_a_mixed_run(row: dict) -> None:
    with pytest.raises(SolutionError):
        target_of(row, mixed=True)


def test_a_run_of_our_rewards_alone_needs_every_solution() -> None:
    with pytest.raises(SolutionError, match="row 1 of this batch"):
        targets_of({"solution": [SOLUTION, None]}, 2)
    assert targets_of({"solution": [SOLUTION, None], "task": [None, "general"]}, 2)[1] is None


def test_a_batch_of_other_tasks_alone_is_left_to_others() -> None:
    assert scorer()(["a", "b"], {"messages": [[], []]}, "beginner") == [None, None]


def census(rows: list[dict], others: tuple[str, ...]) -> RowCensus:
    counted = RowCensus(others)
    for index, row in enumerate(rows):
        counted.add(index, kind_of_row(row, target_of(row, mixed=True)))
    return counted


GENERAL, UNTOLD, OURS = {"task": "general"}, {"solution": None}, {"solution": SOLUTION}


@pytest.mark.parametrize(
    ("rows", "others", "message"),
    [
        pytest.param([OURS, UNTOLD], (), "no other reward", id="nobody judges a lost solution"),
        pytest.param([OURS, GENERAL], (), "a reward beside ours", id="nobody judges a task"),
        pytest.param(
            [OURS, UNTOLD, UNTOLD], ("accuracy",), "say so in a column", id="most lack it"
        ),
        pytest.param([GENERAL], ("accuracy",), "leave vision_r1 out", id="nothing of ours"),
        pytest.param(
            [OURS, {"solution": None, "solutions": SOLUTION}],
            ("accuracy",),
            'got it in "solutions"',
            id="misspelt column",
        ),
    ],
)
def test_data_sets_that_are_stopped(rows: list, others: tuple, message: str) -> None:
    with pytest.raises(SolutionError, match=message):
        census(rows, others).require_judged("train_dataset", str, rows.__getitem__)


@pytest.mark.parametrize(
    "rows",
    [
        pytest.param([OURS, OURS, UNTOLD], id="without a solution"),
        pytest.param([OURS, *[GENERAL] * 9], id="told by their task"),
        pytest.param([OURS, {"solution": "B"}], id="another solution"),
    ],
)
def test_mixed_data_sets_that_pass(rows: list) -> None:
    counted = census(rows, ("accuracy",))
    counted.require_judged("train_dataset", str, rows.__getitem__)
    assert counted.is_mixed
    assert "left to accuracy" in counted.describe()


def test_a_misplaced_solution_is_one_that_can_be_read() -> None:
    assert misplaced({"solution": None, "answer": "[1, 2]", "truth": SOLUTION}) == "truth"
    assert not misplaced({"solution": None, "resolution": "[640, 480]", "answer": "cat"})


def test_rewards_of_length_or_form_judge_no_answer() -> None:
    assert other_rewards(["vision_r1", "vision_r1_count", "soft_overlong", "repetition"]) == ()
    assert other_rewards(["vision_r1", "accuracy", len]) == ("accuracy", "len")


POINTED = [
    pytest.param(points((50, 50), (250, 250)), SOLUTION, (1, 1, 1), id="one in each"),
    pytest.param(points((250, 250), (50, 50)), SOLUTION, (1, 1, 1), id="in any order"),
    pytest.param(points((50, 50)), SOLUTION, (1, 0.5, 1), id="one missed"),
    pytest.param(points((50, 50), (60, 60)), SOLUTION, (1, 0.5, 0.5), id="two in one box"),
    pytest.param(points((50, 50), (500, 500)), SOLUTION, (1, 0.5, 0.5), id="one beside"),
    pytest.param(points((100, 100)), SOLUTION, (1, 0.5, 1), id="on the border"),
    pytest.param(points((250, 250)), TWO_NAMES, (1, 0, 0), id="in the box of another name"),
    pytest.param(points((50, 50)), TWO_NAMES, (1, 0.5, 1), id="in the box of its name"),
    pytest.param(points((50, 50), label="it"), SOLUTION, (1, 0.5, 1), id="one name needs none"),
    pytest.param(RIGHT, SOLUTION, (0, 0.5, 1), id="a box's centre, against the format"),
    pytest.param(points((50, 5000)), SOLUTION, (0, 0, 0), id="out of the image"),
    pytest.param("nonsense", SOLUTION, (0, 0, 0), id="nothing read"),
    pytest.param("[]", NOTHING, (1, 1, 1), id="nothing there, and said so"),
    pytest.param(points((50, 50)), NOTHING, (1, 0, 0), id="nothing there"),
    pytest.param("", NOTHING, (0, 0, 0), id="silence says nothing"),
]


@pytest.mark.parametrize(("text", "solution", "parts"), POINTED)
def test_points_are_scored_by_the_boxes_they_lie_in(text: str, solution: str, parts: tuple) -> None:
    (breakdown,) = scorer()([text], {"solution": [solution], "task": ["pointing"]}, "beginner")
    assert (breakdown.format, breakdown.recall, breakdown.precision) == parts
    assert breakdown.total == sum(parts)


def test_points_find_the_best_assignment() -> None:
    overlapping = json.dumps(
        {
            "width": 1000,
            "height": 1000,
            "boxes": [[0, 0, 90, 90], [50, 50, 150, 150]],
            "labels": ["a", "a"],
        }
    )
    text = points((70, 70), (20, 20), label="a")  # the first lies in both
    (breakdown,) = scorer()([text], {"solution": [overlapping], "task": ["pointing"]}, "advanced")
    assert breakdown.recall == breakdown.precision == 1


@pytest.mark.parametrize(
    ("text", "count", "format", "right"),
    [
        pytest.param("2", "2", 1, 1, id="digits"),
        pytest.param("There are two cats.", "2", 1, 1, id="a word"),
        pytest.param("1,204", "1204", 1, 1, id="thousands"),
        pytest.param("3", "2", 1, 0, id="wrong"),
        pytest.param("1 or 2", "2", 0, 1, id="several, the last is right"),
        pytest.param("many", "2", 0, 0, id="no number"),
        pytest.param("2.5", "2", 0, 0, id="no whole number"),
        pytest.param("", "0", 0, 0, id="silence is not zero"),
        pytest.param("There are no cats.", "0", 0, 1, id="denied"),
        pytest.param("[]", NOTHING, 1, 1, id="no boxes"),
        pytest.param(RIGHT, SOLUTION, 1, 0, id="one box of two"),
        pytest.param(points((1, 1), (2, 2)), SOLUTION, 1, 1, id="as many points"),
    ],
)
def test_counting_rows_pay_the_right_number(text: str, count: str, format: int, right: int) -> None:
    (breakdown,) = scorer()([text], {"solution": [count], "task": ["counting"]}, "beginner")
    assert (breakdown.format, breakdown.recall, breakdown.precision) == (format, right, right)
    assert breakdown.count == right


HOSTILE = ["[" * 5000, '{"point_2d": ' * 3000, "<" * 9999, "(1,2)" * 30_000, "9" * 99_999, "\ud800"]


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
@pytest.mark.parametrize("family", ["qwen3_vl", "internvl", "rex_omni", "griffon", "gemini"])
def test_no_answer_raises(text: str, family: str) -> None:
    parse_points(text, get_format(family))
    parse_count(text, get_format(family))


@pytest.mark.parametrize(
    ("family", "text"),
    [
        pytest.param("qwen3_vl", points((12, 34)), id="JSON"),
        pytest.param("gemini", '[{"point": [34, 12], "label": "cat"}]', id="y first"),
        pytest.param("internvl", "<ref>cat</ref><point>[[12, 34]]</point>", id="tags"),
        pytest.param(
            "rex_omni",
            "<|object_ref_start|>cat<|object_ref_end|><|box_start|><12><34><|box_end|>",
            id="bins",
        ),
    ],
)
def test_points_of_each_notation(family: str, text: str) -> None:
    parsed = parse_points(text, get_format(family))
    assert parsed.points.tolist() == [[12, 34]]
    assert parsed.labels == ("cat",)


# A mixed batch, row by row: text, and the columns of its row.
MIXED = [
    (RIGHT, {"solution": SOLUTION, "task": "detection", "source": "coco"}),
    ("B", {"solution": "B", "task": "general", "source": "quiz"}),
    (points((50, 50)), {"solution": SOLUTION, "task": "pointing", "source": "coco"}),
    ("2", {"solution": "2", "task": "counting", "source": "tally"}),
    ("nonsense", {"solution": SOLUTION, "task": "detection", "source": "coco"}),
    ("hello", {"solution": None, "task": None, "source": "quiz"}),
]


def columns(rows: list[tuple[str, dict]]) -> dict:
    return {name: [row.get(name) for _, row in rows] for name in ("solution", "task", "source")}


@pytest.mark.parametrize("spec", ["paper", "strict", "visual_rft", "adaptive"])
def test_a_mixed_batch_pays_what_each_row_pays_alone(spec: str) -> None:
    spec = "configs/reward/adaptive.yaml" if spec == "adaptive" else spec
    mixed, stage = scorer(spec=spec), None if "adaptive" in spec else "beginner"
    earned = mixed([text for text, _ in MIXED], columns(MIXED), stage)
    for (text, row), breakdown in zip(MIXED, earned, strict=True):
        (alone,) = scorer(spec=spec)([text], columns([(text, row)]), stage)
        assert (breakdown and breakdown.total) == (alone and alone.total)
    assert [breakdown is None for breakdown in earned] == [False, True, False, False, False, True]
    assert len(mixed.last.truths) == len(mixed.last.breakdowns) == 2  # what warnings look at


def test_means_by_source_and_task_are_those_of_separate_runs() -> None:
    mixed = scorer()
    mixed([text for text, _ in MIXED], columns(MIXED), "beginner")
    together = means_by_name([mixed.take_named_sums()])
    for column in ("source", "task"):
        for name in {row[column] for _, row in MIXED} - {"quiz", "general", None}:
            own = [pair for pair in MIXED if pair[1][column] == name]
            alone = scorer()
            alone([text for text, _ in own], columns(own), "beginner")
            expected = means([alone.take_sums()])
            assert {part: together[f"{name}/{part}"] for part in PARTS} == {
                part: expected[part] for part in PARTS
            }
    assert not any(key.startswith(("quiz/", "general/")) for key in together)


def test_means_by_name_over_processes_weigh_completions() -> None:
    first = Counter({("coco", "completions"): 3, ("coco", "recall"): 3.0})
    second = Counter({("coco", "completions"): 1, ("coco", "recall"): 0.0})
    third = Counter({("quiz", "completions"): 1, ("quiz", "recall"): 1.0})
    assert means_by_name([first, second, third]) == {"coco/recall": 0.75, "quiz/recall": 1.0}
    assert means_by_name([third, Counter(), second, first]) == means_by_name([first, second, third])
    assert means_by_name([Counter()]) == {}


def test_a_column_of_many_names_has_no_means() -> None:
    assert few_names({"source": [str(n) for n in range(99)], "task": ["a", "b"] * 9}) == ("task",)


def test_rows_without_these_columns_count_as_before() -> None:
    plain = Scorer(PRESETS["paper"], model_io(SETTINGS, "qwen3_vl"))
    plain([RIGHT, ""], {"solution": [SOLUTION] * 2}, "beginner")
    assert not plain.take_named_sums()
    assert plain.take_sums()["completions"] == 2
