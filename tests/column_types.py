"""Every type that a signature of MLflow can name, in the JSON of a signature, each with three rows of it."""

from __future__ import annotations

from typing import Any

import numpy as np


def _array(items: Any) -> dict[str, Any]:
    return {"type": "array", "items": items}


def _object(**properties: Any) -> dict[str, Any]:
    return {"type": "object", "properties": properties}


def _map(values: Any) -> dict[str, Any]:
    return {"type": "map", "values": values}


def _scalar(name: str) -> dict[str, Any]:
    return {"type": name}


def _tensor(dtype: str, *shape: int) -> dict[str, Any]:
    return {"type": "tensor", "tensor-spec": {"dtype": dtype, "shape": list(shape)}}


TYPES: dict[str, tuple[dict[str, Any], list[Any]]] = {
    "boolean": (_scalar("boolean"), [True, False, True]),
    "integer": (_scalar("integer"), [1, -2, 3]),
    "long": (_scalar("long"), [1, 2, 2**60 + 1]),
    "float": (_scalar("float"), [1.5, 2.0, 0.1]),
    "double": (_scalar("double"), [1.5, 2.0, 0.1]),
    "double with null": (_scalar("double"), [1.5, None, 0.1]),
    "double all null": (_scalar("double"), [None, None, None]),
    "string": (_scalar("string"), ["a", 'b"\n,', "007"]),
    "string with null": (_scalar("string"), ["a", None, "b"]),
    "string like null": (_scalar("string"), ["a", "NA", "b"]),
    "string ending in NUL": (_scalar("string"), ["a", "b\0", "c"]),
    "binary": (_scalar("binary"), [b"a", b"\x00\xff", b"zzz"]),
    "datetime": (_scalar("datetime"), ["2020-01-01", "2020-01-02T03:04:05.123456789", "2021-01-01"]),
    "datetime with null": (_scalar("datetime"), ["2020-01-01", None, "2021-01-01"]),
    "any": (_scalar("any"), ["s", "t", "u"]),
    "boolean with null": (_scalar("boolean"), [True, None, False]),
    "integer with null": (_scalar("integer"), [1, None, -3]),
    "long with null": (_scalar("long"), [2**60 + 1, None, 2]),
    "float with null": (_scalar("float"), [0.1, None, 2.0]),
    "binary with null": (_scalar("binary"), [b"a", None, b"c"]),
    "any with null": (_scalar("any"), ["s", None, "u"]),
    "array of double with null": (_array(_scalar("double")), [[1.0, None], [3.0], [None]]),
    "array of double": (_array(_scalar("double")), [[1.0, 2.0], [3.0], [5.0, 6.0, 7.0]]),
    "array of string": (_array(_scalar("string")), [["a", "b"], ["c"], ["d"]]),
    "array of boolean": (_array(_scalar("boolean")), [[True], [False, True], [True]]),
    "array of binary": (_array(_scalar("binary")), [[b"a"], [b"b"], [b"c"]]),
    "array of arrays": (_array(_array(_scalar("long"))), [[[1, 2], [3, 4]], [[5, 6]], [[7, 8]]]),
    "array of objects": (_array(_object(a=_scalar("double"))), [[{"a": 1.0}], [{"a": 2.0}], [{"a": 3.0}]]),
    "object": (
        _object(a=_scalar("double"), b=_scalar("string")),
        [{"a": float(i), "b": "s"} for i in range(3)],
    ),
    "object with optional": (
        _object(a=_scalar("double"), b={"type": "string", "required": False}),
        [{"a": 1.0, "b": "s"}, {"a": 2.0}, {"a": 3.0, "b": "t"}],
    ),
    "object of binary": (_object(a=_scalar("binary")), [{"a": b"q"}] * 3),
    "map": (_map(_scalar("double")), [{"k": 1.0}, {"k": 2.0}, {"k": 3.0}]),
    "map of other keys": (_map(_scalar("double")), [{"k": 1.0}, {"j": 2.0}, {"k": 3.0}]),
    "sparkml vector": (_scalar("sparkml_vector"), [[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]),
    **{
        f"tensor {dtype} {shape}": (_tensor(dtype, *shape), np.ones((3, *map(abs, shape[1:]))).tolist())
        for dtype in ("float32", "float64", "int64", "uint8")
        for shape in ((-1,), (-1, 1), (-1, 3), (-1, 2, 2), (-1, -1), (1, 3), (3, 2))
    },
    "tensor of bool": (_tensor("bool", -1, 2), [[True, False]] * 3),
    "tensor of text": (_tensor("str", -1, 2), [["a", "b"]] * 3),
    "tensor of times": (_tensor("datetime64[ns]", -1), ["2020-01-01", "2020-01-02", "2020-01-03"]),
}
