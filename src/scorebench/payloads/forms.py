"""Parsed JSON → DataFrame: records, MLflow's four forms, and the bare split object of MLflow 1.x.

Knows how rows are written down in JSON; nothing of files. Columns without names are named 0, 1, ….
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NoReturn

from scorebench.errors import InputError
from scorebench.payloads.format_names import KEYS
from scorebench.payloads.signature import Scalar, Signature

if TYPE_CHECKING:
    import pandas as pd

Columns = dict[Any, Sequence[Any]]


def frame_from_json(parsed: Any, place: str, signature: Signature | None = None) -> pd.DataFrame:
    """Rows as they were written down. In `inputs` the signature tells a column from an array as one value.

    Raises InputError, which begins with `place`, for any other form.
    """
    import pandas as pd

    columns = _columns(parsed, place, signature)
    return pd.DataFrame({name: _series(values) for name, values in columns.items()})


def form_of(parsed: Any, place: str) -> str:
    """The format of a ready body: the name of one of MLflow's four forms, or split-1x."""
    if isinstance(parsed, Mapping):
        found = [format for format, key in KEYS.items() if key in parsed]
        if len(found) == 1:
            return found[0]
        if not found and "data" in parsed:
            return "split-1x"
    return _refuse_form(parsed, place)


def _refuse_form(parsed: Any, place: str) -> NoReturn:
    if isinstance(parsed, Mapping):
        found = f"keys {' and '.join(repr(key) for key in list(parsed)[:6])}" if parsed else "no keys"
    else:
        found = "a list" if isinstance(parsed, list) else f"a {type(parsed).__name__}"
    known = [key for key in KEYS.values() if isinstance(parsed, Mapping) and key in parsed]
    cure = "Keep one." if known else "Put the rows under one of them."
    raise InputError(
        f"{place}: found {found}; MLflow takes exactly one of {', '.join(KEYS.values())}. {cure}"
    )


def _columns(parsed: Any, place: str, signature: Signature | None) -> Columns:
    if isinstance(parsed, list):
        return _values(parsed, place)
    form = form_of(parsed, place)
    if form == "split-1x":
        return _split(parsed, place)
    place = f"{place}: {KEYS[form]}"
    content = parsed[KEYS[form]]
    if form == "split":
        return _split(content, place)
    if form == "inputs" and isinstance(content, Mapping):
        return _columnar(content, place, signature)
    if form == "inputs" and not isinstance(content, list):
        content = [content]
    if not isinstance(content, list):
        raise InputError(f"{place}: found a {type(content).__name__}, expected a list of rows")
    if form == "records" and not all(isinstance(row, Mapping) for row in content):
        raise InputError(
            f"{place}: found a row that is no object, expected objects alone; use instances for lists"
        )
    return _values(content, place)


def _split(content: Any, place: str) -> Columns:
    if not isinstance(content, Mapping) or not isinstance(content.get("data"), list):
        raise InputError(f"{place}: found no list of rows under 'data', expected columns and data")
    data, names = content["data"], content.get("columns")
    if not all(isinstance(row, list) for row in data):
        raise InputError(f"{place}: found a row that is no list, expected one list of values a row")
    if names is None:
        names = range(len(data[0]) if data else 0)
    elif not isinstance(names, list) or len(set(map(str, names))) < len(names):
        raise InputError(f"{place}: found columns {names!r}, expected a list of names, each once")
    elif names != list(range(len(names))):
        names = [str(name) for name in names]
    for row, cells in enumerate(data, start=1):
        if len(cells) != len(names):
            raise InputError(
                f"{place}, row {row}: found {len(cells)} values, expected {len(names)} as there are columns"
            )
    return dict(zip(names, zip(*data, strict=True), strict=True)) if data else {}


def _columnar(content: Mapping[str, Any], place: str, signature: Signature | None) -> Columns:
    """A list a column; where one is no list, or the model takes arrays or objects, the whole is one row."""
    nested = (
        signature is not None
        and not signature.is_tensor
        and not all(isinstance(column.type, Scalar) for column in signature.columns)
    )
    if nested or not all(isinstance(values, list) for values in content.values()):
        return {name: [value] for name, value in content.items()}
    lengths = {name: len(values) for name, values in content.items()}
    if len(set(lengths.values())) > 1:
        raise InputError(
            f"{place}: found columns of unequal length {lengths}, expected as many values in each"
        )
    return dict(content)


def _values(rows: list[Any], place: str) -> Columns:
    if not rows:
        return {}
    if all(isinstance(row, Mapping) for row in rows):
        names = dict.fromkeys(name for row in rows for name in row)
        return {name: [row.get(name) for row in rows] for name in names}
    if any(isinstance(row, Mapping) for row in rows):
        raise InputError(f"{place}: found objects and other values mixed, expected rows of one kind")
    if all(isinstance(row, list) for row in rows) and _is_table(rows):
        return dict(enumerate(zip(*rows, strict=True)))
    return {0: rows}


def _is_table(rows: list[list[Any]]) -> bool:
    flat = not any(isinstance(cell, list | dict) for row in rows for cell in row)
    return flat and len({len(row) for row in rows}) == 1


def _series(values: Sequence[Any]) -> pd.Series[Any]:
    """A column with the type of its values; whole numbers and booleans stay so beside missing ones."""
    import pandas as pd

    kinds = {type(value) for value in values} - {type(None)}
    missing = any(value is None for value in values)
    if kinds == {int} and missing and all(value is None or abs(value) < 2**63 for value in values):
        return pd.Series(list(values), dtype="Int64")
    if kinds == {bool} and missing:
        return pd.Series(list(values), dtype="boolean")
    plain = len(kinds) == 1 or (kinds == {int, float} and not any(map(_loses_digits, values)))
    column = pd.Series(list(values), dtype=object)
    return typed(column) if plain else column


def typed(column: pd.Series[Any]) -> pd.Series[Any]:
    """A column of objects with the type that all of them have."""
    try:
        return column.infer_objects()
    except UnicodeEncodeError:  # a lone surrogate, which JSON can hold and Arrow's text cannot
        return column


def _loses_digits(value: Any) -> bool:
    return isinstance(value, int) and abs(value) > 2**53
