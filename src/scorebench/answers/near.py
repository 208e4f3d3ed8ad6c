"""Whether two values of JSON are the same, but for a tolerance. Knows numbers; no answer."""

from __future__ import annotations

import math
from typing import Any


def are_near(left: Any, right: Any, tolerance: float) -> bool:
    """The same JSON, but for numbers that differ by no more than the tolerance, as share or in all."""
    if _is_number(left) and _is_number(right):
        return left == right or math.isclose(left, right, rel_tol=tolerance, abs_tol=tolerance)
    if isinstance(left, list | tuple) and isinstance(right, list | tuple):
        pairs = zip(left, right, strict=False)
        return len(left) == len(right) and all(are_near(a, b, tolerance) for a, b in pairs)
    if isinstance(left, dict) and isinstance(right, dict):
        return left.keys() == right.keys() and all(are_near(left[k], right[k], tolerance) for k in left)
    return bool(type(left) is type(right) and left == right)


def _is_number(value: object) -> bool:
    """A truth value is none, and a number beyond a double can't be compared."""
    return (isinstance(value, float) or type(value) is int) and abs(value) < 1e308
