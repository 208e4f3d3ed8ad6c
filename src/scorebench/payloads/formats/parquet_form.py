"""Parquet: how it is written, read again, and what it can't carry. Knows nothing of other formats."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

from scorebench.errors import InputError
from scorebench.payloads import parquet_files, parquet_size
from scorebench.payloads.columns import from_arrow
from scorebench.payloads.formats import json_rows
from scorebench.payloads.formats.csv_form import refuse_twice
from scorebench.payloads.formats.record import Batch, BodyFormat, Source, Writer
from scorebench.payloads.formats.rules import frame_tensor_problem, whole_name_problem
from scorebench.payloads.signature import Column, Object, Signature, Tensor

if TYPE_CHECKING:
    import pandas as pd

_WHOLE = re.compile(r"0|[1-9][0-9]{0,17}")
_UNNAMED_INDEX = re.compile(r"__index_level_[0-9]+__")


# ---- what can't travel -------------------------------------------------------------------------------------


def _column_problem(column: Column, batch: Batch) -> str | None:
    if isinstance(column.type, Tensor):
        return frame_tensor_problem(column.type, batch)
    return whole_name_problem(column)


def _values_problem(column: pd.Series[Any], batch: Batch) -> str | None:
    if column.dtype.kind in "biufM" or _has_optional_properties(batch.signature, column.name):
        return None
    if len({frozenset(cell) for cell in column if isinstance(cell, Mapping)}) > 1:
        return "the keys differ from row to row, and Parquet fills them up with nulls; use split or records"
    return None


def _has_optional_properties(signature: Signature | None, name: Any) -> bool:
    """Whether a null says the same as a key that is not there."""
    columns = signature.columns if signature else ()
    return any(isinstance(c.type, Object) for i, c in enumerate(columns) if name in (c.name, i))


# ---- written and read --------------------------------------------------------------------------------------


def _write(batch: Batch) -> Writer:
    return partial(_bodies, batch.rows_per_call)


def _bodies(rows_per_call: int, block: pd.DataFrame) -> Iterator[bytes]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        table = _without_dictionaries(pa.Table.from_pandas(json_rows.flattened(block), preserve_index=False))
    except (pa.ArrowException, ValueError, OverflowError) as error:
        raise InputError(f"--format parquet: {' '.join(str(error).split())}; use split or records") from None
    for start in range(0, len(block), rows_per_call):
        body = io.BytesIO()
        pq.write_table(table.slice(start, rows_per_call), body)
        yield body.getvalue()


def _without_dictionaries(table: Any) -> Any:
    """Categories as their values: from categories the server makes a column that MLflow refuses."""
    import pyarrow as pa

    for place, field in enumerate(table.schema):
        if pa.types.is_dictionary(field.type):
            values = table.column(place).cast(field.type.value_type)
            table = table.set_column(place, field.name, values)
    return table


def _read(source: Source) -> pd.DataFrame:
    import pandas as pd

    try:
        table, notes = _table(source)
        names = _column_names(table, notes, source.place)
        columns = {
            name: _column(name, column, source.place)
            for name, column in zip(names, table.columns, strict=True)
        }
        rows = pd.DataFrame(columns)
        for index in notes.get("index_columns", ()):
            if isinstance(index, Mapping) and index["name"] is not None:  # pandas writes no column of a range
                labels = range(index["start"], index["stop"], index["step"])
                _add_index(rows, index["name"], labels, source.place)
    except parquet_size.unreadable() as error:
        if isinstance(error, OSError) and error.errno is not None:
            raise  # the file's, not its content's: Arrow raises a bare OSError for what it can't decode
        raise InputError(
            f"{source.place}: found no Parquet file: {' '.join(str(error).split())}; write it again"
        ) from None
    return rows


def _column(name: Any, column: Any, place: str) -> pd.Series[Any]:
    import pyarrow as pa

    try:
        return from_arrow(column)
    except (pa.ArrowException, ValueError) as error:
        reason = " ".join(str(error).split())
        raise InputError(
            f"{place}: column {name!r}: {reason}; convert it, or drop it from the file"
        ) from None


def _add_index(rows: pd.DataFrame, name: Any, labels: range, place: str) -> None:
    """Row labels with a name are a column; a folder's notes are those of one file."""
    if name in rows.columns:
        raise InputError(
            f"{place}: found column {name!r} and row labels of the same name; rename the index, or drop it"
        )
    if len(labels) != len(rows):
        raise InputError(
            f"{place}: found {len(labels):,} row labels {name!r} for {len(rows):,} rows; write them as a "
            "column (reset_index), or drop them"
        )
    rows[name] = labels


def _table(source: Source) -> tuple[Any, Mapping[str, Any]]:
    """The table without the row labels that have no name, and what pandas noted beside it."""
    import pyarrow.parquet as pq

    path = source.plain_path
    if path is not None and path.is_dir():
        table = parquet_files.table(path)
    else:
        file = str(path) if path else io.BytesIO(source.bytes)
        parquet_size.check(file, path.stat().st_size if path else len(source.bytes), source.place)
        with pq.ParquetFile(file) as opened:
            table = opened.read()
    unnamed = [name for name in table.column_names if _UNNAMED_INDEX.fullmatch(name)]
    return table.drop_columns(unnamed), table.schema.pandas_metadata or {}


def _column_names(table: Any, notes: Mapping[str, Any], place: str) -> list[Any]:
    """The names of the columns; whole numbers where pandas noted that they are."""
    names: list[Any] = table.column_names
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        refuse_twice(place, twice[0])
    levels = notes.get("column_indexes") or []
    if len(levels) > 1:
        raise InputError(
            f"{place}: found a column named {names[0]}, expected names of one level; rename them"
        )
    whole = levels and levels[0]["pandas_type"] == "int64" and all(map(_WHOLE.fullmatch, names))
    return [int(name) for name in names] if whole else names


# ---- the format --------------------------------------------------------------------------------------------

PARQUET = BodyFormat(
    name="parquet",
    about="MLflow 3, as a DataFrame; binary, and carries every column type",
    content_type="application/vnd.apache.parquet",
    suffix=".parquet",
    writer=_write,
    read=_read,
    keeps_missing=frozenset({"float", "double", "string", "binary", "datetime", "any"}),
    column_problem=_column_problem,
    values_problem=_values_problem,
    sample="PAR1…PAR1",
)
