"""Recorded traffic is sent as it came: its bodies, in the order and at the times of the recording."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from scorebench.errors import InputError
from scorebench.load.arrivals import parse
from scorebench.load.dealing import Epoch, Tickets
from scorebench.payloads.bodies import load_bodies

SPLIT = '{"dataframe_split": {"columns": ["a"], "data": [[1]]}}'


def captured(data: str, at: str = "2024-05-06T07:08:09Z", **changes: Any) -> str:
    """A line as SageMaker's data capture writes it, by its documentation."""
    asked = {"observedContentType": "application/json", "mode": "INPUT", "data": data, "encoding": "JSON"}
    answered = {**asked, "mode": "OUTPUT", "data": "[1.5]"}
    return json.dumps(
        {
            "captureData": {"endpointInput": asked | changes, "endpointOutput": answered},
            "eventMetadata": {"eventId": "e", "inferenceTime": at},
            "eventVersion": "0",
        }
    )


def test_a_data_capture_of_sagemaker(tmp_path: Path) -> None:
    """JSON, CSV and base64, each with the content type that was observed; sorted by their times."""
    lines = [
        captured(SPLIT, "2024-05-06T07:08:12Z"),
        captured("a\n1\n2\n", "2024-05-06T07:08:10Z", observedContentType="text/csv", encoding="CSV"),
        captured(base64.b64encode(SPLIT.encode()).decode(), "2024-05-06T07:08:11Z", encoding="BASE64"),
    ]
    (tmp_path / "2024").mkdir()
    (tmp_path / "2024" / "capture.jsonl").write_text("\n".join(lines))
    payload = load_bodies(tmp_path)
    assert payload.bodies == (b"a\n1\n2\n", SPLIT.encode(), SPLIT.encode())
    assert payload.content_types == ("text/csv", "application/json", "application/json")
    assert payload.rows == (2, 1, 1)
    # 2024-05-06T07:08:10Z in Unix seconds
    assert payload.times_s == tuple(1_714_979_290.0 + second for second in range(3))
    assert "whole seconds" in payload.notes[0]


@pytest.mark.parametrize(
    ("line", "complaint"),
    [
        ('{"captureData": {}, "eventMetadata": {}}', "line 1: found a data capture without endpointInput"),
        (captured("!", encoding="BASE64"), "line 1: found data that is no base64"),
        (captured(SPLIT, "yesterday"), "line 1: found inferenceTime 'yesterday'"),
        (captured('{"rows": 1}'), "line 1: found keys 'rows'"),
        (captured("x", observedContentType="image/png"), "line 1: found no suffix, expected"),
    ],
)  # fmt: skip
def test_a_bad_line_of_a_capture_is_named(line: str, complaint: str, tmp_path: Path) -> None:
    """One line, with its number."""
    (tmp_path / "c.jsonl").write_text(line)
    with pytest.raises(InputError, match=complaint):
        load_bodies(tmp_path / "c.jsonl")


@pytest.mark.parametrize(
    ("name", "times"),
    [
        ("timestamp_ms", pa.array([2_500, 1_000, 1_250, 3_000], pa.int64())),
        (
            "request_time",
            pa.array(np.array([2_500, 1_000, 1_250, 3_000], "datetime64[ms]"), pa.timestamp("us", "UTC")),
        ),
    ],
)
def test_an_inference_table_of_databricks(name: str, times: pa.Array, tmp_path: Path) -> None:
    """Requests in the order of their times; a row without one is left out, and that is said."""
    requests = [SPLIT, SPLIT.replace("1", "2"), SPLIT.replace("1", "3"), None]
    table = {"request": requests, name: times, "status_code": [200] * 4, "response": ["{}"] * 4}
    pq.write_table(pa.table(table), tmp_path / "t.parquet")
    payload = load_bodies(tmp_path / "t.parquet")
    assert payload.bodies == (requests[1].encode(), requests[2].encode(), requests[0].encode())  # type: ignore[union-attr]
    assert payload.times_s == (1.0, 1.25, 2.5)
    assert payload.notes == (
        "1 of 4 recorded requests are not sent: they have no body (Databricks leaves out large ones)",
    )


def test_a_delta_table_is_its_newest_version(tmp_path: Path) -> None:
    """A file that the log has removed is no longer in the table, though it is in the folder."""
    for number in (1, 2):
        table = {"request": [SPLIT.replace("1", str(number))], "timestamp_ms": [number]}
        pd.DataFrame(table).to_parquet(tmp_path / f"part {number}.parquet")
    (tmp_path / "_delta_log").mkdir()
    commits = ['{"add": {"path": "part%201.parquet"}}\n{"add": {"path": "part%202.parquet"}}']
    commits += ['{"commitInfo": {}}\n{"remove": {"path": "part%201.parquet"}}']
    for number, commit in enumerate(commits):
        (tmp_path / "_delta_log" / f"{number:020}.json").write_text(commit)
    assert load_bodies(tmp_path).bodies == (SPLIT.replace("1", "2").encode(),)
    (tmp_path / "_delta_log" / f"{0:020}.json").unlink()
    with pytest.raises(InputError, match="lacks its first commit"):
        load_bodies(tmp_path)


def test_recorded_times_are_due_times() -> None:
    """From the first at 0, and twice as fast with *2; each body at its own time."""
    assert list(parse("recorded", None, None, 1).at_times((10.0, 11.0, 14.0)).due_times()) == [0.0, 1.0, 4.0]
    second = Tickets(parse("recorded", None, None, 1).at_times((10.0, 11.0, 14.0)), Epoch(0.0, 1, 2))
    assert list(second) == [(1.0, 1)]  # as worker 1 of 2 takes the bodies 1, 3, …
    assert list(parse("recorded*2", None, 1.0, 1).at_times((10.0, 11.0, 14.0)).due_times()) == [0.0, 0.5]
    with pytest.raises(InputError, match="--arrivals recorded: the bodies have no times"):
        parse("recorded", None, None, 1).at_times(())
    with pytest.raises(InputError, match=r"--arrivals recorded\*fast, speed: found 'fast'"):
        parse("recorded*fast", None, None, 1)
    with pytest.raises(InputError, match="recorded has its own times"):
        parse("poisson+recorded", None, None, 1)
