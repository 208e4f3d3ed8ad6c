"""Parquet: how it is written, read again, and what it can't carry. Knows nothing of other formats."""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

from scorebench.errors import InputError
from scorebench.payloads.formats import json_rows
from scorebench.payloads.formats.csv_form import refuse_twice
from scorebench.payloads.formats.record import Batch, BodyFormat, Source, Writer
from scorebench.payloads.formats.rules import frame_tensor_problem
from scorebench.payloads.signature import Column, Object, Signature, Tensor

if TYPE_CHECKING:
    import pandas as pd


# ---- what can't travel -------------------------------------------------------------------------------------


def _column_problem(column: Column, batch: Batch) -> str | None:
    return frame_tensor_problem(column.type, batch) if isinstance(column.type, Tensor) else None


def _values_problem(column: pd.Series[Any], batch: Batch) -> str | None:
    if _has_optional_properties(batch.signature, column.name):
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

    flat = json_rows.flattened(block).rename(columns=str)
    try:
        table = pa.Table.from_pandas(flat, preserve_index=False)
    except (pa.ArrowException, ValueError, OverflowError) as error:
        raise InputError(f"--format parquet: {' '.join(str(error).split())}; use split or records") from None
    for start in range(0, len(block), rows_per_call):
        body = io.BytesIO()
        pq.write_table(table.slice(start, rows_per_call), body)
        yield body.getvalue()


def _read(source: Source) -> pd.DataFrame:
    import pandas as pd
    import pyarrow as pa
    import pyarrow.parquet as pq

    assert source.path is not None
    try:
        names = pq.read_schema(source.path).names
        twice = sorted({name for name in names if names.count(name) > 1})
        rows = pd.DataFrame() if twice else pd.read_parquet(source.path).reset_index(drop=True)
    except (pa.ArrowException, ValueError, LookupError, OSError) as error:
        if isinstance(error, OSError) and error.errno is not None:
            raise  # the file's, not its content's: Arrow raises a bare OSError for what it can't decode
        raise InputError(
            f"{source.place}: found no Parquet file: {' '.join(str(error).split())}; write it again"
        ) from None
    if twice:
        refuse_twice(source.place, twice[0])
    if rows.columns.nlevels > 1:
        raise InputError(
            f"{source.place}: found a column named {rows.columns[0]!r}, expected names of one level; "
            "rename them"
        )
    return rows


# ---- the format --------------------------------------------------------------------------------------------

PARQUET = BodyFormat(
    name="parquet",
    about="MLflow 3, as a DataFrame; binary, and carries every column type",
    content_type="application/vnd.apache.parquet",
    suffix=".parquet",
    writer=_write,
    read=_read,
    column_problem=_column_problem,
    values_problem=_values_problem,
    sample="PAR1…PAR1",
)
