"""The values of slices → the value of the whole text. Knows lists, objects and text in Python; no time."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from scorebench.answers.slices import OPEN_KEY, Slice

MOST_KEYS = 1_000_000
"""An object grows by moving all its keys at once. One with more of them is refused."""
AT_ONCE = 10_000
"""Elements that are taken out of a list or an object between two pauses."""


class TooManyKeys(ValueError):
    """An object with more than MOST_KEYS."""


class Joined:
    """`value` grows with each slice that is added."""

    def __init__(self, parse_key: Callable[[bytes], Any]) -> None:
        self.value: Any = None
        self._parse_key = parse_key
        self._string: list[str] = []
        """The parts of a string that was cut, until it ends."""
        self._grown: dict[int, list[Any] | dict[str, Any]] = {}
        self._moved: list[list[Any]] = []
        """What each slice added: as long as this has it, emptying a list frees nothing."""

    def add(self, piece: Slice, part: Any) -> None:
        """Put `part`, the value of the slice, in its place."""
        if not piece.opened:
            self.value = self._string_with(piece, self.value, part) if piece.begins_in_string else part
            return
        into = self.value
        for place in piece.opened[:-1]:
            key, part_key = self._keys(into, place.key)
            inner = into[key], part.pop(part_key)
            self._grow(into, part)
            into, part = inner
        if piece.begins_in_string:
            key, part_key = self._keys(into, piece.opened[-1].key)
            into[key] = self._string_with(piece, into[key], part.pop(part_key))
        self._grow(into, part)

    def _keys(self, into: Any, key: bytes) -> tuple[Any, Any]:
        """The place of the open value: in the whole, and in the slice."""
        return (-1, 0) if isinstance(into, list) else (self._parse_key(key), OPEN_KEY)

    def _string_with(self, piece: Slice, begun: str, more: str) -> str:
        """The string as far as it is known; all of it, once it has ended."""
        self._string = self._string or [begun]
        self._string.append(more)
        if piece.is_in_string:
            return begun
        whole, self._string = "".join(self._string), []
        return whole

    def _grow(self, into: Any, part: Any) -> None:
        if not part:
            return
        self._grown[id(into)] = into
        if isinstance(into, list):
            into.extend(part)
            self._moved.append(part)
        else:
            if len(into) + len(part) > MOST_KEYS:
                raise TooManyKeys(f"an object of more than {MOST_KEYS:,} keys")
            into.update(part)
            self._moved.append(list(part.values()))

    def give_up(self, pause: Callable[[], None]) -> None:
        """Free the value bit by bit: millions of objects take long to be freed, too."""
        for one in self._grown.values():
            while one:
                if isinstance(one, list):
                    del one[-AT_ONCE:]
                else:
                    for _ in range(min(AT_ONCE, len(one))):
                        one.popitem()
                pause()
        self._grown.clear()
        self.value = None
        while self._moved:
            self._moved.pop()
            pause()
