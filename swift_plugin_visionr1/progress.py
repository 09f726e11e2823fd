"""How far a long job is: one line that is updated on a terminal, a line now and then in a log."""

import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TextIO, TypeVar

LOG_SECONDS = 15.0  # between two lines if the stream is not a terminal
TERMINAL_SECONDS = 0.1  # between two updates of a terminal's line
T = TypeVar("T")


class Progress:
    """Counts up to `total`, of which `before` were there at the start.

    The rate is measured from the first that are done, because loading a model takes minutes.

    Args:
        total: how many there are.
        before: how many were done before.
        stream: where it is shown.
        verb: what is done to them, such as "answered".
        noun: what they are, if the verb does not say it.
        quiet: seconds in which nothing is shown, for jobs that are mostly short.
    """

    def __init__(
        self,
        total: int,
        before: int,
        stream: TextIO,
        verb: str,
        noun: str = "",
        quiet: float = 0.0,
    ) -> None:
        self.total, self.done, self.stream = total, before, stream
        self.verb, self.noun = verb, noun
        self.shown_from = time.monotonic() + quiet if quiet else float("-inf")
        self.first: tuple[float, int] | None = None  # when the first new were done, and how many
        self.printed = (float("-inf"), -1)  # when, and at which count

    def show(self, done: int) -> None:
        """Tell that `done` of the total are done."""
        now = time.monotonic()
        if done > self.done and self.first is None:
            self.first = now, done
        self.done = done
        if now < self.shown_from:
            return
        is_terminal = self.stream.isatty()
        pause = TERMINAL_SECONDS if is_terminal else LOG_SECONDS
        if done < self.total and now - self.printed[0] < pause:
            return
        if done == self.printed[1] and not is_terminal:
            return
        self.printed = now, done
        if is_terminal:
            print(f"\r\033[K{self._text(now)}", end="", file=self.stream, flush=True)
        else:
            print(self._text(now), file=self.stream, flush=True)

    def close(self) -> None:
        """End the line of a terminal."""
        if self.stream.isatty() and self.printed[1] >= 0:
            print(file=self.stream, flush=True)

    def _text(self, now: float) -> str:
        noun = f" {self.noun}" if self.noun else ""
        text = f"{self.done} of {self.total}{noun} {self.verb}"
        text += f" ({100 * self.done // self.total}%)"
        if self.first is None:
            return f"{text}, waiting for the first"
        seconds, count = now - self.first[0], self.done - self.first[1]
        if not count or self.done == self.total:
            return text
        rate = count / seconds
        return f"{text}, {rate:.2g} a second, {duration((self.total - self.done) / rate)} left"


def show_progress(
    each: Iterable[T], total: int, stream: TextIO, verb: str, noun: str
) -> Iterator[T]:
    """The same items, with their progress shown if they take more than a few seconds."""
    progress = Progress(total, 0, stream, verb, noun, quiet=2.0)
    for done, one in enumerate(each, start=1):
        yield one
        progress.show(done)
    progress.close()


def file_progress(path: Path, stream: TextIO) -> Progress:
    """Counts the megabytes of a file that are read, shown if it takes more than a few seconds."""
    return Progress(
        max(path.stat().st_size >> 20, 1), 0, stream, "read", f"MB of {path.name}", quiet=2.0
    )


def duration(seconds: float) -> str:
    """E.g. "45 s", "12 min", "3 h 20 min"."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 90 else f"{minutes // 60} h {minutes % 60} min"
