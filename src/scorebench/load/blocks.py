"""A schedule in blocks of calls, found by their number or by the time. Arithmetic; knows no worker, no clock.

Call k of a shape is due where the integral of its rate reaches k, or, at random, the k-th point of a Poisson
process of rate 1: the block holds these numbers, and the shape's inverse makes times of them.
"""

from __future__ import annotations

import bisect
import math
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from scorebench.load.shape import Shape
from scorebench.load.trace import Trace

BLOCK = 1024  # tickets made at a time: large enough that numpy costs little, small enough to make in 50 µs
Floats = NDArray[np.float64]
Block = tuple[int, Floats]
"""The number of its first call, and what `due_s` makes times of."""


class Blocks:
    """The blocks of one schedule."""

    def __init__(self, source: Shape | Trace, *, is_random: bool, seed: int) -> None:
        self._source, self._is_random, self._seed = source, is_random, seed
        self._before = [0.0]
        """Of calls at random: where each block that was made begins on the scale of the integral."""

    def due_s(self, counts: Floats) -> Floats:
        """When calls are due, in seconds from the start; for a selection of a block's numbers."""
        return counts if isinstance(self._source, Trace) else self._source.inverse(counts)

    def calls_before(self, at_s: float) -> int:
        """How many calls are due before `at_s`: the number of the first that is not."""
        if isinstance(self._source, Trace):
            return self._source.count_before(at_s)
        for first, counts in self.since(at_s):
            before = int(np.searchsorted(self.due_s(counts), at_s))
            if before < len(counts):
                return first + before
        raise AssertionError("a shape never ends")

    def since(self, from_s: float = 0.0) -> Iterator[Block]:
        """All blocks with a call due at `from_s` or later; the first may begin earlier."""
        if isinstance(self._source, Trace):
            due_s = self._source.due_s
            begin = self._source.count_before(from_s) // BLOCK * BLOCK
            yield from ((first, due_s[first : first + BLOCK]) for first in range(begin, len(due_s), BLOCK))
        elif self._is_random:
            yield from self._random(self._source.calls(from_s))
        else:
            first = max(math.floor(self._source.calls(from_s)) - 1, 0) // BLOCK * BLOCK
            while True:
                yield first, np.arange(first, first + BLOCK, dtype=np.float64)
                first += BLOCK

    def _random(self, from_count: float) -> Iterator[Block]:
        """From the last block that is known to begin before `from_count` on."""
        # numpy promises that a bit generator's stream stays the same over its versions, and not that of
        # Generator.exponential: from the raw bits a seed means the same schedule on every worker and next
        # year.
        number = max(bisect.bisect_right(self._before, from_count * (1 - 1e-9)) - 1, 0)
        bits = np.random.PCG64(self._seed).advance(number * BLOCK)
        while True:
            uniform = (bits.random_raw(BLOCK) >> np.uint64(11)) * 2.0**-53
            gaps = -np.log1p(-uniform)
            gaps[0] += self._before[number]
            counts = np.cumsum(gaps)
            number += 1
            if number == len(self._before):
                self._before.append(float(counts[-1]))
            if counts[-1] >= from_count:
                yield (number - 1) * BLOCK, counts
