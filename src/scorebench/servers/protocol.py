"""The interface of every scoring server. Knows no process, no container and no MLflow."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from scorebench.recordings.types import Sample


Progress = Callable[[float, str], None]
"""Called while a server is waited for: seconds waited so far, the last line of its log ("" if none)."""

TAIL_LINES = 20
_EXCEPTION_NAME = re.compile(r"^[\w.]*(?:Exception|Error): (?=\S)")


@dataclass(frozen=True, kw_only=True)
class ServerInfo:
    """What a server is, for reports. None: not known. Never a guess."""

    kind: str
    url: str
    """Base URL, without a path: `http://127.0.0.1:5001`."""
    model: str | None = None
    """The model's URI as it was given."""
    flavors: tuple[str, ...] | None = None
    mlflow_version: str | None = None
    python_version: str | None = None
    java_server_version: str | None = None
    """Version of org.mlflow:mlflow-scoring where that serves the model."""
    uvloop: bool | None = None
    httptools: bool | None = None
    workers: int | None = None
    environment: Mapping[str, str] | None = None
    """Of its variables those that change its speed, and those that were asked for, secrets hidden."""
    cpus: tuple[int, ...] | None = None
    """The cores that the server is pinned to; None: not pinned, or not known."""
    cpu_limit: float | None = None
    """Cores' worth of CPU time that a container may use."""
    memory_limit_bytes: int | None = None
    image: str | None = None
    image_id: str | None = None
    pids: tuple[int, ...] | None = None
    container_ids: tuple[str, ...] | None = None
    time_to_ready_s: float | None = None


class Server(Protocol):
    """One scoring server: start, wait, ask, stop. `running` in this package does this in order."""

    @property
    def kind(self) -> str:
        """The name of one of KINDS."""
        ...

    @property
    def endpoint(self) -> str:
        """The base URL. Known before the start."""
        ...

    def start(self, progress: Progress | None = None) -> None:
        """Start it, without waiting until it is ready. Building an image first takes minutes.

        Raises InputError for what the user can put right (port in use, no MLmodel, no engine), before
        anything was started, and ServerFailed when the server's own tools fail.
        """
        ...

    def wait_ready(self, progress: Progress | None = None, timeout_s: float | None = None) -> None:
        """Return when GET /ping answers 200; ServerFailed, with the log's tail, if it dies or is too slow."""
        ...

    def describe(self) -> ServerInfo: ...

    def usage(self) -> list[Sample]:
        """CPU, memory and threads since it was last asked: all of it, then each process. Empty: not known."""
        ...

    def log_tail(self, lines: int = TAIL_LINES) -> str:
        """The last lines of its log, control characters removed; "" where there is no log."""
        ...

    def alive(self) -> bool:
        """False once the server has ended by itself. Cheap enough to ask every second."""
        ...

    def exit_status(self) -> int | None:
        """The status it ended with (128 + n: killed by signal n); None while it runs or where not known."""
        ...

    def stop(self) -> None:
        """Stop all that was started, its descendants included. May be called twice, and without a start."""
        ...


class ServerFailed(Exception):
    """A server did not come up, or died. The message is one line, the log's tail is `tail`; exit status 1."""

    def __init__(self, message: str, tail: str = "", *, is_slow: bool = False) -> None:
        super().__init__(message)
        self.tail, self.is_slow = tail, is_slow

    def __str__(self) -> str:
        message = super().__str__()
        return f"{message}; its log ends:\n{self.tail}" if self.tail else message

    @property
    def summary(self) -> str:
        """The message alone, one line."""
        return super().__str__()

    @property
    def reason(self) -> str:
        """The last line of the log, without the name of a Python exception.

        The message where no log is, and before that line where the server was still starting.
        """
        lines = [line.strip() for line in self.tail.splitlines() if line.strip()]
        if not lines:
            return self.summary
        last = _EXCEPTION_NAME.sub("", lines[-1])
        return f"{self.summary}; its log ends: {last}" if self.is_slow else last
