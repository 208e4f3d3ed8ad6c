"""A large JSON text → the same value, read slice by slice. Knows JSON's marks alone; no HTTP, no time.

A text is cut at commas. What is open at a cut is closed before it and opened again after it, so that each
slice is a JSON text of its own, which a parser reads or refuses.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

DEEPEST = 100
"""A text that is nested deeper is read in one go from there on, as what is written at each cut would grow."""

_STRING = rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"'
_NESTING = re.compile(_STRING + rb'|[\[\]{}"]', re.DOTALL)
_WHOLE = re.compile(_STRING, re.DOTALL)
_COMMA = re.compile(_STRING + rb'|[\[\]{},"]', re.DOTALL)
_CLOSES = {b"[": b"]", b"{": b"}"}
_SPACE = b" \t\r\n"


class BadComma(ValueError):
    """A comma without a value before or after it, which no slice shows."""


class Slice(NamedTuple):
    """Part of a JSON text, as a JSON text; `depth` lists and objects began in slices before it."""

    text: bytes
    depth: int


class _Open(NamedTuple):
    mark: bytes
    key: bytes = b""
    """Of an object: the key of its value that is open, too."""


def read(body: bytes, size: int, parse: Callable[[bytes], Any], pause: Callable[[], None]) -> Any:
    """The value of `body`, by `parse` of each slice; `pause` between them. Raises what `parse` does.

    A key that stands twice in an object can mislead it; such a text is read in one go.
    """
    if b"\0" in body[:4]:  # UTF-16 or UTF-32
        return parse(body)
    value: Any = None
    try:
        for piece in cut(body, size):
            part = parse(piece.text)
            value = _joined(value, part, piece.depth) if piece.depth else part
            pause()
    except LookupError:
        return parse(body)
    return value


def cut(body: bytes, size: int) -> Iterator[Slice]:
    """`body` as slices of at least `size` bytes. BadComma where it is no JSON, and no slice shows it."""
    begin, before, opened = 0, tuple[_Open, ...](), list[_Open]()
    while (comma := _next_cut(body, begin, begin + size, opened)) is not None:
        yield Slice(_opening(before) + body[begin:comma] + _closing(opened), len(before))
        if body[begin:comma].rstrip(_SPACE)[-1:] in (b"", b"[", b"{", b",", b":"):
            raise BadComma(f"a comma without a value before it, at byte {comma}")
        begin, before = comma + 1, tuple(opened)
        if body[begin : begin + 100].lstrip(_SPACE)[:1] in (b"]", b"}", b",", b":"):
            raise BadComma(f"a comma without a value after it, at byte {comma}")
    yield Slice(_opening(before) + body[begin:], len(before))


def _next_cut(body: bytes, at: int, end: int, opened: list[_Open]) -> int | None:
    """The first comma from `end` on at which `body` may be cut. Updates `opened` as far as that comma."""
    last, pattern = b"", _NESTING
    if _has_only_lists(body, at, end):
        _nest_lists(body.count(b"[", at, end) - body.count(b"]", at, end), opened)
        at, pattern = end, _COMMA
    while len(opened) <= DEEPEST:
        stop = end if pattern is _NESTING else len(body)
        for found in pattern.finditer(body, at, stop):
            mark = found[0]
            if mark == b"," and opened:
                return found.start()
            if mark == b'"':  # a string that ends beyond `stop`, or never
                whole = _WHOLE.match(body, found.start())
                if whole is None:
                    return None
                last, at = whole[0], whole.end()
                break
            last = _nest(mark, last, opened)
        else:
            if pattern is _COMMA:
                return None
            at = end
        pattern = _NESTING if at < end else _COMMA
    return None


def _has_only_lists(body: bytes, at: int, end: int) -> bool:
    return not any(body.find(mark, at, end) >= 0 for mark in (b'"', b"{", b"}"))


def _nest_lists(deeper: int, opened: list[_Open]) -> None:
    """As `_nest` for each of their marks, many times as fast; in JSON lists close lists alone."""
    if deeper > 0:
        opened.extend([_Open(b"[")] * deeper)
    else:
        del opened[max(len(opened) + deeper, 0) :]


def _nest(mark: bytes, last: bytes, opened: list[_Open]) -> bytes:
    """Open or close a list or an object; the last string, which may be a key."""
    if mark in _CLOSES:
        if opened and opened[-1].mark == b"{":
            opened[-1] = _Open(b"{", last)
        opened.append(_Open(mark))
    elif mark in (b"]", b"}") and opened:
        opened.pop()
    return mark if mark.startswith(b'"') else last


def _opening(opened: tuple[_Open, ...]) -> bytes:
    parents = (one.mark + (one.key + b":" if one.mark == b"{" else b"") for one in opened[:-1])
    return b"".join((*parents, *(one.mark for one in opened[-1:])))


def _closing(opened: list[_Open]) -> bytes:
    return b"".join(_CLOSES[one.mark] for one in reversed(opened))


def _joined(value: Any, part: Any, depth: int) -> Any:
    """`value` with what `part` adds, `depth` levels of which stand for what was open. LookupError."""
    into = value
    for level in range(depth, 0, -1):
        if type(into) is not type(part) or not isinstance(into, list | dict):
            raise LookupError("a key stands twice")
        inner: Any = None
        if isinstance(into, list):
            if level > 1:
                inner = into[-1], part.pop(0)
            into.extend(part)
        else:
            if level > 1:
                key = next(iter(part))
                inner = into[key], part.pop(key)
            into.update(part)
        if inner is not None:
            into, part = inner
    return value
