"""One local process with its descendants: start, watch, stop. Knows the supervisor, not what is run."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import psutil

from scorebench.servers import leftovers, supervisor
from scorebench.servers.cores import listed


class SupervisedProcess:
    """A command whose descendants end with it, with `stop`, and with this process, however that ends.

    It has a session of its own (Ctrl-C in the terminal reaches only us, and we stop it), no standard input,
    and one log for both outputs.
    """

    def __init__(
        self,
        kind: str,
        command: Sequence[str],
        log: Path,
        environment: Mapping[str, str] | None = None,
        cpus: Sequence[int] = (),
    ) -> None:
        self._kind = kind
        self._command = list(command)
        self.log = log
        self._environment = dict(os.environ if environment is None else environment)
        self._cpus = tuple(cpus)
        self._popen: subprocess.Popen[bytes] | None = None
        self._token: str | None = None

    def start(self) -> None:
        self._token = leftovers.register(self._kind)
        command = [
            sys.executable,
            "-c",
            supervisor.RUN,
            str(os.getpid()),
            listed(self._cpus),
            *self._command,
        ]
        self.log.parent.mkdir(parents=True, exist_ok=True)
        with self.log.open("wb") as log:
            self._popen = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env=self._environment | {leftovers.TOKEN_VARIABLE: self._token},
                start_new_session=True,
            )

    def alive(self) -> bool:
        return self._popen is not None and self._popen.poll() is None

    def exit_status(self) -> int | None:
        return None if self._popen is None else self._popen.poll()

    def pids(self) -> tuple[int, ...]:
        """The command and its descendants, without the supervisor; empty when it doesn't run."""
        if self._popen is None:
            return ()
        with contextlib.suppress(psutil.NoSuchProcess):
            return tuple(child.pid for child in psutil.Process(self._popen.pid).children(recursive=True))
        return ()

    def stop(self) -> None:
        """Ask the supervisor to end everything; what it leaves, or left when it was killed, ends here."""
        if self._popen is None or self._token is None:
            return
        self._popen.terminate()
        try:
            self._popen.wait(timeout=supervisor.GRACE_S + 5)
        except subprocess.TimeoutExpired:
            self._popen.kill()
            self._popen.wait()
        leftovers.kill_processes(self._token)
        leftovers.forget(self._token)
        self._token = None
