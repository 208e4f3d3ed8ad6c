"""A recording → the text that Prometheus reads, by prometheus-client. Knows instruments; no web page."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import accumulate
from typing import TYPE_CHECKING, Any

from prometheus_client import CollectorRegistry
from prometheus_client.exposition import choose_encoder
from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily

from scorebench.telemetry.instruments import BOUNDS_S, Kind, buckets, histograms, readings

if TYPE_CHECKING:
    from scorebench.recordings.recording import Recording


def exposed(recording: Recording, accept: str = "") -> tuple[bytes, str]:
    """The text and its content type: OpenMetrics where `accept` asks for it, else Prometheus' own."""
    registry = CollectorRegistry()
    registry.register(_Collector(recording))
    encode, content_type = choose_encoder(accept)
    return encode(registry), content_type


class _Collector:
    def __init__(self, recording: Recording) -> None:
        self._recording = recording

    def collect(self) -> Iterator[Any]:
        for one, values in readings(self._recording):
            family = CounterMetricFamily if one.kind is Kind.COUNTER else GaugeMetricFamily
            found = family(one.metrics_name, one.says, labels=[one.label] if one.label else [])
            for label, value in values.items():
                found.add_metric([label] if one.label else [], value)
            yield found
        for one, times in histograms(self._recording):
            bounds = [*map(str, BOUNDS_S), "+Inf"]
            upto = list(zip(bounds, accumulate(buckets(times)), strict=True))
            yield HistogramMetricFamily(one.metrics_name, one.says, buckets=upto, sum_value=times.sum_s)
