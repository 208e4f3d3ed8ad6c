"""The cells of a sweep that differ in one thing alone, in a line. Pure: knows cells; no wording but names."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from scorebench.sweeps.grid import VARIED
from scorebench.sweeps.scaling import Costs, Scaling, are_enough, costs, fit, knee

if TYPE_CHECKING:
    from scorebench.sweeps.found import Ran, Sweep, SweepCell

_UNITS = {"workers": "worker", "rows_per_call": "row", "users": "user", "columns": "column"}


@dataclass(frozen=True)
class Curve:
    """Cells that differ in `along` alone, in its order; `name` says in what they differ from other curves."""

    along: str
    name: str
    cells: tuple[SweepCell, ...]

    def points(self, of: Callable[[Ran], float | None]) -> list[tuple[float, float]]:
        """(value of `along`, figure) of every run that counts."""
        return [(self._at(cell), value) for cell in self.cells for value in cell.values(of)]

    def middles(self, of: Callable[[Ran], float | None]) -> list[tuple[float, float | None]]:
        """(value of `along`, median of the runs) of every cell; None where it has none."""
        return [(self._at(cell), cell.middle(of)) for cell in self.cells]

    def _at(self, cell: SweepCell) -> float:
        return float(getattr(cell.place, self.along))

    @property
    def has_enough_loads(self) -> bool:
        """Whether throughput was measured at enough loads for `scaling`."""
        return are_enough(self.points(lambda run: run.throughput_per_s))

    def scaling(self) -> Scaling | None:
        """The Universal Scalability Law through throughput; None where it fits none, or loads are too few."""
        return fit(self.points(lambda run: run.throughput_per_s))

    def knee(self) -> float | None:
        """Where throughput by response time is greatest."""
        rates = self.middles(lambda run: run.throughput_per_s)
        times = dict(self.middles(lambda run: run.mean_s))
        known = [(at, rate, times[at]) for at, rate in rates]
        return knee([(at, rate, took) for at, rate, took in known if rate is not None and took is not None])

    def costs(self) -> Costs | None:
        """What a call costs and what a row adds, by the median response time."""
        return costs(self.points(lambda run: run.p50_s))


def curves(sweep: Sweep, along: str) -> list[Curve]:
    """All curves along a field of Place that takes more than one value, as far as they have two cells."""
    varied = [name for name in sweep.varied() if name != along]
    if along not in sweep.varied():
        return []
    found: dict[object, list[SweepCell]] = {}
    for cell in sweep.cells:
        found.setdefault((*(getattr(cell.place, name) for name in VARIED if name != along),), []).append(cell)
    return [
        Curve(along, _name(cells[0], varied), tuple(sorted(cells, key=lambda c: getattr(c.place, along))))
        for cells in found.values()
        if len(cells) > 1
    ]


def _name(cell: SweepCell, varied: list[str]) -> str:
    parts = []
    for name in varied:
        value = getattr(cell.place, name)
        noun = _UNITS.get(name)
        parts.append(str(value) if noun is None else f"{value:,} {noun}{'' if value == 1 else 's'}")
    return ", ".join(parts) or "all"
