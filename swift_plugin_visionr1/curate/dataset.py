"""A mix, made: sources are read, rows are picked, written and counted. All of it, or nothing."""

import hashlib
import sys
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from ..errors import InputError
from ..progress import Progress, show_progress
from ..text import listed
from ..writing import sha256, write_file
from .card import as_html, as_json, as_markdown
from .contact_sheet import ROWS, draw_sheet
from .image_truth import Truth, true_samples
from .leaks import Evaluated, Hasher, open_hasher, read_evaluated
from .lengths import Lengths
from .measured import read_measured
from .mix import Mix, Part, SourcePlan
from .output import output
from .picking import Picked, Picker, Ready, image_key
from .registry import open_source
from .rendering import Asking
from .sample import Request, Source
from .spill import Blobs
from .store import SampleStore
from .tally import Tally
from .tallying import ROW_KEY, Composition

HOLDOUT, TRAIN = "val", "train"
OTHER_SPLITS = "images of other splits"
encode, decode = msgspec.msgpack.encode, msgspec.msgpack.decode


@dataclass(frozen=True, eq=False)
class Made:
    """What was written.

    Attributes:
        card: as in card.json.
        files: split -> file of rows.
        notes: what else is unusual, in words.
    """

    card: dict[str, Any]
    files: dict[str, Path]
    notes: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class Making:
    """How a mix is made.

    Attributes:
        mix: what is wanted.
        asking: how samples are asked about.
        lengths: how long questions and answers are.
        out: a file of rows, or a folder for one file of each split.
        root: folder that the paths of the mix are relative to.
        ending: of the files in a folder, .jsonl or .parquet.
        workers: processes.
        ordered: whether rows keep the order of their source.
        command: that makes it, for the card.
        keep_splits: whether each split of the source becomes a file.
    """

    mix: Mix
    asking: Asking
    lengths: Lengths
    out: Path
    root: Path = Path()
    ending: str = ".jsonl"
    workers: int = 1
    ordered: bool = False
    command: str = ""
    keep_splits: bool = False
    tallies: dict[str, Tally] = field(default_factory=dict)

    def make(self) -> Made:
        """Read, pick and write.

        Raises:
            InputError: a source cannot be used, or nothing is left. Nothing is written.
        """
        with open_hasher(self.workers) as hasher:
            paths = (self.root / each for each in self.mix.exclude)
            return self._made(read_evaluated(paths, hasher), hasher)

    def _made(self, evaluated: Evaluated, hasher: Hasher) -> Made:
        ready, notes = self._read()
        measured = read_measured(self._measured(), self.mix.difficulty.keep)
        picker = Picker(self.mix, self.asking, self.lengths, evaluated, hasher, measured)
        composition = Composition()
        rows, splits = self._pick(picker, ready, composition)
        if not rows.count:
            reasons = [f"{count} {reason}" for reason, count in picker.passed.most_common(3)]
            raise InputError(
                f"expected rows, got none: {listed(reasons) or 'the sources have no such samples'}"
            )
        order = self._order(rows.count)
        files, shown = self._write(rows, splits, order, ready)
        card = self._card(picker, composition, ready)
        self._write_card(card, shown)
        if measured.verdicts and not measured.met:
            notes.append(
                f"none of the rows in {self._measured()} is one of these: were the mix, the "
                "seed and the questions others?"
            )
        return Made(card, files, tuple(notes + self._short(composition)))

    def _read(self) -> tuple[dict[str, Ready], list[str]]:
        ready: dict[str, Ready] = {}
        notes: list[str] = []
        missing = [n for n, plan in self.mix.sources.items() if not self._path(plan).exists()]
        for part in self.mix.parts:
            if all(name in missing for name in part.sources):
                paths = listed(self._path(self.mix.sources[name]) for name in part.sources)
                raise InputError(
                    f"expected at least one source of each part, got none for {part.task}: "
                    f"{paths} is missing; --root says where the sources of the mix are"
                )
        if missing:
            notes.append(f"left out because they were not found: {listed(missing, 10)}")
        for name, plan in self.mix.sources.items():
            if name not in missing and any(name in part.sources for part in self.mix.parts):
                ready[name] = self._source(name, plan)
                notes += [f"{name}: {note}" for note in ready[name].source.notes]
        return ready, notes

    def _measured(self) -> Path | None:
        file = self.mix.difficulty.measured
        return self.root / file if file else None

    def _inputs(self, ready: dict[str, Ready]) -> list[Path]:
        files = [file for each in ready.values() for file in each.source.files]
        measured = self._measured()
        return [*files, *([measured] if measured else [])]

    def _path(self, plan: SourcePlan) -> Path:
        return self.root / plan.path

    def _source(self, name: str, plan: SourcePlan) -> Ready:
        tally = self.tallies.setdefault(name, Tally())
        images = self.root / plan.images if plan.images else None
        source = open_source(Request(self._path(plan), images, plan.boxes), tally, plan.format)
        source = replace(source, name=name)
        truth = Truth(plan.exif, plan.sizes, self.workers)
        samples = true_samples(source, tally, truth)
        if source.count:
            samples = show_progress(samples, source.count, sys.stderr, "read", f"images of {name}")
        store = SampleStore(samples, self.mix.difficulty, tally)
        split = plan.split
        if split is None and not self.keep_splits and TRAIN in store.splits:
            split = TRAIN
        if split and split not in store.splits:
            raise InputError(
                f"expected the split {split!r} in {name}, got {listed(map(repr, store.splits))}"
            )
        if split:
            _count_others(store, split, tally)
        return Ready(source, store, split)

    def _pick(
        self, picker: Picker, ready: dict[str, Ready], composition: Composition
    ) -> tuple[Blobs, list[str]]:
        rows, splits = Blobs(), []
        total = sum(part.count or 0 for part in self.mix.parts)
        progress = Progress(max(total, 1), 0, sys.stderr, "made", "rows", quiet=2.0)
        for number, part in enumerate(self.mix.parts):
            sources = [ready[name] for name in part.sources if name in ready]
            part = _with_task(part, sources)
            for picked in picker.part(number, part, sources):
                split = self._split(picked, ready[picked.rendered.row["source"]].source)
                asked = picked.rendered.row["messages"][0]["content"]
                composition.add(split, picked, self.lengths.count(asked), picked.answer)
                rows.add(encode((picked.rendered.row, picked.sample.turned)))
                splits.append(split)
                if total:
                    progress.show(min(rows.count, total))
        progress.close()
        return rows, splits

    def _split(self, picked: Picked, source: Source) -> str:
        if self.keep_splits:
            return picked.sample.split or TRAIN
        if not self.mix.holdout:
            return TRAIN
        text = f"{self.mix.seed}/{image_key(picked.sample, source)}"
        share = int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big") / 2**64
        return HOLDOUT if share < self.mix.holdout else TRAIN

    def _order(self, count: int) -> list[int]:
        if self.ordered:
            return list(range(count))
        return [int(i) for i in np.random.default_rng(self.mix.seed).permutation(count)]

    def _write(
        self, rows: Blobs, splits: list[str], order: list[int], ready: dict[str, Ready]
    ) -> tuple[dict[str, Path], list[Any]]:
        """The files of rows, and the rows of the contact sheet."""
        inputs = self._inputs(ready)
        is_folder = not self.out.suffix
        files = {
            split: self.out / f"{split}{self.ending}" if is_folder else self._beside(split)
            for split in dict.fromkeys(splits)
        }
        with ExitStack() as stack:
            outputs = {
                split: stack.enter_context(output(file, inputs)) for split, file in files.items()
            }
            every = max(len(order) // ROWS, 1)
            shown: list[Any] = []
            for number, place in enumerate(order):
                row, turned = decode(rows.get(place))
                result = outputs[splits[place]]
                row["images"] = [result.keep_image(row["images"][0], turned)]
                result.add(row)
                if not number % every and len(shown) < ROWS:
                    shown.append(row)
        return files, shown

    def _beside(self, split: str) -> Path:
        if split == TRAIN:
            return self.out
        return self.out.with_name(f"{self.out.stem}_{split}{self.out.suffix}")

    def _card(
        self, picker: Picker, composition: Composition, ready: dict[str, Ready]
    ) -> dict[str, Any]:
        totals = composition.totals
        summary = (
            f"{totals['rows']} rows with {totals['boxes']} boxes: {totals['challenging']} "
            f"challenging, {totals['negative']} negative, {totals['other']} others. Seed "
            f"{self.mix.seed}."
        )
        records = [
            {"source": name, **row} for name, tally in self.tallies.items() for row in tally.rows()
        ]
        return {
            "title": self.out.stem,
            "summary": summary,
            "seed": self.mix.seed,
            "counts": {
                **{k: totals[k] for k in ("boxes", "challenging", "negative", "thin")},
                "total": totals["rows"],
                "rows": [
                    dict(zip((*ROW_KEY, "rows"), (*key, count), strict=True))
                    for key, count in sorted(composition.rows.items())
                ],
                "labels": dict(composition.labels.most_common()),
            },
            "difficulty": composition.means(),
            "difficulty_terms": msgspec.to_builtins(self.mix.difficulty),
            "histograms": composition.histograms(self.lengths.unit),
            "records": records,
            "passed_over": dict(picker.passed.most_common()),
            "sources": {name: _known(each) for name, each in ready.items()},
            "mix": msgspec.to_builtins(self.mix),
            "inputs": _hashes(self._inputs(ready)),
            "command": self.command,
        }

    def _write_card(self, card: dict[str, Any], shown: list[Any]) -> None:
        folder = self.out if not self.out.suffix else self.out.parent
        write_file(folder / "card.png", draw_sheet(shown))
        write_file(folder / "card.md", as_markdown(card, "card.png"))
        write_file(folder / "card.html", as_html(card, "card.png"))
        write_file(folder / "card.json", as_json(card))

    def _short(self, composition: Composition) -> list[str]:
        """What a part lacks of what it asks for."""
        notes = []
        wanted = sum(part.count or 0 for part in self.mix.parts)
        if all(part.count is not None for part in self.mix.parts):
            rows = composition.totals["rows"]
            if rows < wanted:
                notes.append(f"{rows} of the {wanted} rows of the mix: the sources have no more")
        return notes


def _count_others(store: SampleStore, split: str, tally: Tally) -> None:
    """The images of other splits, of which no row is made."""
    for other in store.splits:
        if other != split:
            count = int(store.in_split(other).sum())
            tally.drop(
                OTHER_SPLITS, f"{count} of {other}" if other else f"{count} without a split", count
            )


def _with_task(part: Part, sources: list[Ready]) -> Part:
    """The part with a task that all of its sources can be used for."""
    task = part.task or sources[0].source.tasks[0]
    for ready in sources:
        if task not in ready.source.tasks:
            raise InputError(
                f"expected one of the tasks that {ready.source.name} can be used for, "
                f"{', '.join(ready.source.tasks)}, got {task}"
            )
    return replace(part, task=task)


def _known(ready: Ready) -> dict[str, Any]:
    source = ready.source
    return {
        "format": source.format,
        "samples": len(ready.store),
        "splits": ready.store.splits,
        "categories": len(source.categories),
        "exhaustive": source.exhaustive,
        "boxes": "of the image as viewers show it" if source.upright else "of the pixels as stored",
    }


def _hashes(files: Sequence[Path]) -> list[dict[str, str]]:
    """One hash for each file; of a folder of many small files one for all of them."""
    if len(files) <= 50:
        return [{"file": str(file), "sha256": sha256(file)} for file in files]
    folders: dict[Path, list[Path]] = {}
    for file in files:
        folders.setdefault(file.parent, []).append(file)
    return [
        {"file": f"{len(some)} files in {folder}", "sha256": _together(some)}
        for folder, some in folders.items()
    ]


def _together(files: Sequence[Path]) -> str:
    return hashlib.sha256("".join(map(sha256, files)).encode()).hexdigest()
