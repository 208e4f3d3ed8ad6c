"""A signature and a seed → rows that the model takes. Knows every type that a signature can name."""

from __future__ import annotations

import string
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from scorebench.errors import InputError
from scorebench.payloads.casting import cast
from scorebench.payloads.signature import Array, Map, Scalar, Signature, Tensor, Type

if TYPE_CHECKING:
    import pandas as pd

Values = list[Any]
_ITEMS = 3
"""The length of every array, and of every dimension of a tensor that may have any."""
_KEYS = ("a", "b")
_MAX_BYTES = 2**30
_EPOCH = np.datetime64("2020-01-01T00:00:00", "s")
_FIVE_YEARS_S = 5 * 365 * 86_400
_LETTERS = np.array(list(string.ascii_lowercase))


def make_rows(signature: Signature, rows: int, seed: int) -> pd.DataFrame:
    """`rows` rows of the signature's types; the same seed makes the same rows.

    Numbers are standard normal, whole numbers 0 to 99, texts words of three to nine letters, times within
    2020 to 2024. Optional columns and properties are made too. The values mean nothing to the model: they
    measure how fast it answers, not what. Raises InputError where they would not fit into memory.
    """
    import pandas as pd

    made = {}
    for place, column in enumerate(signature.columns):
        _refuse_huge(column.type, rows)
        rng = np.random.default_rng([seed, place])
        made[place if column.name is None else column.name] = pd.Series(_values(column.type, rng, rows))
    return cast(pd.DataFrame(made), signature, "rows made from the signature")


def _values(kind: Type, rng: np.random.Generator, count: int) -> Values:
    if isinstance(kind, Scalar):
        return _SCALARS[kind.name](rng, count)
    if isinstance(kind, Tensor):
        return _tensors(kind, rng, count)
    if isinstance(kind, Array):
        items = _values(kind.items, rng, count * _ITEMS)
        return [items[start : start + _ITEMS] for start in range(0, len(items), _ITEMS)]
    if isinstance(kind, Map):
        columns = {key: _values(kind.values, rng, count) for key in _KEYS}
    else:
        columns = {str(part.name): _values(part.type, rng, count) for part in kind.properties}
    return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]


def _tensors(kind: Tensor, rng: np.random.Generator, count: int) -> Values:
    shape = _row_shape(kind)
    flat = _NUMPY_KINDS[np.dtype(kind.dtype).kind](rng, count * int(np.prod(shape)))
    return list(np.array(flat).reshape(count, *shape))


def _row_shape(kind: Tensor) -> tuple[int, ...]:
    return tuple(_ITEMS if n == -1 else n for n in kind.shape[1:])


def _refuse_huge(kind: Type, rows: int) -> None:
    if isinstance(kind, Tensor):
        size = rows * np.prod(_row_shape(kind), dtype=float) * max(1, np.dtype(kind.dtype).itemsize)
        if size > _MAX_BYTES:
            raise InputError(
                f"rows made from the signature: {rows} of {kind} take {size / 2**20:,.0f} MiB, "
                f"{_MAX_BYTES / 2**20:,.0f} MiB are allowed; make fewer"
            )


def _booleans(rng: np.random.Generator, count: int) -> Values:
    return list((rng.integers(0, 2, count) == 1).tolist())


def _whole(rng: np.random.Generator, count: int) -> Values:
    return list(rng.integers(0, 100, count).tolist())


def _floats(rng: np.random.Generator, count: int) -> Values:
    return list(rng.standard_normal(count).tolist())


def _words(rng: np.random.Generator, count: int) -> Values:
    letters = "".join(rng.choice(_LETTERS, 9 * count))
    return [letters[9 * i : 9 * i + length] for i, length in enumerate(rng.integers(3, 10, count))]


def _bytes(rng: np.random.Generator, count: int) -> Values:
    return [rng.bytes(16) for _ in range(count)]


def _times(rng: np.random.Generator, count: int) -> Values:
    return list(_EPOCH + rng.integers(0, _FIVE_YEARS_S, count).astype("timedelta64[s]"))


_SCALARS: dict[str, Callable[[np.random.Generator, int], Values]] = {
    "boolean": _booleans,
    "integer": _whole,
    "long": _whole,
    "float": _floats,
    "double": _floats,
    "string": _words,
    "binary": _bytes,
    "datetime": _times,
    "any": _words,
}
_NUMPY_KINDS: dict[str, Callable[[np.random.Generator, int], Values]] = {
    "b": _booleans,
    "i": _whole,
    "u": _whole,
    "f": _floats,
    "M": _times,
    "U": _words,
    "S": _words,
    "O": _words,
}
