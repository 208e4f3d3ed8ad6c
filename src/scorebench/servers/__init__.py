"""Starts the servers to measure: MLflow's web server, its Docker image, its SageMaker image.

Knows how servers are started, watched and stopped; nothing of load.

    server = servers.create("webserver", model_uri="model", workers=2, cpus=(0,), log_folder=Path("run"))
    with servers.running(server, progress):      # start, wait_ready; stop at the end, however it ends
        info = server.describe()                 # ServerInfo, for the recording
        ...                                      # measure server.endpoint; ask server.alive() every second

Errors: InputError (the user's, before anything was started), ServerFailed (the server's own, exit status 1).
"""

from __future__ import annotations

import atexit
import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from scorebench.errors import InputError
from scorebench.servers.cores import check_cpus, parse_cpus
from scorebench.servers.kinds import KINDS, Wanted, names
from scorebench.servers.protocol import Progress, Server, ServerFailed, ServerInfo
from scorebench.signals import sigterm_unwinds

__all__ = [
    "KINDS",
    "Progress",
    "Server",
    "ServerFailed",
    "ServerInfo",
    "Wanted",
    "check_cpus",
    "create",
    "parse_cpus",
    "running",
]


def create(
    name: str,
    *,
    model_uri: str,
    port: int | None = None,
    **wanted: Any,
) -> Server:
    """The server of the kind `name`, not yet started. `port` None: the kind's own; `wanted`: see Wanted."""
    if name not in KINDS:
        raise InputError(f"{name}: no such server; expected one of {names()}")
    kind = KINDS[name]
    return kind.create(Wanted(model_uri=model_uri, port=kind.port if port is None else port, **wanted))


@contextmanager
def running(
    server: Server, progress: Progress | None = None, ready_timeout_s: float | None = None
) -> Iterator[Server]:
    """Start, wait until ready, and stop at the end: normal, failure, Ctrl-C, SIGTERM (exit status 143).

    A signal while it stops has the stopping begin anew, at the process's end. A process that was forked
    inside (Locust's --processes) leaves the server alone.
    """
    owner = os.getpid()

    def stop() -> None:
        if os.getpid() == owner:
            server.stop()

    atexit.register(stop)  # a sys.exit in a greenlet, or a loop that never returns to us
    with sigterm_unwinds():
        try:
            server.start(progress)
            server.wait_ready(progress, ready_timeout_s)
            yield server
        finally:
            stop()
            atexit.unregister(stop)
