"""The content of matrix.json. Computes nothing."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from msgspec import Meta, Struct

from scorebench.comparison.matrix import Cell, Matrix
from scorebench.report.forms.figures import Bounds, Whole
from scorebench.report.words import plain

FORMAT: Literal[1] = 1
"""The version of this form."""


class CellForm(Struct, forbid_unknown_fields=True, kw_only=True):
    """One server with one flavor."""

    server: str
    flavor: str
    format: Annotated[str, Meta(description="Of the bodies.")]
    ok: Annotated[bool, Meta(description="Every call was answered validly.")]
    error: Annotated[str | None, Meta(description="The error's own last line.")]
    calls: Whole
    valid: Whole
    throughput_per_s: float | None
    p99_s: float | None
    p99_interval_s: Bounds | None
    measurement_valid: bool | None
    folder: Annotated[
        str | None, Meta(description="Beside matrix.json: the recording, and the server's log.")
    ]
    environment: Annotated[dict[str, Any], Meta(description="As in the recording.")]


class MatrixForm(Struct, forbid_unknown_fields=True, kw_only=True):
    """Servers and flavors, a cell each. Times are seconds, rates are calls a second. Null: not measured."""

    format: Annotated[Literal[1], Meta(description="Version of this form.")]
    command: Annotated[str | None, Meta(description="What measures it again; no secret is in it.")]
    cells: list[CellForm]


def form_of(matrix: Matrix) -> MatrixForm:
    """What to write."""
    return MatrixForm(format=FORMAT, command=matrix.command, cells=[_cell(cell) for cell in matrix.cells])


def _cell(cell: Cell) -> CellForm:
    found = cell.p99
    return CellForm(
        server=cell.server,
        flavor=cell.flavor,
        format=cell.format,
        ok=cell.ok,
        error=None if cell.error is None else plain(cell.error),
        calls=cell.calls,
        valid=cell.valid,
        throughput_per_s=cell.throughput_per_s,
        p99_s=None if found is None else found.value,
        p99_interval_s=None if found is None else found.bounds,
        measurement_valid=cell.measurement_valid,
        folder=cell.folder,
        environment=cell.environment,
    )
