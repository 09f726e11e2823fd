"""Samples that wait on the disk until it is decided which of them become rows."""

from collections.abc import Iterable, Iterator
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from .difficulty import Terms, difficulty
from .sample import Phrase, Sample
from .spill import Blobs

encode, decode = msgspec.msgpack.encode, msgspec.msgpack.decode
FACTS = np.dtype(
    [
        ("boxes", "i4"),
        ("labels", "i4"),
        ("phrases", "i4"),
        ("split", "i2"),
        ("instances", "f4"),
        ("categories", "f4"),
        ("small", "f4"),
        ("crowding", "f4"),
    ]
)
SCORE = ("instances", "categories", "small", "crowding")


class SampleStore:
    """The samples of one source.

    Args:
        samples: complete and mended.
        terms: how difficult an image is.
    """

    def __init__(self, samples: Iterable[Sample], terms: Terms) -> None:
        self.blobs = Blobs()
        self.splits: list[str] = []
        self.names: dict[str, int] = {}
        self.label_counts: list[int] = []
        labels: list[NDArray[np.int32]] = []
        facts: list[tuple[Any, ...]] = []
        packed: list[NDArray[np.void]] = []
        for sample in samples:
            self.blobs.add(encode(_plain(sample)))
            kinds = list(dict.fromkeys(sample.labels))
            numbers = [self.names.setdefault(kind, len(self.names)) for kind in kinds]
            labels.append(np.array(numbers, dtype=np.int32))
            terms_of = difficulty(sample, terms)
            facts.append(
                (
                    len(sample.boxes_xyxy),
                    len(kinds),
                    len(sample.phrases),
                    self._split(sample.split),
                    *(terms_of[name] for name in SCORE),
                )
            )
            if len(facts) == 1 << 16:
                packed.append(np.array(facts, FACTS))
                facts, labels = [], [np.concatenate(labels)]
        self.facts: NDArray[Any] = np.concatenate([*packed, np.array(facts, FACTS)])
        self.labels = np.concatenate(labels) if labels else np.empty(0, np.int32)
        self.starts = np.concatenate([[0], np.cumsum(self.facts["labels"], dtype=np.int64)])

    def __len__(self) -> int:
        return len(self.facts)

    def __getitem__(self, place: int) -> Sample:
        return _sample(decode(self.blobs.get(place)))

    def __iter__(self) -> Iterator[Sample]:
        return (self[place] for place in range(len(self)))

    def labels_of(self, place: int) -> NDArray[np.int32]:
        """Numbers of the sample's categories, as in `names`."""
        return self.labels[self.starts[place] : self.starts[place + 1]]

    def scores(self) -> NDArray[np.float64]:
        """(n,) how difficult each image is: the sum of its terms."""
        terms = [self.facts[name].astype(np.float64) for name in SCORE]
        return np.asarray(np.sum(terms, axis=0))

    def in_split(self, split: str | None) -> NDArray[np.bool_]:
        """(n,) whether a sample is of the split; None is any."""
        if split is None:
            return np.ones(len(self), dtype=np.bool_)
        number = self.splits.index(split) if split in self.splits else -1
        return np.asarray(self.facts["split"] == number)

    def _split(self, split: str) -> int:
        if split not in self.splits:
            self.splits.append(split)
        return self.splits.index(split)


def _plain(sample: Sample) -> list[Any]:
    return [
        sample.id,
        sample.image,
        sample.size,
        sample.boxes_xyxy.tobytes(),
        sample.labels,
        [(phrase.text, phrase.boxes, phrase.task) for phrase in sample.phrases],
        sample.absent,
        sample.not_exhaustive,
        sample.split,
        sample.asked,
        sample.same_as,
        sample.turned,
    ]


def _sample(data: list[Any]) -> Sample:
    boxes = np.frombuffer(data[3], dtype=np.float64).reshape(-1, 4)
    return Sample(
        id=data[0],
        image=data[1],
        size=(data[2][0], data[2][1]),
        boxes_xyxy=boxes,
        labels=tuple(data[4]),
        phrases=tuple(Phrase(text, tuple(places), task) for text, places, task in data[5]),
        absent=tuple(data[6]),
        not_exhaustive=tuple(data[7]),
        split=data[8],
        asked=data[9],
        same_as=data[10],
        turned=data[11],
    )
