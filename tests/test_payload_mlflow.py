"""What MLflow's own parser reads from a body is what the rows were, whatever they hold."""

from __future__ import annotations

import datetime
import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scorebench.errors import InputError
from scorebench.payloads.formats import FORMATS
from scorebench.payloads.payload import encode
from scorebench.payloads.signature import Signature, parse_column
from tests.mlflow_reader import UNREAD, frame_values, parsed, received, require_mlflow, values_of
from tests.requirements import shared

MLFLOW_FORMATS = tuple(f for f in FORMATS if f not in UNREAD)

_text = st.text(st.characters(codec="utf-8"), max_size=12)
_int64 = st.integers(-(2**63), 2**63 - 1)
_finite = st.floats(allow_nan=False, allow_infinity=False)
_times = st.datetimes(datetime.datetime(1700, 1, 1), datetime.datetime(2200, 1, 1))
COLUMNS: dict[str, tuple[st.SearchStrategy[Any], Any]] = {
    "long": (_int64, "int64"),
    "integer": (st.integers(-(2**31), 2**31 - 1), "int32"),
    "double": (st.one_of(_finite, st.none()), "float64"),
    "float": (st.floats(width=32, allow_nan=False, allow_infinity=False), "float32"),
    "boolean": (st.booleans(), "bool"),
    "string": (_text, object),
    "datetime": (st.one_of(_times, st.none()), "datetime64[ns]"),
}


@st.composite
def tables(draw: st.DrawFn, *kinds: str) -> tuple[pd.DataFrame, list[str]]:
    """A table of one to eight rows, its columns c0, c1, … of any of the kinds."""
    chosen = draw(st.lists(st.sampled_from(kinds or tuple(COLUMNS)), min_size=1, max_size=4))
    rows = draw(st.integers(1, 8))
    columns = {}
    for place, kind in enumerate(chosen):
        values, dtype = COLUMNS[kind]
        cells = draw(st.lists(values, min_size=rows, max_size=rows))
        columns[f"c{place}"] = pd.Series(cells, dtype=dtype)
    return pd.DataFrame(columns), chosen


def _schema(kinds: list[str]) -> Any:
    from mlflow.types import ColSpec, Schema

    return Schema([ColSpec(kind, f"c{place}") for place, kind in enumerate(kinds)])


def _signature(schema: Any) -> Signature:
    return Signature(tuple(map(parse_column, schema.to_dict())))


@pytest.mark.parametrize("format", ["split", "records", "instances", "inputs", "parquet"])
@settings(max_examples=60, deadline=None)
@given(table=tables(), rows_per_call=st.integers(1, 9))
def test_any_table_arrives_as_it_was(
    format: str, table: tuple[pd.DataFrame, list[str]], rows_per_call: int
) -> None:
    """Decoded by MLflow with the model's signature, every value and every dtype is the one that was given."""
    require_mlflow()
    frame, kinds = table
    schema = _schema(kinds)
    try:
        payload = encode(frame, format, rows_per_call=rows_per_call, signature=_signature(schema))
    except InputError as error:
        assert "ends in NUL" in str(error)  # noqa: PT017 (what cannot arrive is refused: tests/test_formats.py)
        return
    arrived = received(payload, schema)
    assert values_of(arrived) == frame_values(frame)
    for part in arrived:
        for name, kind in zip(frame.columns, kinds, strict=True):
            if kind not in ("string", "datetime"):
                assert part[name].dtype == frame[name].dtype


@settings(max_examples=100, deadline=None)
@given(table=tables("long", "integer", "boolean", "string", "double"), rows_per_call=st.integers(1, 9))
def test_any_flat_table_arrives_through_csv(
    table: tuple[pd.DataFrame, list[str]], rows_per_call: int
) -> None:
    """CSV carries numbers, booleans and text; pandas.read_csv may be off by one part in 10**15 in a float.

    Text that CSV cannot tell from a missing value is refused, never changed.
    """
    require_mlflow()
    frame, kinds = table
    schema = _schema(kinds)
    try:
        payload = encode(frame, "csv", rows_per_call=rows_per_call, signature=_signature(schema))
    except InputError as error:
        assert "arrives as" in str(error) or "NUL" in str(error)  # noqa: PT017 (what cannot arrive is refused: tests/test_formats.py)
        return
    for got, sent in zip(values_of(received(payload, schema)), frame_values(frame), strict=True):
        for arrived, value in zip(got, sent, strict=True):
            assert (
                arrived == pytest.approx(value, rel=1e-14) if isinstance(value, float) else arrived == value
            )


@pytest.mark.parametrize("format", ["split", "records", "parquet"])
@settings(max_examples=60, deadline=None)
@given(cells=st.lists(st.one_of(_text, st.none()), min_size=1, max_size=8))
def test_missing_text_arrives_missing(format: str, cells: list[str | None]) -> None:
    """A missing text is missing for the model, and an empty one is empty."""
    require_mlflow()
    frame = pd.DataFrame({"c0": pd.Series(cells, dtype=object)})
    schema = _schema(["string"])
    payload = encode(frame, format, rows_per_call=3, signature=_signature(schema))
    assert values_of(received(payload, schema)) == [[cell] for cell in cells]


@pytest.mark.parametrize("format", MLFLOW_FORMATS)
def test_difficult_text_arrives_unchanged(format: str) -> None:
    """Quotes, commas, line breaks of every kind, backslashes, controls and scripts that are not Latin."""
    require_mlflow()
    texts = [
        'say "hi"',
        "a,b",
        "l1\nl2",
        "l1\r\nl2",
        "l1\rl2",
        "\\n",
        "\t",
        "Grüße",
        "葡萄酒",
        "вино",
        "🍷",
        "\u2028",
    ]
    texts += [" padded ", "'", '"', "007", "1e5", "True"]
    frame = pd.DataFrame({"c0": pd.Series(texts, dtype=object)})
    schema = _schema(["string"])
    for rows_per_call in (1, 5, len(texts)):
        payload = encode(frame, format, rows_per_call=rows_per_call, signature=_signature(schema))
        assert values_of(received(payload, schema)) == [[text] for text in texts]


@pytest.mark.parametrize("format", MLFLOW_FORMATS)
def test_a_wide_table_arrives(format: str) -> None:
    """784 columns, as of an image's pixels."""
    require_mlflow()
    rng = np.random.default_rng(1)
    frame = pd.DataFrame(rng.integers(0, 256, (5, 784)) / 256, columns=[f"c{i}" for i in range(784)])
    schema = _schema(["double"] * 784)
    payload = encode(frame, format, rows_per_call=2, signature=_signature(schema))
    assert payload.rows == (2, 2, 1)
    assert values_of(received(payload, schema)) == frame_values(frame)


@pytest.mark.parametrize("format", MLFLOW_FORMATS)
def test_a_long_table_arrives(format: str) -> None:
    """10,000 rows, none lost at the seams between blocks and calls."""
    require_mlflow()
    frame = pd.DataFrame({"c0": np.arange(10_000), "c1": np.arange(10_000) / 8})
    schema = _schema(["long", "double"])
    payload = encode(frame, format, rows_per_call=999, signature=_signature(schema))
    assert len(payload.bodies) == 11
    assert values_of(received(payload, schema)) == frame_values(frame)


@pytest.mark.parametrize("format", ["split", "records"])
@settings(max_examples=60, deadline=None)
@given(table=tables("long", "double", "boolean", "string"))
def test_without_a_signature_the_values_arrive_too(
    format: str, table: tuple[pd.DataFrame, list[str]]
) -> None:
    """A model that has no signature gets what pandas infers from the body: the same values."""
    require_mlflow()
    frame, _ = table
    payload = encode(frame, format, rows_per_call=len(frame))
    assert values_of([parsed(payload.bodies[0], payload.content_type)]) == frame_values(frame)


def test_split_1x_is_read_by_mlflow_1(tmp_path: Path) -> None:
    """MLflow 1.x read its body with pandas.read_json(orient="split"): values and columns come back."""
    frame = pd.DataFrame({"a": [1, 2], "b": [0.1, 2.5], "c": ["x", "é"]})
    payload = encode(frame, "split-1x", rows_per_call=2)
    path = tmp_path / "body.json"
    path.write_bytes(payload.bodies[0])
    back = pd.read_json(path, orient="split", precise_float=True)
    assert frame_values(back) == frame_values(frame)
    assert all(type(cell) is float for row in json.loads(payload.bodies[0])["data"] for cell in row[:2])


@pytest.mark.parametrize("format", MLFLOW_FORMATS)
def test_the_real_wine_table_arrives(format: str) -> None:
    """All 4,898 rows of the real table, one a call, are what MLflow reads."""
    frame = pd.read_csv(shared("data/wine-quality-white.csv")).drop(columns="quality")
    payload = encode(frame, format)
    assert payload.rows == (1,) * 4898
    picked = range(0, 4898, 97)
    back = [parsed(payload.bodies[i], payload.content_type) for i in picked]
    got = values_of(back)
    expected = frame_values(frame.iloc[list(picked)])
    assert got == [pytest.approx(row, rel=1e-14) for row in expected]


def test_a_missing_value_names_the_formats_that_keep_it() -> None:
    """MLflow keeps a missing text in a DataFrame, not in `inputs`, and a missing whole number in neither."""
    require_mlflow()
    rows = pd.DataFrame({"n": pd.Series([1, None], dtype="Int64"), "t": ["a", None]})
    text, number = (
        Signature((parse_column({"type": kind, "name": name, "required": False}),))
        for name, kind in (("t", "string"), ("n", "long"))
    )
    with pytest.raises(
        InputError, match="keeps no missing string in this format, but in split, records, csv"
    ):
        encode(rows[["t"]], "instances", signature=text)
    with pytest.raises(InputError, match="keeps no missing long in any format; fill it or drop the row"):
        encode(rows[["n"]], "split", signature=number)
