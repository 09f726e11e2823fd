"""The rewards of other works: what they pay, by hand and by the numbers of the published code."""

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import get_args

import numpy as np
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from swift_plugin_visionr1 import (
    PRESETS,
    GroundTruth,
    RewardBreakdown,
    Scorer,
    SettingsError,
    get_format,
    model_io,
)
from swift_plugin_visionr1.cli import main
from swift_plugin_visionr1.geometry.boxes import as_boxes
from swift_plugin_visionr1.reward.settings import describe, settings_from
from swift_plugin_visionr1.reward.zoo.average_precision import average_precision
from swift_plugin_visionr1.reward.zoo.peers import PEERS, PeerRules

ROOT = Path(__file__).parents[2]
SIZE = (112, 112)  # which Qwen2.5-VL's processor keeps
BOXES = as_boxes([[0, 0, 40, 40], [60, 60, 100, 100]])
TRUTH = GroundTruth(SIZE, BOXES, ("cat", "dog"))
NOTHING = GroundTruth(SIZE, as_boxes([]), ())
SCORERS = {name: Scorer(PRESETS[name], model_io(PRESETS[name])) for name in PEERS}


def write(boxes: object, labels: list[str]) -> str:
    return get_format("qwen2_5_vl").write(as_boxes(boxes), labels)


def score(name: str, text: str, truth: GroundTruth = TRUTH) -> RewardBreakdown:
    return SCORERS[name].score(text, truth, "beginner")


def test_published_numbers(shared_data: Path) -> None:
    file = shared_data / "golden" / "peer_rewards.json"
    names = json.loads(file.read_text())["rewards"]
    command = [sys.executable, str(ROOT / "benchmarks" / "peer_rewards.py"), str(file)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    counts = dict(re.findall(r"^(\w[\w/]*) +(\d+ / \d+)$", done.stdout, re.MULTILINE))
    assert done.returncode == 0, done.stdout
    assert {name: counts[name] for name in names} == dict.fromkeys(names, "30 / 30")


def test_a_difference_is_told(tmp_path: Path) -> None:
    case = {"input": {"image_size": [9, 9], "gt": [], "pred": []}, "expected": 0.0}
    names = {"rexomni_box_iou": {"cases": [case]}, "unheard_of": {"cases": [case]}}
    file = tmp_path / "other.json"
    file.write_text(json.dumps({"rewards": names}))
    command = [sys.executable, str(ROOT / "benchmarks" / "peer_rewards.py"), str(file)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "0 / 1" in done.stdout


def test_every_peer_is_a_preset() -> None:
    assert tuple(PEERS) == get_args(PeerRules)
    assert all(PRESETS[name].peer is peer for name, peer in PEERS.items())
    assert PRESETS["paper"].peer is None


@pytest.mark.parametrize("name", PEERS)
def test_the_right_answer_earns_the_highest_reward(name: str) -> None:
    best = score(name, write(BOXES, ["cat", "dog"]))
    assert best.total == pytest.approx(PEERS[name].highest)
    nothing = score(name, write([], []), NOTHING)
    assert (nothing.total == pytest.approx(PEERS[name].highest)) == PEERS[name].pays_denial


HALF = [[0, 0, 40, 20], [60, 60, 100, 100]]  # IoU .5 and 1


@pytest.mark.parametrize(
    ("name", "boxes", "labels", "terms"),
    [
        pytest.param("vlm_r1", BOXES[:1], ["cat"], {"format": 1, "accuracy": 0.575}, id="one box"),
        pytest.param(
            "vlm_r1", BOXES, ["cat", "cat"], {"format": 1, "accuracy": 0.65}, id="wrong label"
        ),
        pytest.param(
            "vlm_r1", BOXES, ["CAT", "Dog"], {"format": 1, "accuracy": 1}, id="case is ignored"
        ),
        pytest.param(
            "vlm_r1_od_ap", BOXES, ["CAT", "dog"], {"format": 1, "accuracy": 0.5}, id="case counts"
        ),
        pytest.param(
            "vlm_r1_od_ap", HALF, ["cat", "dog"], {"format": 1, "accuracy": 0.55}, id="thresholds"
        ),
        pytest.param("vlm_r1_od_ap50", HALF, ["cat", "dog"], {"format": 1, "accuracy": 1}, id="50"),
        pytest.param(
            "vlm_r1_od_length",
            [*BOXES, *BOXES],
            ["cat", "dog"] * 2,
            {"format": 1, "accuracy": 0.5},
            id="twice",
        ),
        pytest.param(
            "vlm_r1_rec", HALF, ["", ""], {"format": 1, "accuracy": 0.5}, id="the first box"
        ),
        pytest.param(
            "perception_r1", HALF, ["", ""], {"format": 1, "accuracy": 0.25}, id="squared"
        ),
        pytest.param(
            "visual_rft",
            HALF,
            ["cat", "dog"],
            {"format": 1, "iou": 0.5, "confidence": 0.5},
            id="IoU of exactly .5 is not matched",
        ),
        pytest.param(
            "vision_reasoner",
            HALF,
            ["cat", "dog"],
            {"format": 3, "non_repeat": 1, "accuracy": 2.0},
            id="+1 pixels, the middle of the half box is too far",
        ),
        pytest.param("rex_omni", HALF, ["cat", "dog"], {"accuracy": 0.75}, id="F1"),
        pytest.param("rex_omni", BOXES, ["cat", "DOG"], {"accuracy": 0.5}, id="names are exact"),
        pytest.param(
            "rex_omni", [*BOXES, *BOXES], ["cat", "dog"] * 2, {"accuracy": 1}, id="twice is free"
        ),
        pytest.param(
            "v_triune",
            BOXES[:1],
            ["cat"],
            {"format": 0.1 / 1.1, "accuracy": 0.6 * (0.5 * 0.7 + 0.75 * 0.3) / 1.1},
            id="one box too few",
        ),
    ],
)
def test_terms(name: str, boxes: object, labels: list[str], terms: dict[str, float]) -> None:
    reward = score(name, write(boxes, labels))
    if not any(labels):  # labels are part of the content that our format asks for
        reward = score(name, write(boxes, ["cat", "dog"]))
    assert dict(reward.paid) == pytest.approx(terms)
    assert reward.total == pytest.approx(sum(terms.values()))


def test_stated_confidences_count() -> None:
    items = [
        {"bbox_2d": [0, 0, 40, 40], "label": "cat", "confidence": 0.75},
        {"bbox_2d": [1, 60, 100, 112], "label": "dog", "confidence": 0.25},
    ]
    paid = score("visual_rft", f"```json\n{json.dumps(items)}\n```").paid
    assert (paid["iou"], paid["confidence"]) == (0.5, 0.75)


def test_unreadable_text_is_no_denial() -> None:
    """VLM-R1 wants an answer; Rex-Omni pays for everything that has no box."""
    assert score("vlm_r1", "hm", NOTHING).total == 0.0
    assert score("rex_omni", "hm", NOTHING).total == 1.0


def test_v_triune_sharpens() -> None:
    near = write([[0, 0, 40, 36], [60, 60, 100, 100]], ["cat", "dog"])
    stages = SCORERS["v_triune"].score_stages(near, TRUTH, ("beginner", "advanced"))
    assert stages["beginner"].total > stages["advanced"].total
    schedule = SCORERS["v_triune"].schedule
    shown = [schedule.at(step, 100).criteria.xi0 for step in (0, 9, 10, 24, 25, 99)]
    assert shown == [0.85, 0.85, 0.95, 0.95, 0.99, 0.99]


def test_measured_parts_are_the_papers() -> None:
    """They mean the same under all rules, so that runs can be compared."""
    paper = settings_from({"preset": "paper", "step": 1, "differentiation": False})
    text = write(HALF, ["cat", "cow"])
    own = score("rex_omni", text)
    theirs = Scorer(paper, model_io(paper)).score(text, TRUTH, "beginner")
    assert (own.format, own.recall, own.precision) == (
        theirs.format,
        theirs.recall,
        theirs.precision,
    )


@pytest.mark.parametrize("name", PEERS)
def test_settings_that_do_not_apply(name: str) -> None:
    for other in ({"matcher": "box_label"}, {"precision_over": "larger"}, {"step": "1/3"}):
        with pytest.raises(SettingsError, match=name):
            settings_from({"preset": name, **other})
    shown = yaml.safe_load(describe(PRESETS[name]))
    assert settings_from(shown) == PRESETS[name]
    assert not {"matcher", "step", "differentiation"} & set(shown)
    assert settings_from({"rules": name}) == PRESETS[name]
    assert settings_from({"preset": name, "salvage": False, "format": "internvl"}).peer


corners = st.tuples(*[st.integers(0, 112)] * 4)
answers = st.lists(st.tuples(corners, st.sampled_from(["cat", "dog", "Cat ", ""])), max_size=6)


@given(answers, answers, st.sampled_from(list(PEERS)))
def test_rewards_are_bounded(
    predicted: list[tuple[tuple[int, ...], str]],
    annotated: list[tuple[tuple[int, ...], str]],
    name: str,
) -> None:
    right = [(box, label) for box, label in annotated if box[0] < box[2] and box[1] < box[3]]
    truth = GroundTruth(SIZE, as_boxes([b for b, _ in right]), tuple(label for _, label in right))
    text = write([box for box, _ in predicted], [label for _, label in predicted])
    total = score(name, text, truth).total
    assert 0 <= total <= PEERS[name].highest + 1e-9


@given(st.permutations(range(4)), st.sampled_from(["vlm_r1", "rex_omni", "vision_reasoner"]))
def test_order_does_not_matter_where_the_definition_is_symmetric(
    order: list[int], name: str
) -> None:
    boxes, labels = as_boxes([*HALF, [5, 5, 50, 50], [58, 50, 99, 98]]), ["cat", "dog", "cat", "x"]
    text = write(boxes[order], [labels[i] for i in order])
    assert score(name, text).total == pytest.approx(score(name, write(boxes, labels)).total)


HOSTILE = [
    "",
    "[" * 50_000,
    '[{"bbox_2d": [1, 2, 3, 1e999], "label": "x", "confidence": NaN}]',
    '[{"bbox_2d": [0, 0, 40, 40], "label": "cat", "confidence": 1e999}]',
    '[{"bbox_2d": [0, 0, 40, 40], "label": "cat", "confidence": "high"}]',
    '[{"bbox_2d": [9, 9, 2, 2], "label": "x"}, {"bbox_2d": [0, 0, 40, 40]}]',
    "a. a. a. a. \x00 \ud800",
]


@pytest.mark.parametrize("name", PEERS)
@pytest.mark.parametrize("truth", [TRUTH, NOTHING], ids=["objects", "nothing"])
def test_hostile_text_is_a_score(name: str, truth: GroundTruth) -> None:
    for text in HOSTILE:
        assert 0 <= score(name, text, truth).total <= PEERS[name].highest


@given(st.text(max_size=200), st.sampled_from(list(PEERS)))
def test_any_text_is_a_score(text: str, name: str) -> None:
    assert np.isfinite(score(name, text).total)


@pytest.fixture
def completions(tmp_path: Path) -> Path:
    """Two answers to one question: everything found, and one of two boxes."""
    solution = {"width": 112, "height": 112, "boxes": BOXES.tolist(), "labels": ["cat", "dog"]}
    texts = [write(BOXES, ["cat", "dog"]), write(BOXES[:1], ["cat"])]
    messages = [{"role": "user", "content": "<image>Locate every cat and dog."}]
    rows = [
        {"response": text, "solution": json.dumps(solution), "messages": messages} for text in texts
    ]
    file = tmp_path / "infer.jsonl"
    file.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return file


def test_all_presets_side_by_side(
    completions: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "rows.jsonl"
    assert main(["score", "--presets", "all", str(completions), "--out", str(out)]) == 0
    names = [line.split()[0] for line in capsys.readouterr().out.splitlines()[2:]]
    assert {name.split("/")[0] for name in names} == set(PRESETS)
    first, second = [json.loads(line)["rewards"] for line in out.read_text().splitlines()]
    assert list(first) == names
    for name, total in first.items():
        assert total == pytest.approx(PRESETS[name.split("/")[0]].highest)
    assert second["vlm_r1"] == pytest.approx(1.575)
    assert second["rex_omni"] == pytest.approx(2 / 3)
    assert {name for name in second if name.startswith("v_triune")} == {
        f"v_triune/{stage}" for stage in ("beginner", "intermediate", "advanced")
    }


def test_a_list_of_presets(completions: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["score", str(completions), "--presets", "rex_omni,strict"]) == 0
    names = [line.split()[0] for line in capsys.readouterr().out.splitlines()[2:]]
    assert names == ["rex_omni", "strict/beginner", "strict/advanced"]


@pytest.mark.parametrize(
    "options",
    [
        pytest.param(["--presets", "vlm_r2"], id="unknown"),
        pytest.param(["--presets", "official", "--model-type", "qwen3_vl"], id="other format"),
        pytest.param(["--presets", "all", "--stage", "beginner"], id="stage"),
    ],
)
def test_presets_that_cannot_be_shown(
    completions: Path, options: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["score", str(completions), *options]) != 0
    assert options[1] in capsys.readouterr().err or "--stage" in options


def test_presets_that_do_not_read_the_format_are_left_out_of_all(
    completions: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["score", str(completions), "--presets", "all", "--model-type", "qwen3_vl"]) == 0
    told = capsys.readouterr()
    assert "official" in told.err
    assert "vlm_r1" in told.out


def test_explain_says_what_is_paid(capsys: pytest.CaptureFixture[str]) -> None:
    solution = {"width": 112, "height": 112, "boxes": BOXES.tolist(), "labels": ["cat", "dog"]}
    text = write(BOXES[:1], ["cat"])
    options = ["--completion", text, "--solution", json.dumps(solution), "--config", "vlm_r1"]
    assert main(["explain", *options]) == 0
    told = capsys.readouterr().out
    assert re.search(
        r"pays +format +1\n +pays +accuracy +0.575\n +reward +1 \+ 0.575 = 1.575", told
    )
    assert "weighted_sum" in told


def test_average_precision_is_that_of_coco() -> None:
    pytest.importorskip("pycocotools")
    for seed in range(20):
        boxes, labels, truths, names = random_case(np.random.default_rng(seed))
        ours = average_precision(boxes, labels, truths, names)
        assert ours == pytest.approx(coco_ap(boxes, labels, truths, names), abs=1e-9), seed


def random_case(rng: np.random.Generator) -> tuple[np.ndarray, list[str], np.ndarray, list[str]]:
    """Annotated boxes, and predicted ones near them, some twice, some with another label."""
    corners = rng.integers(0, 200, (rng.integers(1, 7), 2))
    truths = as_boxes(np.concatenate([corners, corners + rng.integers(8, 60, corners.shape)], 1))
    names = [("cat", "dog", "cow")[i] for i in rng.integers(0, 3, len(truths))]
    rows = rng.integers(0, len(truths), 10)
    boxes = truths[rows] + rng.integers(-3, 4, (10, 4)) * rng.integers(0, 2, (10, 1))
    labels = [names[row] if rng.random() < 0.8 else "pig" for row in rows]
    return boxes, labels, truths, names


def coco_ap(boxes: np.ndarray, labels: list[str], truths: np.ndarray, names: list[str]) -> float:
    from pycocotools.coco import COCO
    from pycocotools.cocoeval import COCOeval

    numbers = {name: number for number, name in enumerate(dict.fromkeys(names), start=1)}

    def entries(rows: np.ndarray, own: list[str]) -> list[dict]:
        pairs = [(box, label) for box, label in zip(rows, own, strict=True) if label in numbers]
        return [
            {
                "id": place,
                "image_id": 1,
                "category_id": numbers[label],
                "bbox": [x1, y1, x2 - x1, y2 - y1],
                "area": (x2 - x1) * (y2 - y1),
                "iscrowd": 0,
                "score": 1.0,
            }
            for place, ((x1, y1, x2, y2), label) in enumerate(pairs, start=1)
        ]

    annotated = COCO()
    annotated.dataset = {
        "images": [{"id": 1}],
        "categories": [{"id": number} for number in numbers.values()],
        "annotations": entries(truths, names),
    }
    annotated.createIndex()
    predicted = entries(boxes, labels)
    if not predicted:
        return 0.0
    annotated.dataset["info"] = {}
    run = COCOeval(annotated, annotated.loadRes(predicted), "bbox")
    run.evaluate()
    run.accumulate()
    precision = run.eval["precision"][:, :, :, 0, 2]
    return float(precision[precision > -1].mean())
