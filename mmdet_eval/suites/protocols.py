"""Protocols: what is asked about an image, and whose word names a box. Named, frozen, and printed
with the result."""

import re
from dataclasses import dataclass, replace
from typing import Any, Literal, get_args

from swift_plugin_visionr1.errors import InputError
from swift_plugin_visionr1.formats import FORMATS, Format
from swift_plugin_visionr1.text import did_you_mean

from . import named_files

Queries = Literal["all", "present", "each", "expression"]
Labels = Literal["answer", "query"]
# What stands for the subject in the prompt of each kind of query.
PLACEHOLDERS = {
    "all": "{categories}",
    "present": "{category}",
    "each": "{category}",
    "expression": "{expression}",
}
_NAMES = re.compile(r"\{categories(:[^{}]*)?\}")


@dataclass(frozen=True)
class Protocol:
    """A way to ask.

    Attributes:
        name: e.g. "vision_r1_coco"; "vision_r1_coco:paligemma" asks the same in the words of
            PaliGemma's authors.
        prompt: the user turn after the image; {categories}, {category} or {expression} stands for
            the subject, and {categories:JOINT} for the categories with JOINT between them, which is
            else a comma.
        queries: "all" categories in one query, one for each category that is "present" in the
            image's annotations, one for "each" category, or one "expression" per annotated image
            (referring expressions).
        labels: a box's category is named by the "answer", or is the one that the "query" asked for.
        captions: category names are replaced by the data set's caption overrides (prefix + name +
            suffix).
        label_aware: the queries tell the model something of the annotations (which categories are
            present).
        description: one sentence for people, with the source.
    """

    name: str
    prompt: str
    queries: Queries
    labels: Labels
    captions: bool
    label_aware: bool
    description: str


def protocol_names() -> tuple[str, ...]:
    """The protocols that have a name."""
    return named_files.names("protocols")


def load_protocol(name: str) -> Protocol:
    """A named protocol, or one's own from a YAML file: prompt, queries, labels, and optionally
    captions, description.

    PROTOCOL:FORMAT is a named one in the words of a format's family, see `in_words_of`.

    Raises:
        InputError: there is no such protocol, the file is not one, or the family has no words for
            it.
    """
    base, _, format = name.rpartition(":")
    if base not in protocol_names() or format not in FORMATS:
        return _read(name)
    found = in_words_of(FORMATS[format], _read(base))
    if found.name != name:
        raise InputError(
            f"expected a format whose authors document a question for {base} (queries: "
            f"{found.queries}), got "
            f"{format!r}: say --protocol {base}, or a YAML file of one's own"
        )
    return found


def in_words_of(format: Format, protocol: Protocol) -> Protocol:
    """A named protocol with the question that the format's authors document, where they document
    one; else itself.

    A question for one thing decides the category: several families leave the label out of its
    answer.
    """
    own = format.questions
    words = own.detect if protocol.queries == "all" else own.locate
    if words is None or protocol.name not in protocol_names():
        return protocol
    return replace(
        protocol,
        name=f"{protocol.name}:{format.name}",
        prompt=words.replace("{", PLACEHOLDERS[protocol.queries][:-1], 1),
        labels="answer" if protocol.queries == "all" else "query",
        description=f"{protocol.name}, but asked in the words that the authors of {format.name} "
        "document.",
    )


def _read(name: str) -> Protocol:
    path = named_files.find("protocols", name)
    data = named_files.read_mapping(
        path, ("prompt", "queries", "labels"), ("captions", "description")
    )
    data = {"captions": False, "description": f"from {path}", **data}
    _check(data, str(path))
    return Protocol(name=path.stem, label_aware=data["queries"] == "present", **data)


def _check(data: dict[str, Any], where: str) -> None:
    for key, kind in (("queries", Queries), ("labels", Labels)):
        if data[key] not in get_args(kind):
            raise _error(where, key, " or ".join(get_args(kind)), data[key], get_args(kind))
    for key, type_ in (("prompt", str), ("description", str), ("captions", bool)):
        if not isinstance(data[key], type_):
            raise _error(where, key, "text" if type_ is str else "true or false", data[key])
    own = PLACEHOLDERS[data["queries"]]
    prompt = _NAMES.sub(PLACEHOLDERS["all"], data["prompt"])
    found = [
        placeholder for placeholder in sorted(set(PLACEHOLDERS.values())) if placeholder in prompt
    ]
    if found != [own]:
        raise _error(
            where, "prompt", f"a text with {own} (queries: {data['queries']})", data["prompt"]
        )
    if data["queries"] == "all" and data["labels"] == "query":
        raise _error(
            where,
            "labels",
            "answer, because a query for all categories names none of them",
            "query",
        )


def _error(
    where: str, key: str, expected: str, came: Any, options: tuple[str, ...] = ()
) -> InputError:
    return InputError(
        f"{where}: expected {key} to be {expected}, got {came!r}{did_you_mean(came, options)}"
    )
