"""Which categories are not in an image, as far as its source can tell."""

from .sample import Sample, Source


def plain(name: str) -> str:
    """A name as it is compared: "Traffic_light" and "traffic light" are one.

    >>> plain("Traffic_light") == plain("traffic light")
    True
    """
    return " ".join(name.replace("_", " ").replace("-", " ").casefold().split())


def mentioned(sample: Sample, source: Source) -> set[str]:
    """`plain` names of all that is or may be in the image: annotated, not exhaustive, meant by a
    phrase, or a relative of these."""
    names = {*sample.labels, *sample.not_exhaustive}
    names |= {phrase.text for phrase in sample.phrases if phrase.boxes}
    for name in tuple(names):
        names |= source.relatives.get(name, frozenset())
    return {plain(name) for name in names}


def absent_of(sample: Sample, source: Source) -> list[str]:
    """The categories that are known not to be in the image, in the order of the source.

    In a source that is annotated exhaustively these are all that are not `mentioned`; in another,
    those that somebody looked for.
    """
    there = mentioned(sample, source)
    known = source.categories if source.exhaustive else sample.absent
    return [name for name in dict.fromkeys(known) if plain(name) not in there]
