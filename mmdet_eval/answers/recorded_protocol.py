"""The protocol recorded in rows of answers: `mmdet-eval prompts` writes its name into each."""

from collections.abc import Sequence

from swift_plugin_visionr1.errors import InputError

from ..suites.protocols import Protocol, load_protocol, protocol_names
from .rows import AnswerRow


def recorded_protocol(rows: Sequence[AnswerRow]) -> Protocol | None:
    """The protocol that the rows name; None if no row names one.

    Raises:
        InputError: they name several protocols, or one from the user's own file.
    """
    names = list(dict.fromkeys(name for row in rows if (name := _name(row))))
    if len(names) > 1:
        raise InputError(
            "expected answers to one protocol, got rows that record "
            f"{' and '.join(map(repr, names))}: "
            "evaluate the answers to each protocol separately"
        )
    if names and names[0].partition(":")[0] not in protocol_names():
        raise InputError(
            f"expected --protocol with the YAML file of {names[0]!r}, the protocol that the rows "
            "record, got none"
        )
    return load_protocol(names[0]) if names else None


def check_recorded(rows: Sequence[AnswerRow], protocol: Protocol) -> None:
    """Raise InputError if a row names another protocol."""
    for row in rows:
        if _name(row) not in (None, protocol.name):
            raise InputError(
                f"line {row.line}: expected an answer to protocol {protocol.name}, got one that "
                f"records {_name(row)!r}: use the protocol that the model was asked with"
            )


def _name(row: AnswerRow) -> str | None:
    name = row.columns.get("protocol")
    return name if isinstance(name, str) and name else None
