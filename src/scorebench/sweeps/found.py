"""What a sweep measured: cells with their runs. Pure: knows summaries; starts nothing, no wording."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from statistics import median
from typing import TYPE_CHECKING, Any

from scorebench.answers.outcome import BY_LABEL, UNANSWERED
from scorebench.figures.server_use import mean_cpu, most_rss_bytes
from scorebench.sweeps.grid import Place
from scorebench.sweeps.largest import Largest

if TYPE_CHECKING:
    from scorebench.figures.summary import Summary
    from scorebench.recordings.types import Sample


class Ended(StrEnum):
    """Why no further cell was measured."""

    DONE = "every cell was tried"
    BUDGET = "the time budget was used up"
    STOPPED = "the sweep was stopped"
    SILENT = "the server no longer answered"


@dataclass(frozen=True)
class Ran:
    """One run of a cell, in SI units. `error`: why it has no figures, or which calls failed."""

    folder: str
    """Relative to the folder of the sweep."""
    repeat: int
    error: str | None = None
    calls: int = 0
    valid: int = 0
    throughput_per_s: float | None = None
    rows_per_s: float | None = None
    mean_s: float | None = None
    p50_s: float | None = None
    p99_s: float | None = None
    body_bytes: int | None = None
    """Mean size of a body."""
    invalid: str | None = None
    """Why the measurement is not valid."""
    server_cpu: float | None = None
    """Mean cores that the server used, all its processes together."""
    server_rss_bytes: int | None = None
    """The most resident memory that it had."""

    @property
    def ok(self) -> bool:
        """Valid, and every call had a valid answer: the figures can be compared."""
        return self.error is None and self.invalid is None and 0 < self.calls == self.valid


@dataclass(frozen=True)
class SweepCell:
    """One combination of values, and its runs in the order of their repeats."""

    place: Place
    runs: tuple[Ran, ...] = ()

    @property
    def good(self) -> tuple[Ran, ...]:
        """The runs whose figures count."""
        return tuple(run for run in self.runs if run.ok)

    @property
    def problem(self) -> str | None:
        """Why the cell has no figures; None where it has some."""
        if self.good:
            return None
        if not self.runs:
            return "not reached"
        last = self.runs[-1]
        return last.error or last.invalid or "no call was measured"

    def values(self, of: Callable[[Ran], float | None]) -> list[float]:
        """The figure of each run that counts and has it."""
        return [value for run in self.good if (value := of(run)) is not None]

    def middle(self, of: Callable[[Ran], float | None]) -> float | None:
        """The median of the runs; None where no run has it."""
        found = self.values(of)
        return median(found) if found else None

    def apart(self, of: Callable[[Ran], float | None]) -> float | None:
        """From the least to the most of the runs, as a share of their median; None below two runs."""
        found = self.values(of)
        if len(found) < 2 or not (middle := median(found)):
            return None
        return (max(found) - min(found)) / middle


@dataclass(frozen=True)
class Sweep:
    """All cells, in the order of their values, and what they have in common."""

    cells: tuple[SweepCell, ...]
    ended: Ended
    repeats: int
    took_s: float
    folder: str = ""
    """Where its files are."""
    environment: Mapping[str, Any] = field(default_factory=dict)
    largest: tuple[Largest, ...] = ()
    """The largest body that passes, by server and format, where it was looked for."""

    @property
    def measured(self) -> int:
        """Cells that have figures."""
        return sum(bool(cell.good) for cell in self.cells)

    def varied(self) -> tuple[str, ...]:
        """The names of what takes more than one value."""
        return tuple(
            name
            for name in Place.__dataclass_fields__
            if len({getattr(cell.place, name) for cell in self.cells}) > 1
        )

    def largest_body(self) -> tuple[SweepCell, int] | None:
        """The cell with the largest body that was answered validly, and its bytes."""
        sizes = [
            (run.body_bytes, cell) for cell in self.cells for run in cell.good if run.body_bytes is not None
        ]
        if not sizes:
            return None
        size, cell = max(sizes, key=lambda item: item[0])
        return cell, size


def ran(summary: Summary, *, folder: str, repeat: int, invalid: str | None, server: list[Sample]) -> Ran:
    """What one run came to. `server`: its samples under load."""
    bad = {label: n for label, n in summary.outcomes.items() if label != "valid"}
    error = None
    if bad:
        label = next(iter(bad))
        example = summary.examples.get(label, "")
        error = f"{sum(bad.values()):,} of {summary.calls:,} calls: {label}"
        error += f" ({example})" if example else ""
    payload = summary.environment.get("payload") or {}
    p50, p99 = (summary.response.percentile(q) for q in (0.5, 0.99))
    return Ran(
        folder=folder,
        repeat=repeat,
        error=error,
        calls=summary.calls,
        valid=summary.valid,
        throughput_per_s=summary.throughput_per_s,
        rows_per_s=summary.rows_per_s,
        mean_s=summary.response.mean_s,
        p50_s=None if p50 is None else p50.value,
        p99_s=None if p99 is None else p99.value,
        body_bytes=_body_bytes(payload),
        invalid=invalid,
        server_cpu=mean_cpu(server),
        server_rss_bytes=most_rss_bytes(server),
    )


def is_answered(summary: Summary) -> bool:
    """Whether any call of a run got an answer, be it an error."""
    return any(BY_LABEL.get(label) not in UNANSWERED for label in summary.outcomes)


def _body_bytes(payload: Mapping[str, Any]) -> int | None:
    total, bodies = payload.get("bytes"), payload.get("bodies")
    return round(total / bodies) if isinstance(total, int) and isinstance(bodies, int) and bodies else None
