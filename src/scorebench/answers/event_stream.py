"""The bytes of a `text/event-stream` → its events. Knows the format; no HTTP, no time, and no model's events.

As the WHATWG's HTML standard reads it (section 9.2.6): lines end in CRLF, LF or CR; a line that begins with a
colon is a comment; an empty line ends an event; what the end of the stream leaves without one is no event.
"""

from __future__ import annotations

from dataclasses import dataclass

_BYTE_ORDER_MARK = b"\xef\xbb\xbf"


@dataclass(frozen=True, slots=True)
class Event:
    """One event. `data` are its lines of data with LF between; `kind` is its `event` field, or empty."""

    data: bytes
    kind: bytes = b""


class EventStream:
    """Takes the stream in pieces, however they are cut. It holds one unfinished event at most.

    `id` and `retry` matter to who connects again, which a load test does not: they are passed over. UTF-8 is
    left as it is: no byte of its longer characters looks like the end of a line.
    """

    def __init__(self) -> None:
        self._line = bytearray()
        self._after_cr = False  # the piece before ended in CR, and an LF would belong to that
        self._is_first = True
        self._data: list[bytes] = []
        self._kind = b""

    @property
    def is_inside_an_event(self) -> bool:
        """Whether the stream would end within an event, which is then none."""
        return bool(self._line or self._data)

    def feed(self, piece: bytes) -> list[Event]:
        """The events that `piece` completes."""
        if self._after_cr and piece:
            piece = piece.removeprefix(b"\n")
            self._after_cr = False
        if not piece:
            return []
        self._after_cr = piece.endswith(b"\r")
        lines = piece.splitlines()  # of bytes: at CRLF, LF and CR alone
        rest = b"" if piece.endswith((b"\r", b"\n")) else lines.pop()
        events = []
        for line in lines:
            if self._line:
                line = bytes(self._line) + line  # noqa: PLW2901 (only the first continues another piece)
                self._line.clear()
            if (event := self._take(line)) is not None:
                events.append(event)
        self._line += rest
        return events

    def _take(self, line: bytes) -> Event | None:
        """Read a whole line; the event that it ends, if it does."""
        if self._is_first:
            self._is_first = False
            line = line.removeprefix(_BYTE_ORDER_MARK)
        if not line:
            return self._dispatched()
        name, _, value = line.partition(b":")
        if name == b"data":
            self._data.append(value.removeprefix(b" "))
        elif name == b"event":
            self._kind = value.removeprefix(b" ")
        return None

    def _dispatched(self) -> Event | None:
        """The event that an empty line ends; None where it has no data field."""
        event = Event(b"\n".join(self._data), self._kind) if self._data else None
        self._data.clear()
        self._kind = b""
        return event
