"""A matrix of servers and models → its page, whose cells lead to their runs. Computes nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import quote

from scorebench.report import html
from scorebench.report.matrix import ERROR_CHARACTERS
from scorebench.report.sent import opening
from scorebench.report.words import NOT_MEASURED, count, plain
from scorebench.units import say_rate, say_seconds

if TYPE_CHECKING:
    from scorebench.comparison.matrix import Cell, Matrix


OF_A_CELL = ("server", "url", "model")
"""What differs between the cells."""


def render(matrix: Matrix) -> str:
    """One file without network; a cell's link leads to the page of its run, in the folder beside it."""
    good = sum(cell.ok for cell in matrix.cells)
    environment = next((cell.environment for cell in matrix.cells if cell.environment), {})
    return html.render(
        "matrix",
        title="Servers and models",
        opening=opening({name: value for name, value in environment.items() if name not in OF_A_CELL}),
        kind="good" if good == len(matrix.cells) else "bad",
        sentence=f"In {good} of {count(len(matrix.cells), 'cell')} every call got a valid answer.",
        heads=[plain(head) for head in matrix.heads()],
        lines=[
            (
                plain(matrix.title(server)),
                [_cell(matrix.at(server, flavor, format)) for flavor, format in matrix.columns],
            )
            for server in matrix.servers
        ],
        versions=[plain(line) for line in matrix.versions()],
        command=plain(str(matrix.command or environment.get("command") or "not recorded")),
    )


def _cell(cell: Cell | None) -> dict[str, str]:
    """Its tone, what stands first, what explains it, and the address of its run's page."""
    if cell is None:
        return {"kind": "plain", "word": "not measured", "text": "", "href": ""}
    href = f"{quote(cell.folder)}/report.html" if cell.folder and cell.calls else ""
    if cell.error is not None:
        return {"kind": "bad", "word": "Error", "text": plain(cell.error, ERROR_CHARACTERS), "href": href}
    rate = NOT_MEASURED if cell.throughput_per_s is None else say_rate(cell.throughput_per_s)
    if not cell.measurement_valid:
        return {
            "kind": "warn",
            "word": rate,
            "text": f"{_p99(cell)}; the measurement is not valid",
            "href": href,
        }
    return {"kind": "good", "word": rate, "text": _p99(cell), "href": href}


def _p99(cell: Cell) -> str:
    if cell.p99 is None:
        return f"p99 {NOT_MEASURED}"
    if cell.p99.value is None:
        return f"p99 needs {cell.p99.needed:,} calls"
    return f"p99 {say_seconds(cell.p99.value)}"
