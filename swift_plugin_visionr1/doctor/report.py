"""All findings about a training command, in order."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from functools import partial
from pathlib import Path

from ..console import say
from ..data.row_census import POINTS
from ..models.model_io import ModelIO
from ..recipes.training_command import Recipe
from ..reward.scorer import Scorer
from ..reward.settings import Settings
from ..text import clipped
from .blame import reraise_own
from .cases import Case, SeenAs, Whole, cases_of, chosen_cases, evidence_of, seen_as, shape_findings
from .checks.answers import answer_findings
from .checks.box_signs import UNEXPLAINED, box_findings
from .checks.duplicates import box_duplicates
from .checks.environment import environment_findings, settings_of
from .checks.images import image_findings
from .checks.labels import comma_findings, label_findings
from .checks.lengths import length_findings
from .checks.other_works import rules_findings
from .checks.pictures import picture_findings
from .checks.prompts import prompt_findings
from .checks.reach import reach_findings, size_finding
from .checks.targets import target_findings
from .checks.tasks import rows_with_boxes, task_findings
from .data import read_data, row_findings
from .findings import Finding, note, problem, verdict
from .model import TrainedModel, find_model, scorer_with
from .right_answers import RightAnswer, write_all
from .rows import DoctorRow
from .taught import spelling_of

BATCH = 16


@dataclass(frozen=True)
class Effort:
    """How much is checked.

    Attributes:
        rows: whose image files are opened, from all over the data; None for all.
        out: folder for the sheet of pictures and the JSON summary; None for neither.
        sample: whether the model is asked; None asks it if that takes minutes at most.
        prompts: that it is asked.
        samples: completions of each; None for the run's own num_generations.
        engine: what writes the completions in training: `transformers`, `vllm` or the address of a
            server; None for the recipe's.
    """

    rows: int | None = None
    out: Path | None = None
    sample: bool | None = None
    prompts: int = 8
    samples: int | None = None
    engine: str | None = None


@dataclass
class Report:
    """The findings so far. Each is printed as it comes, since the later ones take longer."""

    findings: list[Finding] = field(default_factory=list)
    numbers: dict[str, object] = field(default_factory=dict)

    def add(self, findings: Sequence[Finding]) -> None:
        """Print and keep."""
        for finding in findings:
            say(f"{finding.state:<8} {finding.text}")
        self.findings += findings

    @property
    def is_wasted(self) -> bool:
        """Whether training would be wasted."""
        return any(finding.state == "problem" for finding in self.findings)


def examine(recipe: Recipe, shell: Mapping[str, str], effort: Effort) -> Report:
    """Look at all that the recipe names.

    Args:
        recipe: the training command.
        shell: the environment of the command before the recipe's own was added.
        effort: how much is looked at.

    Raises:
        SettingsError: an option's value cannot be used.
        OSError: a file cannot be read or written.
    """
    report = Report()
    loaded, finding = settings_of(recipe)
    settings = loaded or Settings()
    report.add([finding])
    if loaded is not None:
        report.add(environment_findings(recipe, settings, shell))
    model, findings = find_model(recipe, settings)
    report.add(findings)
    rows, findings = read_data(recipe)
    report.add(findings)
    if recipe.is_grpo:
        report.add(task_findings(rows, recipe.all("reward_funcs")))
        rows = rows_with_boxes(rows, recipe.all("reward_funcs"))
    cases = _look_at_data(report, recipe, settings, model, rows, effort.rows)
    if model.io is not None and _mostly_refused(rows):
        report.add([_not_judged(rows)])
    elif model.io is not None:
        report.add(picture_findings(cases, model.io.format, effort.out))
        if recipe.is_grpo:
            _ask(
                report,
                recipe,
                Scorer(settings, model.io),
                model,
                chosen_cases(cases, effort.prompts),
                effort,
            )
    say(verdict(report.findings))
    if effort.out is not None:
        _write_summary(report, effort.out)
    return report


def _look_at_data(
    report: Report,
    recipe: Recipe,
    settings: Settings,
    model: TrainedModel,
    rows: list[DoctorRow],
    opened: int | None,
) -> list[Case]:
    view = seen_as(model.io)
    cases = cases_of(rows, view, opened)
    report.add(row_findings(rows, recipe.is_grpo))
    report.add(image_findings(cases, view))
    for source in dict.fromkeys(row.source for row in rows):
        report.add(_frame_findings([case for case in cases if case.row.source == source], view))
    report.add(shape_findings(cases, view))
    report.add(box_duplicates(rows))
    report.add(label_findings(rows, settings.reads_labels))
    report.add(comma_findings(rows))
    if recipe.is_grpo:
        report.add(rules_findings(rows, settings))
    cases = [case for case in cases if case.row.kind != POINTS]
    if model.io is not None:
        report.add(_against_model(recipe, model, model.io, cases, view))
        if recipe.is_grpo and not _mostly_refused(rows):
            _look_at_right_answers(
                report, recipe, settings, model, write_all(cases, model.io.format)
            )
    return cases


def _look_at_right_answers(
    report: Report,
    recipe: Recipe,
    settings: Settings,
    model: TrainedModel,
    written: list[RightAnswer],
) -> None:
    """What they need: tokens, and pixels."""
    if model.io is None:
        return
    length = recipe.integer("max_completion_length")
    findings, too_long = length_findings(written, length, model.checkpoint.folder)
    report.add([*findings, *size_finding(written)])
    scorer = Scorer(settings, model.io)
    findings, lost = reach_findings(written, scorer, partial(scorer_with, recipe, settings, model))
    report.add(findings)
    report.numbers |= {"too_long": too_long, "out_of_reach": lost}


def _frame_findings(cases: Sequence[Case], view: SeenAs) -> list[Finding]:
    """What is wrong with the boxes of one file; if they fit nothing usual, of its refused rows."""
    findings = box_findings(evidence_of(cases, view))
    if not findings or findings[0].code not in UNEXPLAINED:
        return findings
    refused = box_findings(evidence_of([case for case in cases if case.row.error], view))
    explained = [
        replace(one, text=f"in the refused rows at least, {one.text}")
        for one in refused
        if one.code not in UNEXPLAINED
    ]
    return explained or findings


def _against_model(
    recipe: Recipe, model: TrainedModel, io: ModelIO, cases: list[Case], view: SeenAs
) -> list[Finding]:
    rows = [case.row for case in cases]
    findings = prompt_findings(rows, io.format.name)
    if not recipe.is_grpo:
        spelling = spelling_of(model.type, recipe.environ, recipe.one("norm_bbox"))
        return [*findings, *target_findings(cases, io, view, spelling)]
    return findings


def _mostly_refused(rows: Sequence[DoctorRow]) -> bool:
    return sum(row.error is not None for row in rows) > len(rows) / 2


def _not_judged(rows: Sequence[DoctorRow]) -> Finding:
    """A note that most rows are refused: the few others, often the empty ones, would mislead."""
    first = next(row for row in rows if row.error)
    text = (
        f"most rows are refused (the first is {first.place}: {clipped(first.error or '')}), and "
        "the others may not be like them: no right answers are shown or measured, and the model "
        "was not asked"
    )
    return note("mostly_refused", text)


def _ask(
    report: Report,
    recipe: Recipe,
    scorer: Scorer,
    model: TrainedModel,
    cases: list[Whole],
    effort: Effort,
) -> None:
    from .rollouts import compare_engines
    from .sampling import is_quick, open_engine, processed_findings, sample

    if not cases or not (is_quick(model) if effort.sample is None else effort.sample):
        text = (
            "the model was not asked: only its own answers prove format and frame (--sample, "
            "with --model FOLDER)"
        )
        report.add([note("not_sampled", text)])
        return
    samples = effort.samples or recipe.integer("num_generations") or 8
    try:
        engine = open_engine(recipe, model, BATCH)
        report.add(processed_findings(engine, cases))
        findings, numbers = compare_engines(effort.engine, recipe, model, engine, cases)
        report.add(findings)
        report.numbers |= numbers
        groups = sample(engine, cases, samples, recipe)
    except Exception as error:  # whatever a model raises when it does not load is the finding
        reraise_own(error)
        text = f"the model cannot be asked: {type(error).__name__}: {clipped(str(error), 400)}"
        report.add([problem("model_fails", f"{text}. Training would meet the same")])
        return
    findings, numbers = answer_findings(groups, scorer)
    report.add(findings)
    report.numbers |= numbers


def _write_summary(report: Report, out: Path) -> None:
    out.mkdir(parents=True, exist_ok=True)
    findings = [asdict(finding) for finding in report.findings]
    summary = {"wasted": report.is_wasted, "findings": findings, **report.numbers}
    (out / "doctor.json").write_text(
        json.dumps(summary, indent=2, ensure_ascii=False) + "\n", encoding="utf-8"
    )
