"""Has a server's metrics read while a test goes on, by a process of its own: see `scorebench.scrapes`.

Knows gevent, the process and when it ends; not what is in the metrics. No measurement depends on it.
"""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

import gevent
import msgspec
from gevent import subprocess

from scorebench.errors import InputError
from scorebench.figures.scraped import last_start_s
from scorebench.options.settings import Settings
from scorebench.plugin.lifecycle.gathered import Gathered
from scorebench.plugin.lifecycle.helpers import Helpers
from scorebench.recordings.happenings import METRICS_UNREAD, SERVER_RESTARTED
from scorebench.scrapes.exposed import MOST_SERIES, Exposed, Unreadable
from scorebench.scrapes.message import Scrape
from scorebench.scrapes.places import Places

MOST_S = 8.0
"""Longest that the report waits for the last reading."""
LONGEST_LINE = 1_000_000


class Scraping:
    """The process that scrapes for one test after the other; none without --scrape."""

    def __init__(self, gathered: Gathered, helpers: Helpers) -> None:
        self._gathered, self._helpers = gathered, helpers
        self._process: subprocess.Popen[bytes] | None = None
        self._reader: gevent.Greenlet | None = None
        self._before: tuple[float, Exposed] | None = None
        self._started_s = 0.0

    def check(self, settings: Settings) -> None:
        """Read them once before the load. InputError where --scrape names a place without metrics."""
        self._before = None
        if not settings.scrape:
            return
        try:
            found = Places(settings.scrape, settings.ca_file).scrape()
        except Unreadable as why:
            raise InputError(
                f"--scrape {why}; expected what Prometheus reads, such as http://localhost:8002/metrics"
            ) from None
        self._before = (time.time(), found)

    def begin(self, settings: Settings) -> None:
        """A test begins: read them regularly."""
        self.end()
        if not settings.scrape:
            return
        self._started_s = time.time()
        if self._before is not None:
            at_s, found = self._before
            self._gathered.scraped(at_s, found.counters, found.gauges)
            told_s = last_start_s(found.gauges) or 0.0  # after now, where the clock there is ahead
            self._started_s = max(self._started_s, told_s)
            self._before = None
        words = [] if settings.ca_file is None else [str(Path(settings.ca_file).absolute())]
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-m", "scorebench.scrapes", *words],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            start_new_session=True,  # Ctrl-C is for us: it ends when we say so, or are gone
        )
        assert self._process.stdin is not None
        urls = "".join(f"{place.url}\n" for place in settings.scrape)
        os.write(self._process.stdin.fileno(), f"{urls}\n".encode())
        self._reader = self._helpers.spawn("scraper", self._read, self._process)

    def end(self) -> None:
        """The load has ended: one last reading, and the process ends."""
        process, self._process = self._process, None
        if process is None:
            return
        assert process.stdin is not None
        process.stdin.close()
        if self._reader is not None:
            self._reader.join(MOST_S)
        if process.poll() is None:
            process.kill()
        process.wait()

    def _look_for_a_restart(self, gauges: dict[str, float]) -> None:
        """Of the server or a worker of it: it tells of a process that began after the test did."""
        started_s = last_start_s(gauges)
        if started_s is not None and started_s > self._started_s:
            self._started_s = started_s
            self._gathered.note(SERVER_RESTARTED)

    def _read(self, process: subprocess.Popen[bytes]) -> None:
        assert process.stdout is not None
        while line := process.stdout.readline(LONGEST_LINE):
            try:
                scrape = msgspec.json.decode(line, type=Scrape)
            except (msgspec.DecodeError, UnicodeDecodeError) as error:
                self._gathered.note_once(METRICS_UNREAD, f"{error}"[:500])
                continue
            if scrape.failed is None:
                self._gathered.scraped(scrape.t_s, scrape.counters, scrape.gauges)
                self._look_for_a_restart(scrape.gauges)
                if scrape.left_out:
                    self._gathered.note_once(METRICS_UNREAD, f"only the first {MOST_SERIES} series are kept")
            else:
                self._gathered.note_once(METRICS_UNREAD, scrape.failed)
        if process is self._process:  # nobody has asked it to end
            self._gathered.note_once(METRICS_UNREAD, "the process that reads them ended")
