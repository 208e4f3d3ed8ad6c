"""What a server said, without the secrets that it may have sent back. Knows bytes; reads no secret itself."""

from __future__ import annotations

import json
from collections.abc import Sequence
from urllib.parse import quote

HIDDEN = b"(hidden)"
SHORTEST_SECRET = 6
"""Shorter ones are not looked for in answers: they would be found everywhere."""


def without(said: bytes, secrets: Sequence[str]) -> bytes:
    """`said` with each secret replaced, also as JSON or a URL writes it, or cut off at the end of `said`.

    A server may send back what it was sent.
    """
    for secret in sorted(filter(None, secrets), key=len, reverse=True):
        if len(secret) < SHORTEST_SECRET:
            continue
        for form in _forms(secret):
            said = said.replace(form, HIDDEN)
        said = _without_its_start(said, secret.encode())
    return said


def _forms(secret: str) -> set[bytes]:
    in_json = json.dumps(secret)[1:-1]
    written = (secret, in_json, in_json.replace("/", "\\/"), quote(secret), quote(secret, safe=""))
    return {form.encode() for form in written}


def _without_its_start(said: bytes, secret: bytes) -> bytes:
    """A quotation that was cut ends with the start of a secret, or with that and its closing mark."""
    end = said[:-1] if said[-1:] in (b"'", b'"') else said
    for length in range(min(len(secret), len(end)), SHORTEST_SECRET - 1, -1):
        if end.endswith(secret[:length]):
            return end[:-length] + HIDDEN + said[len(end) :]
    return said
