"""A matrix of servers and flavors → Markdown, CSV and JSON. Knows their forms; computes nothing."""

from __future__ import annotations

import csv
import io

import msgspec

from scorebench.comparison.matrix import Cell, Matrix
from scorebench.report.data import dumped
from scorebench.report.forms.matrix import form_of
from scorebench.report.markdown import escaped
from scorebench.report.words import NOT_MEASURED, plain
from scorebench.units import say_rate, say_seconds

ERROR_CHARACTERS = 160


def render(matrix: Matrix) -> str:
    """The table as Markdown, columns aligned; the versions under it."""
    rows = [["Server", *matrix.heads()]]
    for server in matrix.servers:
        cells = [matrix.at(server, flavor, format) for flavor, format in matrix.columns]
        rows.append([matrix.title(server), *map(cell_text, cells)])
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = [_row(row, widths) for row in rows]
    rule = "| " + " | ".join("-" * width for width in widths) + " |"
    versions = [f"- {escaped(line)}" for line in matrix.versions()]
    return "\n".join([lines[0], rule, *lines[1:], *([""] if versions else []), *versions]) + "\n"


def cell_text(cell: Cell | None) -> str:
    """`OK 112/s p99 14 ms`, or the error's own words."""
    if cell is None:
        return "not measured"
    if cell.error is not None:
        return f"Error: {escaped(plain(cell.error, ERROR_CHARACTERS))}"
    rate = NOT_MEASURED if cell.throughput_per_s is None else say_rate(cell.throughput_per_s)
    mark = "OK" if cell.measurement_valid else "OK, but the measurement is not valid:"
    return f"{mark} {rate} {_p99(cell)}"


def _p99(cell: Cell) -> str:
    if cell.p99 is None:
        return f"p99 {NOT_MEASURED}"
    return (
        f"p99 needs {cell.p99.needed:,} calls"
        if cell.p99.value is None
        else f"p99 {say_seconds(cell.p99.value)}"
    )


def _row(cells: list[str], widths: list[int]) -> str:
    return "| " + " | ".join(cell.ljust(width) for cell, width in zip(cells, widths, strict=True)) + " |"


COLUMNS = (
    "server",
    "flavor",
    "format",
    "ok",
    "calls",
    "valid",
    "throughput_per_s",
    "p99_s",
    "error",
    "folder",
)


def render_csv(matrix: Matrix) -> str:
    """A line a cell; an empty field is what was not measured."""
    text = io.StringIO()
    writer = csv.DictWriter(text, COLUMNS, lineterminator="\n", extrasaction="ignore")
    writer.writeheader()
    writer.writerows(msgspec.structs.asdict(cell) for cell in form_of(matrix).cells)
    return text.getvalue()


def render_json(matrix: Matrix) -> str:
    """The text of matrix.json; its schema is schemas/matrix.schema.json. Seconds, calls a second."""
    return dumped(form_of(matrix), indent=2)
