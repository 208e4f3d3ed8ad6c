"""Rows → lines of text whose columns are aligned. Knows widths alone; computes nothing."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

Row = Sequence[str]


def table(rows: Sequence[Row], text_columns: int = 1) -> list[str]:
    """Aligned lines, indented by two: the first `text_columns` aligned left, the others right."""
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return [("  " + "  ".join(_aligned(row, widths, text_columns))).rstrip() for row in rows]


def _aligned(row: Row, widths: Sequence[int], text_columns: int) -> Iterable[str]:
    for column, (cell, width) in enumerate(zip(row, widths, strict=True)):
        yield cell.ljust(width) if column < text_columns else cell.rjust(width)
