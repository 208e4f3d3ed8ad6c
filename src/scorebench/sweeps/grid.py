"""Values to vary → the cells of a sweep, and the order to measure them in. Pure: starts nothing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from itertools import product
from typing import Any


@dataclass(frozen=True, order=True)
class Place:
    """What one cell asks for. `flavor` is None for the user's own model, and for a running server."""

    server: str
    flavor: str | None
    workers: int | None
    """Worker processes of the server; None where the server is not ours to start."""
    format: str
    rows_per_call: int
    users: int
    columns: int | None = None
    """The first columns of the data; None: all of them."""

    @property
    def server_key(self) -> tuple[str, str | None, int | None]:
        """Cells that agree in this are measured on the same server."""
        return self.server, self.flavor, self.workers

    @property
    def words(self) -> str:
        """`webserver, sklearn, 1 worker, split, 10 rows, 4 users`."""
        parts: list[str | None] = [
            self.server,
            self.flavor,
            None if self.workers is None else _count(self.workers, "worker"),
            self.format,
            _count(self.rows_per_call, "row"),
            None if self.columns is None else _count(self.columns, "column"),
            _count(self.users, "user"),
        ]
        return ", ".join(part for part in parts if part is not None)


VARIED = tuple(field.name for field in fields(Place))


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def cells(values: Mapping[str, Sequence[Any]]) -> list[Place]:
    """Every combination of `values`, by the name of a field of Place; each combination once.

    `columns` may be left out: all of them.
    """
    found = product(*(dict.fromkeys(values.get(name, (None,))) for name in VARIED))
    return list(dict.fromkeys(Place(*one) for one in found))


def blocks(places: Sequence[Place], repeats: int, seed: int) -> Iterator[list[tuple[Place, int]]]:
    """What to measure on one server after another: (cell, number of the repeat), at random.

    Every server comes once in a repeat, started anew, so that what a start brings (memory layout, order of
    workers) is part of the spread; within a server the cells are shuffled, so that whatever drifts over
    minutes meets all of them alike.
    """
    import numpy as np

    random = np.random.default_rng(seed)
    for repeat in range(1, repeats + 1):
        keys = list(dict.fromkeys(place.server_key for place in places))
        for key in random.permutation(len(keys)):
            block = [(place, repeat) for place in places if place.server_key == keys[key]]
            yield [block[index] for index in random.permutation(len(block))]
