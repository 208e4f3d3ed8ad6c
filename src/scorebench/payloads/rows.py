"""A CSV, Parquet or JSON file, a model's input example, or its signature → the rows to send, as a DataFrame.

Knows pandas and the forms in which rows are written down; nothing of requests or time.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from scorebench.errors import InputError
from scorebench.payloads import formats, json_lines
from scorebench.payloads.casting import cast
from scorebench.payloads.formats import LINES_SUFFIXES, json_rows
from scorebench.payloads.formats.json_rows import PARAMS
from scorebench.payloads.formats.parquet_form import PARQUET
from scorebench.payloads.formats.record import Source, suffix_of
from scorebench.payloads.invented import make_rows
from scorebench.payloads.signature import ModelInfo, Signature

if TYPE_CHECKING:
    import pandas as pd

MADE_ROWS = 100
"""As many rows are made from a signature, where nobody asks for another number."""


def rows_for(
    data: str | Path | None,
    model: ModelInfo | None,
    *,
    drop: Sequence[str] = (),
    label: str | None = None,
    limit: int | None = None,
    seed: int,
) -> pd.DataFrame:
    """The rows to send: those of the file `data`; without one the model's input example; without that
    rows made from its signature with `seed`.

    A known signature selects and casts the columns. `drop` names columns that must be there and are left
    out, `label` one that is left out where the data has it and the model does not take it. `limit` keeps
    the first rows, or says how many are made (MADE_ROWS). Raises InputError where there is nothing to send,
    or not what the model takes.
    """
    _check_limit(limit)
    signature = model.signature if model else None
    if data is not None:
        place = str(data)
        frame = read_rows(data, limit=limit, signature=signature)
    elif model is not None and model.example is not None:
        place = f"{model.place}: input example"
        source = Source(place, example=model.example, signature=signature)
        frame = _first(rows_in(source), limit, place)
    elif signature is not None:
        return make_rows(signature, limit or MADE_ROWS, seed)
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
    path: str | Path, *, limit: int | None = None, signature: Signature | None = None
) -> pd.DataFrame:
    """The first `limit` rows (all, if None) of a file that holds a body of any format, or a JSON list.

    The signature only says what values are meant to be that could be read in two ways. Raises InputError
    where the file is missing, empty or broken, or has no rows.
    """
    path = Path(path)
    _check_limit(limit)
    check_file(path)
    try:
        if path.is_file() and path.stat().st_size == 0:
            raise InputError(f"{path}: the file is empty, expected rows; give data that has rows")
        frame = rows_in(Source(str(path), path, signature=signature, keys_once=True))
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror}); check its permissions") from None
    return _first(frame, limit, str(path))


def check_file(path: Path) -> None:
    """InputError for what its name alone shows: a suffix that no format has, or no such file."""
    suffix = suffix_of(path)
    if suffix not in (*formats.suffixes(), *LINES_SUFFIXES) and not path.is_dir():
        known = ", ".join((*formats.suffixes(), LINES_SUFFIXES[0]))
        raise InputError(f"{path}: found suffix {path.suffix!r}, expected {known}; convert the file")
    if not path.is_file() and not path.is_dir():
        raise InputError(f"{path}: found no such file, expected a data file; check the path")


def rows_in(source: Source) -> pd.DataFrame:
    """The rows of a body, or of what is data though no server takes it as a body.

    That is a bare JSON list, JSON Lines with a row a line, and a folder of Parquet files.
    """
    try:
        return _rows_in(source)
    except UnicodeEncodeError as error:  # JSON can hold half a surrogate pair, and pandas' names can't
        raise InputError(
            f"{source.place}: found column {error.object!r}, which no UTF-8 can hold; rename it"
        ) from None


def _rows_in(source: Source) -> pd.DataFrame:
    if source.path is not None and source.path.is_dir():
        return PARQUET.read(source)
    if formats.has_lines(source.suffix):
        rows = [line.value for line in json_lines.read(source.path, keys_once=True)] if source.path else []
        return json_rows.read(rows, source.place, source.signature)
    if source.suffix == ".json" and isinstance(source.json, list):
        return json_rows.read(source.json, source.place, source.signature)
    form = formats.recognise(source)
    beside = source.json.get(PARAMS) if source.path is not None and form.params_key == PARAMS else None
    if beside:
        raise InputError(
            f"{source.place}: found {PARAMS!r} beside the rows, and --data takes the rows alone; give them "
            "as --params and take them out, or send the file with --body"
        )
    return form.read(source)


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
