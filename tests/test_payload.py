"""Rows become bodies that MLflow's own parser reads back as the same rows, and nothing else gets through."""

from __future__ import annotations

import dataclasses
import datetime
import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scorebench.errors import InputError
from scorebench.formats import CONTENT_TYPES, FORMATS, KEYS
from scorebench.payload import Payload, encode, load_body, parse_params
from scorebench.signature import Signature, parse_column
from tests.mlflow_reader import frame_values, params_of, parsed, received, require_mlflow, values_of
from tests.requirements import shared

JSON_FORMATS = tuple(KEYS)
MLFLOW_FORMATS = tuple(f for f in FORMATS if f != "split-1x")
TWO = pd.DataFrame({"a": [1, 2], "b": [0.5, None]})


@pytest.mark.parametrize(
    ("format", "bodies"),
    [
        (
            "split",
            [
                b'{"dataframe_split":{"columns":["a","b"],"data":[[1,0.5]]}}',
                b'{"dataframe_split":{"columns":["a","b"],"data":[[2,null]]}}',
            ],
        ),
        (
            "records",
            [b'{"dataframe_records":[{"a":1,"b":0.5}]}', b'{"dataframe_records":[{"a":2,"b":null}]}'],
        ),
        ("instances", [b'{"instances":[{"a":1,"b":0.5}]}', b'{"instances":[{"a":2,"b":null}]}']),
        ("inputs", [b'{"inputs":{"a":[1],"b":[0.5]}}', b'{"inputs":{"a":[2],"b":[null]}}']),
        ("csv", [b"a,b\n1,0.5\n", b"a,b\n2,\n"]),
        (
            "split-1x",
            [b'{"columns":["a","b"],"data":[[1.0,0.5]]}', b'{"columns":["a","b"],"data":[[2.0,null]]}'],
        ),
    ],
)
def test_each_format_is_written_as_mlflow_defines_it(format: str, bodies: list[bytes]) -> None:
    """The bodies, byte for byte, as MLflow's documentation has them; split-1x writes 1 as 1.0."""
    payload = encode(TWO, format)
    assert payload.bodies == tuple(bodies)
    assert payload.rows == (1, 1)
    assert payload.content_type == CONTENT_TYPES[format]
    assert payload.format == format


def test_unnamed_columns_have_no_names_in_json() -> None:
    """Columns 0, 1, … go by their place: split leaves the names out, the others send lists."""
    rows = pd.DataFrame({0: [1, 2], 1: [3, 4]})
    assert encode(rows, "split").bodies[0] == b'{"dataframe_split":{"data":[[1,3]]}}'
    assert encode(rows, "instances", rows_per_call=2).bodies == (b'{"instances":[[1,3],[2,4]]}',)
    assert encode(rows, "inputs", rows_per_call=2).bodies == (b'{"inputs":[[1,3],[2,4]]}',)
    assert encode(rows[[0]], "inputs", rows_per_call=2).bodies == (b'{"inputs":[1,2]}',)


def test_tensors_keep_their_shape_in_inputs_and_are_flat_in_a_frame() -> None:
    """A cell that is a 2-by-2 array stays nested in inputs; MLflow shapes a flat list itself in split."""
    rows = pd.DataFrame({0: pd.Series([np.array([[1, 2], [3, 4]])])})
    assert encode(rows, "inputs").bodies == (b'{"inputs":[[[1,2],[3,4]]]}',)
    assert encode(rows, "split").bodies == (b'{"dataframe_split":{"data":[[[1,2,3,4]]]}}',)


@pytest.mark.parametrize("format", FORMATS)
@pytest.mark.parametrize(("rows_per_call", "counts"), [(1, (1,) * 7), (3, (3, 3, 1)), (7, (7,)), (100, (7,))])
def test_the_last_call_takes_what_is_left(format: str, rows_per_call: int, counts: tuple[int, ...]) -> None:
    """Seven rows, three a call: 3, 3 and 1; none is lost and none is sent twice."""
    payload = encode(pd.DataFrame({"a": range(7)}), format, rows_per_call=rows_per_call)
    assert payload.rows == counts
    assert len(payload.bodies) == len(counts)
    assert payload.total_rows == 7


@pytest.mark.parametrize("rows_per_call", [0, -1])
def test_no_rows_a_call_is_refused(rows_per_call: int) -> None:
    """--rows-per-call 0 is the user's mistake."""
    with pytest.raises(InputError, match=rf"--rows-per-call: found {rows_per_call}, expected 1 or more"):
        encode(TWO, rows_per_call=rows_per_call)


def test_no_rows_and_no_columns_are_refused() -> None:
    """A run of nothing is no run."""
    with pytest.raises(InputError, match="found no rows"):
        encode(TWO.head(0))
    with pytest.raises(InputError, match="found no rows"):
        encode(TWO[[]])


def test_an_unknown_format_is_refused() -> None:
    """The error lists the known ones."""
    with pytest.raises(InputError, match="found 'yaml', expected one of split, records, instances"):
        encode(TWO, "yaml")


def test_two_columns_of_one_name_are_refused() -> None:
    """A dict can hold only one of them."""
    with pytest.raises(InputError, match="two columns named 'a'"):
        encode(pd.DataFrame([[1, 2]], columns=["a", "a"]), "records")


@pytest.mark.parametrize("format", JSON_FORMATS)
def test_params_stand_beside_the_rows(format: str) -> None:
    """MLflow's parser finds the parameters, and the same rows as without them."""
    require_mlflow()
    with_params = encode(TWO, format, params={"top_k": 5, "words": ["a"]}).bodies[0]
    assert params_of(with_params) == {"top_k": 5, "words": ["a"]}
    without = encode(TWO, format).bodies[0]
    assert values_of([parsed(with_params, "application/json")]) == values_of(
        [parsed(without, "application/json")]
    )


@pytest.mark.parametrize("format", ["csv", "parquet", "split-1x"])
def test_params_have_no_place_elsewhere(format: str) -> None:
    """CSV, Parquet and MLflow 1.x know no parameters."""
    with pytest.raises(
        InputError, match=rf"--params: --format {format} has no place for them; use one of split"
    ):
        encode(TWO, format, params={"k": 1})


def test_params_that_json_cannot_hold_are_refused() -> None:
    """NaN is no JSON, in parameters neither."""
    with pytest.raises(InputError, match="--params: "):
        encode(TWO, params={"k": float("nan")})


def test_params_are_a_json_object() -> None:
    """--params '{"a": 1}' is read; a list, broken JSON and a bare NaN are refused."""
    assert parse_params('{"a": [1, null]}') == {"a": [1, None]}
    for text in ("[1]", "{a: 1}", '{"a": NaN}', ""):
        with pytest.raises(InputError, match="--params: "):
            parse_params(text)


def test_more_memory_than_allowed_is_refused_with_the_size() -> None:
    """100 bodies of 43 bytes are 4,300; with 2,000 allowed the error says what all would take."""
    rows = pd.DataFrame({"a": [1.5] * 100})
    assert len(encode(rows).bodies[0]) == len(b'{"dataframe_split":{"columns":["a"],"data":[[1.5]]}}') == 52
    with pytest.raises(InputError, match=r"100 rows as split take about 0\.0 MiB.*--payload-memory"):
        encode(rows, memory_bytes=5199)
    assert encode(rows, memory_bytes=5200).total_bytes == 5200


def test_the_size_is_estimated_from_what_was_encoded() -> None:
    """Encoding stops at the limit; the estimate is for all rows: 100,000 bodies of 52 bytes are 5.0 MiB."""
    rows = pd.DataFrame({"a": [1.5] * 100_000})
    heard: list[int] = []
    with pytest.raises(InputError, match=r"100000 rows as split take about 5\.0 MiB, 1\.0 MiB are allowed"):
        encode(rows, memory_bytes=2**20, progress=heard.append)
    assert sum(heard) < 100_000


def test_progress_hears_every_row_once() -> None:
    """A wide table comes in several blocks; their rows add up."""
    heard: list[int] = []
    encode(pd.DataFrame(np.zeros((2000, 784))), rows_per_call=7, progress=heard.append)
    assert len(heard) > 1
    assert sum(heard) == 2000


def test_equal_payloads_have_equal_digests() -> None:
    """The digest follows the bytes, their division into calls, and the content type; nothing else."""
    one = encode(TWO, rows_per_call=2)
    assert one.digest == encode(TWO.copy(), rows_per_call=2).digest
    assert len({one.digest, encode(TWO).digest, encode(TWO + 1, rows_per_call=2).digest}) == 3
    assert dataclasses.replace(one, content_type="text/csv").digest != one.digest
    body = one.bodies[0]
    by_hand = hashlib.sha256(b"application/json" + b"\0" + str(len(body)).encode() + b"\0" + body).hexdigest()
    assert one.digest == by_hand
    assert (
        Payload((b"ab", b"c"), (1, 1), "t", "csv").digest != Payload((b"a", b"bc"), (1, 1), "t", "csv").digest
    )


def test_the_frames_index_is_not_sent() -> None:
    """Rows that were picked from a larger table carry no trace of where they stood."""
    picked = pd.DataFrame({"a": [1, 2, 3]}).iloc[[2, 0]]
    assert encode(picked, "csv").bodies == (b"a\n3\n", b"a\n1\n")


def test_whole_numbers_beyond_a_float_are_refused_in_split_1x() -> None:
    """2**53 + 1 is no float: sending its neighbour would be another question."""
    assert b"9007199254740992.0" in encode(pd.DataFrame({"a": [2**53]}), "split-1x").bodies[0]
    with pytest.raises(InputError, match="column 'a' holds numbers that no float can"):
        encode(pd.DataFrame({"a": [1, 2**53 + 1]}), "split-1x")


def test_parquet_that_arrow_cannot_write_is_refused() -> None:
    """A column of text and numbers mixed has no Parquet type."""
    with pytest.raises(InputError, match=r"--format parquet: .*use split or records"):
        encode(pd.DataFrame({"a": [1, "x"]}), "parquet")


# ---- what MLflow reads -------------------------------------------------------------------------------------

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


# ---- ready bodies ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("format", FORMATS)
def test_a_ready_body_is_known_by_its_suffix_and_keys(format: str, tmp_path: Path) -> None:
    """What encode wrote is sent as it is, and its rows are counted."""
    made = encode(TWO, format, rows_per_call=2)
    path = tmp_path / f"body.{format if format in ('csv', 'parquet') else 'json'}"
    path.write_bytes(made.bodies[0])
    assert load_body(path) == made


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("not json", r"found no JSON \(line 1, column 1"),
        ("", "the file is empty"),
        (
            '{"inputs": [1], "instances": [1]}',
            "found keys 'inputs' and 'instances'; MLflow takes exactly one of",
        ),
        ('{"rows": [1]}', "found keys 'rows'; MLflow takes exactly one of"),
        ('[{"a": 1}]', "found a list; MLflow takes exactly one of"),
        ("5", "found a int; MLflow takes exactly one of"),
        ('{"inputs": [NaN]}', "found a bare NaN, which is not JSON; write null"),
        ('{"instances": []}', "found no rows"),
        ('{"dataframe_split": {"columns": ["a"], "data": []}}', "found no rows"),
        ("[" * 100_000, "nested too deep|found no JSON"),
    ],
)
def test_a_body_that_mlflow_would_refuse_is_refused(text: str, complaint: str, tmp_path: Path) -> None:
    """The error begins with the file and says what was found."""
    path = tmp_path / "x.json"
    path.write_text(text)
    with pytest.raises(InputError, match=complaint) as raised:
        load_body(path)
    assert str(raised.value).startswith(str(path))
    assert "\n" not in str(raised.value)
