"""The requests of a run: whole ones, made before it; or made for each call where that must be signed.

Knows target, payload and credentials; sends nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import overload

from scorebench.client.credentials import Credentials
from scorebench.client.target import Target
from scorebench.payloads.payload import Payload


def requests_of(target: Target, payload: Payload, credentials: Credentials) -> Sequence[bytes]:
    """One a body, in its order. Who needs no signature pays nothing for those who do."""
    signed = Signed(target, payload, credentials)
    return signed if credentials.per_call else [signed[index] for index in range(len(signed))]


class Signed(Sequence[bytes]):
    """Requests whose headers are made when they are asked for: a signature holds the time of its call."""

    def __init__(self, target: Target, payload: Payload, credentials: Credentials) -> None:
        self._target, self._payload, self._credentials = target, payload, credentials

    def __len__(self) -> int:
        return len(self._payload.bodies)

    @overload
    def __getitem__(self, index: int) -> bytes: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[bytes]: ...
    def __getitem__(self, index: int | slice) -> bytes | Sequence[bytes]:
        if isinstance(index, slice):
            return [self[number] for number in range(*index.indices(len(self)))]
        body, content_type = self._payload.bodies[index], self._payload.content_type_of(index)
        headers = self._credentials.headers(self._target, body, content_type)
        return self._target.request(body, content_type, headers)
