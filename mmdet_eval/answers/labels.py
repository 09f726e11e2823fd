"""Labels to COCO categories."""

from collections.abc import Mapping

from ..data.annotations import Id
from ..errors import InputError


class CategoryNames:
    """Category ids by label: exactly, else without regard to case and surrounding space.

    Raises:
        InputError: two categories have the same name.
    """

    def __init__(self, categories: Mapping[Id, str]) -> None:
        self._exact: dict[str, Id] = {}
        self._folded: dict[str, Id | None] = {}
        for key, name in categories.items():
            if name in self._exact:
                raise InputError(
                    f"expected category names that differ, got {name!r} for both {self._exact[name]!r} and {key!r}: "
                    "rename one in the annotation file"
                )
            self._exact[name] = key
            # Names that differ in case only can be told apart exactly or not at all.
            self._folded[_fold(name)] = None if _fold(name) in self._folded else key

    def find(self, label: str) -> Id | None:
        """The id of the category that `label` names; None where it names none."""
        return self._exact[label] if label in self._exact else self._folded.get(_fold(label))


def _fold(name: str) -> str:
    return name.casefold().strip()
