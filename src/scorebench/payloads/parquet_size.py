"""How much memory a Parquet file becomes, found before it is read. Knows Parquet's encodings, and no rows.

Compression is the least of it. A dictionary holds a text once, and a million rows point at it. With
DELTA_BYTE_ARRAY a text begins as the one before it. A million nulls are one run of a few bytes.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any, BinaryIO

from scorebench.errors import InputError
from scorebench.payloads import parquet_notes, parquet_pages
from scorebench.payloads.formats.record import MOST_UNPACKED_BYTES, check_unpacked

_CELL_BYTES = 8
_PAGE_BYTES = 512
"""What a page counts as at least: pages lie one after another, unless many columns claim the same ones."""
_ROWS_AT_ONCE = 65_536
_DICTIONARIES = {"RLE_DICTIONARY", "PLAIN_DICTIONARY"}
_PREFIXES = "DELTA_BYTE_ARRAY"


def unreadable() -> tuple[type[Exception], ...]:
    """What Arrow raises at a damaged file: its own, and what its C++ does, as for damaged statistics."""
    import pyarrow as pa

    return (pa.ArrowException, ValueError, LookupError, TypeError, AttributeError, OSError, RuntimeError)


def check(file: str | BinaryIO, size: int, place: str) -> None:
    """InputError where a file of `size` bytes holds far more. Never is all of it in memory at once."""
    import pyarrow.parquet as pq

    with _bytes_of(file) as content:
        notes = parquet_notes.read(content)
    columns = list(_chunks(notes))
    check_unpacked(max(_cell_bytes(notes), sum(one.total_uncompressed_size for one in columns)), size, place)
    check_pages(file, columns, size, place)
    numbers = {
        column.path for column in map(notes.schema.column, range(notes.num_columns)) if _is_number(column)
    }
    texts = [
        one for one in columns if one.physical_type == "BYTE_ARRAY" and one.path_in_schema not in numbers
    ]
    shared = sorted({one.path_in_schema for one in texts if _DICTIONARIES & set(one.encodings)})
    begun = sorted({one.path_in_schema for one in texts if _PREFIXES in one.encodings})
    longest = max((one.total_uncompressed_size for one in texts), default=0)  # no text is longer
    rows = max(MOST_UNPACKED_BYTES // max(longest, 1), 1)
    taken = 0
    for paths, as_dictionaries, at_once in ((shared, shared, _ROWS_AT_ONCE), (begun, None, rows)):
        if not paths:
            continue
        with pq.ParquetFile(file, read_dictionary=as_dictionaries) as opened:
            for batch in opened.iter_batches(batch_size=min(at_once, _ROWS_AT_ONCE), columns=paths):
                taken += sum(map(unpacked_bytes, batch.columns))
                check_unpacked(taken, size, place)


def _bytes_of(file: str | BinaryIO) -> AbstractContextManager[BinaryIO]:
    return Path(file).open("rb") if isinstance(file, str) else nullcontext(file)


def check_pages(file: str | BinaryIO, columns: Iterable[Any], size: int, place: str) -> None:
    """The same by what the pages of `columns` say themselves: a reader makes room for that."""
    with _bytes_of(file) as opened:
        taken = 0
        try:
            for page_bytes in parquet_pages.sizes(opened, columns):
                taken += max(page_bytes, _PAGE_BYTES)
                check_unpacked(taken, size, place)
        except parquet_pages.NoPage as problem:
            raise InputError(
                f"{place}: found {problem} where a page of Parquet should begin; write the file again"
            ) from None


def unpacked_bytes(column: Any) -> int:
    """What an array of Arrow takes with each value of its dictionaries written out."""
    import pyarrow as pa
    import pyarrow.compute as pc

    kind = column.type
    if pa.types.is_dictionary(kind):
        lengths = pc.binary_length(column.dictionary)
        return int(pc.sum(lengths.take(column.indices)).as_py() or 0)
    if pa.types.is_map(kind):
        return unpacked_bytes(column.keys) + unpacked_bytes(column.items)
    if pa.types.is_struct(kind):
        return sum(map(unpacked_bytes, column.flatten()))
    if pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_fixed_size_list(kind):
        return unpacked_bytes(column.flatten())
    return int(column.nbytes)


def _chunks(notes: Any) -> Iterator[Any]:
    """The notes of each column in each group of rows."""
    for group in range(notes.num_row_groups):
        for column in range(notes.num_columns):
            yield notes.row_group(group).column(column)


def _cell_bytes(notes: Any) -> int:
    """What the values take at least, nulls and those within lists too."""
    rows = _CELL_BYTES * notes.num_rows * notes.num_columns
    widths = [max(_CELL_BYTES, notes.schema.column(at).length or 0) for at in range(notes.num_columns)]
    values = sum(
        notes.row_group(group).column(at).num_values * widths[at]
        for group in range(notes.num_row_groups)
        for at in range(notes.num_columns)
    )
    return int(max(rows, values))


def _is_number(column: Any) -> bool:
    """A decimal number may be bytes too. It is short, and no dictionary of Arrow's holds it as it is."""
    return bool(column.logical_type.type == "DECIMAL")
