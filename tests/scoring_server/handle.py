"""Starts the fake server's process, asks it for its log, stops it. Knows processes; nothing of HTTP."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import cast

from tests.scoring_server.behaviour import Behaviour, Place, Record
from tests.scoring_server.loop import receive, send

ROOT = Path(__file__).resolve().parents[2]


class ScoringServer:
    """A fake server in its own process, so that it shares no interpreter lock with the client under test."""

    def __init__(self, behaviour: Behaviour, place: Place) -> None:
        path = os.pathsep.join([str(ROOT), *filter(None, sys.path)])
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.scoring_server"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": path},
        )
        self._log: list[Record] | None = None
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._commands, self._reports = self._process.stdin, self._process.stdout
        send(self._commands, (behaviour, place))
        port = self._receive()
        if isinstance(port, OSError):
            self._end()
            raise port
        self.port = cast(int, port)
        self.host = place.host
        self.secure = place.certificate is not None

    @property
    def url(self) -> str:
        """Without a path and without a slash at its end."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{'https' if self.secure else 'http'}://{host}:{self.port}"

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def calls(self) -> int:
        """How many calls (POSTs) have come, answered or not."""
        return len(self.log()) if self._log is not None else cast(int, self._ask(b"c"))

    def log(self) -> list[Record]:
        """The calls so far, in the order of their first bytes; once the server is stopped, all of them.

        A call is in it before its answer can reach the client.
        """
        return [record for record in self.requests() if record.number is not None]

    def requests(self) -> list[Record]:
        """The log with the probes (GET /ping and its like), and with what was no whole request."""
        return self._log if self._log is not None else cast("list[Record]", self._ask(b"l"))

    def wait_for_calls(self, calls: int, timeout_s: float = 10.0) -> None:
        """Return once that many calls have come. Raises TimeoutError."""
        end_s = time.monotonic() + timeout_s
        while self.calls < calls:
            if time.monotonic() > end_s:
                raise TimeoutError(f"{self.calls} calls after {timeout_s} s, expected {calls}")
            time.sleep(0.005)

    def stop(self) -> None:
        """End the process and keep its log. The second time does nothing."""
        if self._log is not None:
            return
        try:
            self._log = cast("list[Record]", self._ask(b"s"))
        finally:
            self._end()

    def _ask(self, command: bytes) -> object:
        try:
            self._commands.write(command)
            self._commands.flush()
        except OSError as error:
            raise self._died() from error
        return self._receive()

    def _receive(self) -> object:
        try:
            return receive(self._reports)
        except EOFError as error:
            raise self._died() from error

    def _died(self) -> RuntimeError:
        code = self._process.wait(timeout=10)
        return RuntimeError(f"the scoring server's process ended with {code}; why, it wrote to stderr")

    def _end(self) -> None:
        with suppress(OSError):  # what could not be written to a dead process
            self._commands.close()
        self._reports.close()
        try:
            self._process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


@contextmanager
def scoring_server(
    behaviour: Behaviour | None = None,
    *,
    tls: Path | None = None,
    ipv6: bool = False,
    port: int = 0,
    core: int | None = None,
) -> Iterator[ScoringServer]:
    """A running fake server that answers like MLflow, on a free port of 127.0.0.1, or of ::1 with `ipv6`.

    `tls` is the PEM file of a certificate (`Certificates.server`), `core` the one core that it is pinned to.
    Raises OSError where it cannot listen, and RuntimeError at the end if its process broke.
    """
    place = Place("::1" if ipv6 else "127.0.0.1", port, tls, core)
    server = ScoringServer(behaviour or Behaviour(), place)
    try:
        yield server
    finally:
        server.stop()
