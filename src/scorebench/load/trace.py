"""Trace: a file of timestamps → due times. Knows CSV and two ways to write a time; nothing of rates."""

from __future__ import annotations

import csv
import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from scorebench.errors import InputError

LATEST_S = 1e12
"""Times are below: what is above counts milliseconds since 1970, or is damaged."""
TIMESTAMP_COLUMNS = ("timestamp", "time", "due_s", "ts")


@dataclass(frozen=True, eq=False)
class Trace:
    """Due times read from a file: seconds since its first, ascending; equal neighbours are a burst."""

    due_s: NDArray[np.float64]

    def played(self, speed: float) -> Trace:
        """The same calls, `speed` times as fast."""
        return Trace(self.due_s / speed)

    def rate_at(self, at_s: float) -> float:
        """Calls in the whole second that `at_s` lies in."""
        return float(self.count_before(math.floor(at_s) + 1) - self.count_before(math.floor(at_s)))

    def count_before(self, until_s: float) -> int:
        return int(np.searchsorted(self.due_s, until_s))


def read_trace(path: Path) -> Trace:
    """A CSV file of timestamps; the first is second 0.

    The column is `timestamp`, `time`, `due_s` or `ts`, or else the first; a header is optional. Values are
    seconds or ISO 8601 date-times (without a zone: UTC). InputError names the line.
    """
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            times_s = np.fromiter(_ascending(path, _fields(file)), dtype=np.float64)
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise InputError(f"{path}: can't be read as a CSV file of timestamps: {error}.") from None
    if not times_s.size:
        raise InputError(f"{path}: found no timestamp; expected one a line, in seconds or ISO 8601.")
    return Trace(np.asarray(times_s - times_s[0], dtype=np.float64))


def _fields(lines: Iterable[str]) -> Iterator[tuple[int, str]]:
    """Line number and text of the timestamp column, header and blank lines left out."""
    reader = csv.reader(lines)
    column, header_may_come = 0, True
    for row in reader:
        fields = [field.strip() for field in row]
        if not any(fields):
            continue
        if header_may_come and _seconds(fields[0]) is None:
            names = [field.lower() for field in fields]
            column = next((names.index(name) for name in TIMESTAMP_COLUMNS if name in names), 0)
        else:
            yield reader.line_num, fields[column] if column < len(fields) else ""
        header_may_come = False


def _ascending(path: Path, fields: Iterator[tuple[int, str]]) -> Iterator[float]:
    before_s = -math.inf
    for line, text in fields:
        at_s = _seconds(text)
        if at_s is None or not abs(at_s) < LATEST_S:
            raise InputError(
                f"{path} line {line}: found {text[:40]!r}; expected seconds, below 1e12, "
                "or an ISO 8601 date-time."
            )
        if at_s < before_s:
            raise InputError(
                f"{path} line {line}: found {text} after a later time; expected ascending. Sort the file."
            )
        yield at_s
        before_s = at_s


def _seconds(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        pass
    try:
        when = datetime.fromisoformat(text)
    except ValueError:
        return None
    return (when if when.tzinfo else when.replace(tzinfo=UTC)).timestamp()
