"""What a protocol asks about each image."""

from collections.abc import Mapping
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
    that is not a crowd. An expression is asked about an image with both a caption and such an
    annotation.

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
    if protocol.queries == "each":
        return {image.id: tuple(by_category.values()) for image in images}
    present = annotations.present()
    if protocol.queries == "present":
        return {image.id: tuple(by_category[key] for key in present[image.id]) for image in images}
    return {image.id: _expression(protocol, image, present[image.id]) for image in images}


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
