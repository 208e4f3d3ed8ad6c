"""Bodies → the same that ask for a stream: `"stream": true`. Knows JSON; no model, no server."""

from __future__ import annotations

from dataclasses import replace

import msgspec

from scorebench.errors import InputError
from scorebench.payloads.payload import Payload

FLAG = "stream"
_decode = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode


def asking_for_a_stream(payload: Payload) -> Payload:
    """The payload whose bodies set the flag. InputError where a body is no JSON object."""
    bodies = tuple(_flagged(body, number) for number, body in enumerate(payload.bodies, 1))
    return replace(payload, bodies=bodies, stream=True)


def telling_of_streams(payload: Payload) -> Payload:
    """The payload as it is, with a note where its bodies ask for streams by themselves."""
    asking = sum(_asks(body) for body in payload.bodies)
    if not asking:
        return payload
    note = (
        f"{asking:,} of {len(payload.bodies):,} bodies ask for a stream by themselves; "
        "add --stream to read their answers as streams"
    )
    return replace(payload, notes=(*payload.notes, note))


def _asks(body: bytes) -> bool:
    if b'"stream"' not in body:  # most bodies need no parser
        return False
    try:
        return bytes(_decode(body).get(FLAG, b"")) == b"true"
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return False


def _flagged(body: bytes, number: int) -> bytes:
    """The body with the flag, all other values byte for byte as they are."""
    try:
        values = _decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        raise InputError(
            f"--stream: body {number} is no JSON object, and only that has a place for the flag; "
            "send bodies of JSON, or leave --stream out"
        ) from None
    return msgspec.json.encode({**values, FLAG: msgspec.Raw(b"true")})
