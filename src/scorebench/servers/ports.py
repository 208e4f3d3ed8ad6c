"""Is a local TCP port free, and who has it? Knows sockets and the process table; nothing of servers."""

from __future__ import annotations

import errno
import socket
from collections.abc import Iterable

from scorebench.errors import InputError

LOOPBACK = "127.0.0.1"


def claim(port: int) -> int:
    """The port, if it is free on 127.0.0.1 (0 picks one); InputError, naming who has it, if not."""
    if not 0 <= port <= 65535:
        raise InputError(f"--port {port}: a TCP port is a number from 1 to 65535 (0: any free one)")
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        # As servers do: a port whose last connections linger in TIME_WAIT is free.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError as error:
            raise InputError(f"--port {port}: {_refusal(error, port)}; choose another with --port") from None
        return int(probe.getsockname()[1])


def is_held_by(port: int, pids: Iterable[int]) -> bool:
    """Whether one of the processes listens on the port; True where the system doesn't tell."""
    import psutil

    for pid in pids:
        try:
            found = psutil.Process(pid).net_connections("tcp")
        except psutil.NoSuchProcess:
            continue
        except psutil.Error:
            return True
        if any(one.status == psutil.CONN_LISTEN and one.laddr and one.laddr.port == port for one in found):
            return True
    return False


def _refusal(error: OSError, port: int) -> str:
    if error.errno != errno.EADDRINUSE:
        return f"{LOOPBACK}:{port} cannot be bound ({error.strerror})"
    holder = _holder(port)
    return f"{LOOPBACK}:{port} is in use" + (f" by {holder}" if holder else "")


def _holder(port: int) -> str | None:
    """`name (process 123)` of the process that listens on the port; None where the system doesn't tell."""
    import psutil

    try:
        listening = [c for c in psutil.net_connections("tcp") if c.status == psutil.CONN_LISTEN]
        pid = next((c.pid for c in listening if c.laddr and c.laddr.port == port and c.pid), None)
        return f"{psutil.Process(pid).name()} (process {pid})" if pid else None
    except psutil.Error:
        return None
