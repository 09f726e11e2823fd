"""Protocols: what is asked about an image, and whether answer or query names a box. They have
names, do not change, and are printed with the result."""

import re
from dataclasses import dataclass, replace
from typing import Literal

from swift_plugin_visionr1.declared import read_declared
from swift_plugin_visionr1.errors import InputError
from swift_plugin_visionr1.files import load_yaml
from swift_plugin_visionr1.formats import FORMATS, Format
from swift_plugin_visionr1.formats.questions import instead_of_the_papers
from swift_plugin_visionr1.text import short

from . import named_files

Queries = Literal["all", "present", "each", "together", "expression", "referring"]
Labels = Literal["answer", "query"]
# The placeholder for the subject in the prompt of each kind of query.
PLACEHOLDERS = {
    "all": "{categories}",
    "present": "{category}",
    "together": "{categories}",
    "each": "{category}",
    "expression": "{expression}",
    "referring": "{expression}",
}
AT_ONCE = ("all", "together")  # several categories in one query
EXPRESSIONS = ("expression", "referring")
_NAMES = re.compile(r"\{categories(:[^{}]*)?\}")


@dataclass(frozen=True)
class Protocol:
    """A way to ask.

    Attributes:
        name: e.g. "vision_r1_coco"; "vision_r1_coco:paligemma" asks the same in the words of
            PaliGemma's authors.
        prompt: the user turn after the image. {categories}, {category} or {expression} stands for
            the subject. {categories:JOINT} joins the categories with JOINT instead of a comma.
        queries: "all" categories in one query; one for each category that is "present" in the
            image's annotations; those categories "together" in one query; one for "each" category;
            one "expression" per annotated image, whose one box counts; or one "referring"
            expression per image, of any number of boxes.
        labels: whether the "answer" names a box's category or the "query" decides it.
        captions: whether the data set's caption overrides (prefix + name + suffix) replace category
            names.
        label_aware: whether the queries reveal something about the annotations (which categories
            are present).
        description: one sentence for people, with the source.
        absent: with "each", ask for the present categories and this many that are known to be
            absent, drawn for each image; None asks for every category.
        answer: what an answer is, if not boxes.
    """

    name: str
    prompt: str
    queries: Queries
    labels: Labels
    captions: bool
    label_aware: bool
    description: str
    absent: int | None = None
    answer: Literal["number"] | None = None


def protocol_names() -> tuple[str, ...]:
    """The names of the built-in protocols."""
    return named_files.names("protocols")


def load_protocol(name: str) -> Protocol:
    """A built-in protocol, or the user's own from a YAML file: prompt, queries, labels, and
    optionally captions and description.

    PROTOCOL:FORMAT is a built-in one in the words of a format's family, see `in_words_of`.

    Raises:
        InputError: the protocol does not exist, the file is invalid, or the family has no words for
            it.
    """
    base, _, format = name.rpartition(":")
    if base not in protocol_names() or format not in FORMATS:
        return _read(name)
    worded = in_words_of(FORMATS[format], _read(base))
    if worded.name != name:
        raise InputError(
            f"expected a format whose authors document a question for {base} (queries: "
            f"{worded.queries}), got {format!r}: use --protocol {base}, or your own YAML file"
        )
    return worded


def in_words_of(format: Format, protocol: Protocol) -> Protocol:
    """The protocol with the question that the format's authors document, if any; without the words
    "in JSON format" for models that write no JSON; else unchanged.

    A question about one thing decides the category: several families leave the label out of the
    answer.
    """
    questions = format.questions
    several = protocol.queries in AT_ONCE
    words = instead_of_the_papers(questions) if several else questions.locate
    if words is None or protocol.answer or protocol.name not in protocol_names():
        return protocol
    return replace(
        protocol,
        name=f"{protocol.name}:{format.name}",
        prompt=words.replace("{", PLACEHOLDERS[protocol.queries][:-1], 1),
        labels="answer" if several else "query",
        description=f"{protocol.name}, but asked as models that write {format.name} are.",
    )


@dataclass(frozen=True)
class ProtocolFile:
    """A protocol's YAML file."""

    prompt: str
    queries: Queries
    labels: Labels
    captions: bool = False
    description: str = ""
    absent: int | None = None
    answer: Literal["number"] | None = None


def _read(name: str) -> Protocol:
    path = named_files.find("protocols", name)
    file = read_declared(ProtocolFile, load_yaml(path), str(path))
    _check(file, str(path))
    return Protocol(
        path.stem,
        file.prompt,
        file.queries,
        file.labels,
        file.captions,
        label_aware=file.queries in ("present", "together") or file.absent is not None,
        description=file.description or f"from {path}",
        absent=file.absent,
        answer=file.answer,
    )


def _check(file: ProtocolFile, where: str) -> None:
    subject = PLACEHOLDERS[file.queries]
    prompt = _NAMES.sub(PLACEHOLDERS["all"], file.prompt)
    present = [one for one in sorted(set(PLACEHOLDERS.values())) if one in prompt]
    if present != [subject]:
        raise InputError(
            f"{where}: expected prompt to be a text with {subject} (queries: {file.queries}), got "
            f"{short(file.prompt)!r}"
        )
    if file.queries in AT_ONCE and file.labels == "query":
        raise InputError(
            f"{where}: expected labels to be answer, because a query for several categories cannot "
            "decide which one a box is, got 'query'"
        )
    if file.absent is not None and (file.queries != "each" or file.absent < 0):
        raise InputError(
            f"{where}: expected absent with queries: each, as the number of absent categories to "
            f"ask for, got {file.absent} with queries: {file.queries}"
        )
