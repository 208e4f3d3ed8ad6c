"""One GET of a server's metrics: capped in size and time, TLS verified. Knows our connection; no run."""

from __future__ import annotations

from pathlib import Path

from scorebench.answers.http_message import CallFailed
from scorebench.client.connection import Connection
from scorebench.client.target import Target
from scorebench.client.tls import client_context
from scorebench.client.watchdog import Watchdog
from scorebench.scrapes.exposed import MOST_SERIES, Exposed, Unreadable, read

TIMEOUT_S = 5.0
MOST_BYTES = 4_000_000
_ACCEPT = {"Accept": "text/plain; version=0.0.4"}


class Place:
    """Where a server shows its metrics. Nothing that signs in is sent there."""

    def __init__(
        self,
        target: Target,
        ca_file: Path | None = None,
        *,
        most_series: int = MOST_SERIES,
        instance: str | None = None,
    ) -> None:
        self._target, self._most_series, self._instance = target, most_series, instance
        self.shown = target.shown
        self._tls = client_context(ca_file) if self._target.scheme == "https" else None

    def scrape(self) -> Exposed:
        """Its series now; Unreadable, with the reason, where there are none."""
        connection = Connection(
            self._target,
            Watchdog(),
            timeout_s=TIMEOUT_S,
            connect_timeout_s=TIMEOUT_S,
            max_answer_bytes=MOST_BYTES,
            tls=self._tls,
        )
        try:
            answer = connection.call(self._target.get(self._target.path, _ACCEPT))
        except CallFailed as failure:
            raise Unreadable(str(failure)) from None
        finally:
            connection.close()
        if answer is None or answer.status != 200:
            raise Unreadable("no answer" if answer is None else f"it answered with status {answer.status}")
        return read(answer.body.decode("utf-8", "replace"), self._most_series, self._instance)
