"""All files of a run."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

from swift_plugin_visionr1.console import warn
from swift_plugin_visionr1.errors import InputError
from swift_plugin_visionr1.text import listed
from swift_plugin_visionr1.writing import (
    SCRATCH,
    check_output,
    encode,
    locked,
    scratch_of,
    write_file,
)

from ..evaluation import Evaluation
from ..suites.spec import check_names
from .machine_files import write_files
from .manifest import (
    FILES,
    METRICS,
    NUMBERS,
    clear_unfinished,
    hash_files,
    hash_numbers,
    put_in_place,
    read_metrics,
    through_link,
)
from .metrics_json import record
from .page import page
from .pictures import leads_outside, write_pictures
from .pr_curves import write_curves
from .report import make_report
from .summary import summary

SUMMARY, PAGE = "summary.md", "report.html"
NO_DUMP = "mmdet-eval: predictions.pkl (mmdet's dump) was not written: it needs torch"
RUN = "run.json"  # from `mmdet-eval run`, whose folder this may be


@contextmanager
def output_folder(folder: Path, inputs: Iterable[Path | str | None] = ()) -> Iterator[Path]:
    """The folder, locked and checked to be writable, before anything is evaluated.

    A new folder is removed again if the block writes nothing.

    Raises:
        InputError: it is a file, is or contains an input where results go, is being written by
            another run, or has a file with a result's name that no evaluation wrote.
        OSError: the folder is not writable.
    """
    given = [Path(path) for path in inputs if path is not None]
    check_output(folder, given, folder=True)
    for path in given:
        _check_input(path, folder)
    with locked(folder):
        _check_places(folder)
        yield folder


def write_outputs(
    folder: Path,
    evaluations: Sequence[Evaluation],
    suite: str | None,
    left_out: Sequence[str],
    dump: bool = True,
) -> None:
    """Write metrics.json, summary.md, report.html and a folder per data set, replacing those of an
    earlier run.

    Everything is written to a temporary folder and then moved into place: a failure leaves the old
    files untouched.

    Args:
        folder: a folder from `output_folder`.
        evaluations: at least one, in the order of the suite.
        suite: its name; None for a single data set.
        left_out: names of data sets of the suite that are missing.
        dump: whether to write predictions.pkl, mmdet's dump; without torch it is skipped with a
            note on stderr.

    Raises:
        InputError: a data set's name cannot be a folder name, or two have the same name.
        OSError: the folder cannot be written.
    """
    check_names([evaluation.name for evaluation in evaluations])
    if dump and find_spec("torch") is None:
        dump = False
        warn(NO_DUMP)
    report = make_report(evaluations, suite, left_out)
    broken: dict[Path, str] = {}
    folder.mkdir(parents=True, exist_ok=True)
    clear_unfinished(folder, folder / SCRATCH)
    with scratch_of(folder) as scratch:
        for number, evaluation in enumerate(evaluations):
            place = scratch / evaluation.name
            place.mkdir()
            write_files(place, evaluation, dump)
            write_curves(place / "pr_curves.png", evaluation)
            write_pictures(place / "pictures", report, number, broken)
        (scratch / SUMMARY).write_bytes(encode(summary(report, scratch)))
        (scratch / PAGE).write_bytes(encode(page(report, broken)))
        files = hash_files(scratch)
        content = json.loads(json.dumps(record(report)))
        content |= {FILES: files, NUMBERS: hash_numbers(content)}
        # NaN and infinity are errors, because strict readers refuse them.
        text = json.dumps(content, indent=2, allow_nan=False) + "\n"
        write_file(scratch / METRICS, text)
        for path in scratch.rglob("*"):
            _check_place(folder / path.relative_to(scratch), folder, path.is_dir())
        put_in_place(scratch, folder, files)
    _tell_of_pictures(evaluations, broken)


def _tell_of_pictures(evaluations: Sequence[Evaluation], broken: Mapping[Path, str]) -> None:
    if broken:
        reasons = listed(broken.values(), most=3)
        warn(f"mmdet-eval: the report lacks the pictures of {len(broken)} images: {reasons}")
    outside = sum(
        leads_outside(evaluation.images, image.file_name)
        for evaluation in evaluations
        if evaluation.images and not evaluation.shows_outside
        for image in evaluation.annotations.images
        if image.file_name
    )
    if outside:
        warn(
            f"mmdet-eval: {outside} images lie outside the image folder, and the report does not "
            "show them: pass --show-outside to show them"
        )


def _check_input(path: Path, folder: Path) -> None:
    """Inputs may be in the folder, but not where results are written."""
    place, folder = path.resolve(), folder.resolve()
    if folder not in place.parents:
        return
    first, *rest = place.relative_to(folder).parts
    if first in (METRICS, SUMMARY, PAGE, SCRATCH) or (
        rest and (folder / first / "matches.npz").is_file()
    ):
        raise InputError(
            f"expected no input among the files that an evaluation writes, got {path} in {folder}: "
            "give another --out"
        )


def _check_places(folder: Path) -> None:
    for name in (METRICS, SUMMARY, PAGE):
        _check_place(folder / name, folder)
    ours = read_metrics(folder) or (folder / SCRATCH).exists() or (folder / RUN).exists()
    theirs = [name for name in (METRICS, SUMMARY, PAGE) if (folder / name).exists()]
    if theirs and not ours:
        raise InputError(
            f"expected a new folder or one of an earlier evaluation for --out, got {folder} with a "
            f"{theirs[0]} that no evaluation wrote: give another --out, or move that file away"
        )


def _check_place(path: Path, folder: Path, is_folder: bool = False) -> None:
    if through_link(path, folder) or (path.exists() and path.is_dir() != is_folder):
        raise InputError(
            f"expected {path} to be {'a folder' if is_folder else 'a file'} of the output folder "
            "itself, got something else or a link: move it away, or give another --out"
        )
