"""A recording → OpenTelemetry's protocol over HTTP, by its SDK. Knows instruments; not when they are sent."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from scorebench import __version__
from scorebench.client.hiding import in_urls
from scorebench.errors import InputError
from scorebench.extras import install
from scorebench.telemetry.instruments import BOUNDS_S, Kind, buckets, histograms, readings

if TYPE_CHECKING:
    from scorebench.recordings.histogram import Histogram
    from scorebench.recordings.recording import Recording

BY_VARIABLES = "env"
"""In place of a URL: OpenTelemetry's own variables say where to."""
VARIABLES = ("OTEL_EXPORTER_OTLP_METRICS_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT")
_PATH = "/v1/metrics"
_TIMEOUT_S = 5.0


def checked(place: str) -> str:
    """`place`, where a receiver can be: a URL, or `env`. InputError for anything else."""
    if place == BY_VARIABLES:
        if not any(os.environ.get(name) for name in VARIABLES):
            raise InputError(f"--otlp env: none of {', '.join(VARIABLES)} is set; set one, or give a URL")
        return place
    try:
        parts = urlsplit(place)
        is_url = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:  # brackets without an address, a port beyond 65535
        is_url = False
    if not is_url:
        raise InputError(f"--otlp {in_urls(place)}: expected a URL such as http://localhost:4318, or env")
    return place


class Exporter:
    """Sends all that a run has counted until now, each time anew: its counters are cumulative."""

    def __init__(self, place: str) -> None:
        """InputError where OpenTelemetry's SDK is not installed. Headers come from its own variables."""
        try:
            from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
            from opentelemetry.sdk.resources import Resource
        except ImportError:
            raise InputError(f"--otlp: OpenTelemetry is not installed; {install('otel')}") from None
        named = "OTEL_SERVICE_NAME" in os.environ
        attributes = {"service.version": __version__} | ({} if named else {"service.name": "scorebench"})
        self._resource = Resource.create(attributes)
        timeout_s = None if "OTEL_EXPORTER_OTLP_TIMEOUT" in os.environ else _TIMEOUT_S
        self._exporter = OTLPMetricExporter(endpoint=_endpoint(place), timeout=timeout_s)
        self.failed = 0
        """How often the receiver did not take what was sent."""

    def send(self, recording: Recording, now_s: float) -> bool:
        """Send what `recording` holds at `now_s` (Unix seconds); whether it was taken."""
        from opentelemetry.sdk.metrics.export import MetricExportResult

        taken = self._exporter.export(self._data(recording, now_s)) is MetricExportResult.SUCCESS
        self.failed += not taken
        return taken

    def close(self) -> None:
        """Send nothing more."""
        self._exporter.shutdown()

    def _data(self, recording: Recording, now_s: float) -> Any:
        from opentelemetry.sdk.metrics.export import MetricsData, ResourceMetrics, ScopeMetrics
        from opentelemetry.sdk.util.instrumentation import InstrumentationScope

        start_ns = int(1e9 * float(recording.environment.get("started_s") or now_s))
        span = {"start_time_unix_nano": start_ns, "time_unix_nano": int(1e9 * now_s)}
        scope = ScopeMetrics(InstrumentationScope("scorebench", __version__), _metrics(recording, span), "")
        return MetricsData([ResourceMetrics(self._resource, [scope], "")])


def _endpoint(place: str) -> str | None:
    """None: as the variables say. As for these, the path of metrics is put behind a bare URL."""
    if place == BY_VARIABLES:
        return None
    return place.rstrip("/") + _PATH if urlsplit(place).path in ("", "/") else place


def _metrics(recording: Recording, span: dict[str, int]) -> list[Any]:
    from opentelemetry.sdk.metrics import export as sdk

    cumulative = sdk.AggregationTemporality.CUMULATIVE
    found = []
    for one, values in readings(recording):
        points = [
            sdk.NumberDataPoint({one.label: label} if one.label else {}, value=value, **_for(one.kind, span))
            for label, value in values.items()
        ]
        data = sdk.Sum(points, cumulative, True) if one.kind is Kind.COUNTER else sdk.Gauge(points)
        if points:
            found.append(sdk.Metric(one.otel_name, one.says, one.unit, data))
    for one, times in histograms(recording):
        histogram = sdk.Histogram([_point(times, span)], cumulative)
        found.append(sdk.Metric(one.otel_name, one.says, one.unit, histogram))
    return found


def _for(kind: Kind, span: dict[str, int]) -> dict[str, Any]:
    return {**span, "start_time_unix_nano": None} if kind is Kind.GAUGE else dict(span)


def _point(times: Histogram, span: dict[str, int]) -> Any:
    from opentelemetry.sdk.metrics.export import HistogramDataPoint

    return HistogramDataPoint(
        attributes={},
        **span,
        count=times.count,
        sum=times.sum_s,
        bucket_counts=buckets(times),
        explicit_bounds=BOUNDS_S,
        min=times.min_s or 0.0,
        max=times.max_s or 0.0,
    )
