"""Rows become bodies as each format wants them, divided into calls, and what cannot be sent is refused."""

from __future__ import annotations

import dataclasses
import hashlib
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from scorebench.errors import InputError
from scorebench.payloads.bodies import load_bodies
from scorebench.payloads.formats import FORMATS
from scorebench.payloads.params import parse_params
from scorebench.payloads.payload import Payload, encode
from tests.mlflow_reader import params_of, parsed, require_mlflow, values_of

WITH_PARAMS = tuple(name for name, format in FORMATS.items() if format.params_key == "params")
TWO = pd.DataFrame({"a": [1, 2], "b": [0.5, None]})
WHOLE_TWO = pd.DataFrame({"a": [1, 2], "b": [0.5, 1.5]})
"""For V2, whose tensors have no missing elements."""


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
    assert payload.content_type == FORMATS[format].content_type
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
    assert sum(payload.rows) == 7


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
    with pytest.raises(InputError, match="--format yaml: not known; expected one of split, records,"):
        encode(TWO, "yaml")


def test_two_columns_of_one_name_are_refused() -> None:
    """A dict can hold only one of them."""
    with pytest.raises(InputError, match="two columns named 'a'"):
        encode(pd.DataFrame([[1, 2]], columns=["a", "a"]), "records")


@pytest.mark.parametrize("format", WITH_PARAMS)
def test_params_stand_beside_the_rows(format: str) -> None:
    """MLflow's parser finds the parameters, and the same rows as without them."""
    require_mlflow()
    with_params = encode(TWO, format, params={"top_k": 5, "words": ["a"]}).bodies[0]
    assert params_of(with_params) == {"top_k": 5, "words": ["a"]}
    if format == "azure":
        return  # whose server takes the split object out, and hands it to these parsers
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
    """NaN is not JSON, in parameters neither."""
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


# ---- ready bodies ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("format", FORMATS)
def test_a_ready_body_is_known_by_its_suffix_and_keys(format: str, tmp_path: Path) -> None:
    """What encode wrote is sent as it is, and its rows are counted."""
    made = encode(WHOLE_TWO if format == "v2" else TWO, format, rows_per_call=2)
    path = tmp_path / f"body{FORMATS[format].suffix}"
    path.write_bytes(made.bodies[0])
    assert load_bodies(path) == made


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("not json", r"found no JSON \(line 1, column 1"),
        ("", "the file is empty"),
        (
            '{"inputs": [1], "instances": [1]}',
            "found keys 'inputs' and 'instances'; expected exactly one of",
        ),
        ('{"rows": [1]}', "found keys 'rows'; expected exactly one of"),
        ('[{"a": 1}]', "found a list; expected exactly one of"),
        ("5", "found a int; expected exactly one of"),
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
        load_bodies(path)
    assert str(raised.value).startswith(str(path))
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize("unit", ["s", "ms", "us"])
@pytest.mark.parametrize("format", ["split", "csv"])
def test_times_beyond_nanoseconds_are_sent_as_they_are(unit: str, format: str) -> None:
    """9999-12-31 stands for "no end" in many tables; 64 bits of nanoseconds end in 2262 and wrap around."""
    times = np.array(["9999-12-31T00:00:00", "2024-01-02T03:04:05"], dtype=f"datetime64[{unit}]")
    first = encode(pd.DataFrame({"a": times}), format, rows_per_call=2).bodies[0]
    assert b"9999-12-31T00:00:00" in first
    assert b"2024-01-02T03:04:05" in first


def test_a_whole_number_that_arrow_cannot_hold_is_refused() -> None:
    """Parquet has no whole numbers beyond 64 bits."""
    with pytest.raises(InputError, match=r"--format parquet: .*too large.*use split or records"):
        encode(pd.DataFrame({"a": pd.Series([10**30], dtype=object)}), "parquet")
