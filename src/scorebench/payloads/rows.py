"""A CSV, Parquet or JSON file, a model's input example, or its signature → the rows to send, as a DataFrame.

Knows pandas and the forms in which rows are written down; nothing of requests or time.
"""

from __future__ import annotations

import csv
import json
import sys
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from scorebench.errors import InputError
from scorebench.payloads.casting import cast
from scorebench.payloads.forms import frame_from_json
from scorebench.payloads.invented import make_rows
from scorebench.payloads.signature import ModelInfo, Scalar, Signature

if TYPE_CHECKING:
    import pandas as pd

DEFAULT_SEED = 1
MADE_ROWS = 100
SUFFIXES = (".csv", ".parquet", ".json")


def rows_for(
    data: str | Path | None,
    model: ModelInfo | None,
    *,
    drop: Sequence[str] = (),
    label: str | None = None,
    limit: int | None = None,
    seed: int = DEFAULT_SEED,
    rows: int = MADE_ROWS,
) -> pd.DataFrame:
    """The rows to send: those of the file `data`; without one the model's input example; without that
    `rows` rows made from its signature with `seed`.

    A known signature selects and casts the columns. `drop` names columns that must be there and are left
    out, `label` one that is left out where the data has it and the model does not take it; `limit` keeps
    the first rows. Raises InputError where there is nothing to send, or not what the model takes.
    """
    _check_limit(limit)
    signature = model.signature if model else None
    if data is not None:
        place = str(data)
        frame = read_rows(data, limit=limit, signature=signature)
    elif model is not None and model.example is not None:
        place = f"{model.place}: input example"
        frame = _first(frame_from_json(model.example, place, signature), limit, place)
    elif signature is not None:
        return make_rows(signature, rows if limit is None else min(rows, limit), seed)
    else:
        _refuse_nothing(model)
    frame = without(frame, drop, label, signature, place)
    return frame if signature is None else cast(frame, signature, place)


def _refuse_nothing(model: ModelInfo | None) -> NoReturn:
    if model is None:
        raise InputError("data: found none, expected a file or a model; give --data FILE or --model URI")
    raise InputError(
        f"{model.place}: the model has no input example and no signature to make rows from; give --data FILE"
    )


def read_rows(
    path: str | Path,
    *,
    drop: Sequence[str] = (),
    limit: int | None = None,
    signature: Signature | None = None,
) -> pd.DataFrame:
    """The first `limit` rows (all, if None) of a .csv, .parquet or .json file, without the columns `drop`.

    JSON is a list of records, one of MLflow's four forms, or the bare split object of MLflow 1.x. The
    signature only says which columns of a CSV file are text, though they look like numbers. Raises
    InputError where the file is missing, empty or broken, has no rows, or lacks a column of `drop`.
    """
    path = Path(path)
    _check_limit(limit)
    if path.suffix.lower() not in SUFFIXES:
        raise InputError(
            f"{path}: found suffix {path.suffix!r}, expected {', '.join(SUFFIXES)}; convert the file"
        )
    if not path.is_file():
        found = "a folder" if path.is_dir() else "no such file"
        raise InputError(f"{path}: found {found}, expected a data file; check the path")
    try:
        frame = _read(path, signature)
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror}); check its permissions") from None
    return without(_first(frame, limit, str(path)), drop, None, None, str(path))


def _read(path: Path, signature: Signature | None) -> pd.DataFrame:
    if path.stat().st_size == 0:
        raise InputError(f"{path}: the file is empty, expected rows; give data that has rows")
    suffix = path.suffix.lower()
    if suffix == ".csv":
        return _read_csv(path, signature)
    if suffix == ".parquet":
        return _read_parquet(path)
    return frame_from_json(parse_json(path.read_bytes(), str(path)), str(path), signature)


def _read_csv(path: Path, signature: Signature | None) -> pd.DataFrame:
    import pandas as pd

    try:
        separator = _check_header(path)
        with warnings.catch_warnings():
            warnings.simplefilter("error", pd.errors.ParserWarning)
            return pd.read_csv(
                path,
                sep=separator,
                encoding="utf-8-sig",
                index_col=False,
                dtype=dict.fromkeys(_text_columns(signature), str),
                low_memory=False,
            )
    except UnicodeDecodeError as error:
        raise InputError(
            f"{path}: found bytes that are not UTF-8 ({error.reason} at {error.start}); save it as UTF-8"
        ) from None
    except (
        pd.errors.ParserError,
        pd.errors.EmptyDataError,
        pd.errors.ParserWarning,
        csv.Error,
        ValueError,
    ) as error:
        raise InputError(
            f"{path}: found no CSV table: {' '.join(str(error).split())}; correct the file"
        ) from None


def _check_header(path: Path) -> str:
    """The separator, by the first line: comma, semicolon (as spreadsheets in half of Europe write) or tab."""
    with path.open(encoding="utf-8-sig", newline="") as file:
        line = file.readline()
    separator = max(",;\t", key=line.count)
    names = next(csv.reader([line], delimiter=separator), [])
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        _refuse_twice(path, twice[0])
    return separator


def _refuse_twice(path: Path, name: str) -> NoReturn:
    raise InputError(f"{path}: found two columns named {name!r}, expected each name once; rename one")


def _text_columns(signature: Signature | None) -> list[str]:
    """Read as text, so that 007 stays what it is."""
    if signature is None or not signature.is_named:
        return []
    return [str(c.name) for c in signature.columns if isinstance(c.type, Scalar) and c.type.name == "string"]


def _read_parquet(path: Path) -> pd.DataFrame:
    import pandas as pd
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        names = pq.read_schema(path).names
        twice = sorted({name for name in names if names.count(name) > 1})
        frame = pd.DataFrame() if twice else pd.read_parquet(path).reset_index(drop=True)
    except (pa.ArrowException, ValueError, LookupError, OSError) as error:
        if isinstance(error, OSError) and error.errno is not None:
            raise  # the file's, not its content's: Arrow raises a bare OSError for what it can't decode
        raise InputError(
            f"{path}: found no Parquet file: {' '.join(str(error).split())}; write it again"
        ) from None
    if twice:
        _refuse_twice(path, twice[0])
    if frame.columns.nlevels > 1:
        raise InputError(
            f"{path}: found a column named {frame.columns[0]!r}, expected names of one level; rename them"
        )
    return frame


def parse_json(text: bytes, place: str) -> Any:
    """What JSON text holds; InputError where it is none, a bare NaN included, which strict readers refuse."""

    def refuse(constant: str) -> NoReturn:
        raise InputError(f"{place}: found a bare {constant}, which is not JSON; write null")

    try:
        return json.loads(text.decode("utf-8-sig"), parse_constant=refuse)
    except UnicodeDecodeError as error:
        raise InputError(
            f"{place}: found bytes that are not UTF-8 (at {error.start}); save it as UTF-8"
        ) from None
    except RecursionError:
        raise InputError(f"{place}: found JSON nested too deep to be rows; correct the file") from None
    except json.JSONDecodeError as error:
        raise InputError(
            f"{place}: found no JSON (line {error.lineno}, column {error.colno}: {error.msg}); correct it"
        ) from None
    except ValueError:  # Python's guard against whole numbers that take long to read
        raise InputError(
            f"{place}: found a whole number of more than {sys.get_int_max_str_digits():,} digits; shorten it"
        ) from None


def _check_limit(limit: int | None) -> None:
    if limit is not None and limit < 1:
        raise InputError(f"--rows: found {limit}, expected 1 or more; leave it out for all rows")


def _first(frame: pd.DataFrame, limit: int | None, place: str) -> pd.DataFrame:
    """The first rows of all that were read: what type a column has does not depend on how many are sent."""
    if not len(frame) or not len(frame.columns):
        raise InputError(f"{place}: found no rows, expected at least one; give data that has rows")
    return frame if limit is None else frame.head(limit)


def without(
    frame: pd.DataFrame, drop: Sequence[str], label: str | None, signature: Signature | None, place: str
) -> pd.DataFrame:
    """The columns but `drop`, which must be there, and `label`, where the model does not take it."""
    missing = [name for name in drop if name not in frame.columns]
    if missing:
        listed = ", ".join(map(repr, frame.columns[:12]))
        raise InputError(f"{place}: found no column {missing[0]!r} to drop, only {listed}; check the name")
    taken = [column.name for column in signature.columns] if signature else []
    gone = [*drop, *([label] if label in frame.columns and label not in taken else [])]
    if len(set(gone)) == len(frame.columns):
        raise InputError(f"{place}: no column is left once {', '.join(map(repr, gone))} is dropped; keep one")
    return frame.drop(columns=gone)
