"""What any call to a target takes at least: a connection, and GET /ping. Measured before the run."""

from __future__ import annotations

from pathlib import Path
from statistics import median
from time import perf_counter as clock
from typing import Any

from scorebench.answers.http_message import CallFailed
from scorebench.client.target import Target
from scorebench.client.timed import TimedConnection
from scorebench.client.tls import Certificate, client_context
from scorebench.client.watchdog import Watchdog

PINGS = 20
TIMEOUT_S = 5.0
_MOST_BYTES = 65_536


def floor_of(
    target: Target, ca_file: Path | None = None, certificate: Certificate | None = None
) -> dict[str, Any] | None:
    """Seconds for name, connection and TLS of one connection, and the median of `PINGS` calls over it.

    None where a ping has no answer. Its status is shown: a 404 takes as long as any answer takes at least.
    """
    connection = TimedConnection(
        target,
        Watchdog(),
        timeout_s=TIMEOUT_S,
        connect_timeout_s=TIMEOUT_S,
        max_answer_bytes=_MOST_BYTES,
        tls=client_context(ca_file, certificate) if target.scheme == "https" else None,
    )
    request, took_s, status = target.get("/ping"), [], None
    try:
        connection.call(request)  # opens, and is no ping alone
        name_s, connect_s, tls_s, _, _ = connection.phases
        for _ in range(PINGS):
            began_s = clock()
            answer = connection.call(request)
            took_s.append(clock() - began_s)
            status = None if answer is None else answer.status
    except CallFailed:
        return None
    finally:
        connection.close()
    return {
        "name_s": name_s,
        "connect_s": connect_s,
        "tls_s": tls_s if target.scheme == "https" else None,
        "ping_s": median(took_s),
        "pings": PINGS,
        "ping_status": status,
    }
