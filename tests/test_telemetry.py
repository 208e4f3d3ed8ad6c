"""What a run tells Prometheus and OpenTelemetry is what its report says, read by their own libraries."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import numpy as np
import pytest
from grafana_foundation_sdk.cog import plugins
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models.dashboard import Dashboard
from grafana_foundation_sdk.models.prometheus import Dataquery as PrometheusQuery
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from prometheus_client.openmetrics.parser import text_string_to_metric_families as open_metrics
from prometheus_client.parser import text_string_to_metric_families as prometheus

from scorebench.answers.outcome import Outcome
from scorebench.answers.streams import Streamed
from scorebench.errors import InputError
from scorebench.figures.summary import summarise
from scorebench.recordings.recording import Recording
from scorebench.recordings.streams import streams_of
from scorebench.telemetry.instruments import BOUNDS_S, TABLE, Kind
from scorebench.telemetry.otlp import Exporter, checked
from scorebench.telemetry.prometheus import exposed
from tests.commands import ROOT, scorebench
from tests.recordings import START_S, calls, evenly, recording
from tests.scoring_server import scoring_server

SERVICES_S = (0.00005, 0.0002, 0.004, 0.09, 0.09, 0.3, 2.0, 70.0)
DASHBOARD = ROOT / "deploy" / "grafana" / "scorebench.json"


def measured() -> Recording:
    """Eight valid calls with known times, two that failed, and streams in the first two."""
    stream = Streamed(Outcome.VALID, 0.2, 1.0, 3, 60, (0.3, 0.5), 7, 11)
    streams = streams_of([(0, stream), (1, stream)], np.zeros(8))
    batch = replace(calls(evenly(8, 10.0, SERVICES_S), rows=2), streams=streams)
    made = recording(batch, started_s=START_S)
    made.add(calls(evenly(2), outcome=Outcome.OVERLOADED))
    made.reconnects = 3
    made.resources = [
        {"t_s": START_S + at, "who": f"generator {who}", "cpu": 0.1, "rss_bytes": 1, "users": users}
        for at, who, users in ((0, 0, 1), (0, 1, 5), (1, 0, 4))
    ]
    return made


def samples(parse: Any, text: bytes) -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
    """Every sample by its name and labels."""
    return {
        (one.name, tuple(sorted(one.labels.items()))): one.value
        for family in parse(text.decode())
        for one in family.samples
    }


@pytest.mark.parametrize(
    ("accept", "parse"), [("", prometheus), ("application/openmetrics-text; version=1.0.0", open_metrics)]
)
def test_the_text_says_what_the_report_says(accept: str, parse: Any) -> None:
    """prometheus-client's own parsers read it. Sums and counts are the summary's; users are 4 + 5."""
    made = measured()
    text, content_type = exposed(made, accept)
    found, summary = samples(parse, text), summarise(made)
    assert content_type.startswith(accept.partition(";")[0] or "text/plain")
    calls_of = {labels[0][1]: n for (name, labels), n in found.items() if name == "scorebench_calls_total"}
    assert calls_of == dict(summary.outcomes)
    assert found["scorebench_rows_total", ()] == summary.rows == 16
    assert found["scorebench_users", ()] == 9
    assert found["scorebench_reconnects_total", ()] == 3
    assert summary.streams is not None
    assert found["scorebench_chunks_total", ()] == summary.streams.chunks == 6
    assert found["scorebench_stream_size_bytes_total", ()] == 120
    assert found["scorebench_output_tokens_total", ()] == summary.streams.output_tokens == 22
    for name, times in (
        ("service_time", summary.service),
        ("response_time", summary.response),
        ("first_chunk", summary.streams.first_chunk),
        ("chunk_gap", summary.streams.chunk_gap),
    ):
        assert found[f"scorebench_{name}_seconds_count", ()] == times.count
        assert found[f"scorebench_{name}_seconds_sum", ()] == pytest.approx(times.sum_s)


def test_buckets_hold_what_is_at_most_their_bound() -> None:
    """Cumulative: of the eight durations so many are at most each bound, 70 s only in +Inf."""
    found = samples(prometheus, exposed(measured())[0])
    upto = {
        float(labels[0][1]): count
        for (name, labels), count in found.items()
        if name == "scorebench_service_time_seconds_bucket"
    }
    assert upto == {bound: sum(one <= bound for one in SERVICES_S) for bound in (*BOUNDS_S, math.inf)}


def test_names_follow_openmetrics() -> None:
    """Base units, a unit's name at the end, no `_total` in a family's name, nothing twice."""
    names = [one.metrics_name for one in TABLE]
    assert len(set(names)) == len(names)
    for one in TABLE:
        assert re.fullmatch(r"scorebench_[a-z_]+", one.metrics_name)
        assert not one.metrics_name.endswith("_total")
        assert (one.unit == "s") == one.metrics_name.endswith("_seconds") == (one.kind is Kind.HISTOGRAM)
        assert (one.unit == "By") == one.metrics_name.endswith("_bytes")


@contextmanager
def receiver(status: int = 200) -> Iterator[tuple[str, list[tuple[str, ExportMetricsServiceRequest]]]]:
    """A receiver of OTLP over HTTP: its URL, and (path, what came) of each request."""
    got: list[tuple[str, ExportMetricsServiceRequest]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            request = ExportMetricsServiceRequest()
            request.ParseFromString(body)
            got.append((self.path, request))
            self.send_response(status)
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            """Silent."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}", got
    finally:
        server.shutdown()
        server.server_close()


def points(request: ExportMetricsServiceRequest) -> dict[str, Any]:
    """By name: the metric in its message."""
    (resource,) = request.resource_metrics
    (scope,) = resource.scope_metrics
    return {metric.name: metric for metric in scope.metrics}


def test_what_opentelemetry_gets_is_the_same() -> None:
    """Decoded by the protocol's own classes: sums are cumulative, histograms have our bounds."""
    made = measured()
    with receiver() as (url, got):
        assert Exporter(url).send(made, START_S + 10)
    ((path, request),) = got
    assert path == "/v1/metrics"
    (resource,) = request.resource_metrics
    told = {one.key: one.value.string_value for one in resource.resource.attributes}
    assert told["service.name"] == "scorebench"
    found = points(request)
    outcomes = {
        one.attributes[0].value.string_value: getattr(one, str(one.WhichOneof("value")))
        for one in found["scorebench.calls"].sum.data_points
    }
    assert outcomes == dict(summarise(made).outcomes)
    assert found["scorebench.calls"].sum.is_monotonic
    assert found["scorebench.calls"].sum.aggregation_temporality == 2  # cumulative
    service = found["scorebench.service_time"]
    (point,) = service.histogram.data_points
    assert (service.unit, point.count, point.sum) == ("s", 8, pytest.approx(sum(SERVICES_S)))
    assert (tuple(point.explicit_bounds), sum(point.bucket_counts)) == (BOUNDS_S, 8)
    assert (point.start_time_unix_nano, point.time_unix_nano) == (
        int(START_S * 1e9),
        int((START_S + 10) * 1e9),
    )


@pytest.mark.parametrize(
    "place",
    [
        *("localhost:4318", "grpc://localhost:4317", "http://", "nothing"),
        *("http://[x", "http://h:99999", "http://h:0"),  # urllib raises for the first two
    ],
)
def test_a_receiver_is_a_url(place: str) -> None:
    """Anything else is refused before the run."""
    with pytest.raises(InputError, match="expected a URL such as http://localhost:4318, or env"):
        checked(place)


def test_the_variables_have_to_be_there(monkeypatch: pytest.MonkeyPatch) -> None:
    """`env` means OpenTelemetry's own variables: one of them has to be set."""
    monkeypatch.delenv("OTEL_EXPORTER_OTLP_ENDPOINT", raising=False)
    monkeypatch.delenv("OTEL_EXPORTER_OTLP_METRICS_ENDPOINT", raising=False)
    with pytest.raises(InputError, match=r"--otlp env: none of .* is set"):
        checked("env")
    with receiver() as (url, got):
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", url)
        assert checked("env") == "env"
        assert Exporter("env").send(measured(), START_S)
        assert [path for path, _ in got] == ["/v1/metrics"]


def test_a_run_sends_as_it_goes_on_and_at_its_end(tmp_path: Path) -> None:
    """Several times in two seconds; the last as the report says. Where nobody takes it the run is good."""
    with scoring_server() as server, receiver() as (url, got):
        words = ["--rate", "40", "--run-time", "2s", "--users", "2", "--otlp"]
        done = scorebench(tmp_path, "run", server.url, *words, url, OTEL_METRIC_EXPORT_INTERVAL="400")
        assert len(got) >= 2
        last = points(got[-1][1])
        with receiver(status=400) as (deaf, heard):
            (tmp_path / "deaf").mkdir()
            other = scorebench(tmp_path / "deaf", "run", server.url, "--calls", "20", "--otlp", deaf)
    (point,) = last["scorebench.service_time"].histogram.data_points
    assert (done.code, point.count) == (0, done.summary["valid"])
    assert point.sum == pytest.approx(done.summary["service_time_s"]["mean"] * point.count)
    assert (other.code, len(heard)) == (0, 1)
    assert "--otlp: the receiver does not take the metrics" in other.out + other.err


def test_the_docs_list_each_metric() -> None:
    """docs/telemetry.md has a row for each of the table, in its order."""
    page = (ROOT / "docs" / "telemetry.md").read_text()
    rows = [line for line in page.splitlines() if line.startswith("| `scorebench.")]
    assert [re.findall(r"`(scorebench\.\w+)`", row)[0] for row in rows] == [one.otel_name for one in TABLE]
    assert all(one.says in row for one, row in zip(TABLE, rows, strict=True))


def test_the_dashboard_asks_for_what_there_is() -> None:
    """It loads as Grafana takes it: each panel has a place of its own, and each query names our metrics."""
    board = json.loads(DASHBOARD.read_text())
    assert (board["uid"], board["title"], board["schemaVersion"]) == ("scorebench", "scorebench", 39)
    variables = {one["name"] for one in board["templating"]["list"]}
    places: set[tuple[int, int]] = set()
    asked: set[str] = set()
    for panel in board["panels"]:
        assert panel["title"]
        assert panel["description"]
        assert panel["type"] == "timeseries"
        grid = panel["gridPos"]
        cells = {
            (x, y)
            for x in range(grid["x"], grid["x"] + grid["w"])
            for y in range(grid["y"], grid["y"] + grid["h"])
        }
        assert not places & cells
        assert max(x for x, _ in cells) < 24
        places |= cells
        for target in panel["targets"]:
            assert target["datasource"] == {"type": "prometheus", "uid": "${datasource}"}
            asked |= set(re.findall(r"scorebench_\w+", target["expr"]))
            assert set(re.findall(r"\$(\w+)", target["expr"])) <= variables | {"__rate_interval"}
    known = {
        one.metrics_name + suffix
        for one in TABLE
        for suffix in {"counter": ("_total",), "gauge": ("",), "histogram": ("_bucket",)}[one.kind]
    }
    assert asked == known
    assert len({panel["id"] for panel in board["panels"]}) == len(board["panels"])


def test_the_dashboard_is_one_by_grafanas_own_types() -> None:
    """Decoded by the types that Grafana makes from its schema, and written again: nothing is lost.

    They drop what the schema does not know, so what is left out of them Grafana would not read.
    """
    plugins.register_default_plugins()
    board = json.loads(DASHBOARD.read_text())
    read = Dashboard.from_json(board)
    assert all(isinstance(target, PrometheusQuery) for one in read.panels or [] for target in one.targets)
    written = json.loads(json.dumps(read, cls=JSONEncoder))
    assert list(lost(board, written)) == []
    assert list(lost(board | {"schemaversion": 1}, written)) == ["/schemaversion"]


def lost(ours: Any, theirs: Any, path: str = "") -> Iterator[str]:
    """Where `theirs` lacks something of `ours`, or has another value."""
    if isinstance(ours, dict) and isinstance(theirs, dict):
        for name, value in ours.items():
            yield from lost(value, theirs[name], f"{path}/{name}") if name in theirs else [f"{path}/{name}"]
    elif isinstance(ours, list) and isinstance(theirs, list) and len(ours) == len(theirs):
        for at, (mine, other) in enumerate(zip(ours, theirs, strict=True)):
            yield from lost(mine, other, f"{path}/{at}")
    elif ours != theirs:
        yield path
