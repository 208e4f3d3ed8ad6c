"""The fake server itself: one thread, one selector, one heap of timers. Knows sockets and the clock.

One thread serves all connections, so calls have one order, and the log needs no lock.
"""

from __future__ import annotations

import gc
import heapq
import itertools
import os
import pickle
import select
import selectors
import socket
import ssl
import sys
from collections.abc import Callable
from time import monotonic
from typing import IO

from tests.scoring_server.answers import Answers
from tests.scoring_server.behaviour import Behaviour, Place, Record
from tests.scoring_server.connection import SO_TIMESTAMPNS, Connection
from tests.scoring_server.service import Station

BACKLOG = 4096


class Loop:
    """Serves until it is told to stop, or until the test's process is gone."""

    def __init__(self, behaviour: Behaviour, place: Place) -> None:
        self.behaviour = behaviour
        self.log: list[Record] = []
        self.calls = 0
        self.station = Station(behaviour.at_once, behaviour.freezes)
        self.services_s = behaviour.service.times_s()
        self.answers = Answers()
        self.selector = selectors.DefaultSelector()
        self._tls = _tls(place)
        self._connections = itertools.count()
        self._timers: list[tuple[float, int, Callable[[], None]]] = []
        self._order = itertools.count()
        self._stopped = False
        self._listener = _listen(place)
        self.port: int = self._listener.getsockname()[1]

    def at(self, due_s: float, act: Callable[[], None]) -> None:
        """Call `act` once `due_s` has come."""
        heapq.heappush(self._timers, (due_s, next(self._order), act))

    def run(self, commands: IO[bytes], reports: IO[bytes]) -> None:
        """Serve; every byte read from `commands` is answered on `reports` (see `_obey`)."""
        gc.disable()  # a collection over a long log would stall every connection
        self.selector.register(self._listener, selectors.EVENT_READ, self._accept)
        self.selector.register(commands, selectors.EVENT_READ, lambda _mask: self._obey(commands, reports))
        while not self._stopped:
            for key, mask in self._ready():
                key.data(mask)
            while self._timers and self._timers[0][0] <= monotonic():
                heapq.heappop(self._timers)[2]()

    def _ready(self) -> list[tuple[selectors.SelectorKey, int]]:
        if not self._timers:
            return self.selector.select()
        wait_s = self._timers[0][0] - monotonic()
        if wait_s > 0:  # select() waits in microseconds where epoll rounds up to the next millisecond
            select.select([self.selector.fileno()], [], [], wait_s)
        return self.selector.select(0)

    def _accept(self, _mask: int) -> None:
        sock, _ = self._listener.accept()
        sock.setblocking(False)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # else 44 ms on every answer
        if sys.platform == "linux":
            sock.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
        if self._tls:
            sock = self._tls.wrap_socket(sock, server_side=True, do_handshake_on_connect=False)
        connection = Connection(self, sock, next(self._connections))
        self.selector.register(sock, selectors.EVENT_READ, connection.ready)

    def _obey(self, commands: IO[bytes], reports: IO[bytes]) -> None:
        command = os.read(commands.fileno(), 1)
        if command == b"c":
            report: object = self.calls
        elif command == b"l":
            report = self.log
        else:  # b"s", or b"" from a test that is gone
            self._stopped = True
            report = self.log
        if command:
            send(reports, report)


def send(to: IO[bytes], what: object) -> None:
    """One pickle, its length first."""
    data = pickle.dumps(what, protocol=pickle.HIGHEST_PROTOCOL)
    to.write(len(data).to_bytes(8, "big") + data)
    to.flush()


def receive(source: IO[bytes]) -> object:
    """What `send` sent. Raises EOFError where the other side is gone."""
    head = source.read(8)
    data = source.read(int.from_bytes(head, "big")) if len(head) == 8 else b""
    if not data:
        raise EOFError("the other side is gone")
    return pickle.loads(data)


def _listen(place: Place) -> socket.socket:
    family = socket.AF_INET6 if ":" in place.host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind((place.host, place.port))
    listener.listen(BACKLOG)
    return listener


def _tls(place: Place) -> ssl.SSLContext | None:
    if place.certificate is None:
        return None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(place.certificate)
    return context
