"""Has a server's metrics read while a test goes on, by a process of its own: see `scorebench.scrapes`.

Knows gevent, the process and when it ends; not what is in the metrics. No measurement depends on it.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Mapping
from functools import lru_cache
from pathlib import Path

import gevent
import msgspec
from gevent import subprocess

from scorebench.client.access import Access
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
KNOWN_NAMES = 4_096
"""Of series, of which it is remembered that they hold no credential: to look takes long beside users."""


class Scraping:
    """The process that scrapes for one test after the other; none without --scrape."""

    def __init__(self, gathered: Gathered, helpers: Helpers, access: Callable[[Settings], Access]) -> None:
        self._gathered, self._helpers, self._access = gathered, helpers, access
        self._hidden: Callable[[bytes], bytes] = bytes
        """Takes the credentials of calls out of what may be shown: a server may send them back here too."""
        self._is_harmless = lru_cache(KNOWN_NAMES)(lambda name: self._shown(name) == name)
        self._process: subprocess.Popen[bytes] | None = None
        self._reader: gevent.Greenlet | None = None
        self._before: tuple[float, Exposed] | None = None
        self._started_s = 0.0

    def check(self, settings: Settings) -> None:
        """Read them once before the load. InputError where --scrape names a place without metrics."""
        self._before = None
        if not settings.scrape:
            return
        self._hidden = self._access(settings).hidden
        self._is_harmless.cache_clear()
        try:
            found = Places(settings.scrape, settings.ca_file).scrape()
        except Unreadable as why:
            raise InputError(
                f"--scrape {self._shown(str(why))}; expected what Prometheus reads, such as "
                "http://localhost:8002/metrics"
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
            self._gathered.scraped(at_s, self._harmless(found.counters), self._harmless(found.gauges))
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

    def _shown(self, text: str) -> str:
        return self._hidden(text.encode("utf-8", "replace")).decode("utf-8", "replace")

    def _harmless(self, series: Mapping[str, float]) -> dict[str, float]:
        """Those without a secret in their names: with it taken out, two might become one."""
        kept = {name: value for name, value in series.items() if self._is_harmless(name)}
        if len(kept) < len(series):
            self._gathered.note_once(METRICS_UNREAD, "series with what may be a credential are left out")
        return kept

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
                counters, gauges = self._harmless(scrape.counters), self._harmless(scrape.gauges)
                self._gathered.scraped(scrape.t_s, counters, gauges)
                self._look_for_a_restart(scrape.gauges)
                if scrape.left_out:
                    self._gathered.note_once(METRICS_UNREAD, f"only the first {MOST_SERIES} series are kept")
            else:
                self._gathered.note_once(METRICS_UNREAD, self._shown(scrape.failed))
        if process is self._process:  # nobody has asked it to end
            self._gathered.note_once(METRICS_UNREAD, "the process that reads them ended")
