"""Writes docs/evidence.md, its learning curves and the recommended settings from the results.

python benchmarks/paper_tables/evidence.py
python benchmarks/paper_tables/evidence.py --photographs DIR    their section, then the page
"""

import argparse
import sys
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from statistics import mean

from charts import draw_curves
from group_spread import HEAD, spread_rows
from ignoring_labels import look_at
from intervals import Verdict, judge, sample_images
from photographs import read_testbed
from recommend import recommended
from results import Results, missing, number, read_results
from run_list import HERE, Hypothesis, RunList, Setting, read_run_list
from testbed import KINDS, SCENES, Testbed, write_sets

from swift_plugin_visionr1.console import exit_code, say
from swift_plugin_visionr1.errors import InputError
from swift_plugin_visionr1.writing import write_file

ROOT = HERE.parents[1]
RECOMMENDED = ROOT / "configs" / "reward" / "recommended.yaml"
TEMPLATE = HERE / "evidence_template.md"
PHOTOGRAPHS = HERE / "results" / "photographs"
SECTION = "section.md"  # of the page, made where the photographs are
SAMPLES = 400
METRICS = ("mAP", "AP50", "AP75", "AR@100", "F1", "negatives", "valid")
SETS = tuple(KINDS)


def percent(value: float) -> str:
    return f"{100 * value:.1f}"


def spread(values: list[float], show=percent) -> str:
    """The mean, with the least and the greatest of several seeds."""
    if len(values) == 1:
        return show(values[0])
    return f"{show(mean(values))} ({show(min(values))}–{show(max(values))})"


def table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    head = list(head)
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def in_domain_table(results: Results, runs: RunList, base: str, data: Path) -> str:
    """One row a setting: everything measured on the in-domain scenes, whose annotations lie in
    the folder `data`."""
    rows = []
    for setting in runs.settings:
        done = results.of(base, setting.name)
        if not done:
            continue
        values = [spread([number(one, metric, SETS[0]) for one in done]) for metric in METRICS]
        unnamed = [look_at(one, SETS[0], data) for one in done]
        values += [spread([one.found for one in unnamed]), spread([one.named for one in unnamed])]
        boxes = spread([number(one, "boxes_per_image", SETS[0]) for one in done], "{:.2f}".format)
        cost = [f"{done[0]['completions']:,}", f"{mean(seconds(one) for one in done):.0f}"]
        rows.append([f"`{setting.name}`", str(len(done)), *values, boxes, *cost])
    head = [
        "setting",
        "seeds",
        *METRICS,
        "found",
        "named",
        "boxes per image",
        "completions",
        "seconds",
    ]
    return table(head, rows)


def seconds(result: dict) -> float:
    return result["seconds"]["training"] + result["seconds"]["evaluation"]


def other_sets_table(results: Results, runs: RunList, base: str) -> str:
    """One row a setting: mAP on each set out of domain, and its mean."""
    rows = []
    for setting in runs.settings:
        done = results.of(base, setting.name)
        if done:
            values = [spread([number(one, "mAP", name) for one in done]) for name in SETS[1:]]
            average = spread([number(one, "mAP", "out_of_domain") for one in done])
            rows.append([f"`{setting.name}`", *values, average])
    return table(["setting", *(name.replace("_", " ") for name in SETS[1:]), "mean"], rows)


def sentence(hypothesis: Hypothesis, verdict: Verdict) -> str:
    """What the numbers say, in one sentence."""
    claim = f"{hypothesis.says} ({hypothesis.by}; {hypothesis.base} base)"
    if verdict.why:
        return f"**Cannot be told**: {claim}: {verdict.why}."
    seeds = "one seed only" if verdict.seeds == 1 else f"{verdict.seeds} seeds"
    where = "out of domain" if hypothesis.data == "out_of_domain" else "in domain"
    return (
        f"**{verdict.word.capitalize()}**: {claim}: `{verdict.better}` has "
        f"{100 * verdict.difference:+.1f} points of {hypothesis.metric} {where} over "
        f"`{verdict.worse}`, interval {100 * verdict.low:+.1f} to {100 * verdict.high:+.1f}, "
        f"{seeds}."
    )


def machines(results: Results) -> str:
    """Where the results were made: machines, versions, commits."""
    counts: Counter[str] = Counter()
    for one in results.stored:
        machine, version = one["machine"], one["versions"]
        counts[
            f"{machine['cpu']}, {machine['cores']} cores, {machine['side_by_side']} side by "
            f"side, one thread each, device {machine['device']}; torch {version.get('torch')}, "
            f"ms-swift {version.get('ms-swift')}, commit {one['commit'][:10]}"
        ] += 1
    return "\n".join(f"- results: {count}; {text}" for text, count in sorted(counts.items()))


def not_run(results: Results, runs: RunList) -> str:
    lines = [
        f"- `{setting.name}`, {base} base: {count} of {wanted} seeds"
        for setting, base, count, wanted in missing(results, runs)
    ]
    return "\n".join(lines) or "Everything on the list was run."


def settings_table(settings: Iterable[Setting]) -> str:
    rows = [
        [f"`{one.name}`", one.table, one.method, _pairs(one.options), _pairs(one.reward)]
        for one in settings
    ]
    return table(["setting", "about", "method", "options", "reward"], rows)


def _pairs(values: dict) -> str:
    return ", ".join(f"`{name}: {value}`" for name, value in values.items())


def write_page(
    results: Results, runs: RunList, verdicts: list[str], advice: str, data: Path, page: Path
) -> None:
    """The page and, beside it, its picture; `advice` is the text of the recommended settings."""
    curves = page.parent / "images" / "evidence_curves.svg"
    curves.parent.mkdir(parents=True, exist_ok=True)
    draw_curves(results, runs, curves)
    tables = [
        f"## The {base} base\n\nIn domain, 200 scenes:\n\n"
        f"{in_domain_table(results, runs, base, data)}"
        f"\n\nmAP out of domain:\n\n{other_sets_table(results, runs, base)}"
        for base in runs.bases
        if any(one["base"] == base for one in results.stored)
    ]
    text = TEMPLATE.read_text().format(
        samples=SAMPLES,
        recommended=advice,
        sentences="\n".join(f"- {line}" for line in verdicts),
        tables="\n\n".join(tables),
        curves=curves.relative_to(page.parent),
        spread=table(HEAD, spread_rows(results, runs)),
        photographs=(PHOTOGRAPHS / SECTION).read_text(),
        not_run=not_run(results, runs),
        machines=machines(results),
        settings=settings_table(runs.settings),
    )
    write_file(page, text)


def drawn_sets(data: Path, results: Results, testbed: Testbed) -> Path:
    """The folder `data` with the annotations of every evaluated set; drawn where they are not."""
    if not all((data / f"{name}.json").is_file() for name in testbed.sets):
        write_sets(data, **results.stored[0]["data"], testbed=testbed)
    return data


def read_all(path: Path, folder: Path) -> tuple[RunList, Results]:
    """A list and the results of its runs."""
    runs = read_run_list(path)
    results = read_results(folder, runs)
    if not results.stored:
        raise InputError(f"expected results in {folder}, got none: run run.py first")
    return runs, results


def write_section(folder: Path, samples: int) -> None:
    """The page's part about photographs, whose annotations lie in `folder`, beside their results:
    the page is made without them, too."""
    runs, results = read_all(HERE / "photographs.yaml", PHOTOGRAPHS)
    testbed = read_testbed(folder)
    data = drawn_sets(ROOT / "runs" / "photographs" / "data", results, testbed)
    drawn = sample_images(results, data, testbed.sets, samples)
    verdicts = [sentence(one, judge(one, results, drawn)) for one in runs.hypotheses]
    parts = ["\n".join(f"- {line}" for line in verdicts)]
    parts += [in_domain_table(results, runs, base, data) for base in runs.bases]
    parts += [table(HEAD, spread_rows(results, runs)), machines(results)]
    write_file(PHOTOGRAPHS / SECTION, "\n\n".join(parts) + "\n")


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--list", type=Path, default=HERE / "runs.yaml")
    parser.add_argument("--results", type=Path, default=HERE / "results")
    parser.add_argument("--data", type=Path, default=ROOT / "runs" / "paper_tables" / "data")
    parser.add_argument("--photographs", type=Path, help="as run.py takes it")
    parser.add_argument("--samples", type=int, default=SAMPLES)
    parser.add_argument("--out", type=Path, default=ROOT / "docs" / "evidence.md")
    parser.add_argument("--recommended", type=Path, default=RECOMMENDED)
    return parser.parse_args()


def main() -> int:
    args = parse()
    if args.photographs:
        write_section(args.photographs, args.samples)
    runs, results = read_all(args.list, args.results)
    data = drawn_sets(args.data, results, SCENES)
    drawn = sample_images(results, data, SETS, args.samples)
    verdicts = [sentence(one, judge(one, results, drawn)) for one in runs.hypotheses]
    advice = recommended(results, runs, drawn)
    write_file(args.recommended, advice)
    write_page(results, runs, verdicts, advice, data, args.out)
    say(f"{args.out}: {len(results.stored)} results, {len(verdicts)} hypotheses")
    return 0


if __name__ == "__main__":
    sys.exit(exit_code("evidence", main, (InputError, OSError)))
