"""Which split a file or folder is, by its name."""

import re

_SPLITS = {
    "train": "train",
    "training": "train",
    "val": "val",
    "valid": "val",
    "validation": "val",
    "test": "test",
    "testing": "test",
}
_WORD = re.compile(r"(train(?:ing)?|val(?:id(?:ation)?)?|test(?:ing)?)(?:20\d\d)?", re.IGNORECASE)


def split_of(name: str) -> str:
    """The split in a name; "" if it has none.

    >>> split_of("instances_val2017.json"), split_of("valid"), split_of("contest.json")
    ('val', 'val', '')
    """
    for part in re.split(r"[^A-Za-z0-9]+", name):
        if match := _WORD.fullmatch(part):
            return _SPLITS[match[1].lower()]
    return ""
