"""run.json records what the answers in a folder depend on, and the versions that made them."""

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from swift_plugin_visionr1.errors import InputError
from swift_plugin_visionr1.writing import write_file

RECORD = "run.json"
LAYOUT = 2  # of run.json; earlier versions had no layout number and no content hashes
NAMES_SHOWN = 3
OTHERWISE = "give another --out, or delete that folder to ask again"


def check_record(
    folder: Path,
    fingerprint: Mapping[str, Any],
    difference: Callable[[str, Any, Any], str],
) -> dict[str, Any]:
    """The record of the answers in `folder`, whose fingerprint must match.

    Args:
        fingerprint: what new answers depend on, JSON-ready.
        difference: describes how an entry changed, from its name and its value then and now.

    Raises:
        InputError: run.json is missing, cannot be read, or is about something else.
    """
    record = _read(folder)
    before = record["fingerprint"]
    now = json.loads(json.dumps(fingerprint))
    changed = [name for name in {**now, **before} if now.get(name) != before.get(name)]
    if changed:
        told = " and ".join(difference(name, before.get(name), now.get(name)) for name in changed)
        raise InputError(
            f"expected {folder} to hold answers to the same questions of the same model, got "
            f"another {told}: {OTHERWISE}"
        )
    return record


def _read(folder: Path) -> dict[str, Any]:
    path = folder / RECORD
    try:
        record = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        reason = "none" if isinstance(error, FileNotFoundError) else f"a damaged file: {error}"
        raise InputError(
            f"expected {path}, which says what the answers in {folder} depend on, got {reason}. "
            f"They may be from another model: {OTHERWISE}"
        ) from None
    ours = isinstance(record, dict) and record.get("layout") == LAYOUT
    if (
        ours
        and isinstance(record.get("fingerprint"), dict)
        and isinstance(record.get("calls"), list)
    ):
        return dict(record)
    raise InputError(
        f"expected {path} from this version, got one from another version or something else. "
        "Whether the answers came from the same model is unknown. Evaluate them with `mmdet-eval "
        f"--pred {folder / 'answers'}` and another --out, or {OTHERWISE}"
    )


def new_record(fingerprint: Mapping[str, Any]) -> dict[str, Any]:
    """A record of answers that are still to be made."""
    return {"layout": LAYOUT, "fingerprint": fingerprint, "calls": []}


def write_record(folder: Path, record: Mapping[str, Any]) -> None:
    """Write run.json atomically."""
    write_file(folder / RECORD, json.dumps(record, indent=2, ensure_ascii=False) + "\n")


def changed_names(before: Any, now: Any) -> str:
    """The keys whose values differ between two mappings."""
    before, now = before or {}, now or {}
    names = [name for name in {**now, **before} if now.get(name) != before.get(name)]
    more = ", ..." if len(names) > NAMES_SHOWN else ""
    return ", ".join(names[:NAMES_SHOWN]) + more
