"""CSV: how it is written, read again, and what it can't carry. Knows nothing of other formats."""

from __future__ import annotations

import csv
import warnings
from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from scorebench.errors import InputError
from scorebench.payloads.formats.record import Batch, BodyFormat, Source, Writer
from scorebench.payloads.signature import Column, Scalar, Signature, Tensor

if TYPE_CHECKING:
    import pandas as pd

    from scorebench.payloads.cells import Cells

_CARRIED = frozenset({"boolean", "integer", "long", "float", "double", "string"})
_MISSING = frozenset(
    {"", "#N/A", "#N/A N/A", "#NA", "-1.#IND", "-1.#QNAN", "-NaN", "-nan", "1.#IND", "1.#QNAN"}
    | {"<NA>", "N/A", "NA", "NULL", "NaN", "None", "n/a", "nan", "null"}
)
"""The texts that pandas.read_csv, and with it MLflow, takes for a missing value, quoted or not."""


# ---- what can't travel -------------------------------------------------------------------------------------


def _column_problem(column: Column, _batch: Batch) -> str | None:
    if isinstance(column.type, Tensor):
        return "CSV carries no tensors; use inputs or instances"
    if isinstance(column.type, Scalar) and column.type.name in _CARRIED:
        return None
    return "CSV carries numbers, booleans and text alone; use split or parquet"


def _values_problem(column: pd.Series[Any], _batch: Batch) -> str | None:
    for row, cell in enumerate(column, start=1):
        problem = _text_problem(cell) if isinstance(cell, str) else _nested_problem(cell)
        if problem:
            return f"row {row}: {problem}"
    return None


def _text_problem(cell: str) -> str | None:
    if cell in _MISSING:
        return f"the text {cell!r} arrives as a missing value; use split or parquet"
    if "\0" in cell:
        return f"the text {cell!r} holds NUL, where older pandas ends it; use split or parquet"
    if any("\ud800" <= letter <= "\udfff" for letter in cell):
        return f"the text {cell!r} is not Unicode (a lone surrogate); use split or records"
    return None


def _nested_problem(cell: Any) -> str | None:
    import numpy as np

    if isinstance(cell, Mapping | list | tuple | np.ndarray | bytes | bytearray):
        return f"CSV can't carry a {type(cell).__name__}; use split or parquet"
    return None


# ---- written -----------------------------------------------------------------------------------------------


class _Lines(list[str]):
    """A list that a csv.writer can write to: one line a row, line breaks within quotes included."""

    def write(self, line: str) -> None:
        self.append(line.removesuffix("\r\n") + "\n")


def _write(batch: Batch) -> Writer:
    return partial(_bodies, batch.rows_per_call)


def _bodies(rows_per_call: int, block: pd.DataFrame) -> Iterator[bytes]:
    lines = _Lines()
    # With "\n" a lone "\r" would go unquoted; unquoted, a row of blanks alone would count as no row.
    text_alone = len(block.columns) == 1 and block.dtypes.iloc[0].kind not in "biufM"
    writer = csv.writer(
        lines, lineterminator="\r\n", quoting=csv.QUOTE_ALL if text_alone else csv.QUOTE_MINIMAL
    )
    writer.writerow(block.columns)
    writer.writerows(zip(*(_cells(block[name]) for name in block.columns), strict=True))
    for start in range(1, len(lines), rows_per_call):
        yield "".join([lines[0], *lines[start : start + rows_per_call]]).encode("utf-8")


def _cells(column: pd.Series[Any]) -> Cells:
    from scorebench.payloads.cells import json_cells

    if column.dtype.kind == "f":  # CSV has a form for infinity; a missing value is an empty cell
        return column.astype(object).where(column.notna(), None).to_list()
    return json_cells(column)


# ---- read --------------------------------------------------------------------------------------------------


def _read(source: Source) -> pd.DataFrame:
    import pandas as pd

    assert source.path is not None
    try:
        separator = _check_header(source.path)
        with warnings.catch_warnings():
            warnings.simplefilter("error", pd.errors.ParserWarning)
            return pd.read_csv(
                source.path,
                sep=separator,
                encoding="utf-8-sig",
                index_col=False,
                dtype=dict.fromkeys(_text_columns(source.signature), str),
                low_memory=False,
            )
    except UnicodeDecodeError as error:
        raise InputError(
            f"{source.place}: found bytes that are not UTF-8 ({error.reason} at {error.start}); "
            "save it as UTF-8"
        ) from None
    except (
        pd.errors.ParserError,
        pd.errors.EmptyDataError,
        pd.errors.ParserWarning,
        csv.Error,
        ValueError,
    ) as error:
        raise InputError(
            f"{source.place}: found no CSV table: {' '.join(str(error).split())}; correct the file"
        ) from None


def _check_header(path: Path) -> str:
    """The separator, by the first line: comma, semicolon (as spreadsheets in half of Europe write) or tab."""
    with path.open(encoding="utf-8-sig", newline="") as file:
        line = file.readline()
    separator = max(",;\t", key=line.count)
    names = next(csv.reader([line], delimiter=separator), [])
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        refuse_twice(str(path), twice[0])
    return separator


def refuse_twice(place: str, name: str) -> NoReturn:
    """InputError for a table that has two columns of one name."""
    raise InputError(f"{place}: found two columns named {name!r}, expected each name once; rename one")


def _text_columns(signature: Signature | None) -> list[str]:
    """Read as text, so that 007 stays what it is."""
    if signature is None or not signature.is_named:
        return []
    return [str(c.name) for c in signature.columns if isinstance(c.type, Scalar) and c.type.name == "string"]


# ---- the format --------------------------------------------------------------------------------------------

CSV = BodyFormat(
    name="csv",
    about="every MLflow; numbers, booleans and text alone",
    content_type="text/csv",
    suffix=".csv",
    writer=_write,
    read=_read,
    column_problem=_column_problem,
    values_problem=_values_problem,
    sample="a,b\n1,0.5\n2,\n",
)
