"""Explanations: the terms give the reward that training gives, and the words fit the rules at hand."""

import json
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import swift_plugin_visionr1.formats as formats
from swift_plugin_visionr1 import (
    FAMILIES,
    PRESETS,
    Scorer,
    Settings,
    model_io,
    read_solution,
)
from swift_plugin_visionr1.explain.explanation import explain
from swift_plugin_visionr1.explain.report import report
from swift_plugin_visionr1.formats import JsonLayout
from swift_plugin_visionr1.formats.issue_meanings import CONTENT, TEMPLATE, meaning
from swift_plugin_visionr1.reward.schedule import STAGES

from .explaining import TEXT, TRUTH, boxes, run

PAPER = PRESETS["paper"]


def text_of(
    text: str, settings: Settings = PAPER, truth: dict = TRUTH, stages: tuple = STAGES
) -> str:
    return report(
        explain(
            text, read_solution(json.dumps(truth)), Scorer(settings, model_io(settings)), stages
        )
    )


rules = st.sampled_from(
    [
        *PRESETS.values(),
        replace(PAPER, differentiation=False),
        replace(PAPER, salvage=False),
        *(replace(PAPER, precision_over=over) for over in ("valid", "predicted", "larger")),
    ]
)


@given(boxes, boxes, rules, st.booleans())
def test_the_terms_give_the_reward_of_training(
    own: list, true: list, settings: Settings, cut: bool
) -> None:
    text = json.dumps([{"bbox_2d": box, "label": "ab"[i % 2]} for i, box in enumerate(own)])[
        : -1 if cut else None
    ]
    true = [[min(v, 112) for v in box] for box in true]
    truth = read_solution(
        json.dumps({"width": 112, "height": 112, "boxes": true, "labels": ["a"] * len(true)})
    )
    explanation = explain(text, truth, Scorer(settings, model_io(settings)), STAGES)
    scorer = Scorer(settings, model_io(settings))
    assert report(explanation)
    for terms in explanation.stages:
        reward = scorer.score(text, truth, terms.standard.name)
        assert (terms.breakdown.format, terms.breakdown.recall) == (reward.format, reward.recall)
        matched = [
            i
            for i, prediction in enumerate(explanation.predictions)
            if prediction.truth is not None
        ]
        if settings.rules != "official" and true:
            found = sum(terms.valid)
            over = {
                "matched": len(matched),
                "valid": found,
                "predicted": len(explanation.predictions),
                "larger": max(len(explanation.predictions), len(true)),
            }[settings.precision_over]
            paid = sum(terms.f[i] for i in matched if terms.valid[i])
            assert reward.precision == pytest.approx(paid / over if over else 0)
        elif true and matched:
            assert reward.precision == pytest.approx(
                np.mean([terms.f[i] for i in matched]), abs=1e-6
            )


def test_every_equation_with_its_terms() -> None:
    text = text_of(TEXT)
    assert re.search(
        r"0 +cat +\[0, 0, 20, 20\] +\[0.0, 0.0, 20.0, 20.0\] +0 cat +1 +yes +1 +yes +1\n", text
    )
    assert re.search(r"1 +cow .* 1 dog +0.6 +yes +0.6 +no +0\n", text)
    assert "valid / annotated = 2 / 2 = 1; f(1) = 1, for x >= xi2" in text
    assert "matched pairs = (1 + 0.6) / 2 = 0.8" in text
    assert "1 + 1 + 0.8 = 2.8" in text
    assert "valid / annotated = 1 / 2 = 0.5; f(0.5) = 0, for x < xi1" in text
    assert "matched pairs = (1 + 0) / 2 = 0.5" in text


def test_template_and_content_issues_stand_apart() -> None:
    text = text_of('Here: [{"bbox_2d": [0, 0, 20, 200], "label": "cat"}]')
    assert re.search(r"f_tem +.*\n +text_around: there is text", text)
    assert re.search(r"f_cont +.*\n +out_of_image: a coordinate lies beyond .*\(box 0\)", text)


@pytest.mark.parametrize(
    ("model_type", "answer", "written"),
    [
        pytest.param(
            "gemma3_vision",
            '[{"box_2d": [500, 0, 900.0, 300], "label": "cat"}]',
            "[500, 0, 900.0, 300]",
            id="y first",
        ),
        pytest.param(
            "kosmos2",
            "<phrase>cat</phrase><object><patch_index_0000><patch_index_0033></object>",
            "[0000, 0033]",
            id="two indices",
        ),
        pytest.param(
            "paligemma",
            "<loc0500><loc0000><loc0900><loc0300> cat",
            "[0500, 0000, 0900, 0300]",
            id="tokens",
        ),
    ],
)
def test_numbers_are_shown_as_they_are_written(model_type: str, answer: str, written: str) -> None:
    scorer = Scorer(PAPER, model_io(PAPER, model_type))
    assert f" {written} " in report(
        explain(answer, read_solution(json.dumps(TRUTH)), scorer, STAGES)
    )


def test_a_centre_and_a_size_are_shown_as_they_are_written() -> None:
    settings = replace(
        PAPER, format="json", frame="norm1", json=JsonLayout(order="cxcywh", decimals=2)
    )
    text = text_of('[{"bbox_2d": [0.50, 0.4, 0.25, 0.2], "label": "cat"}]', settings)
    assert " [0.50, 0.4, 0.25, 0.2] " in text


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        pytest.param(
            "[]", "f_cont = 1  content: no box was read, so nothing to check", id="no box"
        ),
        pytest.param(TEXT, "f_cont = 1  content as it should be", id="boxes"),
        pytest.param(
            TEXT.replace("bbox_2d", "box_2d"), "under the key of another family", id="Gemini's key"
        ),
        pytest.param(
            TEXT.replace("label", "name"),
            "no label, or none under the format's own key",
            id="label's key",
        ),
    ],
)
def test_what_is_wrong_with_the_format_in_words(answer: str, words: str) -> None:
    assert words in text_of(answer)


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        pytest.param(
            {"precision_over": "larger"}, "the larger of predicted and annotated", id="denominator"
        ),
        pytest.param(
            {"wrong_label": "unmatched"}, "1 dog, label not accepted: counts as 0", id="wrong label"
        ),
        pytest.param(
            {"differentiation": False}, "without differentiation f(x) = x", id="no differentiation"
        ),
    ],
)
def test_rules_other_than_the_papers_are_named(settings: dict, words: str) -> None:
    assert words in text_of(TEXT, replace(PAPER, **settings))


def test_boxes_left_out_by_salvage_are_told() -> None:
    settings = replace(PAPER, salvage=False)
    scorer = Scorer(settings, model_io(settings))
    explanation = explain(TEXT[:-1], read_solution(json.dumps(TRUTH)), scorer, STAGES)
    assert (len(explanation.predictions), explanation.unread) == (0, 2)


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        pytest.param("[]", "does: 1", id="empty"),
        pytest.param(TEXT, "does not: 0", id="boxes"),
    ],
)
def test_nothing_to_find(answer: str, words: str) -> None:
    assert words in text_of(answer, truth=TRUTH | {"boxes": [], "labels": []})


def test_official_rules_are_not_explained_by_the_papers_equations() -> None:
    text = text_of(TEXT, PRESETS["official"])
    assert "Eq." not in text
    assert "pairs with GIoU > 0.5 / annotated = 2 / 2: 1" in text
    assert "mean of f(GIoU) over matched pairs = (1 + 0.6) / 2 = 0.8" in text


def test_a_published_command_without_stages_is_explained_once(
    capsys: pytest.CaptureFixture,
) -> None:
    run("--completion", TEXT, "--solution", json.dumps(TRUTH), "--config", "official")
    assert "Advanced stage" not in capsys.readouterr().out


@pytest.mark.parametrize(
    "model_type", [name for name, family in FAMILIES.items() if family.format != "json"]
)
def test_the_right_answer_of_every_family_gets_all_of_the_reward(model_type: str) -> None:
    big = {
        "width": 1000,
        "height": 800,
        "boxes": [[100, 80, 500, 400], [600, 200, 900, 700]],
        "labels": ["cat", "dog"],
    }
    truth, model = read_solution(json.dumps(big)), model_io(PAPER, model_type)
    answer = model.format.write(
        model.format.frame.from_image(truth.boxes, model.resize.view(truth.size)), truth.labels
    )
    explanation = explain(
        answer, truth, Scorer(PAPER, model), ["beginner"]
    )  # Kosmos-2's grid is too coarse for more
    assert explanation.breakdown.total == 3, report(explanation)


def test_a_label_that_no_terminal_shows(capsys: pytest.CaptureFixture) -> None:
    run("--completion", TEXT.replace("cow", r"\ud800$x_1"), "--solution", json.dumps(TRUTH))
    assert r"\ud800$x_1" in capsys.readouterr().out


def test_every_documented_issue_has_a_meaning() -> None:
    codes: set[str] = set()
    for file in Path(formats.__file__).parent.glob("*.py"):
        for block in re.findall(
            r"^Issue codes.*\n((?:    .*\n)+)", file.read_text(encoding="utf-8"), re.MULTILINE
        ):
            codes |= set(re.findall(r"^    (\w+) ", block, re.MULTILINE))
    assert "not_json" in codes
    assert codes - set(TEMPLATE) - set(CONTENT) == set()
    assert meaning("some_new_code") == "some new code"
