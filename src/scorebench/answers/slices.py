"""A large JSON text → the same value, read slice by slice. Knows JSON's marks alone; no HTTP, no time.

A text is cut at commas, and a long string anywhere. What is open at a cut is closed before it and opened
again after it, so that each slice is a JSON text of its own, which a parser reads or refuses.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from enum import Enum, auto
from typing import NamedTuple
from uuid import uuid4

LONGEST_BYTES = 262_144
"""Most between two commas, strings left out: a text with a longer number, key or run of blanks is refused."""
MOST_MARKS = 10_000
"""Most strings and brackets in a slice, about: each is looked at by itself."""
DEEPEST = 10_000
"""No parser here reads a text that is nested deeper."""
OPEN_KEY = uuid4().hex
"""Replaces the key of a value that began in the slice before: a key that no text can hold."""

_STRING = rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"'
_FLAT = rb'[^\[\]{}"]*+(?:' + _STRING + rb'[^\[\]{}"]*+)*+'
_NESTING = re.compile(
    _STRING + rb"|\{" + _FLAT + rb"\}|\[" + _FLAT + rb'\]|[\[\]{}"]',
    re.DOTALL,
)
_COMMA = re.compile(_STRING + rb'|[\[\]{},"]', re.DOTALL)
_WHOLE = re.compile(_STRING, re.DOTALL)
_IN_STRING = re.compile(
    rb"""(?:
    [^"\\]++ | \\[^u] | \\u(?![dD][89abAB])[0-9a-fA-F]{4}
    | \\u[dD][89abAB][0-9a-fA-F]{2} (?= [^\\] | \\[^u] | \\u[0-9a-fA-F]{4} )  # the first of a pair, perhaps
    )*+""",
    re.DOTALL | re.VERBOSE,
)
_BLANKS = re.compile(rb"[ \t\r\n]*+")
_SPACE = b" \t\r\n"
_CLOSES = {b"[": b"]", b"{": b"}"}
_LEAST_IN_STRING = 32
"""An escaped character takes up to twelve bytes, and is not cut."""


class NotCut(ValueError):
    """The text is not JSON, though each slice of it may be."""


class Beyond(NotCut):
    """The text exceeds a bound of this module. It may be JSON."""


class Open(NamedTuple):
    """A list or an object that is open at a cut."""

    mark: bytes
    key: bytes = b""
    """Of an object: the key, as JSON, of its value that is open, too."""


class Slice(NamedTuple):
    """Part of a JSON text, as a JSON text. `opened`: what began in slices before it, the outermost first."""

    text: bytes
    opened: tuple[Open, ...] = ()
    begins_in_string: bool = False
    is_in_string: bool = False
    """It is a part of one string, which goes on after it."""


class _Kind(Enum):
    COMMA, STRING, SAME_STRING, END, BROKEN = auto(), auto(), auto(), auto(), auto()


class _Cut(NamedTuple):
    kind: _Kind
    at: int


def cut(body: bytes, size: int) -> Iterator[Slice]:
    """`body`, which is UTF-8, as slices of about `size` bytes, or of MOST_MARKS marks.

    No slice is longer than `size` + LONGEST_BYTES. Raises NotCut for a text that is not JSON though each
    slice may be, and Beyond where the text exceeds a bound.
    """
    begin, before, opened, is_inside = 0, tuple[Open, ...](), list[Open](), False
    while True:
        kind, at = _Search(body, begin, size, opened).next(is_inside=is_inside)
        head = _opening(before, is_inside=is_inside)
        if kind is _Kind.END:
            yield Slice(head + body[begin:], before, is_inside)
            return
        if kind is _Kind.BROKEN:
            yield Slice(head + body[begin:at], before, is_inside)
            raise NotCut(f"a wrong escape, before byte {at}")
        if kind in (_Kind.STRING, _Kind.SAME_STRING):
            text = head + body[begin:at] + b'"' + _closing(opened)
            yield Slice(text, before, is_inside, kind is _Kind.SAME_STRING)
            begin, before, is_inside = at, tuple(opened), True
            continue
        yield Slice(head + body[begin:at] + _closing(opened), before, is_inside)
        if body[begin:at].rstrip(_SPACE)[-1:] in (b"", b"[", b"{", b",", b":"):
            raise NotCut(f"a comma without a value before it, at byte {at}")
        if _first_mark(body, at + 1) in (b"]", b"}", b",", b":"):
            raise NotCut(f"a comma without a value after it, at byte {at}")
        begin, before, is_inside = at + 1, tuple(opened), False


class _Search:
    """Looks for the next place at which `body` may be cut; keeps `opened` as it is at that place."""

    def __init__(self, body: bytes, begin: int, size: int, opened: list[Open]) -> None:
        self._body, self._begin, self._opened = body, begin, opened
        self._string_bytes = max(size, _LEAST_IN_STRING)
        self._end = begin + size
        self._at = begin
        self._last = b""
        """The last string, which may be a key."""

    def next(self, *, is_inside: bool) -> _Cut:
        """The next cut after `begin`, which is within a string if `is_inside`."""
        if is_inside and (found := self._rest_of_string(self._begin)) is not None:
            return found
        return self._beyond_nesting() or self._comma()

    def _beyond_nesting(self) -> _Cut | None:
        """Follow lists and objects as far as the slice's end; a cut that comes before it."""
        if _has_only_lists(self._body, self._at, self._end):
            _nest_lists(self._body, self._at, self._end, self._opened)
            self._at = max(self._at, self._end)
        marks = 0
        while self._at < self._end:
            for found in _NESTING.finditer(self._body, self._at, self._end):
                marks += 1
                if found[0] == b'"':
                    break
                self._nest(found[0])
                if marks == MOST_MARKS:
                    self._end = found.end()
                    break
            else:
                self._at = self._end
                break
            self._at = found.end()
            if found[0] == b'"' and (place := self._long_string(found.start())) is not None:
                return place
        return None

    def _comma(self) -> _Cut:
        """The first comma from here on."""
        while len(self._opened) <= DEEPEST:
            stop = self._at + LONGEST_BYTES
            for found in _COMMA.finditer(self._body, self._at, stop):
                mark = found[0]
                if mark == b"," and self._opened:
                    return _Cut(_Kind.COMMA, found.start())
                if mark == b'"':
                    break
                self._nest(mark)
                if len(self._opened) > DEEPEST:
                    break
            else:
                if stop >= len(self._body):
                    return _Cut(_Kind.END, len(self._body))
                raise Beyond(
                    f"a number, or blanks, of more than {LONGEST_BYTES:,} bytes at byte {self._at:,}"
                )
            self._at = found.end()
            if found[0] == b'"' and (place := self._long_string(found.start())) is not None:
                return place
        raise Beyond(f"lists and objects more than {DEEPEST:,} deep at byte {self._at:,}")

    def _long_string(self, start: int) -> _Cut | None:
        """A string that ends beyond where was looked, or never. None where it need not be cut."""
        is_key = self._is_key(start)
        most = LONGEST_BYTES if is_key else max(self._end - start, 0) + self._string_bytes
        whole = _WHOLE.match(self._body, start, start + most)
        if whole is not None:
            self._last, self._at = whole[0], whole.end()
            return None
        if start + most >= len(self._body):
            return _Cut(_Kind.END, len(self._body))
        if is_key:
            raise Beyond(f"a key of more than {LONGEST_BYTES:,} bytes at byte {start:,}")
        if self._opened and self._opened[-1].mark == b"{":
            self._opened[-1] = Open(b"{", self._last)
        return self._rest_of_string(start + 1)

    def _is_key(self, start: int) -> bool:
        is_value = self._body[self._begin : start].rstrip(_SPACE)[-1:] == b":"
        return bool(self._opened) and self._opened[-1].mark == b"{" and not is_value

    def _rest_of_string(self, start: int) -> _Cut | None:
        """A cut within the string that goes on at `start`; None where it ends before."""
        stop = max(self._end, start) + self._string_bytes
        found = _IN_STRING.match(self._body, start, stop)
        end = found.end() if found is not None else start
        if self._body[end : end + 1] == b'"' and end < stop:
            self._at = end + 1
            return None
        if stop >= len(self._body):
            return _Cut(_Kind.END, len(self._body))
        if stop - end >= _LEAST_IN_STRING // 2:  # no end, and no character: a wrong escape
            return _Cut(_Kind.BROKEN, stop)
        while end > start and stop - end < _LEAST_IN_STRING and self._body[end] & 0xC0 == 0x80:
            end -= 1  # within a character
        return _Cut(_Kind.SAME_STRING if start == self._begin else _Kind.STRING, end)

    def _nest(self, mark: bytes) -> None:
        """Open or close a list or an object, or keep a string. One without others in it comes as a whole."""
        opened = self._opened
        if mark in _CLOSES:
            if opened and opened[-1].mark == b"{":
                opened[-1] = Open(b"{", self._last)
            opened.append(Open(mark))
        elif mark in (b"]", b"}"):
            if opened:
                opened.pop()
        elif mark.startswith(b'"'):
            self._last = mark


def _has_only_lists(body: bytes, at: int, end: int) -> bool:
    return not any(body.find(mark, at, end) >= 0 for mark in (b'"', b"{", b"}"))


def _nest_lists(body: bytes, at: int, end: int, opened: list[Open]) -> None:
    """As `_nest` for each of their marks, many times as fast; in JSON lists close lists alone."""
    deeper = body.count(b"[", at, end) - body.count(b"]", at, end)
    if deeper > 0:
        opened.extend([Open(b"[")] * deeper)
    else:
        del opened[max(len(opened) + deeper, 0) :]


def _first_mark(body: bytes, at: int) -> bytes:
    """The first byte from `at` on that is no blank."""
    blanks = _BLANKS.match(body, at, at + LONGEST_BYTES)
    end = blanks.end() if blanks is not None else at
    return body[end : end + 1]


def _opening(opened: tuple[Open, ...], *, is_inside: bool) -> bytes:
    key = b'"%b":' % OPEN_KEY.encode()
    marks = [one.mark + (key if one.mark == b"{" else b"") for one in opened]
    if opened and not is_inside:
        marks[-1] = opened[-1].mark
    return b"".join(marks) + (b'"' if is_inside else b"")


def _closing(opened: list[Open]) -> bytes:
    return b"".join(_CLOSES[one.mark] for one in reversed(opened))
