"""An open socket, plain or with TLS, and its lasting watcher. Knows sockets; no HTTP and no call."""

from __future__ import annotations

import _socket
import errno
import fcntl
import os
import ssl
import struct
import termios
from collections.abc import Callable
from typing import Any

from gevent import get_hub

from scorebench.client.tls import TlsSocket
from scorebench.client.waiting import Waiter

READ, WRITE = 1, 2
_INT = struct.Struct("i")


class Wire:
    """`send` and `recv` raise BlockingIOError where they would wait; `watcher` fires when bytes came."""

    def __init__(self, sock: Any) -> None:
        self._sock = sock
        self.tls: TlsSocket | None = None
        self.watcher = get_hub().loop.io(sock.fileno(), READ)
        self.send: Callable[[bytes | memoryview], int] = sock.send
        self.recv: Callable[[int], bytes] = sock.recv

    def fileno(self) -> int:
        return int(self._sock.fileno())

    def shake_hands(self, context: ssl.SSLContext, host: str, waiter: Waiter) -> None:
        """Go over to TLS. The watcher must wake the waiter."""
        self.tls = TlsSocket(self._sock, context, host)
        self.send, self.recv = self.tls.send, self.tls.recv
        while True:
            try:
                return self.tls.handshake()
            except BlockingIOError:
                waiter.wait()

    def took_none_of(self, sent: int) -> bool:
        """Whether the server's machine has acknowledged none of the last `sent` bytes.

        After the end of the stream this is proof: the end acknowledges what came before it, and what comes
        after it meets a closed socket. False in doubt, as where the system does not say.
        """
        on_wire = sent if self.tls is None else self.tls.unanswered_bytes
        try:
            (unacknowledged,) = _INT.unpack(fcntl.ioctl(self.fileno(), termios.TIOCOUTQ, bytes(_INT.size)))
        except OSError:
            return False
        return bool(unacknowledged == on_wire)

    def close(self) -> None:
        self.watcher.stop()
        self.watcher.close()
        self._sock.close()


def connect(family: int, address: Any, waiter: Waiter) -> Wire:
    """A wire to `address`; OSError where there is none before the waiter's deadline."""
    # The plain C socket: gevent's own waits by itself, with a watcher for each call.
    sock = _socket.socket(family, _socket.SOCK_STREAM)
    try:
        sock.setblocking(False)
        sock.setsockopt(_socket.IPPROTO_TCP, _socket.TCP_NODELAY, 1)
        while code := sock.connect_ex(address):
            if code == errno.EISCONN:
                break
            if code not in (errno.EINPROGRESS, errno.EALREADY):
                raise OSError(code, os.strerror(code))
            waiter.wait_for(sock.fileno(), WRITE)
        return Wire(sock)
    except BaseException:
        sock.close()
        raise
