"""Pickles from the net, read without executing anything: plain values only."""

import io
import pickle
from pathlib import Path
from typing import Any

from ..errors import InputError
from ..files import read_bytes


class _PlainUnpickler(pickle.Unpickler):
    """Knows no class and no function, so a pickle can call nothing."""

    def find_class(self, module: str, name: str) -> Any:
        """Refuse."""
        raise pickle.UnpicklingError(f"a reference to {module}.{name}")


def read_pickle(path: Path) -> Any:
    """Lists, dicts, texts and numbers of a pickle of any version; texts of Python 2 as Latin-1.

    Raises:
        InputError: it cannot be read, or holds anything that would have to be executed.
    """
    try:
        return _PlainUnpickler(io.BytesIO(read_bytes(path)), encoding="latin1").load()
    except InputError:
        raise
    except Exception as error:  # a broken pickle raises errors of any kind
        raise InputError(
            f"expected a pickle of plain lists, dicts, texts and numbers at {path}, got "
            f"{type(error).__name__}: {error}; nothing in it was executed"
        ) from None
