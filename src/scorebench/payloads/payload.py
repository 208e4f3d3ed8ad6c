"""A DataFrame and a format → Payload: the bodies of the calls, as bytes. Knows no time, no socket."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from scorebench.errors import InputError
from scorebench.payloads import formats
from scorebench.payloads.formats import DEFAULT_FORMAT, FORMATS
from scorebench.payloads.formats.record import Batch, BodyFormat
from scorebench.payloads.formats.rules import check
from scorebench.payloads.origin import Origin
from scorebench.payloads.signature import Signature

if TYPE_CHECKING:
    import pandas as pd

_BLOCK_CELLS = 500_000


@dataclass(frozen=True)
class Payload:
    """What a run sends: one body a call, and how many rows are in each."""

    bodies: tuple[bytes, ...]
    rows: tuple[int, ...]
    content_type: str
    format: str
    answers: str = "rows"
    """What is expected of each answer, as `--expect` names it."""
    null_predictions: bool = True
    """Whether a prediction may be null: only a signature whose outputs are all required rules it out."""
    content_types: tuple[str, ...] = ()
    """Of each body, where they differ; else empty."""
    times_s: tuple[float, ...] = ()
    """When each body came when it was recorded: Unix seconds, ascending; empty where nobody noted that."""
    notes: tuple[str, ...] = ()
    """What the user should know of it, a sentence each."""
    stream: bool = False
    """Whether the bodies ask for a stream."""
    origin: Origin | None = None
    """Where the rows came from; None: not told."""

    @cached_property
    def digest(self) -> str:
        """SHA-256, in hex, of the content type and every body: runs that share it sent the same bytes."""
        hashed = hashlib.sha256("\0".join(self.content_types or (self.content_type,)).encode())
        for body in self.bodies:
            hashed.update(b"\0%d\0" % len(body))
            hashed.update(body)
        return hashed.hexdigest()

    def content_type_of(self, index: int) -> str:
        """The content type of one body."""
        return self.content_types[index] if self.content_types else self.content_type

    @property
    def total_bytes(self) -> int:
        return sum(map(len, self.bodies))


def encode(
    rows: pd.DataFrame,
    format: str = DEFAULT_FORMAT,
    *,
    rows_per_call: int = 1,
    params: Mapping[str, Any] | None = None,
    memory_bytes: int | None = None,
    signature: Signature | None = None,
    progress: Callable[[int], None] = lambda _: None,
) -> Payload:
    """Every row once, `rows_per_call` in a body, what is left over in the last one.

    Columns whose names are whole numbers are unnamed: they go by their place. `progress` is called after
    each block with the number of its rows. Raises InputError for what the format, or MLflow's reader of it,
    can't carry, and where the bodies would take more than `memory_bytes`.
    """
    form = formats.find(format)
    rows = rows.reset_index(drop=True)
    batch = Batch(rows, rows_per_call, signature, params or {})
    _refuse(form, batch)
    check(form, batch)
    write = form.writer(batch)
    bodies: list[bytes] = []
    size = 0
    for block in _blocks(rows, rows_per_call):
        for body in write(block):
            bodies.append(body)
            size += len(body)
            if memory_bytes is not None and size > memory_bytes:
                needed = size * -(-len(rows) // rows_per_call) // len(bodies)
                raise InputError(_too_large(len(rows), format, needed, memory_bytes))
        progress(len(block))
    counts = [rows_per_call] * (len(bodies) - 1)
    row_counts = (*counts, len(rows) - sum(counts))
    return Payload(tuple(bodies), row_counts, form.content_type, form.name, form.answers)


def _refuse(form: BodyFormat, batch: Batch) -> None:
    rows = batch.rows
    if batch.rows_per_call < 1:
        raise InputError(f"--rows-per-call: found {batch.rows_per_call}, expected 1 or more")
    if not len(rows) or not len(rows.columns):
        raise InputError(
            "payload: found no rows, expected at least one row with one column; give data that has rows"
        )
    if not rows.columns.is_unique:
        twice = rows.columns[rows.columns.duplicated()][0]
        raise InputError(
            f"payload: found two columns named {twice!r}, expected each name once; drop or rename one"
        )
    if batch.params and not form.takes_params:
        places = ", ".join(other.name for other in FORMATS.values() if other.takes_params)
        raise InputError(f"--params: --format {form.name} has no place for them; use one of {places}")


def _too_large(row_count: int, format: str, needed_bytes: int, memory_bytes: int) -> str:
    return (
        f"payload: {row_count} rows as {format} take about {mib(needed_bytes)} MiB, "
        f"{mib(memory_bytes)} MiB are allowed; send fewer rows, or raise --payload-memory"
    )


def mib(size_bytes: int) -> str:
    """A size as an error tells it."""
    return f"{size_bytes / 2**20:,.1f}"


def _blocks(rows: pd.DataFrame, rows_per_call: int) -> Iterator[pd.DataFrame]:
    """Slices of whole calls, so that the converted values of a large table are never all in memory."""
    cells_per_row = sum(map(_size, rows.iloc[0]))
    calls = max(1, _BLOCK_CELLS // (cells_per_row * rows_per_call))
    for start in range(0, len(rows), calls * rows_per_call):
        yield rows.iloc[start : start + calls * rows_per_call]


def _size(cell: Any) -> int:
    """How many values JSON will have for a cell, at least one."""
    if isinstance(cell, np.ndarray):
        return max(1, cell.size)
    return max(1, sum(map(_size, cell))) if isinstance(cell, list) else 1
