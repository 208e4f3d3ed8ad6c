"""Figures for programs: JSON by its schema, CSV a line a figure."""

from __future__ import annotations

import csv
import io
import json

import pytest
from hypothesis import given

from scorebench.figures.summary import summarise
from scorebench.recordings.calls import Calls
from scorebench.recordings.recording import Recording
from scorebench.report import FORMATS, render_csv, render_json
from scorebench.report.data import dumped
from scorebench.verdicts.limits import parse_limit
from scorebench.verdicts.verdict import judge
from tests.recordings import batches, calls, evenly, recording
from tests.schemas import schema, validator


@given(batches())
def test_any_summary_keeps_to_the_schema(batch: Calls) -> None:
    """By everybody's validator, with limits, in an open loop."""
    made = recording(batch, arrivals="poisson")
    summary = summarise(made)
    data = json.loads(render_json(summary, judge(summary, made, [parse_limit("p99<50ms")])))
    validator("summary").validate(data)


def test_the_schema_is_not_blind() -> None:
    """A figure of the wrong kind, and one that is missing, are refused."""
    made = recording(calls(evenly(3)))
    summary = summarise(made)
    by_schema = validator("summary")
    for change in ({"throughput_per_s": "fast"}, {"valid_share": 1.5}, {"unknown": 1}):
        data = json.loads(render_json(summary, judge(summary, made))) | change
        assert not by_schema.is_valid(data)


def test_every_part_of_the_summary_is_described() -> None:
    """Each property at the top has a description, or refers to what has one."""
    loaded = schema("summary")
    for name, part in loaded["properties"].items():
        target = loaded["$defs"][part["$ref"].rpartition("/")[2]] if "$ref" in part else part
        described = "description" in part or "description" in target
        assert described or set(part) & {"properties", "items"} or "intervals" in part.get("$ref", ""), name


def test_csv_holds_value_unit_and_bounds() -> None:
    """Throughput in calls/s, p50 between its bounds, and an empty cell for what is not known."""
    rows = {row["metric"]: row for row in csv.DictReader(io.StringIO(render_csv(summarise(run()))))}
    assert float(rows["throughput"]["value"]) == pytest.approx(100.0, rel=0.01)
    assert rows["throughput"]["unit"] == "calls/s"
    p50 = rows["service_p50"]
    assert float(p50["low"]) <= float(p50["value"]) <= float(p50["high"])
    assert rows["service_p99.9"]["value"] == ""
    assert rows["calls valid"]["value"] == "1000"


def run() -> Recording:
    return recording(calls(evenly(1_000)))


def test_nan_is_no_json() -> None:
    """A figure that is not a number is a bug to be seen, not a file that no parser reads."""
    with pytest.raises(ValueError, match="JSON"):
        dumped({"x": float("nan")})


@pytest.mark.parametrize("made", [Recording(), run()], ids=["empty", "full"])
@pytest.mark.parametrize("name", FORMATS)
def test_every_format_reports_any_run(name: str, made: Recording) -> None:
    """An empty run has a report too."""
    summary = summarise(made)
    assert FORMATS[name](made, summary, judge(summary, made)).strip()
