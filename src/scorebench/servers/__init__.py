"""Brings up what is measured: MLflow's web server, its Docker image, its SageMaker image, or a URL that runs.

Knows how servers are started, watched and stopped; nothing of load.

    server = servers.create("webserver", model_uri="model", workers=2, cpus=(0,), log_folder=Path("run"))
    with servers.running(server, progress):      # start, wait_ready; stop at the end, however it ends
        info = server.describe()                 # ServerInfo, for the recording
        ...                                      # measure server.endpoint; ask server.alive() every second

`create("http://host:port")` gives a server that already runs: the same calls, nothing is started or stopped.
Errors: InputError (the user's, before anything was started), ServerFailed (the server's own, exit status 1).
"""

from __future__ import annotations

import atexit
import os
import signal
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

from scorebench.errors import InputError
from scorebench.servers.process import check_cpus, parse_cpus
from scorebench.servers.protocol import Progress, Server, ServerFailed, ServerInfo

__all__ = [
    "KINDS",
    "Progress",
    "Server",
    "ServerFailed",
    "ServerInfo",
    "check_cpus",
    "create",
    "parse_cpus",
    "running",
]

KINDS = ("webserver", "docker", "sagemaker")


def create(
    target: str,
    *,
    model_uri: str | None = None,
    port: int | None = None,
    workers: int = 1,
    cpus: Sequence[int] = (),
    cpu_limit: float | None = None,
    memory_bytes: int | None = None,
    deployment_flavor: str | None = None,
    base_image: str | None = None,
    log_folder: Path | None = None,
) -> Server:
    """The server that `target` names (one of KINDS, or a URL), not yet started.

    port: None is the kind's own (5001, 5002, 5003), 0 any free one. cpus: cores to pin it to, () for none.
    cpu_limit (cores' worth of time) and memory_bytes are for containers. deployment_flavor: `mleap` makes
    the SageMaker image score a model of several flavors with MLeap. base_image: what the image is built on.
    log_folder: where its log is kept; None: the runtime folder.
    """
    if "://" in target:
        from scorebench.servers.url import UrlServer

        return UrlServer(target)
    if target not in KINDS:
        raise InputError(
            f"{target}: no such server; expected one of {', '.join(KINDS)} or a URL such as http://host:5001"
        )
    if model_uri is None:
        raise InputError(f"{target}: no model to serve; give one with --model-uri or --flavor")
    if target == "webserver":
        _refuse_limits(cpu_limit, memory_bytes)
        from scorebench.servers import web_server

        port = web_server.PORT if port is None else port
        return web_server.WebServer(model_uri, port=port, workers=workers, cpus=cpus, log_folder=log_folder)
    from scorebench.servers import docker, sagemaker
    from scorebench.servers.container import ContainerServer, Limits

    kinds = {
        "docker": (docker.SPEC, docker.PORT),
        "sagemaker": (sagemaker.spec(deployment_flavor), sagemaker.PORT),
    }
    spec, own_port = kinds[target]
    return ContainerServer(
        spec,
        model_uri,
        port=own_port if port is None else port,
        workers=workers,
        limits=Limits(cpus=cpus, cpu_limit=cpu_limit, memory_bytes=memory_bytes),
        base_image=base_image,
        log_folder=log_folder,
    )


def _refuse_limits(cpu_limit: float | None, memory_bytes: int | None) -> None:
    if cpu_limit is not None or memory_bytes is not None:
        raise InputError(
            "webserver: a process has no CPU or memory limit; use --cpus, or the server `docker`"
        )


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
    with _sigterm_unwinds():
        try:
            server.start(progress)
            server.wait_ready(progress, ready_timeout_s)
            yield server
        finally:
            stop()
            atexit.unregister(stop)


@contextmanager
def _sigterm_unwinds() -> Iterator[None]:
    """Make SIGTERM an exception, so that `finally` runs. Only the main thread can do that."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def unwind(number: int, _frame: FrameType | None) -> None:
        sys.exit(128 + number)

    before = signal.signal(signal.SIGTERM, unwind)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
