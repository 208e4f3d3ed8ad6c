"""Every type through every format: it arrives, or is refused before the first call, and not without need."""

from __future__ import annotations

import itertools
import json
from typing import Any

import numpy as np
import pandas as pd
import pytest

from scorebench.errors import InputError
from scorebench.payloads.casting import cast
from scorebench.payloads.columns import is_named
from scorebench.payloads.formats import FORMATS
from scorebench.payloads.formats.record import Batch
from scorebench.payloads.formats.rules import check
from scorebench.payloads.payload import Payload, encode
from scorebench.payloads.signature import Signature, parse_column
from tests.column_types import TYPES
from tests.mlflow_reader import UNREAD, frame_values, received, require_mlflow, values_of

MLFLOW_FORMATS = tuple(f for f in FORMATS if f not in (*UNREAD, "v2", "azure"))


NAMES: tuple[str | int | None, ...] = ("x", None, 0, 7)
"""What a column may be called: a text, nothing, its place, another whole number."""


def _model(name: str, called: str | int | None) -> tuple[pd.DataFrame, Signature, Any]:
    """Rows of that type, the signature, and MLflow's own schema of it."""
    from mlflow.types import Schema

    kind, values = TYPES[name]
    column = {**kind, **({} if called is None else {"name": called})} | (
        {} if kind["type"] == "tensor" else {"required": True}
    )
    signature = Signature((parse_column(column),))
    given = pd.DataFrame({"x" if called is None else called: pd.Series(values, dtype=object)})
    rows = cast(given, signature, "test")
    return rows, signature, Schema.from_json(json.dumps([column]))


def _arrives(payload: Payload, rows: pd.DataFrame, schema: Any) -> bool:
    """Whether MLflow hands the rows to the model as they are; False where it raises or changes them."""
    try:
        arrived = values_of(received(payload, schema))
    except Exception:  # MLflow raises many kinds, and each is a call that would fail
        return False
    return [_without_absent(row) for row in arrived] == [_without_absent(row) for row in frame_values(rows)]


def _without_absent(value: Any) -> Any:
    """Parquet writes an absent optional property as null, which is the same to a model."""
    if isinstance(value, dict):
        return {key: _without_absent(item) for key, item in value.items() if item is not None}
    return [_without_absent(item) for item in value] if isinstance(value, list) else value


def _forced(rows: pd.DataFrame, format: str, rows_per_call: int, signature: Signature) -> Payload:
    """The bodies that would be sent if nothing were refused."""
    form = FORMATS[format]
    bodies = tuple(form.writer(Batch(rows, rows_per_call, signature))(rows))
    return Payload(bodies, (), form.content_type, format)


def _cases() -> list[Any]:
    return [
        pytest.param(name, called, format, id=f"{name}-{called}-{format}")
        for name, called, format in itertools.product(TYPES, NAMES, MLFLOW_FORMATS)
        if (name, format) != ("string ending in NUL", "csv")  # refused, though newer pandas reads it
        and not (isinstance(called, int) and "tensor" in name)  # whose names are text
        and not (isinstance(called, int) and "any" in name)  # which some numbers of rows break in an array
    ]


@pytest.mark.parametrize(("name", "called", "format"), _cases())
@pytest.mark.parametrize("rows_per_call", [1, 3])
def test_a_type_arrives_or_is_refused_for_a_reason(
    name: str, called: str | int | None, format: str, rows_per_call: int
) -> None:
    """What encode accepts, MLflow hands to the model unchanged; what it refuses, MLflow would not."""
    require_mlflow()
    rows, signature, schema = _model(name, called)
    try:
        payload = encode(rows, format, rows_per_call=rows_per_call, signature=signature)
    except InputError as error:
        assert f"--format {format}: " in str(error)  # noqa: PT017 (both are right, if the other would not be)
        assert not _arrives(_forced(rows, format, rows_per_call, signature), rows, schema)
    else:
        assert _arrives(payload, rows, schema)


def test_the_comparison_can_fail() -> None:
    """The helper sees a value that was changed, and a body that MLflow refuses."""
    require_mlflow()
    rows, signature, schema = _model("double", "x")
    payload = encode(rows, signature=signature)
    assert _arrives(payload, rows, schema)
    assert not _arrives(payload, rows + 1, schema)
    assert not _arrives(encode(rows.rename(columns={"x": "y"})), rows, schema)


@pytest.mark.parametrize("format", FORMATS)
def test_every_format_carries_numbers_and_booleans(format: str) -> None:
    """No refusal without need: a plain table goes through all of them, signature or not."""
    rows = pd.DataFrame({"a": [1, 2], "b": [0.5, None], "c": [True, False], "d": ["x", "y"]})
    rows = rows.fillna(1.5) if format == "v2" else rows  # a tensor has no missing elements
    check(FORMATS[format], Batch(rows))


def test_a_model_with_a_type_hint_takes_inputs_alone() -> None:
    """MLflow parses nothing for such a model: it looks for the key `inputs`."""
    signature = Signature((parse_column({"type": "string"}),), from_type_hint=True)
    rows = pd.DataFrame({0: ["a", "b"]})
    assert encode(rows, "inputs", rows_per_call=2, signature=signature).bodies == (b'{"inputs":["a","b"]}',)
    for format in set(FORMATS) - {"inputs"}:
        with pytest.raises(InputError, match="use --format inputs"):
            encode(rows, format, signature=signature)


@pytest.mark.parametrize("cell", [[1], {"a": 1}, b"x", np.array([1]), "NULL", "a\0b", "\ud800"])
def test_csv_refuses_what_it_would_change_without_a_signature_too(cell: Any) -> None:
    """Nested values, bytes, texts that mean missing, NUL, and halves of a character have no form in CSV."""
    with pytest.raises(InputError, match=r"--format csv: column 'x': row 2: .*use "):
        check(FORMATS["csv"], Batch(pd.DataFrame({"x": pd.Series(["a", cell], dtype=object)})))


def test_columns_are_unnamed_when_all_are_numbers() -> None:
    """Whole numbers that are not their places are names, as text is."""
    assert not is_named(pd.DataFrame({0: [1], 1: [2]}))
    assert is_named(pd.DataFrame({0: [1], "b": [2]}))
    assert is_named(pd.DataFrame({"0": [1]}))
    assert is_named(pd.DataFrame({5: [1], 6: [2]}))
