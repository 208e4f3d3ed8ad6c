"""What an exception of somebody else's client means: its outcome. Knows names of exceptions; no client.

By name and not by class, since the clients that raise them (requests, urllib3, geventhttpclient, httpx,
botocore, gRPC) may not be installed. The first name in the table that the exception, its base classes or what
caused it has, decides.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from scorebench.answers.outcome import Outcome
from scorebench.client.failures import OWN_LIMITS, OwnLimit

BY_NAME = {
    "ConnectionRefusedError": Outcome.CONNECTION_REFUSED,
    "ConnectionResetError": Outcome.CONNECTION_RESET,
    "BrokenPipeError": Outcome.CONNECTION_RESET,
    "ConnectTimeout": Outcome.CONNECT_TIMEOUT,
    "ConnectTimeoutError": Outcome.CONNECT_TIMEOUT,
    "ReadTimeout": Outcome.CLIENT_TIMEOUT,
    "ReadTimeoutError": Outcome.CLIENT_TIMEOUT,
    "TimeoutError": Outcome.CLIENT_TIMEOUT,
    "Timeout": Outcome.CLIENT_TIMEOUT,
    "TimeoutException": Outcome.CLIENT_TIMEOUT,
    "SSLError": Outcome.TLS_FAILED,
    "RemoteDisconnected": Outcome.CONNECTION_CLOSED,
    "IncompleteRead": Outcome.CONNECTION_CLOSED,
    "ConnectionClosedError": Outcome.CONNECTION_CLOSED,
    "HTTPConnectionClosed": Outcome.CONNECTION_CLOSED,
    "RemoteProtocolError": Outcome.CONNECTION_CLOSED,
    "HTTPParseError": Outcome.MALFORMED_HTTP,
    "BadStatusLine": Outcome.MALFORMED_HTTP,
    "gaierror": Outcome.CONNECTION_FAILED,
    "EndpointConnectionError": Outcome.CONNECTION_FAILED,
}
BY_GRPC_CODE = {
    "DEADLINE_EXCEEDED": Outcome.CLIENT_TIMEOUT,
    "UNAVAILABLE": Outcome.CONNECTION_FAILED,
    "RESOURCE_EXHAUSTED": Outcome.OVERLOADED,
    "UNAUTHENTICATED": Outcome.UNAUTHORIZED,
    "PERMISSION_DENIED": Outcome.UNAUTHORIZED,
    "NOT_FOUND": Outcome.NOT_FOUND,
    "INVALID_ARGUMENT": Outcome.REJECTED,
}
PASSED_OVER = {"NewConnectionError"}
"""urllib3 derives it from ConnectTimeoutError, whatever the reason."""
_DEEPEST = 10


class Ended(NamedTuple):
    """How a call ended. `why` is empty for a valid one, and where the run's end cut it off."""

    outcome: Outcome
    why: str = ""
    is_own_limit: bool = False
    """Whether the generator could not send it; the server has no part in it."""


VALID, CUT_OFF = Ended(Outcome.VALID), Ended(Outcome.CUT_OFF)


def ended_by(error: object, raised: object = None) -> Ended:
    """How a call ended that `error` ended; the arguments are those of `outcome_of`."""
    for cause in (*_causes(error), *_causes(raised)):
        if isinstance(cause, OSError) and cause.errno in OWN_LIMITS:
            limit = OwnLimit(cause)
            return Ended(limit.outcome, str(limit), is_own_limit=True)
    return Ended(outcome_of(error, raised), str(error))


def outcome_of(error: object, raised: object = None) -> Outcome:
    """The outcome of a call that ended with `error`, an exception or whatever a client reported as one.

    `raised` is what the client raised first, where Locust reports only its innermost cause.
    """
    if type(raised).__name__ == "ConnectTimeout":  # whose innermost cause is any TimeoutError
        return Outcome.CONNECT_TIMEOUT
    for cause in _causes(error):
        found = BY_GRPC_CODE.get(_grpc_code(cause)) or _by_name(cause)
        if found is not None:
            return found
    return Outcome.OTHER_ERROR


def _causes(error: object) -> Iterator[object]:
    """`error`, what caused it, and what it was raised with, as urllib3 nests them."""
    for _ in range(_DEEPEST):
        if error is None:
            return
        yield error
        reason = getattr(error, "reason", None)
        nested = reason if isinstance(reason, BaseException) else None
        error = getattr(error, "__cause__", None) or nested or getattr(error, "__context__", None)


def _by_name(cause: object) -> Outcome | None:
    names = [base.__name__ for base in type(cause).__mro__]
    known = (BY_NAME[name] for name in names if name in BY_NAME)
    return None if PASSED_OVER & set(names) else next(known, None)


def _grpc_code(cause: object) -> str:
    code = getattr(cause, "code", None)
    try:
        return str(getattr(code(), "name", "")) if callable(code) else ""
    except Exception:  # somebody else's method of that name
        return ""
