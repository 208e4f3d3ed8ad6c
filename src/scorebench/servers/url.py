"""A server that already runs, by its address. Knows what /version tells; starts and stops nothing."""

from __future__ import annotations

from urllib.parse import urlsplit

from scorebench.errors import InputError
from scorebench.servers import ready
from scorebench.servers.protocol import Progress, ServerInfo

KIND = "url"
_VERSION_CHARACTERS = 40


class UrlServer:
    """An endpoint that somebody else runs. `alive` is always True: only its answers tell."""

    kind = KIND

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise InputError(f"{url}: expected an address such as http://localhost:5001")
        self._url = url.rstrip("/")
        self._parts = parts

    @property
    def endpoint(self) -> str:
        return self._url

    def start(self, progress: Progress | None = None) -> None:  # noqa: ARG002
        return

    def wait_ready(self, progress: Progress | None = None, timeout_s: float | None = None) -> None:  # noqa: ARG002
        """Return at once: whether and how it answers is for the first call to find out."""
        return

    def describe(self) -> ServerInfo:
        return ServerInfo(kind=KIND, url=self._url, mlflow_version=self._mlflow_version())

    def log_tail(self, lines: int = 0) -> str:  # noqa: ARG002
        return ""

    def alive(self) -> bool:
        return True

    def exit_status(self) -> int | None:
        return None

    def stop(self) -> None:
        return

    def _mlflow_version(self) -> str | None:
        """What GET /version answers; asked over plain HTTP only, at the root."""
        if self._parts.scheme != "http" or self._parts.path not in ("", "/", "/invocations"):
            return None
        answer = ready.get(self._parts.hostname or "", self._parts.port or 80, "/version")
        if isinstance(answer, str) or answer[0] != 200:
            return None
        version = answer[1].decode("ascii", "replace").strip().strip('"')
        looks_right = version[:1].isdigit() and len(version) <= _VERSION_CHARACTERS and version.isprintable()
        return version if looks_right else None
