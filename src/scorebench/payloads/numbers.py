"""Numbers of one type → of another, exactly or not at all. Knows NumPy's and Python's numbers; no models."""

from __future__ import annotations

import decimal
import math
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

_EXACT = {"float32": 2**24, "float64": 2**53}
"""Every whole number up to this one is a float of that type."""


def converted(values: pd.Series[Any], target: np.dtype[Any]) -> tuple[NDArray[Any], NDArray[np.bool_]]:
    """Values, none of them missing, as `target`; and which of them are no such number, or another one there.

    Whole numbers must stay what they are. Fractions become the nearest float, as everywhere.
    """
    if values.dtype.kind not in "biuf":
        return _from_objects(values, target)
    dtype: Any = values.dtype
    plain = values.to_numpy(getattr(dtype, "numpy_dtype", dtype))
    with np.errstate(invalid="ignore", over="ignore"):
        done = plain.astype(target)
    if target.kind == "i":
        return done, done != plain
    changed = np.isinf(done) & ~np.isinf(plain.astype("float64"))
    if plain.dtype.kind in "iu":
        limit = _EXACT[target.name]
        large = (plain > limit) | ((plain < -limit) & (plain.dtype.kind == "i"))
        changed[large] |= done[large].astype(object) != plain[large].astype(object)
    return done, changed


def _from_objects(values: pd.Series[Any], target: np.dtype[Any]) -> tuple[NDArray[Any], NDArray[np.bool_]]:
    numbers = [_as(value, target) for value in values]
    changed = np.array([number is None for number in numbers], dtype=bool)
    return np.array([0 if number is None else number for number in numbers], dtype=target), changed


def _as(value: Any, target: np.dtype[Any]) -> int | float | None:
    """One value as a number that `target` holds; None where it is no number, or would be another one."""
    number = parsed(value) if isinstance(value, str) else value
    if isinstance(number, np.generic):
        number = number.item()
    if not isinstance(number, int | float | decimal.Decimal):
        return None
    return _as_whole(number, np.iinfo(target)) if target.kind == "i" else _as_float(number, target)


def parsed(text: str) -> int | float | None:
    """The number that a text says, every digit of a whole one; None for any other text."""
    bare = text.strip()
    if "_" in bare:  # which Python reads over
        return None
    for kind in (int, float):
        try:
            return kind(bare)
        except ValueError:
            continue
    return None


def _as_whole(number: float | decimal.Decimal, limits: Any) -> int | None:
    if not math.isfinite(number) or number != int(number):
        return None
    return int(number) if limits.min <= number <= limits.max else None


def _as_float(number: float | decimal.Decimal, target: np.dtype[Any]) -> float | None:
    try:
        exact = float(number)
    except OverflowError:
        return None
    with np.errstate(over="ignore"):
        done = float(target.type(exact))
    if math.isinf(done) and not math.isinf(number):
        return None
    if isinstance(number, decimal.Decimal):
        return done if is_exact(number) else None
    return done if not isinstance(number, int) or done == number else None


def is_exact(number: decimal.Decimal) -> bool:
    """Whether the float that is nearest to a decimal has all its digits when it is written down."""
    return number == decimal.Decimal(repr(float(number)))
