"""Runs of generators → medians, ratios and tables. Arithmetic and wording; no process, no clock."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from statistics import median

from bench.generator import Figures
from bench.peers import OWN

MISSING = "-"
OTHERS_CORES = 0.1  # more of a core than this used by strangers, and a run is named


@dataclass(frozen=True)
class Run:
    """One run of one generator, with what the server and the machine say of it.

    `server_calls` is the server's own count. The CPU figures are in cores; `others_cores` is what the machine
    used for neither generator nor server.
    """

    generator: str
    round: int
    figures: Figures
    connections: int
    server_calls: int
    generator_cores: float
    server_cores: float
    others_cores: float

    def agrees(self) -> bool:
        """Whether the server saw what the generator claims; one call a connection may be cut off."""
        return self.figures.calls <= self.server_calls <= self.figures.calls + self.connections

    def is_sound(self) -> bool:
        return self.agrees() and not self.figures.failed

    def doubts(self) -> list[str]:
        """Why this run's figures may not be believed; empty is well."""
        found = []
        if not self.agrees():
            found.append(f"says {self.figures.calls} calls, the server counted {self.server_calls}")
        if self.figures.failed:
            found.append(f"{self.figures.failed} failed calls")
        if self.others_cores > OTHERS_CORES:
            found.append(f"other processes used {self.others_cores:.2f} cores")
        return [f"{self.generator}, round {self.round}: {doubt}" for doubt in found]


@dataclass(frozen=True)
class Line:
    """One generator over all rounds, in medians. `ratio` is scorebench's rate over its own."""

    generator: str
    rounds: int
    rate_per_s: float
    lowest_per_s: float
    highest_per_s: float
    ratio: float | None
    p50_s: float | None
    p99_s: float | None
    over_wrk_s: float | None  # its p50 less wrk's of the same round
    server_cores: float


def lines(runs: Sequence[Run]) -> list[Line]:
    """One line a generator, the fastest first.

    Ratios are taken within a round and then their median: what slows the machine for a while slows both.
    """
    names = list(dict.fromkeys(run.generator for run in runs))
    return sorted((_line(name, runs) for name in names), key=lambda line: -line.rate_per_s)


def _line(name: str, runs: Sequence[Run]) -> Line:
    mine = [run for run in runs if run.generator == name]
    rates = [run.figures.rate_per_s for run in mine]
    own = {run.round: run.figures.rate_per_s for run in runs if run.generator == OWN}
    wrk = {run.round: run.figures.p50_s for run in runs if run.generator == "wrk"}
    ratios = [
        own[run.round] / run.figures.rate_per_s for run in mine if run.round in own and run.figures.rate_per_s
    ]
    over = [_less(run.figures.p50_s, wrk.get(run.round)) for run in mine]
    return Line(
        generator=name,
        rounds=len(mine),
        rate_per_s=median(rates),
        lowest_per_s=min(rates),
        highest_per_s=max(rates),
        ratio=median(ratios) if ratios else None,
        p50_s=_median([run.figures.p50_s for run in mine]),
        p99_s=_median([run.figures.p99_s for run in mine]),
        over_wrk_s=_median(over),
        server_cores=median(run.server_cores for run in mine),
    )


def _less(one: float | None, other: float | None) -> float | None:
    return None if one is None or other is None else one - other


def _median(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return median(known) if known else None


def cells(table: Sequence[Line], grids: dict[str, float]) -> list[list[str]]:
    """Header and rows as words. `grids` gives the step of the percentiles where a generator rounds them."""
    header = [
        "generator",
        "calls/s",
        "lowest-highest",
        "scorebench is",
        "p50",
        "p99",
        "p50 - wrk's",
        "server CPU",
    ]
    return [header, *(_row(line, grids.get(line.generator)) for line in table)]


def _row(line: Line, grid_s: float | None) -> list[str]:
    return [
        line.generator,
        f"{line.rate_per_s:,.0f}",
        f"{line.lowest_per_s:,.0f}-{line.highest_per_s:,.0f}",
        MISSING if line.ratio is None else f"{line.ratio:.2f}x",
        _time(line.p50_s, grid_s),
        _time(line.p99_s, grid_s),
        MISSING if grid_s or line.over_wrk_s is None else f"{line.over_wrk_s * 1e6:+.0f} µs",
        f"{line.server_cores:.0%}",
    ]


def _time(value_s: float | None, grid_s: float | None) -> str:
    if value_s is None:
        return MISSING
    if grid_s:
        return f"{value_s * 1000:.{1 if grid_s < 0.001 else 0}f} ms"
    return f"{value_s * 1e6:,.0f} µs" if value_s < 0.001 else f"{value_s * 1000:,.2f} ms"


def as_text(rows: Sequence[Sequence[str]]) -> str:
    """Columns of equal width; words to the left, figures to the right."""
    widths = [max(len(row[at]) for row in rows) for at in range(len(rows[0]))]
    return "\n".join(
        "  ".join(
            [
                row[0].ljust(widths[0]),
                *(cell.rjust(width) for cell, width in zip(row[1:], widths[1:], strict=True)),
            ]
        )
        for row in rows
    )


def as_markdown(rows: Sequence[Sequence[str]]) -> str:
    """The same as a Markdown table."""
    rule = ["---", *["---:"] * (len(rows[0]) - 1)]
    return "\n".join(f"| {' | '.join(row)} |" for row in [rows[0], rule, *rows[1:]])


def as_data(runs: Sequence[Run], table: Sequence[Line]) -> dict[str, object]:
    """For JSON: every run and every line, with units in the names."""
    return {
        "lines": [asdict(line) for line in table],
        "runs": [asdict(run) | {"doubts": run.doubts()} for run in runs],
    }
