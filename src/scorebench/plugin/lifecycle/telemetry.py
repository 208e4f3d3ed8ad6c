"""Has a run's counts sent to a receiver of OpenTelemetry while it goes on, and once at its end.

Knows gevent and when; what is sent, and how, is the exporter's. A receiver that does not answer costs a
line in the log: no measurement depends on it.
"""

from __future__ import annotations

import logging
import os
import time

import gevent
from gevent.event import Event
from gevent.lock import BoundedSemaphore

from scorebench.plugin.lifecycle.progress import Progress
from scorebench.recordings.recording import Recording
from scorebench.telemetry.otlp import Exporter

INTERVAL_VARIABLE, INTERVAL_S = "OTEL_METRIC_EXPORT_INTERVAL", 10.0
"""OpenTelemetry's own, in milliseconds; and what holds where it is not set."""
MOST_S = 15.0
"""Longest that the end of Locust is put off."""

logger = logging.getLogger("scorebench")


class Telemetry:
    """What is sent for one test after the other; nothing without --otlp."""

    def __init__(self) -> None:
        self._exporter: Exporter | None = None
        self._one_at_a_time = BoundedSemaphore()  # what is sent first must come first
        self._sent_all = Event()
        self._sent_all.set()

    def begin(self, place: str | None) -> None:
        """A test begins. InputError where the SDK is missing."""
        if place is None:
            return
        self._exporter = Exporter(place)
        self._sent_all.clear()
        logging.getLogger("opentelemetry").setLevel(logging.CRITICAL)  # a failure is told once, by us

    def send_regularly(self, progress: Progress) -> None:
        """Send while the test goes on; for a greenlet of its own."""
        while (exporter := self._exporter) is not None and progress.is_under_way:
            gevent.sleep(_interval_s())
            if progress.is_under_way and exporter is self._exporter:
                self._send(exporter, progress.so_far())

    def end(self, recording: Recording) -> None:
        """The test is over: send all that it came to."""
        exporter, self._exporter = self._exporter, None
        try:
            if exporter is not None:
                self._send(exporter, recording)
                exporter.close()
        finally:
            self._sent_all.set()

    def wait(self) -> None:
        """Locust is about to exit: wait for what a test that ended has still to send."""
        self._sent_all.wait(MOST_S)

    def _send(self, exporter: Exporter, recording: Recording) -> None:
        with self._one_at_a_time:
            taken = exporter.send(recording, time.time())
        if not taken and exporter.failed == 1:
            logger.warning("scorebench: --otlp: the receiver does not take the metrics; the run goes on")


def _interval_s() -> float:
    try:
        given_ms = float(os.environ.get(INTERVAL_VARIABLE, ""))
    except ValueError:
        return INTERVAL_S
    return given_ms / 1e3 if given_ms > 0 else INTERVAL_S
