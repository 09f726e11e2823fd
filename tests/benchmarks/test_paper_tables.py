"""The tables in miniature: scenes, the list of runs, the runner, the report."""

import argparse
import json
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from statistics import mean

import pytest

sys.path.append(str(Path(__file__).parents[2] / "benchmarks" / "paper_tables"))
import evidence
import group_spread
import ignoring_labels
import intervals
import recommend
import results
import run
import run_list
import testbed

from swift_plugin_visionr1.errors import InputError, SettingsError
from swift_plugin_visionr1.reward.settings import load_settings, settings_from

HERE = Path(run.__file__).parent

LIST = """
seeds: [1, 2]
bases: {weak: {learning_rate: 1.0e-4}}
settings:
  - {name: base, table: as it is, method: none}
  - {name: paper, table: Table 1, reward: {preset: paper}}
  - {name: strict, table: ours, tier: 2, reward: {preset: strict}, options: {beta: 0.2}}
hypotheses:
  - {says: it helps, by: the paper, base: weak, better: [paper], worse: [base]}
"""


@pytest.fixture
def runs(tmp_path: Path) -> run_list.RunList:
    return read(tmp_path, LIST)


def read(folder: Path, text: str) -> run_list.RunList:
    path = folder / "runs.yaml"
    path.write_text(text)
    return run_list.read_run_list(path)


def test_the_shipped_list_is_valid_and_covers_the_core() -> None:
    runs = run_list.read_run_list(HERE / "runs.yaml")
    names = {setting.name for setting in runs.settings}
    assert {"base", "paper", "strict", "official", "step-third", "step-never"} <= names
    assert len(runs.seeds) >= 3
    assert set(runs.bases) == {"weak", "strong"}


@pytest.mark.parametrize(
    ("old", "new", "meant"),
    [
        ("tier: 2", "teir: 2", "tier"),
        ("seeds:", "sedes:", "seeds"),
        ("better: [paper]", "better: [papre]", "paper"),
        ("preset: strict", "preset: strikt", "strict"),
        ("reward: {preset: paper}", "reward: {presicion_over: valid}", "precision_over"),
    ],
)
def test_a_slip_in_the_list_is_named(tmp_path: Path, old: str, new: str, meant: str) -> None:
    with pytest.raises((InputError, SettingsError), match=f"mean.*{meant}"):
        read(tmp_path, LIST.replace(old, new))


def test_runs_come_by_tier_then_seed_and_the_base_once(runs: run_list.RunList) -> None:
    names = [one.name for one in run_list.each_run(runs, {})]
    assert names == [
        "weak-base-seed1",
        "weak-paper-seed1",
        "weak-paper-seed2",
        "weak-strict-seed1",
        "weak-strict-seed2",
    ]


def test_what_decides_a_run_decides_its_fingerprint(runs: run_list.RunList) -> None:
    paper, strict = (
        next(one for one in run_list.each_run(runs, {}) if one.setting.name == name)
        for name in ("paper", "strict")
    )
    shorter = next(
        one for one in run_list.each_run(runs, {"max_steps": 2}) if one.setting.name == "paper"
    )
    prints = {
        paper.fingerprint("a", {"train": 1}),
        paper.fingerprint("b", {"train": 1}),
        paper.fingerprint("a", {"train": 2}),
        strict.fingerprint("a", {"train": 1}),
        shorter.fingerprint("a", {"train": 1}),
    }
    assert len(prints) == 5


def test_only_a_stored_result_of_this_very_run_counts_as_finished(
    runs: run_list.RunList, tmp_path: Path
) -> None:
    one = next(run_list.each_run(runs, {}))
    assert not run.is_finished(one, tmp_path, "now")
    path = tmp_path / f"{one.name}.json"
    path.write_text(json.dumps({"fingerprint": "before"}))
    assert not run.is_finished(one, tmp_path, "now")
    path.write_text(json.dumps({"fingerprint": "now"}))
    assert run.is_finished(one, tmp_path, "now")


def test_lines_of_another_machine_become_results(tmp_path: Path) -> None:
    stored = [stored_result("paper", seed, 0.1) for seed in (1, 2)]
    file = tmp_path / "lines.jsonl"
    file.write_text("".join(json.dumps(one) + "\n" for one in stored))
    run.import_results(file, tmp_path / "results")
    read = [json.loads(path.read_text()) for path in sorted((tmp_path / "results").iterdir())]
    assert read == stored


def stored_result(setting: str, seed: int, value: float, perfect: bool = False) -> dict:
    """A result whose boxes are all right, or none at all."""
    numbers = dict.fromkeys(("mAP", "AP50", "AP75", "AR@100", "F1", "negatives", "valid"), value)
    boxes = TRUTHS if perfect else {name: [] for name in testbed.KINDS}
    return {
        "run": f"weak-{setting}-seed{seed}",
        "base": "weak",
        "setting": setting,
        "seed": seed,
        "command": "" if setting == "base" else "swift rlhf",
        "completions": 0 if setting == "base" else 1536,
        "seconds": {"training": 10.0, "evaluation": 2.0, "of_a_core": 11.0},
        "commit": "0123456789abcdef",
        "versions": {"torch": "2.11", "ms-swift": "4.6.0"},
        "machine": {"cpu": "a CPU", "cores": 2, "threads": 1, "side_by_side": 2, "device": "cpu"},
        "data": {"train": 2, "in_domain": 12, "others": 6},
        "sets": {name: numbers | {"boxes_per_image": 1.5} for name in testbed.KINDS},
        "curve": {"rollout_f1": [0.1 * step for step in range(8)]},
        "boxes": {name: results.pack_boxes(boxes[name]) for name in testbed.KINDS},
    }


TRUTHS: dict[str, list] = {name: [] for name in testbed.KINDS}


@pytest.fixture
def stored(tmp_path: Path) -> Path:
    """A folder of results: `paper` finds everything, the base and `strict` find nothing."""
    data = tmp_path / "data"
    testbed.write_sets(data, train=2, in_domain=12, others=6)
    for name in testbed.KINDS:
        TRUTHS[name] = json.loads((data / f"{name}.json").read_text())["annotations"]
    folder = tmp_path / "results"
    folder.mkdir()
    made = [stored_result("base", 1, 0.0)]
    made += [stored_result("paper", seed, 0.9 + seed / 100, perfect=True) for seed in (1, 2)]
    made += [stored_result("strict", 1, 0.0)]
    for one in made:
        (folder / f"{one['run']}.json").write_text(json.dumps(one))
    return folder


def test_boxes_come_back_to_a_tenth_of_a_pixel() -> None:
    boxes = [{"image_id": 3, "category_id": 2, "bbox": [1.26, 0.0, 30.04, 7.5], "score": 1.0}]
    assert results.unpack_boxes(results.pack_boxes(boxes)) == [
        {"image_id": 3, "category_id": 2, "bbox": [1.3, 0.0, 30.0, 7.5], "score": 1.0}
    ]


@pytest.mark.parametrize(
    ("better", "worse", "margin", "word"),
    [
        ("paper", "base", 0.0, "holds"),
        ("base", "paper", 0.0, "does not hold"),
        ("paper", "paper", 0.0, "cannot be told"),
        ("paper", "paper", 0.005, "holds"),
        ("strict", "base", 0.0, "cannot be told"),
        ("paper", "strict", 0.0, "cannot be told"),
    ],
    ids=["clear", "reversed", "equal", "equal is no worse", "one seed", "one common seed"],
)
def test_a_verdict_follows_from_the_interval(
    runs: run_list.RunList, stored: Path, better: str, worse: str, margin: float, word: str
) -> None:
    read = results.read_results(stored, runs)
    drawn = intervals.sample_images(read, stored.parent / "data", testbed.KINDS, 30)
    for data in ("in_domain", "out_of_domain"):
        claim = run_list.Hypothesis("", "", (better,), (worse,), "weak", data=data, margin=margin)
        if better == "base":
            assert intervals.judge(claim, read, drawn).word in (word, "cannot be told")
        else:
            assert intervals.judge(claim, read, drawn).word == word


@pytest.mark.parametrize(
    ("seeds_of_strict", "is_recommended"), [(2, True), (1, False)], ids=["two seeds", "one seed"]
)
def test_what_beats_the_default_is_recommended_with_its_figures(
    runs: run_list.RunList, stored: Path, seeds_of_strict: int, is_recommended: bool
) -> None:
    wins = replace(runs.settings[2], options={})
    runs = replace(runs, settings=(*runs.settings[:2], wins))
    for seed in (1, 2):
        (stored / f"weak-paper-seed{seed}.json").write_text(
            json.dumps(stored_result("paper", seed, 0.0))
        )
    for seed in range(1, seeds_of_strict + 1):
        better = stored_result("strict", seed, 0.9, perfect=True)
        (stored / f"weak-strict-seed{seed}.json").write_text(json.dumps(better))
    read = results.read_results(stored, runs)
    drawn = intervals.sample_images(read, stored.parent / "data", testbed.KINDS, 30)
    file = stored.parent / "recommended.yaml"
    file.write_text(recommend.recommended(read, runs, drawn))
    assert load_settings(str(file)) == load_settings("strict" if is_recommended else "paper")
    assert ("+90.0" in file.read_text()) == is_recommended


@pytest.mark.parametrize(
    ("changed", "is_candidate"),
    [
        ({}, True),
        ({"reward": {"preset": "paper"}}, False),
        ({"method": "sft"}, False),
        ({"options": {"beta": 0.2}}, False),
        ({"options": {"learning_rate": 1e-4}}, False),
        ({"reward": {"preset": "rex_omni"}}, False),
    ],
    ids=["ours", "the default", "no reward", "another recipe", "another rate", "a peer's"],
)
def test_only_settings_of_the_reward_can_be_recommended(changed: dict, is_candidate: bool) -> None:
    setting = run_list.Setting("strict", "", reward={"preset": "strict"})
    assert recommend.is_candidate(replace(setting, **changed)) == is_candidate


def test_a_reward_is_compared_at_the_best_of_its_rates_and_one_seed_is_no_rate(
    runs: run_list.RunList, stored: Path
) -> None:
    strict = replace(runs.settings[2], options={})
    rates = [replace(strict, name=f"strict-{n}", options={"learning_rate": n}) for n in (1, 2)]
    longer = replace(strict, name="long", options={"max_steps": 9})
    runs = replace(runs, settings=(*runs.settings[:2], strict, *rates, longer))
    assert recommend.at_all_rates(runs, strict.reward) == ("strict", "strict-1", "strict-2")
    for name, seed, value in [("strict-1", 1, 0.5), ("strict-1", 2, 0.3), ("strict-2", 1, 0.9)]:
        result = json.dumps(stored_result(name, seed, value))
        (stored / f"weak-{name}-seed{seed}.json").write_text(result)
    read = results.read_results(stored, runs)
    assert read.best("weak", ("strict", "strict-1", "strict-2"), "mAP", "in_domain") == "strict-1"
    assert read.best("weak", ("strict", "strict-2"), "mAP", "in_domain") == "strict-2"


def test_the_shipped_recommendation_follows_from_the_stored_results() -> None:
    runs = run_list.read_run_list(HERE / "runs.yaml")
    text = evidence.RECOMMENDED.read_text()
    chosen = load_settings(str(evidence.RECOMMENDED))
    rewards = [one.reward for one in runs.settings if recommend.is_candidate(one)]
    assert chosen in [settings_from(reward) for reward in [{}, *rewards]]
    page = (evidence.ROOT / "docs" / "evidence.md").read_text()
    assert all(line[2:] in page for line in text.splitlines() if "points of mAP" in line)


def test_the_shipped_page_shows_what_the_stored_results_say(tmp_path: Path) -> None:
    runs = run_list.read_run_list(HERE / "runs.yaml")
    stored = results.read_results(HERE / "results", runs)
    counts = stored.stored[0]["data"]
    assert all(one["data"] == counts for one in stored.stored)
    testbed.write_sets(tmp_path, **(counts | {"train": 1}))
    page = (evidence.ROOT / "docs" / "evidence.md").read_text()
    for base in runs.bases:
        assert evidence.in_domain_table(stored, runs, base, tmp_path) in page
        assert evidence.other_sets_table(stored, runs, base) in page
    assert evidence.not_run(stored, runs) in page


def test_the_page_shows_the_stored_numbers(
    runs: run_list.RunList, stored: Path, tmp_path: Path
) -> None:
    read = results.read_results(stored, runs)
    page = tmp_path / "docs" / "evidence.md"
    evidence.write_page(
        read, runs, ["**Holds**: it helps."], "preset: paper\n", stored.parent / "data", page
    )
    text = page.read_text()
    row = next(line for line in text.splitlines() if line.startswith("| `paper` | 2 |"))
    values = [result["sets"]["in_domain"]["mAP"] for result in read.of("weak", "paper")]
    shown = [float(value) for value in re.findall(r"[\d.]+", row.split("|")[3])]
    assert shown == pytest.approx([100 * mean(values), 100 * min(values), 100 * max(values)])
    assert "`strict`, weak base: 1 of 2 seeds" in text
    assert (tmp_path / "docs" / "images" / "evidence_curves.svg").stat().st_size > 1000


def test_boxes_without_their_labels_are_told_from_their_labels(stored: Path) -> None:
    data = stored.parent / "data"
    right = TRUTHS["in_domain"]
    renamed = [box | {"category_id": box["category_id"] % 6 + 1} for box in right]
    moved = [box | {"bbox": [0, 0, 1, 1]} for box in right]
    seen = []
    for boxes in (right, renamed, moved):
        result = {"boxes": {"in_domain": results.pack_boxes(boxes)}}
        seen.append(ignoring_labels.look_at(result, "in_domain", data))
    assert [(one.found, one.named) for one in seen] == [(1, 1), (1, 0), (0, 0)]


def test_groups_without_spread_are_shown_for_each_half(runs: run_list.RunList) -> None:
    made = [stored_result("paper", seed, 0.9) for seed in (1, 2)]
    made[0]["curve"] = {"no_spread": [1.0, 0.5, 0.25, 0.25], "kl": [9.0, 0.01, 0.01, 0.01, 0.01]}
    made[1]["curve"] = {"no_spread": [0.5, 0.0, 0.75, 0.25], "kl": [0.03] * 4}
    rows = list(group_spread.spread_rows(results.Results(tuple(made)), runs))
    assert rows == [["`paper`", "weak", "50", "38", "0.020"]]


def test_quick_takes_a_few_short_runs_on_one_base() -> None:
    args = argparse.Namespace(list=HERE / "runs.yaml", quick=True, only=None)
    quick = run.planned(args)
    assert {one.setting.method for one in quick} == {"none", "sft", "grpo"}
    assert len(quick) == 3
    assert len({(one.base, one.seed) for one in quick}) == 1
    assert all(one.options.get("max_steps", 2) == 2 for one in quick)


@pytest.mark.slow
def test_a_finished_run_is_not_repeated_and_a_half_one_is(checkpoint: Path, tmp_path: Path) -> None:
    bases = tmp_path / "bases"
    bases.mkdir()
    for name in ("weak", "strong"):
        (bases / name).symlink_to(checkpoint)
    half = tmp_path / "work" / "weak-paper-seed1" / "answers"
    half.mkdir(parents=True)
    (half / "all.rows").write_text("{}\n")  # left by a run that was cut off
    places = ["--bases", str(bases), "--work", str(tmp_path / "work")]
    where = [*places, "--results", str(tmp_path / "results"), "--jobs", "2"]
    command = [sys.executable, str(HERE / "run.py"), "--quick", *where]
    first = subprocess.run(command, capture_output=True, text=True, check=False)
    assert first.returncode == 0, first.stdout + first.stderr
    kept = {path.name: path.stat().st_mtime_ns for path in (tmp_path / "results").iterdir()}
    assert len(kept) == 3
    paper = json.loads((tmp_path / "results" / "weak-paper-seed1.json").read_text())
    assert len(paper["curve"]["rollout_f1"]) == 2
    assert set(paper["sets"]) == set(testbed.KINDS)
    (tmp_path / "results" / "weak-base-seed1.json").unlink()
    again = subprocess.run(command, capture_output=True, text=True, check=False)
    assert again.returncode == 0
    after = {path.name: path.stat().st_mtime_ns for path in (tmp_path / "results").iterdir()}
    assert [name for name in kept if kept[name] != after[name]] == ["weak-base-seed1.json"]
    page = tmp_path / "docs" / "evidence.md"
    report = [sys.executable, str(HERE / "evidence.py"), "--data", str(tmp_path / "work" / "data")]
    report += ["--results", str(tmp_path / "results"), "--samples", "5", "--out", str(page)]
    report += ["--recommended", str(tmp_path / "recommended.yaml")]
    assert subprocess.run(report, check=False).returncode == 0
    assert "Cannot be told" in page.read_text()
    assert load_settings(str(tmp_path / "recommended.yaml")) == load_settings("paper")
