"""Shows the progress of long work: a bar on a terminal, plain lines elsewhere, nothing for short work.

Knows rich and a clock; nothing of the work.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

QUIET_S = 1.0
"""Work that takes less than this shows nothing."""
LINE_EVERY_S = 5.0


class _Plain:
    """A line now and then, for logs."""

    def __init__(self, what: str, total: int | None, unit: str) -> None:
        self._what, self._total, self._unit = what, total, unit
        self._done = 0
        self._last_s = time.monotonic() - LINE_EVERY_S + QUIET_S

    def advance(self, steps: int) -> None:
        self._done += steps
        now_s = time.monotonic()
        if now_s - self._last_s >= LINE_EVERY_S:
            self._last_s = now_s
            of = "" if self._total is None else f" of {self._total:,}"
            print(f"{self._what}: {self._done:,}{of} {self._unit}", file=sys.stderr, flush=True)


@contextmanager
def steps(
    what: str, *, total: int | None, unit: str = "", quiet: bool = False
) -> Iterator[Callable[[int], None]]:
    """Give a function that hears how many more steps are done; what it shows goes to stderr."""
    if quiet:
        yield lambda _steps: None
    elif sys.stderr.isatty():
        with _bar(what, total, unit) as advance:
            yield advance
    else:
        yield _Plain(what, total, unit).advance


@contextmanager
def _bar(what: str, total: int | None, unit: str) -> Iterator[Callable[[int], None]]:
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn(what), BarColumn(), MofNCompleteColumn(), TextColumn(unit), TimeRemainingColumn())
    bar = Progress(*columns, console=Console(stderr=True), transient=True)
    task = bar.add_task(what, total=total)
    began_s, shown = time.monotonic(), False

    def advance(done: int) -> None:
        nonlocal shown
        bar.advance(task, done)
        if not shown and time.monotonic() - began_s > QUIET_S:
            shown = True
            bar.start()

    try:
        yield advance
    finally:
        if shown:
            bar.stop()


class Waiting:
    """Prints now and then what is being waited for; `servers` calls it with seconds and a log line."""

    def __init__(self, what: str, *, quiet: bool = False) -> None:
        self._what, self._quiet = what, quiet
        self._next_s = QUIET_S

    def __call__(self, waited_s: float, line: str) -> None:
        if self._quiet or waited_s < self._next_s:
            return
        self._next_s = waited_s + LINE_EVERY_S
        log_line = f" ({line[:100]})" if line else ""
        print(f"waiting for {self._what}: {waited_s:.0f} s{log_line}", file=sys.stderr, flush=True)
