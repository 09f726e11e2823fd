"""How far a long job is: one line that is updated on a terminal, a line now and then in a log."""

import time
from typing import TextIO

LOG_SECONDS = 15.0  # between two lines where the stream is no terminal


class Progress:
    """Counts up to `total`, of which `before` were there at the start.

    The rate is taken from the first answers on, because loading a model takes minutes without any.
    """

    def __init__(self, total: int, before: int, stream: TextIO) -> None:
        self.total, self.done, self.stream = total, before, stream
        self.first: tuple[float, int] | None = (
            None  # when the first new answers were there, and how many
        )
        self.printed = (float("-inf"), -1)  # when, and at which count

    def show(self, done: int) -> None:
        """Tell that `done` of the total are there."""
        now = time.monotonic()
        if done > self.done and self.first is None:
            self.first = now, done
        self.done = done
        if self.stream.isatty():
            print(f"\r\033[K{self._text(now)}", end="", file=self.stream, flush=True)
        elif done != self.printed[1] and (
            now - self.printed[0] >= LOG_SECONDS or done == self.total
        ):
            print(self._text(now), file=self.stream, flush=True)
            self.printed = now, done

    def close(self) -> None:
        """End the line of a terminal."""
        if self.stream.isatty():
            print(file=self.stream, flush=True)

    def _text(self, now: float) -> str:
        text = f"{self.done} of {self.total} answered ({100 * self.done // self.total}%)"
        if self.first is None:
            return text + ", waiting for the first answers"
        seconds, count = now - self.first[0], self.done - self.first[1]
        if not count or self.done == self.total:
            return text
        rate = count / seconds
        return f"{text}, {rate:.2g} a second, {duration((self.total - self.done) / rate)} left"


def duration(seconds: float) -> str:
    """E.g. "45 s", "12 min", "3 h 20 min"."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 90 else f"{minutes // 60} h {minutes % 60} min"
