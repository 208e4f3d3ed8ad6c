"""One greenlet's way to a target: opens it, waits on it, closes it. Knows wires and gevent; sends nothing."""

from __future__ import annotations

import ssl
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from gevent import get_hub, getcurrent

from scorebench.answers.http_message import CallFailed
from scorebench.answers.outcome import Outcome
from scorebench.client.addresses import addresses
from scorebench.client.failures import failure_of
from scorebench.client.target import Target
from scorebench.client.tls import TlsSocket
from scorebench.client.waiting import Waiter
from scorebench.client.watchdog import GIVEN_UP, NEVER, Watchdog
from scorebench.client.wire import WRITE, Wire, connect

_FIRST_BACK_OFF_S = 0.01


class Line(Waiter):
    """A wire to a target, and what wakes the greenlet that waits on it."""

    def __init__(
        self,
        target: Target,
        watchdog: Watchdog,
        *,
        timeout_s: float,
        connect_timeout_s: float,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        super().__init__()
        self._target = target
        self._watchdog = watchdog
        self._timeout_s = timeout_s
        self._connect_timeout_s = connect_timeout_s
        self._tls_context = tls
        self._refusals = 0  # in a row
        self._wire: Wire | None = None
        # The wire's own, at hand for each call:
        self._tls: TlsSocket | None = None
        self._watcher: Any = None
        self._send: Callable[[bytes | memoryview], int]
        self._recv: Callable[[int], bytes]
        self.unsure = True
        """Whether the next call first looks if the connection still stands. The watchdog sets this, too."""

    def use_tls(self, context: ssl.SSLContext) -> None:
        """From the next time on that it is opened: with a certificate that was renewed, say."""
        self._tls_context = context

    @property
    def back_off_s(self) -> float:
        """How long to wait before the next call, once connections are refused: it doubles, up to a second."""
        return min(_FIRST_BACK_OFF_S * 2 ** (self._refusals - 1), 1.0) if self._refusals else 0.0

    def open(self) -> None:
        """Connect ahead of the first call, whose time is then the server's alone; it fails if this did."""
        with suppress(CallFailed):
            self._open()
        self.deadline = NEVER

    def close(self) -> None:
        """Close; the next call opens a new connection. A call of another greenlet is cut off, very soon."""
        if self.in_call and getcurrent() is not self._caller:
            self.give_up()
            get_hub().loop.run_callback(self.expire)
            return
        self.deadline = NEVER
        self._watchdog.forget(self)
        if self._wire is not None:
            self._wire.close()
        self._wire = self._tls = self._watcher = None
        self._waiting = False
        self.unsure = True

    def expire(self) -> None:
        """Wake a call that is past its deadline, which ends it. The watchdog calls this, in the hub."""
        if self._watcher is not None and self._watcher.callback is self._resume:
            self._resume()
        else:
            self._wake()

    def _on_ready(self) -> None:
        if not self._wake():  # bytes or an end that no call waits for
            self.unsure = True
            self._watcher.stop()

    def wait_to_send(self) -> None:
        """Wait until more can be sent."""
        assert self._wire is not None
        self.wait_for(self._wire.fileno(), WRITE)

    def _open(self) -> None:
        """Connect to the first address that takes us; CallFailed if none does."""
        self._begin(self._connect_timeout_s)
        last: CallFailed | None = None
        for family, address in self._addresses():
            try:
                self._connect(family, address)
            except OSError as error:
                last = self._failed(error, connecting=True)
            else:
                self._refusals = 0
                return
            if last.outcome is Outcome.CUT_OFF:
                break
        self._refusals += last is not None and last.outcome is Outcome.CONNECTION_REFUSED
        raise last or CallFailed(Outcome.CONNECTION_FAILED, f"{self._target.host}: no address")

    def _addresses(self) -> list[tuple[int, Any]]:
        return addresses(self._target, self._connect_timeout_s)

    def _connect(self, family: int, address: Any) -> None:
        self.allow(self._connect_timeout_s)
        self._watchdog.watch(self)
        wire = self._wire = connect(family, address, self)
        self._watcher = wire.watcher
        self._watcher.start(self._on_ready)
        self._shake_hands(wire)
        self._tls, self._send, self._recv = wire.tls, wire.send, wire.recv

    def _shake_hands(self, wire: Wire) -> None:
        if self._tls_context is not None:
            wire.shake_hands(self._tls_context, self._target.host, self)

    def _failed(self, error: OSError, *, connecting: bool = False) -> CallFailed:
        """Close, and say what `error` made of the call."""
        limit_s = self._connect_timeout_s if connecting else self._timeout_s
        given_up = self.deadline == GIVEN_UP
        self.close()
        if given_up:
            return CallFailed(Outcome.CUT_OFF, "given up before it was answered")
        return failure_of(error, connecting=connecting, limit_s=limit_s)
