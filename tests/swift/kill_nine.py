"""An ms-swift plugin for test_resume: the callback `kill_nine` kills its own process in the middle
of a step."""

import os
import signal
from typing import Any

from swift.callbacks.base import TrainerCallback
from swift.callbacks.mapping import callbacks_map


class KillNine(TrainerCallback):  # type: ignore[misc]
    """What `kill -9` does when KILL_AT steps are done: the next one's completions are sampled and
    scored by then."""

    def on_pre_optimizer_step(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        if state.global_step == int(os.environ["KILL_AT"]):
            os.kill(os.getpid(), signal.SIGKILL)


callbacks_map["kill_nine"] = KillNine
