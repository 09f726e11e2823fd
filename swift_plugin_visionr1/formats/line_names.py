"""Names that a line has before its boxes, without JSON: "cat: [1, 2, 3, 4]".

A name has at most three words, and its boxes stand on the same line: "Here is what I see:" is not a
name.
"""

import re

_NAME_BEFORE = re.compile(
    r"^[ \t]{0,9}(?:[-*\u2022]|\d{1,3}[.)])?[ \t]{0,9}[*_`\"']{0,3}"
    r"([^\W\d][\w/-]{0,30}?(?: [\w/-]{1,30}?){0,2})[*_`\"']{0,3}[ \t]{0,3}[:\uff1a][*_`]{0,3}"
    r"[ \t]{0,3}\Z",
    re.MULTILINE,
)


def name_before(text: str, at: int) -> str:
    """The name that a line has before its colon and the list that begins at `at`; "" for none.

    >>> name_before("- **cat**: [1, 2, 3, 4]", 11)
    'cat'
    """
    name = _NAME_BEFORE.search(text, max(0, at - 70), at)
    return name[1] if name else ""
