"""What an error of a socket or of TLS makes of a call. Knows errors and outcomes; opens and sends nothing."""

from __future__ import annotations

import errno
import ssl

from scorebench.answers.http_message import CallFailed
from scorebench.answers.outcome import Outcome

GONE = (ConnectionResetError, BrokenPipeError, ConnectionAbortedError)
"""The server has closed its end."""


OWN_LIMITS = frozenset({errno.EMFILE, errno.ENFILE, errno.EADDRNOTAVAIL, errno.ENOBUFS, errno.ENOMEM})
"""Errors of this process or its host: open files, ports, memory. No server can cause them."""


class OwnLimit(CallFailed):
    """The generator could not send the call; the server has no part in it."""

    def __init__(self, error: OSError) -> None:
        super().__init__(Outcome.CONNECTION_FAILED, f"a limit of the load generator: {error}")


class NeverArrived(CallFailed):
    """The server had closed the connection before any of the request arrived: it may be sent again."""

    def __init__(self) -> None:
        super().__init__(
            Outcome.CONNECTION_CLOSED, "the server closed the connection before the request arrived"
        )


def failure_of(error: OSError, *, connecting: bool, limit_s: float) -> CallFailed:
    """The outcome that stands for an error of the socket or of TLS."""
    if isinstance(error, ssl.SSLError):
        return CallFailed(Outcome.TLS_FAILED, str(error))
    if isinstance(error, TimeoutError):
        outcome = Outcome.CONNECT_TIMEOUT if connecting else Outcome.CLIENT_TIMEOUT
        what = "no connection" if connecting else "no whole answer"
        return CallFailed(outcome, f"{what} after {limit_s:g} s")
    if isinstance(error, ConnectionRefusedError):
        return CallFailed(Outcome.CONNECTION_REFUSED, "the server refused the connection")
    if isinstance(error, GONE):
        return CallFailed(Outcome.CONNECTION_RESET, "the server reset the connection")
    if error.errno in OWN_LIMITS:
        return OwnLimit(error)
    return CallFailed(Outcome.CONNECTION_FAILED, str(error))
