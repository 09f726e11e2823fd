"""What a protocol asks about each image."""

import random
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from swift_plugin_visionr1.formats.questions import fill

from ..coco.annotations import Annotations, Id, Image
from .protocols import Protocol
from .spec import Caption


@dataclass(frozen=True)
class Query:
    """One question about one image.

    Attributes:
        text: what the user turn says after the image; None if the protocol is not known.
        category: the category asked for, or that of the object that an expression refers to; None
            for all at once.
        name: the query's subject in words: the category's name or caption, the expression, or ""
            for all at once.
        expression: the question is about the one thing that an expression describes.
    """

    text: str | None
    category: Id | None = None
    name: str = ""
    expression: bool = False


def queries(
    protocol: Protocol, annotations: Annotations, captions: Mapping[str, Caption]
) -> dict[Id, tuple[Query, ...]]:
    """What `protocol` asks about each image: image id -> queries, possibly empty.

    Categories come in the file's order. A category is present in an image with an annotation of it
    that is not a crowd. If the file says which categories may be asked about an image, only those
    are (`Annotations.askable`). An expression whose one box counts is asked about an image with
    both a caption and an annotation; a referring expression needs no annotation.

    Args:
        captions: captions by category name; used if the protocol says so.
    """
    names = {
        key: _called(name, captions.get(name)) if protocol.captions else name
        for key, name in annotations.categories.items()
    }
    images = annotations.images
    if protocol.queries == "all":
        everything = (Query(fill(protocol.prompt, tuple(names.values()), "categories")),)
        return {image.id: everything for image in images}
    by_category = {
        key: Query(protocol.prompt.replace("{category}", name), key, name)
        for key, name in names.items()
    }
    present = annotations.present()
    if protocol.queries == "expression":
        return {image.id: _expression(protocol, image, present[image.id]) for image in images}
    if protocol.queries == "referring":
        return {image.id: _referring(protocol, image, annotations) for image in images}
    if protocol.queries == "present":
        asked: Mapping[Id, Collection[Id]] = present
    elif protocol.absent is not None:
        asked = _with_absent(present, annotations, protocol.absent)
    else:
        every = present if protocol.queries == "together" else dict.fromkeys(present, names)
        asked = annotations.askable() or every
    if protocol.queries == "together":
        return {image: _together(protocol, names, some) for image, some in asked.items()}
    return {
        image: tuple(query for key, query in by_category.items() if key in some)
        for image, some in asked.items()
    }


def _with_absent(
    present: Mapping[Id, Collection[Id]], annotations: Annotations, count: int
) -> dict[Id, set[Id]]:
    """The present categories of each image, and `count` of those known to be absent, at random.

    Every run draws the same: the seed is the image's id, and the order is the file's.
    """
    asked = {}
    for image, absent in annotations.absent().items():
        choices = [key for key in annotations.category_ids if key in absent]
        drawn = random.Random(str(image)).sample(choices, min(count, len(choices)))
        asked[image] = {*present[image], *drawn}
    return asked


def _together(
    protocol: Protocol, names: Mapping[Id, str], asked: Collection[Id]
) -> tuple[Query, ...]:
    subject = tuple(name for key, name in names.items() if key in asked)
    return (Query(fill(protocol.prompt, subject, "categories")),) if subject else ()


def _called(name: str, caption: Caption | None) -> str:
    if caption is None:
        return name
    return caption.prefix + (name if caption.name is None else caption.name) + caption.suffix


def _expression(protocol: Protocol, image: Image, present: tuple[Id, ...]) -> tuple[Query, ...]:
    if not image.caption or not present:
        return ()
    return (
        Query(
            protocol.prompt.replace("{expression}", image.caption),
            present[0],
            image.caption,
            expression=True,
        ),
    )


def _referring(protocol: Protocol, image: Image, annotations: Annotations) -> tuple[Query, ...]:
    if not image.caption:
        return ()
    text = protocol.prompt.replace("{expression}", image.caption)
    return (Query(text, annotations.category_ids[0], image.caption),)
