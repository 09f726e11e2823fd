"""Samples that wait on the disk until it is decided which of them become rows."""

from collections.abc import Iterable
from itertools import islice
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from ..geometry.boxes import Boxes
from .difficulty import TERMS, Terms, difficulties
from .mending import with_whole_names
from .sample import Sample, plain
from .spill import Blobs
from .tally import Tally

FACTS = np.dtype(
    [
        ("boxes", "i4"),
        ("labels", "i4"),
        ("phrases", "i4"),
        ("split", "i2"),
        *((term, "f4") for term in TERMS),
    ]
)
AT_ONCE = 1024  # samples


class SampleStore:
    """The samples of one source.

    Args:
        samples: complete and mended.
        terms: how difficult an image is.
        tally: counts the samples that cannot be written.

    Attributes:
        facts: (n,) of `FACTS`.
        labels: numbers of the different categories of all samples, one sample after the other.
        alone: whether one box of such a category is in its image, and no broken one.
        starts: where each sample's categories start.
        names: category -> its number.
    """

    def __init__(self, samples: Iterable[Sample], terms: Terms, tally: Tally) -> None:
        self.blobs = Blobs()
        self.splits: list[str] = []
        self.names: dict[str, int] = {}
        self.words: dict[str, int] = {}  # plain name -> its number
        self.word_of: list[int] = []  # that number for each name
        labels: list[NDArray[np.int32]] = [np.empty(0, np.int32)]
        alone: list[NDArray[np.bool_]] = [np.empty(0, np.bool_)]
        facts: list[NDArray[np.void]] = [np.empty(0, FACTS)]
        rest = iter(samples)
        while read := list(islice(rest, AT_ONCE)):
            some = [kept for sample in read if (kept := self._keep(sample, tally)) is not None]
            numbers, are_alone = self._categories(some)
            labels.append(numbers)
            alone.append(are_alone)
            facts.append(self._facts(some, terms))
        self.facts: NDArray[Any] = np.concatenate(facts)
        self.labels, self.alone = np.concatenate(labels), np.concatenate(alone)
        self.starts = np.concatenate([[0], np.cumsum(self.facts["labels"], dtype=np.int64)])

    def _keep(self, sample: Sample, tally: Tally) -> Sample | None:
        try:
            self.blobs.add(ENCODER.encode(sample))
        except UnicodeEncodeError:
            whole = with_whole_names(sample, tally)
            return self._keep(whole, tally) if whole is not None else None
        return sample

    def _categories(self, samples: list[Sample]) -> tuple[NDArray[np.int32], NDArray[np.bool_]]:
        """The number of each category that has a box, image after image, and whether that is the
        only box of its name in the image."""
        numbers = self._numbers([label for sample in samples for label in sample.labels])
        places = np.repeat(np.arange(len(samples)), [len(sample.labels) for sample in samples])
        unsure = np.array(
            [self._word(name) for sample in samples for name in sample.unsure], np.int64
        )
        of_unsure = np.repeat(np.arange(len(samples)), [len(sample.unsure) for sample in samples])
        words = np.array(self.word_of, np.int64)[numbers]
        keys = np.concatenate([places, of_unsure]) * (len(self.words) + 1)
        keys += np.concatenate([words, unsure])
        _, inverse, counts = np.unique(keys, return_inverse=True, return_counts=True)
        first = np.unique(places * (len(self.names) + 1) + numbers, return_index=True)[1]
        first.sort()
        return numbers[first].astype(np.int32), counts[inverse[first]] == 1

    def _numbers(self, labels: list[str]) -> NDArray[np.int64]:
        """(n,) the number of each label."""
        for label in dict.fromkeys(labels):
            if label not in self.names:
                self.names[label] = len(self.names)
                self.word_of.append(self._word(label))
        return np.array([self.names[label] for label in labels], dtype=np.int64)

    def _word(self, name: str) -> int:
        """The number of a name as names are compared."""
        return self.words.setdefault(plain(name), len(self.words))

    def _facts(self, samples: list[Sample], terms: Terms) -> NDArray[np.void]:
        facts = np.zeros(len(samples), FACTS)
        facts["boxes"] = [len(sample.boxes_xyxy) for sample in samples]
        facts["labels"] = [len(set(sample.labels)) for sample in samples]
        facts["phrases"] = [len(sample.phrases) for sample in samples]
        facts["split"] = [self._split(sample.split) for sample in samples]
        for name, column in zip(TERMS, difficulties(samples, terms).T, strict=True):
            facts[name] = column
        return facts

    def __len__(self) -> int:
        return len(self.facts)

    def __getitem__(self, place: int) -> Sample:
        return DECODER.decode(self.blobs.get(place))

    def labels_of(self, place: int) -> NDArray[np.int32]:
        """Numbers of the sample's categories, as in `names`."""
        return self.labels[self.starts[place] : self.starts[place + 1]]

    def terms_of(self, place: int) -> dict[str, float]:
        """The terms of a sample's difficulty."""
        return dict(zip(TERMS, self.facts[place].item()[-len(TERMS) :], strict=True))

    def scores(self) -> NDArray[np.float64]:
        """(n,) how difficult each image is: the sum of its terms."""
        terms = [self.facts[name].astype(np.float64) for name in TERMS]
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


def _to_boxes(_: Any, data: bytes) -> Boxes:
    return np.frombuffer(data, dtype=np.float64).reshape(-1, 4)


ENCODER = msgspec.msgpack.Encoder(enc_hook=np.ndarray.tobytes)
DECODER = msgspec.msgpack.Decoder(Sample, dec_hook=_to_boxes)
