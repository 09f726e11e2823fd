"""Protocols: what is asked about an image, and whose word names a box. Named, frozen, and printed with the result."""

from dataclasses import dataclass
from typing import Any, Literal, get_args

from ..errors import InputError
from . import named_files

Queries = Literal["all", "present", "each", "expression"]
Labels = Literal["answer", "query"]
# What stands for the subject in the prompt of each kind of query.
PLACEHOLDERS = {"all": "{categories}", "present": "{category}", "each": "{category}", "expression": "{expression}"}


@dataclass(frozen=True)
class Protocol:
    """A way to ask.

    Attributes:
        name: e.g. "vision_r1_coco".
        prompt: the user turn after the image; {categories}, {category} or {expression} stands for the subject.
        queries: "all" categories in one query, one for each category that is "present" in the image's annotations,
            one for "each" category, or one "expression" per annotated image (referring expressions).
        labels: a box's category is named by the "answer", or is the one that the "query" asked for.
        captions: category names are replaced by the data set's caption overrides (prefix + name + suffix).
        label_aware: the queries tell the model something of the annotations (which categories are present).
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
    """A named protocol, or one's own from a YAML file: prompt, queries, labels, and optionally captions, description.

    Raises:
        InputError: there is no such protocol, or the file is not one.
    """
    path = named_files.find("protocols", name)
    data = named_files.read_mapping(path, ("prompt", "queries", "labels"), ("captions", "description"))
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
    found = [placeholder for placeholder in sorted(set(PLACEHOLDERS.values())) if placeholder in data["prompt"]]
    if found != [own]:
        raise _error(where, "prompt", f"a text with {own} (queries: {data['queries']})", data["prompt"])
    if data["queries"] == "all" and data["labels"] == "query":
        raise _error(where, "labels", "answer, because a query for all categories names none of them", "query")


def _error(where: str, key: str, expected: str, came: Any, options: tuple[str, ...] = ()) -> InputError:
    return InputError(
        f"{where}: expected {key} to be {expected}, got {came!r}{named_files.did_you_mean(came, options)}"
    )
