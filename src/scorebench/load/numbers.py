"""Numbers of calls, as ranges: which a worker has still to send, and how they are dealt. Arithmetic alone."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from operator import length_hint

Ranges = tuple[range, ...]


class Numbers(Iterator[int]):
    """The bodies to send, one a number. It may be empty and then go on, when numbers are added."""

    def __init__(self, bodies: int, numbers: Iterable[range] = ()) -> None:
        """Number k sends body k modulo `bodies`."""
        self._bodies = bodies
        self._waiting = deque(numbers)
        self._current = range(0)
        self._next = iter(self._current)
        self.taken = 0
        """How many were sent, or are about to be."""

    def __next__(self) -> int:
        number = next(self._next, None)
        while number is None:
            if not self._waiting:
                raise StopIteration
            self._begin(self._waiting.popleft())
            number = next(self._next, None)
        self.taken += 1
        return number % self._bodies

    def add(self, numbers: Iterable[range]) -> None:
        """Send these too, after the others."""
        self._waiting.extend(numbers)

    @property
    def left(self) -> int:
        """How many are left."""
        return length_hint(self._next) + size(self._waiting)

    def give_up(self, parts: int) -> Ranges:
        """Hand in the last of `parts` parts of what is left; 1: all of it."""
        left = (self._current[len(self._current) - length_hint(self._next) :], *self._waiting)
        kept_count = size(left) - size(left) // parts
        kept, given = first(left, kept_count), after(left, kept_count)
        self._waiting = deque(kept)
        self._begin(range(0))
        return given

    def _begin(self, numbers: range) -> None:
        self._current, self._next = numbers, iter(numbers)


def size(numbers: Iterable[range]) -> int:
    """How many numbers there are."""
    return sum(map(len, numbers))


def first(numbers: Iterable[range], count: int) -> Ranges:
    """The first `count` of them."""
    found = []
    for one in numbers:
        found.append(one[:count])
        count -= len(found[-1])
    return tuple(filter(len, found))


def after(numbers: Iterable[range], count: int) -> Ranges:
    """Those after the first `count`."""
    found = []
    for one in numbers:
        found.append(one[count:])
        count = max(count - len(one), 0)
    return tuple(filter(len, found))


def split(numbers: Iterable[range], parts: int) -> list[Ranges]:
    """As many each, or one more; in a few pieces, however often that is done."""
    rest, dealt = tuple(numbers), []
    for left in range(parts, 0, -1):
        count = -(-size(rest) // left)
        dealt.append(first(rest, count))
        rest = after(rest, count)
    return dealt


def without(numbers: Iterable[range], taken: Iterable[range]) -> Ranges:
    """`numbers` less those in `taken`, each of which lies within one of them; others are left alone."""
    left = list(numbers)
    for piece in filter(len, taken):
        at = next((at for at, one in enumerate(left) if _is_within(piece, one)), None)
        if at is not None:
            one, from_ = left[at], left[at].index(piece[0])
            left[at : at + 1] = [one[:from_], one[from_ + len(piece) :]]
    return tuple(filter(len, left))


def _is_within(piece: range, one: range) -> bool:
    return piece[0] in one and piece[-1] in one and (len(piece) == 1 or piece.step == one.step)
