"""What of a source could become a row: whole images, categories of an image, or its phrases."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .difficulty import Terms, challenging
from .rendering import WHOLE
from .sample import Source, Task
from .store import SampleStore


@dataclass(frozen=True, eq=False)
class Candidates:
    """Possible rows of one source and task.

    Attributes:
        sample: (n,) which sample of the store.
        item: (n,) which phrase or category of it, or `WHOLE`.
        score: (n,) how difficult each is.
        negative: (n,) whether nothing is there to be found.
        hard: (n,) whether each is challenging.
    """

    sample: NDArray[np.int64]
    item: NDArray[np.int64]
    score: NDArray[np.float64]
    negative: NDArray[np.bool_]
    hard: NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.sample)

    def of(self, chosen: NDArray[np.bool_]) -> "Candidates":
        """The candidates chosen by a mask (n,)."""
        return Candidates(
            self.sample[chosen],
            self.item[chosen],
            self.score[chosen],
            self.negative[chosen],
            self.hard[chosen],
        )


def candidates(
    store: SampleStore, source: Source, task: Task, split: str | None, terms: Terms
) -> Candidates:
    """All candidates of a task in a split; the split None is any."""
    samples, items, negative = _places(store, source, task, store.in_split(split))
    score = store.scores()[samples]
    hard = np.zeros(len(score), dtype=np.bool_)
    hard[~negative] = challenging(score[~negative], terms)
    return Candidates(samples, items, score, negative, hard)


Places = tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.bool_]]  # sample, item, negative


def _places(store: SampleStore, source: Source, task: Task, usable: NDArray[np.bool_]) -> Places:
    if task == "detection":
        return _whole(store, usable)
    if source.categories or (source.groups and task == "grounding"):
        return _of_categories(store, usable, alone=task == "referring")
    return _of_phrases(store, usable, task, source.any_task)


def _whole(store: SampleStore, usable: NDArray[np.bool_]) -> Places:
    places = np.flatnonzero(usable)
    empty = store.facts["boxes"][places] == 0
    return places, np.full(len(places), WHOLE), empty


def _of_categories(store: SampleStore, usable: NDArray[np.bool_], alone: bool) -> Places:
    """Each category of each image; for referring those with one box only, and no broken one."""
    counts = store.facts["labels"]
    samples = np.repeat(np.arange(len(store)), counts)
    items = np.arange(len(samples)) - np.repeat(store.starts[:-1], counts)
    chosen = usable[samples] & store.alone if alone else usable[samples]
    return samples[chosen], items[chosen], np.zeros(int(chosen.sum()), dtype=np.bool_)


def _of_phrases(
    store: SampleStore, usable: NDArray[np.bool_], task: Task, any_task: bool
) -> Places:
    samples, items, negative = [], [], []
    for place in np.flatnonzero(usable & (store.facts["phrases"] > 0)).tolist():
        for item, phrase in enumerate(store[place].phrases):
            if any_task or phrase.task == task:
                samples.append(place)
                items.append(item)
                negative.append(not phrase.boxes)
    chosen, numbers = np.array(samples, dtype=np.int64), np.array(items, dtype=np.int64)
    return chosen, numbers, np.array(negative, dtype=np.bool_)


def keys(
    pool: Candidates, store: SampleStore, balance: float, draw: np.random.Generator
) -> NDArray[np.float64]:
    """(n,) random numbers in whose order candidates are taken, highest first.

    With `balance` above 0 images of rare categories come earlier: the weight of an image is that of
    its rarest category, (1 / frequency) ** balance; 0.5 is LVIS's repeat factor. Drawing without
    replacement by weight takes the highest u ** (1 / weight) (Efraimidis and Spirakis, 2006).
    """
    uniform = draw.random(len(pool))
    if not balance or not len(store.labels):
        return uniform
    images = np.bincount(store.labels, minlength=len(store.names)) / max(len(store), 1)
    weight_of = (1 / np.maximum(images, 1e-9)) ** balance
    weights = np.ones(len(pool))
    for index, place in enumerate(pool.sample.tolist()):
        labels = store.labels_of(place)
        if len(labels):
            weights[index] = weight_of[labels].max()
    return np.asarray(uniform ** (1 / weights))
