"""The hybrid of JSON and special tokens that ms-swift teaches from `objects` rows whose answer
is JSON: {"bbox_2d": <|box_start|>(64,95),(322,333)<|box_end|>, "label":
"<|object_ref_start|>cat<|object_ref_end|>"}.

That is what Qwen3-VL is taught without QWENVL_BBOX_FORMAT=new; other families put their own tags in
the same places. A server may have left out the tokens: {"bbox_2d": (64,95),(322,333), ...}.
"""

import re

_TOKEN = re.compile(
    r"<\|(?:box|object_ref)_(?:start|end)\|>|</?(?:box|ref)>|<\|/?(?:det|ref)\|>|"
    r"<\|(?:begin|end)_of_box\|>"
)
_NUMBER = r"\s{0,9}-?\d{1,9}(?:\.\d{0,9})?\s{0,9}"
_CORNERS = re.compile(
    rf"(?<=[:\s\[,])\(({_NUMBER},{_NUMBER})\)(\s{{0,9}},\s{{0,9}})\(({_NUMBER},{_NUMBER})\)"
)


def without_special_tokens(text: str) -> str:
    """The hybrid as JSON, with every kept character in its place; other texts are returned as is.

    >>> without_special_tokens('{"bbox_2d": <|box_start|>(1,2),(3,4)<|box_end|>}')
    '{"bbox_2d":              [1,2 , 3,4]           }'
    """
    if "{" not in text or ("),(" not in text and not _TOKEN.search(text)):
        return text
    blank = _TOKEN.sub(lambda token: " " * len(token[0]), text)
    return _CORNERS.sub(r"[\1 \2 \3]", blank)
