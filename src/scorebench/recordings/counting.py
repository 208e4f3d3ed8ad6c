"""How often each number occurs in a column. Knows numpy; nothing of what the numbers mean."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

_SPAN_PER_VALUE = 4
"""A counter for each number of the span is cheaper than sorting, up to about so many for each value."""


def distinct(column: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """(the numbers in `column`, ascending; how often each occurs). `column` must not be empty."""
    least = int(column.min())
    span = int(column.max()) - least + 1
    if span > _SPAN_PER_VALUE * len(column):
        return np.unique(column, return_counts=True)
    every = np.bincount(column - least, minlength=span)
    values = np.flatnonzero(every)
    return values + least, every[values]


def counted(column: NDArray[np.int64]) -> list[tuple[int, int]]:
    """(number, how often), ascending, of each number in `column`."""
    if not len(column):
        return []
    values, counts = distinct(column)
    return list(zip(values.tolist(), counts.tolist(), strict=True))


def counted_pairs(first: NDArray[np.int64], second: NDArray[np.int64]) -> list[tuple[tuple[int, int], int]]:
    """((a, b), how often), ascending, of each pair in the same row of two columns, second >= 0.

    One number a pair, since numpy sorts numbers twenty times as fast as it sorts rows.
    """
    if not len(first):
        return []
    base, width = int(first.min()), int(second.max()) + 1
    return [
        ((key // width + base, key % width), count) for key, count in counted((first - base) * width + second)
    ]
