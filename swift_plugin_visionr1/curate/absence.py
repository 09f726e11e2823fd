"""Which categories are not in an image, as far as its source can tell."""

from .sample import Sample, Source


def mentioned(sample: Sample, source: Source) -> set[str]:
    """`plain` names of all that is or may be in the image: annotated, not exhaustive, meant by a
    phrase, or a relative of these."""
    names = {*sample.labels, *sample.not_exhaustive, *sample.unsure}
    names |= {phrase.text for phrase in sample.phrases if phrase.boxes}
    for name in tuple(names):
        names |= source.relatives.get(name, frozenset())
    return set(map(source.plain, names))


def absent_of(sample: Sample, source: Source) -> list[str]:
    """The categories that are known not to be in the image, in the order of the source.

    In a source that is annotated exhaustively these are all that are not `mentioned`; in another,
    those that somebody looked for.
    """
    there = mentioned(sample, source)
    if source.exhaustive:
        return [name for name, word in source.plain_names.items() if word not in there]
    return [name for name in dict.fromkeys(sample.absent) if source.plain(name) not in there]
