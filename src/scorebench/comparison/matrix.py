"""Every server with every flavor: cells → a table. Pure: knows what was measured, starts nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from scorebench.figures.percentiles import Estimate
    from scorebench.figures.summary import Summary


@dataclass(frozen=True)
class Cell:
    """One server with one flavor and format. It has figures, or `error`: the last line of the error."""

    server: str
    flavor: str
    format: str
    error: str | None = None
    throughput_per_s: float | None = None
    p99: Estimate | None = None
    calls: int = 0
    valid: int = 0
    measurement_valid: bool | None = None
    folder: str | None = None
    environment: dict[str, Any] = field(default_factory=dict)

    @property
    def ok(self) -> bool:
        """Whether every call had a valid answer."""
        return self.error is None and 0 < self.calls == self.valid


def measured_cell(
    server: str, flavor: str, format: str, summary: Summary, *, valid: bool, folder: str
) -> Cell:
    """What a run came to. Calls that were not valid make an error of it, with the first of their answers."""
    bad = {label: n for label, n in summary.outcomes.items() if label != "valid"}
    error = None
    if bad:
        label = next(iter(bad))
        example = summary.examples.get(label, "")
        error = f"{sum(bad.values())} of {summary.calls} calls: {label}" + (
            f" ({example})" if example else ""
        )
    return Cell(
        server=server,
        flavor=flavor,
        format=format,
        error=error,
        throughput_per_s=summary.throughput_per_s,
        p99=summary.response.percentile(0.99),
        calls=summary.calls,
        valid=summary.valid,
        measurement_valid=valid,
        folder=folder,
        environment=dict(summary.environment),
    )


@dataclass(frozen=True)
class Matrix:
    """The cells in the order in which they were measured; `titles`: what is shown for a name."""

    cells: tuple[Cell, ...]
    titles: Mapping[str, str] = field(default_factory=dict)
    command: str | None = None
    """What measures it again."""

    @property
    def columns(self) -> tuple[tuple[str, str], ...]:
        """(flavor, format), each once."""
        return tuple(dict.fromkeys((cell.flavor, cell.format) for cell in self.cells))

    @property
    def servers(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(cell.server for cell in self.cells))

    def at(self, server: str, flavor: str, format: str) -> Cell | None:
        """The cell; None if it was not requested, or not reached."""
        key = (server, flavor, format)
        return next((c for c in self.cells if (c.server, c.flavor, c.format) == key), None)

    def heads(self) -> list[str]:
        """A column's name: the flavor, and the format where one flavor has several."""
        flavors = [flavor for flavor, _ in self.columns]
        return [
            self.title(flavor) + (f" {format}" if flavors.count(flavor) > 1 else "")
            for flavor, format in self.columns
        ]

    def versions(self) -> list[str]:
        """What lies under it, each once: `webserver: mlflow 3.17.2, python 3.11.7, workers 1`."""
        found = dict.fromkeys(filter(None, (self._versions_of(cell) for cell in self.cells)))
        return list(found)

    def title(self, name: str) -> str:
        """What is shown for a server or a flavor."""
        return self.titles.get(name, name)

    def _versions_of(self, cell: Cell) -> str | None:
        server = cell.environment.get("server") or {}
        versions = [f"{name} {_value_text(server[key])}" for name, key in _VERSIONS if server.get(key)]
        return f"{self.title(cell.server)}: {', '.join(versions)}" if versions else None


_VERSIONS = (
    ("mlflow", "mlflow_version"),
    ("python", "python_version"),
    ("MLflow's Java server", "java_server_version"),
    ("workers", "workers"),
    ("cores", "cpus"),
)


def _value_text(value: Any) -> str:
    return (
        ",".join(map(str, value))
        if isinstance(value, Sequence) and not isinstance(value, str)
        else str(value)
    )
