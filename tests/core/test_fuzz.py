"""20,000 random strings, truncations and mutations of answers: never an exception, every part in
[0, 1]."""

import json
import random

import pytest

from swift_plugin_visionr1 import PRESETS, Scorer, model_io, read_solution

TRUTHS = [
    json.dumps(
        {
            "width": 640,
            "height": 480,
            "boxes": [[10, 10, 110, 110], [200, 200, 300, 300]],
            "labels": ["a", "b"],
        }
    ),
    json.dumps({"width": 640, "height": 480, "boxes": [], "labels": []}),
]
SEEDS = [
    '```json\n[\n\t{"bbox_2d": [10, 10, 110, 110], "label": "a"},\n'
    '\t{"bbox_2d": [200, 200, 300, 300], "label": "b"}\n]\n```',
    '[{"bbox_2d": [10.5, -3, 1e3, 1e400], "label": null}, {"bbox_2d": ["1", "2", "3", "4"]}, 7, '
    "[], {}]",
    "<think>two</think><answer>{'bbox_2d': [0, 0, 643, 476], 'label': 'x'}</answer>",
    '[{"bbox_2d": [0, 0, 1' + "0" * 200 + ", 1" + "0" * 200 + '], "label": "far"}]',
    '[{"bbox_2d": [-1' + "0" * 400 + ', 0, 9, 9], "label": "far"}]',
    "[]",
    '{"point_2d": [1, 2]}',
]
ALPHABET = (
    "[]{}\",:.0123456789eE+-\\n\t `'abcxyz_NaNInfinitytruefalsenulljson\u00e9\ud800\U0001f600\x00"
)


def mutate(rng: random.Random) -> str:
    kind = rng.randrange(4)
    if kind == 0:
        return "".join(rng.choices(ALPHABET, k=rng.randrange(80)))
    text = rng.choice(SEEDS)
    if kind == 1:
        return text[: rng.randrange(len(text) + 1)]
    for _ in range(rng.randrange(1, 8)):
        at, other = rng.randrange(len(text) + 1), rng.randrange(len(text) + 1)
        middle = rng.choice(ALPHABET) if kind == 2 else text[min(at, other) : max(at, other)]
        text = text[:at] + middle + text[at + rng.randrange(3) :]
    return text


@pytest.mark.parametrize("preset", PRESETS)
def test_no_text_raises_or_leaves_the_range(preset: str) -> None:
    rng = random.Random(0)
    scorer = Scorer(PRESETS[preset], model_io(PRESETS[preset]))
    truths = [read_solution(truth) for truth in TRUTHS]
    seen = set()
    for number in range(20_000):
        stage = "advanced" if number % 2 else "beginner"
        breakdown = scorer.score(mutate(rng), truths[number // 2 % 2], stage)
        for part in (breakdown.format, breakdown.recall, breakdown.precision, breakdown.count):
            assert 0 <= part <= 1
        seen.add((breakdown.format, breakdown.recall > 0))
    assert len(seen) == 4, "the mutations must reach good and bad answers alike"
