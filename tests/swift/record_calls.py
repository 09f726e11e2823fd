"""An ms-swift plugin for test_counts: a reward of 0 that writes down what rewards are called with,
a file per process."""

import json
import os
from pathlib import Path
from typing import Any

from swift.rewards import ORM, orms


class RecordCalls(ORM):
    def __call__(
        self, completions: list[str], trainer_state: Any = None, **columns: Any
    ) -> list[float]:
        call = {
            "step": trainer_state.global_step,
            "completions": completions,
            "solution": columns["solution"],
            "ids": columns["request_id"],
        }
        with Path(os.environ["CALLS"], f"{os.environ.get('RANK', '0')}.jsonl").open("a") as file:
            file.write(json.dumps(call) + "\n")
        return [0.0] * len(completions)


orms["record_calls"] = RecordCalls
