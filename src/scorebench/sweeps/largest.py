"""The largest body that a server answers, found by halving. Pure: knows sizes; makes and sends no body."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

GROWS = 4
"""Each body until the first that fails has this many times the rows of the one before."""
CLOSE = 0.02
"""The search ends where the smallest body that failed is this much larger than the largest that passed."""
MOST_CALLS = 60
MOST_ROWS = 1_000_000
"""Formats that compress need any number of rows for a size, where rows come again."""


@dataclass(frozen=True)
class Tried:
    """A body of so many rows and bytes. `why` it failed; None: it had a valid answer."""

    rows: int
    size_bytes: int
    why: str | None = None


@dataclass(frozen=True)
class Of:
    """Whose largest body it is."""

    server: str
    flavor: str | None
    workers: int | None
    format: str

    @property
    def words(self) -> str:
        """`webserver, sklearn, 2 workers, split`."""
        workers = None if self.workers in (None, 1) else f"{self.workers} workers"
        return ", ".join(part for part in (self.server, self.flavor, workers, self.format) if part)


@dataclass(frozen=True)
class Largest:
    """`passed` has 0 rows where no body did; `failed` is None where none of those that were tried did.

    None was larger than `most_bytes`, or had more than MOST_ROWS rows.
    """

    of: Of
    passed: Tried
    failed: Tried | None
    most_bytes: int
    calls: int


class Gone(Exception):
    """The server does not answer any more: the body that was tried last is the one that failed."""

    def __init__(self, tried: Tried) -> None:
        super().__init__(tried.why)
        self.tried = tried


def search(of: Of, most_bytes: int, attempt: Callable[[int], Tried]) -> Largest:
    """Tries bodies of ever more rows, then halves between the largest that passed and one that failed.

    `attempt` makes a body of so many rows and sends it, unless it is larger than `most_bytes`. It raises
    Gone where the server is not there any more. At most MOST_CALLS bodies are made.
    """
    passed, failed, calls = Tried(0, 0), None, 0
    low, high = 0, MOST_ROWS + 1
    while calls < MOST_CALLS and high - low > max(1, CLOSE * low):
        at = (low + high) // 2
        if high > MOST_ROWS:  # nothing failed yet; the last of them is as large as may be
            largest = low * most_bytes // passed.size_bytes if low else 1
            at = min(max(1, low * GROWS), max(low + 1, largest), MOST_ROWS)
        calls += 1
        try:
            tried = attempt(at)
        except Gone as gone:
            return Largest(of, passed, gone.tried, most_bytes, calls)
        if tried.size_bytes > most_bytes:
            high = at
        elif tried.why is None:
            passed, low = tried, at
        else:
            failed, high = tried, at
    return Largest(of, passed, failed, most_bytes, calls)
