"""Seconds of a run → how its slow calls cluster, and so how many count as one. Knows tallies; no wording."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from itertools import chain
from typing import TYPE_CHECKING

import numpy as np

from scorebench.figures.percentiles import clumping, percentile
from scorebench.recordings.bands import coarse_us

BODY = 0.9
"""Percentiles above this one also use the clumps at this one."""

if TYPE_CHECKING:
    from numpy.typing import NDArray


class Clumps:
    """Times by second, ready for any percentile."""

    def __init__(self, seconds: Mapping[int, Mapping[int, int]]) -> None:
        """`seconds`: {second: {lowest microsecond of a coarse bucket: calls}}."""
        first = min(seconds, default=0)
        times = [(second - first, times_us) for second, times_us in sorted(seconds.items())]
        buckets = [len(of_second) for _, of_second in times]
        self._second = np.repeat(np.array([second for second, _ in times], dtype=np.int64), buckets)
        self._us = np.fromiter(chain.from_iterable(t for _, t in times), np.int64, sum(buckets))
        self._calls = np.fromiter(chain.from_iterable(t.values() for _, t in times), np.int64, sum(buckets))
        self._length = int(self._second[-1]) + 1 if len(self._second) else 0

    @property
    def calls_a_second(self) -> float:
        """Valid calls in a second that had any, on average; never below 1."""
        seconds = len(np.unique(self._second))
        return max(1.0, float(self._calls.sum()) / seconds) if seconds else 1.0

    def at(self, value_s: float) -> float | None:
        """How many calls count as one at a percentile of that value; None if that is not known.

        The greater of two answers: of the calls beyond it, and of the slowest tenth. A run that by chance saw
        few queues has a p99 that is too low and too few clumps to know it; its slowest tenth shows more of
        them. Where all calls fall into one coarse bucket nothing could differ between seconds, and it is 1.
        """
        bucket_us = int(coarse_us(np.array([value_s]))[0])
        found = [self._beyond(us) for us in {bucket_us, min(bucket_us, self._body_us)}]
        known = [clumped for clumped in found if clumped is not None]
        return max(known) if len(known) == len(found) else None

    @cached_property
    def _body_us(self) -> int:
        order = np.argsort(self._us, kind="stable")
        return int(percentile(self._us[order], self._calls[order], BODY) or 0)

    def _beyond(self, bucket_us: int) -> float | None:
        slow = self._us > bucket_us
        if not slow.any():
            slow = self._us >= bucket_us
            if slow.all():
                return 1.0
        return clumping(self._by_second(slow), self._by_second(np.ones_like(slow)))

    def _by_second(self, chosen: NDArray[np.bool_]) -> list[int]:
        counts = np.bincount(self._second[chosen], self._calls[chosen], minlength=self._length)
        return [int(count) for count in counts.tolist()]
