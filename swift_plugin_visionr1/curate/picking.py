"""Which candidates become rows: the shares and caps of a mix, in an order that the seed decides."""

import hashlib
from collections import Counter, deque
from collections.abc import Generator, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ..errors import SolutionError
from .candidates import Candidates, candidates, keys
from .leaks import Evaluated, Hasher, key_of
from .lengths import Lengths
from .measured import MeasuredRows
from .mix import Mix, Part
from .rendering import WHOLE, Asking, Rendered, render
from .sample import Sample, Source, Task
from .store import SampleStore

LEAK = "rows of images that are evaluated on, by their name"
ALIKE = "rows of images that look like one that is evaluated on"
NOTHING = (
    "rows with nothing to ask: what is there is boxed in part only, or nothing is known to be "
    "absent"
)
TOO_MANY = "rows with more boxes than the cap"
TOO_LONG = "rows whose answer has more tokens than the cap"
UNWRITABLE = "rows whose labels the model's format cannot write"
ENOUGH_OF_IMAGE = "rows beyond the cap of rows per image"
AHEAD = 64  # images that other processes look at before they are tried
ENOUGH_OF_CATEGORY = "rows beyond the cap of rows per category"


@dataclass(frozen=True, eq=False)
class Ready:
    """A source whose samples are in its store."""

    source: Source
    store: SampleStore
    split: str | None


@dataclass(frozen=True, eq=False)
class Picked:
    """A row that is taken.

    Attributes:
        rendered: the row.
        sample: that it is of.
        score: how difficult it is.
        challenging: whether that is as much as the mix asks for.
        terms: of the difficulty.
        answer: length of the right answer; None if unknown.
    """

    rendered: Rendered
    sample: Sample
    score: float
    challenging: bool
    terms: dict[str, float]
    answer: int | None


@dataclass(frozen=True, eq=False)
class Picker:
    """Takes rows for the parts of one mix.

    Attributes:
        mix: what is wanted.
        asking: how samples are asked about.
        lengths: how long answers are.
        evaluated: images that must not be trained on.
        hasher: looks at images.
        measured: rows whose difficulty for a model is known.
        passed: reason -> candidates that were passed over.
    """

    mix: Mix
    asking: Asking
    lengths: Lengths
    evaluated: Evaluated
    hasher: Hasher
    measured: MeasuredRows = field(default_factory=MeasuredRows)
    passed: Counter[str] = field(default_factory=Counter)
    of_image: Counter[str] = field(default_factory=Counter)
    of_category: Counter[str] = field(default_factory=Counter)
    alike: dict[str, bool] = field(default_factory=dict)

    def part(self, number: int, part: Part, sources: list[Ready]) -> Iterator[Picked]:
        """The rows of a part; fewer than its count where there are not enough."""
        if part.count is None:
            for ready in sources:
                yield from self._everything(part, ready, number)
            return
        queues = [_Queues(self, part, ready, number) for ready in sources]
        negatives = yield from _shared(
            queues, "negative", round(part.count * (part.negatives or 0.0))
        )
        count = part.count - negatives
        if part.challenging is None:
            yield from _shared(queues, "any", count)
            return
        taken = yield from _shared(queues, "hard", round(count * part.challenging))
        rest = yield from _shared(queues, "easy", count - taken)
        yield from _shared(queues, "hard", count - taken - rest)

    def _everything(self, part: Part, ready: Ready, number: int) -> Iterator[Picked]:
        """All rows in the order of the source, then as many negatives as are asked for."""
        pool = self.pool(part, ready)
        if part.negatives is not None:
            pool = pool.of(~pool.negative)
        if part.shots is not None:
            yield from self._shots(part, ready, number, pool)
            return
        count = 0
        for index in self.foreseen(range(len(pool)), pool, ready):
            if (picked := self.take(ready, part, pool, index, negative=False)) is not None:
                count += 1
                yield picked
        if part.negatives:
            share = min(part.negatives, 0.99)
            queues = _Queues(self, part, ready, number)
            yield from _shared([queues], "negative", round(count * share / (1 - share)))

    def _shots(self, part: Part, ready: Ready, number: int, pool: Candidates) -> Iterator[Picked]:
        """Images until each category has its instances, rare categories first."""
        lacking = Counter(dict.fromkeys(ready.source.plain_names.values(), part.shots or 0))
        order = np.argsort(-keys(pool, ready.store, 1.0, self.draw(part, ready, number)))
        for index in order.tolist():
            if not +lacking:
                return
            names = list(map(ready.source.plain, ready.store[int(pool.sample[index])].labels))
            if not any(lacking[name] > 0 for name in names):
                continue
            if (picked := self.take(ready, part, pool, index, negative=False)) is not None:
                lacking.subtract(names)
                yield picked

    def pool(self, part: Part, ready: Ready) -> Candidates:
        """What a source could give to a part."""
        terms = self.mix.difficulty
        return candidates(ready.store, ready.source, _task(part), ready.split, terms)

    def draw(self, part: Part, ready: Ready, number: int) -> np.random.Generator:
        """Random numbers for one source of one part."""
        text = f"{self.mix.seed}/{number}/{part.task}/{ready.source.name}"
        return np.random.default_rng(
            int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big")
        )

    def take(
        self, ready: Ready, part: Part, pool: Candidates, index: int, negative: bool
    ) -> Picked | None:
        """The candidate's row if it is allowed, else None, with the reason counted."""
        place, item = int(pool.sample[index]), int(pool.item[index])
        sample = ready.store[place]
        image = image_key(sample, ready.source)
        if reason := self._refused(sample, image):
            self.passed[reason] += 1
            return None
        try:
            rendered = render(sample, ready.source, _task(part), item, negative, self.asking)
        except SolutionError:
            self.passed[UNWRITABLE] += 1
            return None
        answer = self._answer(rendered) if rendered else None
        if rendered is None or (reason := self._beyond(rendered, answer, ready.source, image)):
            self.passed[NOTHING if rendered is None else str(reason)] += 1
            return None
        self.of_image[image] += 1
        self.of_category.update(set(map(ready.source.plain, rendered.labels)))
        score, terms = float(pool.score[index]), ready.store.terms_of(place)
        hard = bool(pool.hard[index]) and not rendered.negative
        return Picked(rendered, sample, score, hard, terms, answer)

    def _refused(self, sample: Sample, image: str) -> str | None:
        """Why no row is made of an image."""
        most = self.mix.caps.rows_per_image
        if most is not None and self.of_image[image] >= most:
            return ENOUGH_OF_IMAGE
        return LEAK if self.evaluated.has_name(sample) else None

    def _answer(self, rendered: Rendered) -> int | None:
        if self.lengths.unit != "tokens":
            return None
        return self.lengths.answer(rendered.row["solution"])

    def _beyond(
        self, rendered: Rendered, answer: int | None, source: Source, image: str
    ) -> str | None:
        """Why a row is not used."""
        caps = self.mix.caps
        if caps.boxes is not None and len(rendered.labels) > caps.boxes:
            return TOO_MANY
        if caps.answer_tokens is not None and (answer or 0) > caps.answer_tokens:
            return TOO_LONG
        if caps.per_category is not None and rendered.labels:
            rarest = min(self.of_category[source.plain(label)] for label in rendered.labels)
            if rarest >= caps.per_category:
                return ENOUGH_OF_CATEGORY
        if reason := self.measured.refused(rendered.row):
            return reason
        return ALIKE if self._looks_alike(rendered.row["images"][0], image) else None

    def _looks_alike(self, file: Any, image: str) -> bool:
        if not self.evaluated.has_hashes:
            return False
        if image not in self.alike:
            self.alike[image] = self.evaluated.looks_alike(self.hasher.hash(file))
        return self.alike[image]

    def foreseen(self, order: Iterable[int], pool: Candidates, ready: Ready) -> Iterator[int]:
        """The same candidates; the images of the next ones are looked at meanwhile."""
        waiting: deque[int] = deque()
        for index in order:
            if self.evaluated.has_hashes:
                sample = ready.store[int(pool.sample[index])]
                if image_key(sample, ready.source) not in self.alike:
                    self.hasher.foresee(sample.image)
            waiting.append(index)
            if len(waiting) > AHEAD:
                yield waiting.popleft()
        yield from waiting


def _task(part: Part) -> Task:
    assert part.task is not None
    return part.task


def image_key(sample: Sample, source: Source) -> str:
    """What an image is counted by: the same in two sources that share their images."""
    if sample.same_as:
        return sample.same_as
    if isinstance(sample.image, str):
        key = key_of(sample.image)
        return key if key.startswith("coco:") else sample.image
    return f"{source.name}/{sample.id}"


class _Queues:
    """The candidates of one source for one part, in the order in which they are tried."""

    def __init__(self, picker: Picker, part: Part, ready: Ready, number: int) -> None:
        self.picker, self.part, self.ready = picker, part, ready
        pool = picker.pool(part, ready)
        draw = picker.draw(part, ready, number)
        order = np.argsort(-keys(pool, ready.store, part.balance, draw), kind="stable")
        positive = order[~pool.negative[order]] if part.negatives is not None else order
        hard = pool.hard[positive]
        self.pool, self.absent = pool, _negatives(pool, ready)
        again = draw.permutation(len(self.absent)) if self.absent is not pool else order
        orders = {"any": positive, "hard": positive[hard], "easy": positive[~hard]}
        self.queues = {
            kind: picker.foreseen(order.tolist(), pool, ready) for kind, order in orders.items()
        }
        negative = again[self.absent.negative[again]].tolist()
        self.queues["negative"] = picker.foreseen(negative, self.absent, ready)

    def next(self, kind: str) -> Picked | None:
        """The next row that is allowed; None if there are no more."""
        pool = self.absent if kind == "negative" else self.pool
        drawn = kind == "negative" and self.absent is not self.pool
        for index in self.queues[kind]:
            picked = self.picker.take(self.ready, self.part, pool, index, negative=drawn)
            if picked is not None:
                return picked
        return None


def _negatives(pool: Candidates, ready: Ready) -> Candidates:
    """Phrases without a target, or all images, for which absent categories are drawn."""
    if not ready.source.categories:
        return pool
    places = np.flatnonzero(ready.store.in_split(ready.split))
    return Candidates(
        places,
        np.full(len(places), WHOLE),
        np.zeros(len(places)),
        np.ones(len(places), dtype=np.bool_),
        np.zeros(len(places), dtype=np.bool_),
    )


def _shared(queues: list[_Queues], kind: str, count: int) -> Generator[Picked, None, int]:
    """`count` rows, from each source in turn as long as it has some; returns how many came."""
    taken, left = 0, list(queues)
    while left and taken < count:
        for queue in tuple(left):
            if taken == count:
                break
            picked = queue.next(kind)
            if picked is None:
                left.remove(queue)
                continue
            taken += 1
            yield picked
    return taken
