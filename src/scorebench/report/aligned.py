"""Rows → lines of text whose columns are aligned. Knows widths alone; computes nothing."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

Row = Sequence[str]


def table(rows: Sequence[Row], left: int = 1) -> list[str]:
    """Aligned lines, indented by two: the first `left` columns to the left, the others to the right."""
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return [("  " + "  ".join(_aligned(row, widths, left))).rstrip() for row in rows]


def _aligned(row: Row, widths: Sequence[int], left: int) -> Iterable[str]:
    for column, (cell, width) in enumerate(zip(row, widths, strict=True)):
        yield cell.ljust(width) if column < left else cell.rjust(width)
