"""The shared pass: what it remembers and what it adds up."""

import json

from swift_plugin_visionr1 import PRESETS, Scorer, model_io

GOOD = '[{"bbox_2d": [0, 0, 20, 20], "label": "a"}]'
SOLUTION = json.dumps({"width": 112, "height": 112, "boxes": [[0, 0, 20, 20]], "labels": ["a"]})


def scorer() -> Scorer:
    return Scorer(PRESETS["paper"], model_io(PRESETS["paper"]))


def test_means_over_what_was_scored_since_the_last_call() -> None:
    own = scorer()
    own([GOOD, "oops"], {"solution": [SOLUTION] * 2}, "beginner", 0)
    own([GOOD, "oops"], {"solution": [SOLUTION] * 2}, "beginner", 0)  # another reward asks for the same batch
    means = {"format": 0.5, "recall": 0.5, "precision": 0.5, "predicted": 0.5, "truths": 1.0, "issues/not_json": 0.5}
    assert own.take_means() == means
    assert own.take_means() == {}


def test_an_issue_seen_before_is_logged_as_zero() -> None:
    own = scorer()
    own(["oops"], {"solution": [SOLUTION]}, "beginner", 0)
    own.take_means()
    own([GOOD], {"solution": [SOLUTION]}, "beginner", 1)
    assert own.take_means()["issues/not_json"] == 0


def test_the_same_batch_at_the_next_step_counts_again() -> None:
    own = scorer()
    for step in (0, 1):
        own([GOOD], {"solution": [SOLUTION]}, "beginner", step)
        assert own.take_means()["recall"] == 1


def test_the_same_solution_in_another_image_is_scored_anew() -> None:
    own, pairs = scorer(), json.dumps([["a", [0, 0, 20, 20]]])
    first, second = (
        own([GOOD], {"solution": [pairs], "width": [side], "height": [side]}, "advanced")[0].total for side in (112, 50)
    )
    assert first == 3
    assert second < 3
