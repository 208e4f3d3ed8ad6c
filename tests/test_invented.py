"""Rows can be made for every type that a signature names, and MLflow takes them."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pandas as pd
import pytest

from scorebench.errors import InputError
from scorebench.payloads.invented import make_rows
from scorebench.payloads.payload import encode
from scorebench.payloads.signature import Column, Scalar, Signature, Tensor, parse_column
from tests.column_types import TYPES
from tests.mlflow_reader import frame_values, received, require_mlflow, values_of

KINDS: dict[str, dict[str, Any]] = {
    **{name: kind for name, (kind, _) in TYPES.items() if "null" not in name and "NUL" not in name},
    "array of integer": {"type": "array", "items": {"type": "integer"}},
    "array of float": {"type": "array", "items": {"type": "float"}},
    "array of times": {"type": "array", "items": {"type": "datetime"}},
}
ONLY_PARQUET = {"array of integer", "array of float", "array of times", "array of binary", "object of binary"}
"""MLflow's JSON reader takes every number for 64 bits and nested times and bytes for text."""


def _signature(name: str, *, named: bool) -> tuple[Signature, Any]:
    from mlflow.types import Schema

    kind = KINDS[name]
    column = {**kind, **({"name": "x"} if named else {})} | (
        {} if kind["type"] == "tensor" else {"required": True}
    )
    return Signature((parse_column(column),)), Schema.from_json(json.dumps([column]))


@pytest.mark.parametrize("name", KINDS)
@pytest.mark.parametrize("named", [True, False], ids=["named", "unnamed"])
def test_mlflow_takes_made_rows_of_every_type(name: str, named: bool) -> None:
    """Six rows, in calls of three, arrive as they were made."""
    require_mlflow()
    signature, schema = _signature(name, named=named)
    rows = make_rows(signature, 6, seed=7)
    assert len(rows) == 6
    tensor = signature.columns[0].type
    format = "inputs" if isinstance(tensor, Tensor) else "parquet" if name in ONLY_PARQUET else "split"
    fixed = isinstance(tensor, Tensor) and tensor.shape[0] != -1
    rows_per_call = tensor.shape[0] if isinstance(tensor, Tensor) and fixed else 3
    payload = encode(rows, format, rows_per_call=rows_per_call, signature=signature)
    assert values_of(received(payload, schema)) == frame_values(rows)


def test_the_seed_makes_the_rows() -> None:
    """The same seed the same rows, another seed others."""
    signature = Signature((Column("a", Scalar("double")), Column("b", Scalar("string"))))
    once = make_rows(signature, 50, seed=1)
    pd.testing.assert_frame_equal(once, make_rows(signature, 50, seed=1))
    assert not once.equals(make_rows(signature, 50, seed=2))


def test_a_column_does_not_depend_on_the_others() -> None:
    """One more input leaves the rows of those before it as they were."""
    a, b = Column("a", Scalar("double")), Column("b", Scalar("long"))
    alone = make_rows(Signature((a,)), 9, seed=1)
    pd.testing.assert_frame_equal(alone, make_rows(Signature((a, b)), 9, seed=1)[["a"]])


def test_made_rows_differ_from_each_other() -> None:
    """A server that caches would be measured for its cache."""
    signature = Signature(
        tuple(Column(kind, Scalar(kind)) for kind in ("double", "string", "binary", "datetime"))
    )
    rows = make_rows(signature, 200, seed=1)
    assert all(rows[name].nunique() > 150 for name in rows.columns)


def test_optional_columns_are_made_too() -> None:
    """The model is asked for all that it can take."""
    signature = Signature((Column("a", Scalar("long")), Column("b", Scalar("long"), required=False)))
    assert list(make_rows(signature, 3, seed=1).columns) == ["a", "b"]


def test_a_tensor_of_any_length_gets_one() -> None:
    """-1 beyond the batch becomes a length that MLflow takes; the dtype is the signature's."""
    rows = make_rows(Signature((Column(None, Tensor("float32", (-1, -1, 2))),)), 4, seed=1)
    assert {cell.shape for cell in rows[0]} == {(3, 2)}
    assert rows[0][0].dtype == np.float32


def test_rows_too_large_for_memory_are_refused() -> None:
    """A signature that asks for terabytes is answered before it is tried."""
    signature = Signature((Column(None, Tensor("float64", (-1, 10**6, 10**6))),))
    with pytest.raises(InputError, match=r"rows made from the signature: 100 of tensor .* MiB are allowed"):
        make_rows(signature, 100, seed=1)
