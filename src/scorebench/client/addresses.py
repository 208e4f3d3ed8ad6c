"""A target's host → the addresses to try, in order. Knows the resolver, which gevent asks in a thread."""

from __future__ import annotations

import _socket
from typing import Any

import gevent
import gevent.socket

from scorebench.answers.http_message import CallFailed
from scorebench.answers.outcome import Outcome
from scorebench.client.target import Target

Found = list[tuple[Any, ...]]
_lookups: dict[tuple[str, int], gevent.Greenlet[..., Found | OSError | UnicodeError]] = {}
"""Those on their way. gevent has ten threads for them: users that connect together ask once for all."""


def addresses(target: Target, limit_s: float) -> list[tuple[int, Any]]:
    """(family, address) of each; CallFailed where the name has none, or none was found in `limit_s`."""
    try:
        found = _numeric(target) or _look_up(target.host, target.port, limit_s)
    except (OSError, UnicodeError) as error:
        raise CallFailed(Outcome.CONNECTION_FAILED, f"{target.host}: {error}") from None
    return [(family, address) for family, _, _, _, address in found]


def _numeric(target: Target) -> Found:
    """The address that the host itself is, without a resolver; empty where it is a name."""
    try:
        return _socket.getaddrinfo(
            target.host, target.port, type=_socket.SOCK_STREAM, flags=_socket.AI_NUMERICHOST
        )
    except (OSError, UnicodeError):
        return []


def _look_up(host: str, port: int, limit_s: float) -> Found:
    """Ask the resolver, or wait for who is asking it. Nobody who comes later gets the same answer."""
    asking = _lookups.get((host, port))
    if asking is None:
        asking = _lookups[host, port] = gevent.spawn(_ask, host, port)
        asking.rawlink(lambda _: _lookups.pop((host, port), None))
    asking.join(timeout=limit_s)
    if not asking.ready():
        raise TimeoutError(f"no address found in {limit_s:g} s")
    if isinstance(asking.value, Exception):
        raise asking.value
    return asking.value or []


def _ask(host: str, port: int) -> Found | OSError | UnicodeError:
    """The addresses, or why there is none: gevent would print what a greenlet raises."""
    try:
        found: Found = gevent.socket.getaddrinfo(host, port, type=_socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        return error
    return found
