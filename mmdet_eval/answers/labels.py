"""Matches labels to COCO categories."""

import re
from collections.abc import Callable, Mapping
from pathlib import Path

from swift_plugin_visionr1.errors import InputError
from swift_plugin_visionr1.files import load_yaml

from ..coco.annotations import Id

# Each rule makes more labels equal, on top of those before it.
RULES: dict[str, Callable[[str], str]] = {
    "casefold": str.casefold,
    "strip": str.strip,
    "separators": lambda name: re.sub(r"[\s_-]+", " ", name),
}
SINGULAR = "singular"


class CategoryNames:
    """Finds category ids by label: exactly, else by the rules, else by the user's synonyms.

    A rule that would make two of the names equal is not applied to this data set at all.

    Attributes:
        rules: the rules applied, in order.
        rules_off: the rules not applied, each with two names that it would merge.
        policy: all of this in words.

    Raises:
        InputError: two categories have the same name, or a synonym stands for an unknown one.
    """

    def __init__(
        self, categories: Mapping[Id, str], synonyms: Mapping[str, str] | None = None
    ) -> None:
        self._exact = _by_name(categories)
        self.rules_off: dict[str, tuple[str, str]] = {}
        self._fold: list[Callable[[str], str]] = []
        applied = []
        for name, rule in RULES.items():
            merged = _merged(
                {key: (rule(self._folded(text)),) for key, text in categories.items()}, categories
            )
            if merged:
                self.rules_off[name] = merged
            else:
                self._fold.append(rule)
                applied.append(name)
        self._names = {self._folded(text): key for key, text in categories.items()}
        self._plurals: dict[str, Id] = {}
        merged = _merged(
            {key: (text, *_plurals(text)) for text, key in self._names.items()}, categories
        )
        if merged:
            self.rules_off[SINGULAR] = merged
        else:
            self._plurals = {
                plural: key for text, key in self._names.items() for plural in _plurals(text)
            }
            applied.append(SINGULAR)
        self.rules = tuple(applied)
        self._synonyms = self._read_synonyms(synonyms or {})
        self.policy = self._describe()

    def find(self, label: str) -> Id | None:
        """The id of the category that `label` names; None if it names none or is blank."""
        if label in self._exact:
            return self._exact[label]
        folded = self._folded(label)
        if not folded.strip():
            return None
        key = self._names.get(folded, self._plurals.get(folded))
        if key is None and SINGULAR in self.rules:  # a category whose name is the label's plural
            key = next(
                (self._names[plural] for plural in _plurals(folded) if plural in self._names), None
            )
        return self._synonyms.get(folded) if key is None else key

    def _folded(self, text: str) -> str:
        for rule in self._fold:
            text = rule(text)
        return text

    def _read_synonyms(self, synonyms: Mapping[str, str]) -> dict[str, Id]:
        unknown = sorted({name for name in synonyms.values() if name not in self._exact})
        if unknown:
            raise InputError(
                f"expected synonyms to stand for category names ({_some(list(self._exact))}), got "
                f"{_some(unknown)}: "
                "write the names as the annotation file does"
            )
        return {self._folded(label): self._exact[name] for label, name in synonyms.items()}

    def _describe(self) -> str:
        text = f"exact category name, else after these rules: {', '.join(self.rules) or 'none'}"
        off = [f"{rule} (would merge {a!r} and {b!r})" for rule, (a, b) in self.rules_off.items()]
        text += f"; not applied in this set: {', '.join(off)}" if off else ""
        text += f"; else {len(self._synonyms)} synonyms of the user" if self._synonyms else ""
        return f"{text}; boxes with other labels are dropped"


def read_synonyms(path: str | Path) -> dict[str, str]:
    """A YAML mapping of labels to category names.

    Raises:
        InputError: the file cannot be read or is not such a mapping.
    """
    data = load_yaml(Path(path))
    # Without quotes, YAML does not read the keys of `no: zebra` and `1: one` as text.
    if not isinstance(data, dict) or not all(
        isinstance(v, str) for pair in data.items() for v in pair
    ):
        raise InputError(
            f"expected {path} to map labels to category names, got {str(data)[:80]}: put names "
            "like no and 1 in quotes"
        )
    return data


def _by_name(categories: Mapping[Id, str]) -> dict[str, Id]:
    ids: dict[str, Id] = {}
    for key, name in categories.items():
        if name in ids:
            raise InputError(
                f"expected category names that differ, got {name!r} for both {ids[name]!r} and "
                f"{key!r}: "
                "rename one in the annotation file"
            )
        ids[name] = key
    return ids


def _merged(
    forms: Mapping[Id, tuple[str, ...]], categories: Mapping[Id, str]
) -> tuple[str, str] | None:
    """Two category names that share a form, if any."""
    owner: dict[str, Id] = {}
    for key, written in forms.items():
        for form in written:
            if owner.setdefault(form, key) != key:
                return categories[owner[form]], categories[key]
    return None


def _plurals(name: str) -> tuple[str, ...]:
    """Regular plurals of a name's last word; several if the spelling leaves it open."""
    if not name[-1:].isalpha():
        return ()
    if re.search(r"(s|x|z|ch|sh)$", name):
        return (f"{name}es",)
    if re.search(r"[^aeiou]y$", name):
        return (f"{name[:-1]}ies",)
    if re.search(r"[^f]fe?$", name):
        return f"{name}s", re.sub(r"fe?$", "ves", name)
    return (f"{name}s", f"{name}es") if name.endswith("o") else (f"{name}s",)


def _some(values: list[str], limit: int = 5) -> str:
    return ", ".join(map(repr, values[:limit])) + (", ..." if len(values) > limit else "")
