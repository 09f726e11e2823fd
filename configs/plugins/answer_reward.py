"""The reward `answer`, for questions whose answer is a word, a letter or a number: 1 if the answer is
the row's column `answer`, else 0, and None for rows without that column, which other rewards judge.

    swift rlhf ... --external_plugins configs/plugins/answer_reward.py --reward_funcs vision_r1 answer

Case, white space and a full stop at the end do not matter. Of <answer>...</answer> or \\boxed{...}
the inside counts.
"""

import re
from collections.abc import Sequence
from typing import Any

from swift.rewards.orm import ORM, orms

TAGGED = re.compile(r"<answer>(.*?)</answer>|\\boxed\{([^{}]*)\}", re.DOTALL)


class Answer(ORM):
    """`answer`, in [0, 1]."""

    def __call__(
        self, completions: Sequence[str], answer: Sequence[Any] | None = None, **columns: Any
    ) -> list[float | None]:
        """1 or 0 per completion; None where the row has no answer."""
        answers = answer or [None] * len(completions)
        return [
            None if right in (None, "") else float(plain(text) == plain(str(right)))
            for text, right in zip(completions, answers, strict=True)
        ]


def plain(text: str) -> str:
    """The answer in a text, as it is compared."""
    tagged = list(TAGGED.finditer(text))
    said = (tagged[-1][1] or tagged[-1][2] or "") if tagged else text
    return " ".join(said.split()).removesuffix(".").casefold()


orms["answer"] = Answer
