"""Rows become the typed tensors of the Open Inference Protocol, or an error says what has no tensor."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pandas as pd
import pytest

from scorebench.errors import InputError
from scorebench.payloads.casting import cast
from scorebench.payloads.payload import encode
from scorebench.payloads.signature import Column, Scalar, Signature, Tensor
from tests.scoring_server.scoring import rows_of


def sent(rows: pd.DataFrame, **options: Any) -> dict[str, Any]:
    """The one body of all rows."""
    (body,) = encode(rows, "v2", rows_per_call=len(rows), **options).bodies
    parsed: dict[str, Any] = json.loads(body)
    return parsed


@pytest.mark.parametrize(
    ("values", "datatype", "data"),
    [
        # the table "Tensor Data Types" of the protocol
        (pd.Series([1, 2]), "INT64", [1, 2]),
        (pd.Series([1, 2], dtype="Int64"), "INT64", [1, 2]),
        (pd.Series([1, 2], dtype="int8"), "INT8", [1, 2]),
        (pd.Series([1, 2], dtype="uint16"), "UINT16", [1, 2]),
        (pd.Series([1.5, 2.5]), "FP64", [1.5, 2.5]),
        (pd.Series([1.5, 2.5], dtype="float32"), "FP32", [1.5, 2.5]),
        (pd.Series([True, False]), "BOOL", [True, False]),
        (pd.Series([True, False], dtype="boolean"), "BOOL", [True, False]),
        (pd.Series(["x", "y"]), "BYTES", ["x", "y"]),
        (pd.Series(pd.to_datetime(["2024-01-02", "2024-01-03"])), "BYTES", ["2024-01-02", "2024-01-03"]),
    ],
)
def test_a_column_is_a_tensor_of_its_type(values: pd.Series[Any], datatype: str, data: list[Any]) -> None:
    """Its shape is one element a row."""
    (tensor,) = sent(pd.DataFrame({"x": values}))["inputs"]
    assert (tensor["name"], tensor["shape"], tensor["datatype"]) == ("x", [2, 1], datatype)
    assert [str(cell)[:10] for cell in tensor["data"]] == [str(cell) for cell in data]


def test_a_signature_decides_the_datatype() -> None:
    """integer is 32 bits, float too, whatever the file had."""
    signature = Signature((Column("a", Scalar("integer")), Column("b", Scalar("float"))))
    rows = cast(pd.DataFrame({"a": [1, 2], "b": [1, 2]}), signature, "test")
    tensors = sent(rows, signature=signature)["inputs"]
    assert [tensor["datatype"] for tensor in tensors] == ["INT32", "FP32"]


def test_a_model_of_tensors_gets_its_own() -> None:
    """Named and unnamed, with the shape of each row; nobody is to make a DataFrame of them."""
    cells = pd.Series([np.zeros((2, 3), "float32"), np.ones((2, 3), "float32")])
    named = Signature((Column("image", Tensor("float32", (-1, 2, 3))),))
    body = sent(pd.DataFrame({"image": cells}), signature=named)
    assert "parameters" not in body
    assert body["inputs"][0] == {
        "name": "image",
        "shape": [2, 2, 3],
        "datatype": "FP32",
        "data": [[[0.0] * 3] * 2, [[1.0] * 3] * 2],
    }
    unnamed = Signature((Column(None, Tensor("float32", (-1, 2, 3))),))
    assert sent(pd.DataFrame({0: cells}), signature=unnamed)["inputs"][0]["name"] == "input-0"


def test_columns_without_names_are_one_tensor() -> None:
    """So are named ones where the parameter asks for an array of NumPy's."""
    tensor = {"name": "input-0", "shape": [2, 2], "datatype": "INT64", "data": [[1, 3], [2, 4]]}
    assert sent(pd.DataFrame({0: [1, 2], 1: [3, 4]})) == {"id": "1", "inputs": [tensor]}
    named = pd.DataFrame({"a": [1, 2], "b": [3, 4]})
    assert sent(named, params={"content_type": "np"})["inputs"] == [tensor]
    assert sent(named)["parameters"] == {"content_type": "pd"}
    assert sent(named, params={"top_k": 5})["parameters"] == {"content_type": "pd", "top_k": 5}


@pytest.mark.parametrize(
    ("column", "complaint"),
    [
        ([1.5, None], "column 'x': row 2: found no value, and a tensor has none missing"),
        ([{"a": 1}, {"a": 2}], "column 'x': row 1: found a dict, which has no datatype in V2"),
        ([np.zeros(2), np.zeros(3)], "column 'x': the arrays differ in shape"),
        ([float("inf"), 1.0], "infinite number, which JSON cannot hold"),
    ],
)
def test_what_has_no_tensor_is_refused(column: list[Any], complaint: str) -> None:
    """Before the first call, with column and row."""
    with pytest.raises(InputError, match=complaint):
        sent(pd.DataFrame({"x": pd.Series(column)}))


def test_one_tensor_has_one_type() -> None:
    """Text and numbers without names can't be one."""
    with pytest.raises(InputError, match="all columns are one tensor, whose elements have one type"):
        sent(pd.DataFrame({0: [1, 2], 1: ["a", "b"]}))


def test_an_independent_reader_finds_the_rows() -> None:
    """The fake server reads the protocol by itself."""
    rows = pd.DataFrame({"a": [1, 2, 3], "b": [0.5, 1.5, 2.5]})
    bodies = encode(rows, "v2", rows_per_call=2).bodies
    found = [rows_of(body, "application/json") for body in bodies]
    assert found == [[[[1], [0.5]], [[2], [1.5]]], [[[3], [2.5]]]]
