"""The first valid answer to each body, and whether a later one says the same. Knows bytes and JSON; no HTTP.

A digest is kept of each, 16 bytes whatever the size of the answers. Bodies are kept as well while they are
few and small: they tell by how much two answers differ, and show both.
"""

from __future__ import annotations

from typing import NamedTuple

import msgspec

from scorebench.answers.near import are_near

LARGEST_BYTES = 65_536
"""A larger body is not kept: parsing two of them would keep users waiting."""
KEPT_BYTES = 8 * 2**20
"""Of all bodies together."""
SHOWN_CHARACTERS, BEFORE = 300, 40
"""Of each answer that is shown, and how many of them stand before the first difference."""


class Changed(NamedTuple):
    """Two answers to body number `payload` that differ."""

    payload: int
    first: bytes
    then: bytes

    def shown(self) -> tuple[str, str]:
        """Both from a little before they differ."""
        pairs = zip(self.first, self.then, strict=False)
        at = next((n for n, (a, b) in enumerate(pairs) if a != b), min(len(self.first), len(self.then)))
        begin = max(at - BEFORE, 0)
        return _cut(self.first, begin), _cut(self.then, begin)


class FirstAnswers:
    """Compares each answer with the first valid one to the same body. `changed` counts those that differ."""

    def __init__(self, tolerance: float = 0.0) -> None:
        """`tolerance`: by how much numbers may differ, relative to their size or in all; 0: by no byte."""
        self._tolerance = tolerance
        self._digests: dict[int, bytes] = {}
        self._bodies: dict[int, bytes] = {}
        self._room_bytes = KEPT_BYTES
        self._example: Changed | None = None
        self._has_shown = False
        self.changed = 0

    def repeats(self, payload: int, digest: bytes) -> bool:
        """Whether these are the bytes of the first answer to the body."""
        return self._digests.get(payload) == digest

    def take(self, payload: int, body: bytes, digest: bytes, *, is_valid: bool) -> bool:
        """Keep the first valid answer to the body, or compare with it; whether these are its bytes.

        Counts an answer with other bytes than the first, valid or not, unless its numbers are near enough.
        """
        first = self._digests.get(payload)
        if first is None:
            if is_valid:
                self._keep(payload, body, digest)
            return is_valid
        if first != digest:
            self._compare(payload, body)
        return first == digest

    def _keep(self, payload: int, body: bytes, digest: bytes) -> None:
        self._digests[payload] = digest
        if len(body) <= min(LARGEST_BYTES, self._room_bytes):
            self._room_bytes -= len(body)
            self._bodies[payload] = body

    def _compare(self, payload: int, body: bytes) -> None:
        first = self._bodies.get(payload)
        comparable = first is not None and len(body) <= LARGEST_BYTES
        if comparable and self._tolerance and _near(first or b"", body, self._tolerance):
            return
        self.changed += 1
        if comparable and not self._has_shown:
            self._has_shown, self._example = True, Changed(payload, first or b"", body)

    def take_example(self) -> Changed | None:
        """The first pair that differed, once."""
        example, self._example = self._example, None
        return example


def _near(first: bytes, then: bytes, tolerance: float) -> bool:
    try:
        return are_near(msgspec.json.decode(first), msgspec.json.decode(then), tolerance)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return False


def _cut(body: bytes, begin: int) -> str:
    text = body[begin : begin + SHOWN_CHARACTERS].decode("utf-8", "replace")
    return f"{'…' if begin else ''}{text}{'…' if len(body) > begin + SHOWN_CHARACTERS else ''}"
