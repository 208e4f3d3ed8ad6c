"""The fake server's arithmetic: rows and predictions of a body, and when an answer is due."""

from __future__ import annotations

import io
import json
import math
from itertools import islice

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyarrow import parquet

from tests.scoring_server import Constant, Draw, Exponential, TwoHumps, predict, rows_of
from tests.scoring_server.scoring import CSV, JSON, PARQUET, NotScored
from tests.scoring_server.service import Station, after_freezes

RECORDS = [{"a": 1, "b": 2.5, "c": "x"}, {"a": 3, "b": 4.0, "c": "y"}]
ROWS = [[1, 2.5, "x"], [3, 4.0, "y"]]
COLUMNS = {"a": [1, 3], "b": [2.5, 4.0], "c": ["x", "y"]}


def table() -> bytes:
    stream = io.BytesIO()
    parquet.write_table(pa.table(COLUMNS), stream)
    return stream.getvalue()


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (json.dumps({"dataframe_split": {"columns": ["a", "b", "c"], "data": ROWS}}), JSON),
        (json.dumps({"dataframe_split": {"index": [0, 1], "data": ROWS}, "params": {"k": 9}}), JSON),
        (json.dumps({"dataframe_records": RECORDS}), JSON),
        (json.dumps({"instances": RECORDS}), JSON),
        (json.dumps({"instances": ROWS}), JSON),
        (json.dumps({"inputs": COLUMNS}), JSON),
        (json.dumps({"inputs": RECORDS}), "application/json; charset=utf-8"),
        (json.dumps({"columns": ["a", "b", "c"], "data": ROWS}), JSON),  # MLflow 1.x
        (json.dumps(RECORDS), JSON),  # MLflow 1.x
        ("a,b,c\n1,2.5,x\n3,4.0,y\n", CSV),
        (table(), PARQUET),
    ],
)
def test_every_format_gives_the_same_predictions(body: str | bytes, content_type: str) -> None:
    """The two rows are worth 1 + 2.5 and 3 + 4, however they are written; text counts nothing."""
    encoded = body if isinstance(body, bytes) else body.encode()
    assert [predict(row) for row in rows_of(encoded, content_type)] == [3.5, 7.0]


def test_predictions_walk_tensors_and_count_booleans() -> None:
    """Nested lists are summed, True counts 1, null counts nothing, a bare number is itself."""
    rows = rows_of(json.dumps({"inputs": [[[1, 2], [3, True]], [[None, 0.5], []], 4]}).encode(), JSON)
    assert [predict(row) for row in rows] == [7.0, 0.5, 4.0]
    assert [predict(row) for row in rows_of(b'{"inputs": {"a": 1, "b": 2}}', JSON)] == [3.0]


@given(st.lists(st.floats(allow_nan=False, allow_infinity=False, width=32)))
def test_the_order_of_columns_does_not_matter(row: list[float]) -> None:
    """A prediction is the exactly rounded sum, so it is the same from any order."""
    assert predict(sorted(row)) == predict(row) == math.fsum(reversed(row))


@pytest.mark.parametrize(
    ("body", "content_type", "status"),
    [
        (b"", JSON, 400),
        (b"{", JSON, 400),
        (b"5", JSON, 400),
        (b"\xff", JSON, 400),
        (b"{}", JSON, 400),
        (b'{"inputs": [1], "instances": [1]}', JSON, 400),
        (b'{"inputs": 5}', JSON, 400),
        (b'{"inputs": {"a": [1], "b": [1, 2]}}', JSON, 400),
        (b'{"dataframe_split": [1]}', JSON, 400),
        (b"", CSV, 400),
        (b"PAR1", PARQUET, 400),
        (b"a\n1\n", "text/csv; header=present", 415),
        (b"a\n1\n", "", 415),
    ],
)
def test_a_body_without_rows_is_not_scored(body: bytes, content_type: str, status: int) -> None:
    """An unreadable body is MLflow's 400, an unknown content type its 415."""
    with pytest.raises(NotScored) as caught:
        rows_of(body, content_type)
    assert caught.value.status == status


@pytest.mark.parametrize(
    ("draw", "mean_s"),
    [
        (Constant(0.01), 0.01),
        (Exponential(0.01), 0.01),
        (TwoHumps(0.01, 0.03, second_share=0.25), 0.015),  # 0.75 · 10 + 0.25 · 30
    ],
)
def test_draws_have_their_mean_and_repeat(draw: Draw, mean_s: float) -> None:
    """Ten thousand draws average to the mean (within five standard errors at most), and come again."""
    drawn = list(islice(draw.times_s(), 10_000))
    assert sum(drawn) / len(drawn) == pytest.approx(mean_s, rel=0.05)
    assert drawn == list(islice(draw.times_s(), 10_000))
    assert min(drawn) >= 0


def test_draws_differ_by_their_seed_and_their_humps() -> None:
    """Two seeds give two runs; narrow humps have nothing between them, and the second its share."""
    first, second = (list(islice(Exponential(0.01, seed).times_s(), 5)) for seed in (1, 2))
    assert first != second
    drawn = list(islice(TwoHumps(0.01, 0.03, 0.25).times_s(), 10_000))
    assert not [time_s for time_s in drawn if 0.014 < time_s < 0.02]
    assert sum(time_s > 0.02 for time_s in drawn) / 10_000 == pytest.approx(0.25, abs=0.03)


@pytest.mark.parametrize(
    ("start_s", "work_s", "end_s"),
    [
        (0.0, 1.0, 1.0),  # done before the freeze from 5 to 10
        (4.0, 2.0, 11.0),  # one second before, one after it
        (4.0, 1.0, 10.0),  # done the moment it begins: too late to be answered
        (6.0, 0.5, 10.5),  # came inside it
        (10.0, 1.0, 11.0),
        (4.0, 13.0, 23.0),  # 1 before, 10 between 10 and 20, 2 after the second, from 20 to 21
        (12.0, 1.0, 13.0),
    ],
)
def test_freezes_suspend_work(start_s: float, work_s: float, end_s: float) -> None:
    """Work that meets a freeze ends later by what of the freeze it met."""
    assert after_freezes(start_s, work_s, [(20.0, 21.0), (5.0, 10.0)]) == end_s


@pytest.mark.parametrize(
    ("station", "calls", "spans"),
    [
        # One at a time: 0-3, then 3-5 for the call that came at 1, then idle until 6.
        (Station(1), [(0.0, 3.0), (1.0, 2.0), (6.0, 1.0)], [(0, 3), (3, 5), (6, 7)]),
        # Two at a time, of calls that come together: one has the first, the other the three that follow.
        (Station(2), [(0.0, 4.0), (0.0, 1.0), (0.0, 1.0), (0.0, 1.0)], [(0, 4), (0, 1), (1, 2), (2, 3)]),
        (Station(None), [(0.0, 2.0), (0.5, 2.0)], [(0, 2), (0.5, 2.5)]),
        # A freeze counts from the first call, at 100: what comes at 106 is held until 110.
        (Station(1, [(5.0, 10.0)]), [(100.0, 1.0), (106.0, 1.0)], [(100, 101), (110, 111)]),
    ],
    ids=["one", "two", "all", "frozen"],
)
def test_a_station_queues_as_by_hand(
    station: Station, calls: list[tuple[float, float]], spans: list[tuple[float, float]]
) -> None:
    """(arrival, service) of calls → (start, end) of each."""
    assert [station.serve(*call) for call in calls] == spans


def test_the_mean_wait_of_a_queue_is_the_textbooks() -> None:
    """M/M/1 of 100/s at 50/s: the mean response is 1 / (mu - lambda) = 20 ms."""
    services, gaps = Exponential(0.01, seed=1).times_s(), Exponential(0.02, seed=2).times_s()
    station, now_s, total_s = Station(1), 0.0, 0.0
    for _ in range(100_000):
        now_s += next(gaps)
        total_s += station.serve(now_s, next(services))[1] - now_s
    assert total_s / 100_000 == pytest.approx(0.020, rel=0.05)
