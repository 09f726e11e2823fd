"""What tables of columns have in common."""

from collections.abc import Sequence
from dataclasses import fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

Indices = NDArray[np.int64]


def freeze(table: Any) -> None:
    """Make the arrays of a dataclass read-only."""
    for field in fields(table):
        column = getattr(table, field.name)
        if isinstance(column, np.ndarray):
            column.flags.writeable = False


def place_of_each(ids: Sequence[Any], known: Sequence[Any]) -> Indices:
    """(n,) index into `known` of each of n ids; raises KeyError for an unknown one."""
    places = {key: place for place, key in enumerate(known)}
    return np.fromiter(map(places.__getitem__, ids), np.int64, len(ids))


def group_by(keys: Indices, count: int) -> list[Indices]:
    """For each key from 0 to `count` - 1, the ascending indices where it stands in (n,) `keys`."""
    order = np.argsort(keys, kind="stable")
    return np.split(order, np.searchsorted(keys[order], np.arange(1, count)))


def rank_of_each(ids: Sequence[Any]) -> Indices:
    """(n,) the place of each id among all in ascending order, which is COCOeval's."""
    ranks = np.empty(len(ids), dtype=np.int64)
    ranks[sorted(range(len(ids)), key=ids.__getitem__)] = np.arange(len(ids))
    return ranks
