"""CSV: how it is written, read again, and what it can't carry. Knows nothing of other formats."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator, Mapping
from functools import partial
from itertools import chain
from typing import TYPE_CHECKING, Any, NoReturn

from scorebench.errors import InputError
from scorebench.payloads.formats.record import Batch, BodyFormat, Source, Writer
from scorebench.payloads.formats.rules import whole_name_problem
from scorebench.payloads.signature import Column, Scalar, Signature, Tensor
from scorebench.payloads.text_columns import from_text

if TYPE_CHECKING:
    import pandas as pd

    from scorebench.payloads.cells import Cells

_CARRIED = frozenset({"boolean", "integer", "long", "float", "double", "string"})
_OF_TEXT = frozenset({"string", "binary", "datetime"})
_MISSING = frozenset(
    {"", "#N/A", "#N/A N/A", "#NA", "-1.#IND", "-1.#QNAN", "-NaN", "-nan", "1.#IND", "1.#QNAN"}
    | {"<NA>", "N/A", "NA", "NULL", "NaN", "None", "n/a", "nan", "null"}
)
"""The texts that pandas.read_csv, and with it MLflow, takes for a missing value, quoted or not."""
_QUOTED = re.compile(r'"(?:[^"]|"")*"')
_DECIMAL_COMMA = r"\s*[-+]?\d*,?\d+\s*"
_JOINED = re.compile(r"\s*[-+]?[\d.,]+(?:\s*[;\t|]\s*[-+]?[\d.,]+)+\s*")
_PAGE = re.compile(r"\s*<(?:!doctype )?html\b", re.IGNORECASE)
_LOOKED_AT = 1_000
"""So many cells of a column show whether it is numbers with decimal commas."""


# ---- what can't travel -------------------------------------------------------------------------------------


def _column_problem(column: Column, _batch: Batch) -> str | None:
    if isinstance(column.type, Tensor):
        return "CSV carries no tensors; use inputs or instances"
    if isinstance(column.type, Scalar) and column.type.name in _CARRIED:
        return whole_name_problem(column)
    return "CSV carries numbers, booleans and text alone; use split or parquet"


def _values_problem(column: pd.Series[Any], _batch: Batch) -> str | None:
    if column.dtype.kind in "biufM":
        return None
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
    """Every cell is read as text first, so that no digit and no word is lost before its column has a type."""
    import pyarrow as pa

    try:
        separator, names = _header(source)
        table = _text_table(source, separator, names)
    except UnicodeDecodeError as error:
        _refuse_bytes(source, f" ({error.reason} at {error.start})")
    except (pa.ArrowInvalid, csv.Error) as error:
        reason = " ".join(str(error).split())
        if "invalid UTF8" in reason:
            _refuse_bytes(source)
        raise InputError(f"{source.place}: found no CSV table: {reason:.300}; correct the file") from None
    frame = _typed(table, source.signature)
    if separator != ",":
        _refuse_decimal_commas(frame, _text_columns(source.signature), source.place)
    return frame


def _refuse_bytes(source: Source, detail: str = "") -> NoReturn:
    raise InputError(f"{source.place}: found bytes that are not UTF-8{detail}; save it as UTF-8") from None


def _text_table(source: Source, separator: str, names: list[str]) -> Any:
    from pyarrow import csv as arrow
    from pyarrow import string

    path = source.plain_path
    size_bytes = len(source.bytes) if path is None else path.stat().st_size
    return arrow.read_csv(
        path or io.BytesIO(source.bytes),
        # One block, because a quoted line break must not lie between two; one thread, so errors name the row.
        read_options=arrow.ReadOptions(block_size=min(size_bytes + 1, 2**31 - 1), use_threads=False),
        parse_options=arrow.ParseOptions(delimiter=separator, newlines_in_values=True),
        convert_options=arrow.ConvertOptions(
            column_types=dict.fromkeys(names, string()),
            null_values=[""],
            strings_can_be_null=True,
            quoted_strings_can_be_null=False,
        ),
    )


def _header(source: Source) -> tuple[str, list[str]]:
    """Separator, by the first line: comma, semicolon (half of Europe's spreadsheets) or tab; and names.

    A quoted name may hold line breaks; empty lines before the names are passed over, as Arrow does.
    """
    with io.TextIOWrapper(source.open(), encoding="utf-8-sig", newline="") as file:
        lines = (line for line in file if line.strip("\r\n"))
        line = next(lines, "")
        if _PAGE.match(line):
            raise InputError(f"{source.place}: found a web page, expected a table; download the file itself")
        separator = max(",;\t", key=_QUOTED.sub("", line).count)
        if line and not any(one in line for one in ',;\t"'):
            _refuse_joined(source.place, line, next(lines, ""))
        names = next(csv.reader(chain([line], file), delimiter=separator), [])
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        refuse_twice(source.place, twice[0])
    return separator, names


def _refuse_joined(place: str, header: str, first: str) -> None:
    """InputError where the one column of a file is several, with a separator that we do not know."""
    if "|" in _QUOTED.sub("", header) or _JOINED.fullmatch(first.strip("\r\n")):
        raise InputError(
            f"{place}: found one column, {header.strip()!r:.80}, with {first.strip()!r:.80} in it; expected "
            "columns with a comma, a semicolon or a tab between them, each with a name; correct the file"
        )


def _refuse_decimal_commas(frame: pd.DataFrame, text: set[str | int], place: str) -> None:
    """InputError for a column of a file with semicolons or tabs that holds nothing but 1,5 and the like.

    1,234 may be a fraction, or a thousand and more. Where the signature has `text`, it is text.
    """
    for number, name in enumerate(frame.columns):
        if frame[name].dtype.kind in "biufM" or number in text or name in text:
            continue
        first = frame[name].dropna().head(_LOOKED_AT).astype(str)
        if first.str.fullmatch(_DECIMAL_COMMA).all() and first.str.contains(",", regex=False).any():
            raise InputError(
                f"{place}, column {name!r}: found {first.iloc[0]!r}, expected a number with a decimal point; "
                "write the file again with points, or give the model with --model if the column is text"
            )


def refuse_twice(place: str, name: str) -> NoReturn:
    """InputError for a table that has two columns of one name."""
    raise InputError(f"{place}: found two columns named {name!r}, expected each name once; rename one")


def _typed(table: Any, signature: Signature | None) -> pd.DataFrame:
    import pandas as pd

    text = _text_columns(signature)
    columns = {
        name or f"Unnamed: {place}": table.column(place).to_pandas()
        if place in text or name in text
        else from_text(table.column(place), _MISSING)
        for place, name in enumerate(table.column_names)
    }
    return pd.DataFrame(columns)


def _text_columns(signature: Signature | None) -> set[str | int]:
    """Names, or places where columns have no names, of what the model takes as text: 007 stays what it is."""
    columns = signature.columns if signature else ()
    return {
        place if column.name is None else str(column.name)
        for place, column in enumerate(columns)
        if isinstance(column.type, Scalar) and column.type.name in _OF_TEXT
    }


# ---- the format --------------------------------------------------------------------------------------------

CSV = BodyFormat(
    name="csv",
    about="every MLflow; numbers, booleans and text alone",
    content_type="text/csv",
    suffix=".csv",
    writer=_write,
    read=_read,
    keeps_missing=frozenset({"float", "double", "string"}),
    column_problem=_column_problem,
    values_problem=_values_problem,
    sample="a,b\n1,0.5\n2,\n",
)
