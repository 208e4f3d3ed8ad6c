"""The requests of a run: whole ones, made before it; or made for each call where their headers change.

Knows target, payload and access; sends nothing.
"""

from __future__ import annotations

import os
from abc import abstractmethod
from collections.abc import Sequence
from typing import overload

from scorebench.client.access import Access
from scorebench.client.target import ACCEPT, ACCEPT_STREAM
from scorebench.payloads.payload import Payload

_ID_BYTES, _TRACE_DIGITS = 24, 32
"""Random bytes of a call, 16 for its trace and 8 for its span; hexadecimal digits of the first."""


def requests_of(payload: Payload, access: Access) -> Sequence[bytes]:
    """One a body, in its order. Who needs no header that changes pays nothing for those who do."""
    if access.signs or access.replaces_ours:
        return Signed(payload, access)
    fixed, type_of, accept = access.fixed, payload.content_type_of, _accepted(payload)
    whole = [
        access.target.request(body, type_of(at), fixed, accept) for at, body in enumerate(payload.bodies)
    ]
    return Renewed(whole, access) if access.changes else whole


class _OneByOne(Sequence[bytes]):
    """Requests that are made when they are asked for."""

    @overload
    def __getitem__(self, index: int) -> bytes: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[bytes]: ...
    def __getitem__(self, index: int | slice) -> bytes | Sequence[bytes]:
        if isinstance(index, int):
            return self.made(index)
        return [self.made(number) for number in range(*index.indices(len(self)))]

    @abstractmethod
    def made(self, index: int) -> bytes:
        """The request with body `index`, as it is now. CallFailed where nobody is signed in."""


class Renewed(_OneByOne):
    """Requests that were made before the run, into which the headers that change are put for each call."""

    def __init__(self, whole: Sequence[bytes], access: Access) -> None:
        self._access = access
        after = [request.index(b"\r\n") + 2 for request in whole]
        self._line = whole[0][: after[0]] if whole else b""  # the same for all
        self._rest = [request[start:] for request, start in zip(whole, after, strict=True)]

    def __len__(self) -> int:
        return len(self._rest)

    def made(self, index: int) -> bytes:
        return self._line + self._access.changing() + self._rest[index]


class Signed(_OneByOne):
    """Requests whose whole head is made for each call: a signature holds its time and a hash of its body."""

    def __init__(self, payload: Payload, access: Access) -> None:
        self._payload, self._access = payload, access

    def __len__(self) -> int:
        return len(self._payload.bodies)

    def made(self, index: int) -> bytes:
        body, content_type = self._payload.bodies[index], self._payload.content_type_of(index)
        headers = self._access.headers(body, content_type)
        return self._access.target.request(body, content_type, headers, _accepted(self._payload))


class Traced(_OneByOne):
    """Requests of one user, each with a `traceparent` of its own: W3C's Trace Context, level 1, sampled."""

    def __init__(self, messages: Sequence[bytes]) -> None:
        self._messages = messages
        self.trace_id = ""
        """That of the request that was made last; empty where none could be made."""

    def __len__(self) -> int:
        return len(self._messages)

    def made(self, index: int) -> bytes:
        self.trace_id = ""
        message = self._messages[index]
        after = message.index(b"\r\n") + 2
        fresh = os.urandom(_ID_BYTES).hex()
        self.trace_id = fresh[:_TRACE_DIGITS]
        line = f"traceparent: 00-{self.trace_id}-{fresh[_TRACE_DIGITS:]}-01\r\n"
        return message[:after] + line.encode() + message[after:]


def _accepted(payload: Payload) -> str:
    return ACCEPT_STREAM if payload.stream else ACCEPT
