"""How large a message may be, looked at before anything is made of it. Pure: knows bytes, and no socket.

A byte of MessagePack can become an object of seventy bytes: what is taken apart must be far smaller than what
is only carried.
"""

from __future__ import annotations

import msgspec

from scorebench.cluster.reports import MOST_BYTES

MOST_PARTS_BYTES = 8 * 2**20
"""Of what is taken apart: Locust's own statistics of ten thousand names are about as large."""
MOST_MESSAGE_BYTES = MOST_BYTES + 2 * MOST_PARTS_BYTES
"""Of a message to a master: a report, and all that travels with it. A socket refuses more by itself."""
MOST_NAMES = 10_000
"""Workers that one master hears of. Each that ends and begins anew has another name."""


def too_large(message: bytes, carried: str) -> str | None:
    """Why `message`, of Locust's form [type, data, name], is not to be taken apart; None where it is.

    What stands under the key `carried` in its data is only carried, if it is bytes. ValueError for what is
    not of the form.
    """
    if len(message) <= MOST_PARTS_BYTES:
        return None
    _, data, _ = msgspec.msgpack.decode(message, type=tuple[str, msgspec.Raw, str])
    parts = msgspec.msgpack.decode(data, type=dict[str, msgspec.Raw])
    found = bytes(parts.get(carried, b""))
    rest = len(message) - (len(found) if found[:1] in _BYTES else 0)
    if rest <= MOST_PARTS_BYTES:
        return None
    return f"it has {rest / 2**20:,.0f} MiB besides a report; expected at most {MOST_PARTS_BYTES // 2**20}"


_BYTES = (b"\xc4", b"\xc5", b"\xc6")
"""What bytes begin with in MessagePack: their length in one, two or four bytes follows."""
