"""A target's host → the addresses to try, in order. Knows the resolver, which gevent asks in a thread."""

from __future__ import annotations

import _socket
from typing import Any

import gevent
import gevent.socket

from scorebench.answers.http_message import CallFailed
from scorebench.answers.outcome import Outcome
from scorebench.client.target import Target


def addresses(target: Target, limit_s: float) -> list[tuple[int, Any]]:
    """(family, address) of each; CallFailed where the name has none, or none was found in `limit_s`."""
    try:
        with gevent.Timeout(limit_s, TimeoutError(f"no address found in {limit_s:g} s")):
            found = gevent.socket.getaddrinfo(target.host, target.port, type=_socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise CallFailed(Outcome.CONNECTION_FAILED, f"{target.host}: {error}") from None
    return [(family, address) for family, _, _, _, address in found]
