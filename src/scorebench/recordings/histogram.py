"""Durations counted in an HdrHistogram: three digits, microseconds, filled in batches.

Knows the library and numpy; nothing of what the durations measure.
"""

from __future__ import annotations

import base64
import struct
import weakref
import zlib
from typing import TYPE_CHECKING

import numpy as np
from hdrh.histogram import HdrHistogram

from scorebench.recordings.counting import distinct

if TYPE_CHECKING:
    from numpy.typing import NDArray

DIGITS = 3
HIGHEST_US = 3_600_000_000
"""One hour: longer durations are counted there, and `max_s` still tells their true length."""

# HdrHistogram's V2 encoding: cookie and length; then, compressed, a header of 40 bytes with the settings, and
# at most nine bytes for each of the 23,552 counters.
_OUTER_HEADER_BYTES, _SETTINGS_AT = 8, 12
_MOST_UNPACKED = 40 + 9 * 23_552


class Histogram:
    """Durations in seconds: count, sum, least and greatest exact, the rest within 0.1 % or 1 µs.

    The relative error comes from HdrHistogram's buckets (2,048 a power of two, at three digits).
    """

    def __init__(self) -> None:
        self._counts = HdrHistogram(1, HIGHEST_US, DIGITS)
        # The library's object and its encoder hold each other, and 200 kB. Without that cycle they go at
        # once, and not when Python looks for cycles: a run drops several of them every other second.
        self._counts.encoder.histogram = weakref.proxy(self._counts)
        self._table = np.ctypeslib.as_array(self._counts.counts)
        self.sum_s = 0.0
        self._min_s = np.inf
        self._max_s = -np.inf

    @property
    def count(self) -> int:
        """How many durations were added."""
        return int(self._counts.get_total_count())

    @property
    def mean_s(self) -> float | None:
        """Arithmetic mean in seconds, from the exact sum; None while empty."""
        return self.sum_s / self.count if self.count else None

    @property
    def min_s(self) -> float | None:
        """The least duration, exact; None while empty."""
        return float(self._min_s) if self.count else None

    @property
    def max_s(self) -> float | None:
        """The greatest duration, exact; None while empty."""
        return float(self._max_s) if self.count else None

    def add(self, durations_s: NDArray[np.float64]) -> None:
        """Count each of `durations_s`; below 0 (a clock that was set back) counts as 0."""
        if not len(durations_s):
            return
        durations_s = np.maximum(durations_s, 0.0)
        self.sum_s += float(durations_s.sum())
        self._min_s = min(self._min_s, float(durations_s.min()))
        self._max_s = max(self._max_s, float(durations_s.max()))
        microseconds = np.minimum(np.rint(durations_s * 1e6), HIGHEST_US).astype(np.int64)
        self._record(microseconds)

    def _record(self, microseconds: NDArray[np.int64]) -> None:
        """What the library's `record_value` does, for a whole column: by itself it takes 3 µs a value.

        While a batch is counted no user can wake, and the wait would be theirs.
        """
        values, counts = distinct(microseconds)
        exponent = np.frexp((values | self._counts.sub_bucket_mask).astype(np.float64))[1]
        shift = exponent - (self._counts.sub_bucket_half_count_magnitude + 1)
        index = shift * self._counts.sub_bucket_half_count + (values >> shift)
        np.add.at(self._table, index, counts.astype(self._table.dtype))  # two values may share a bucket
        self._counts.total_count += len(microseconds)
        self._counts.min_value = min(self._counts.min_value, int(values[0]))
        self._counts.max_value = max(self._counts.max_value, int(values[-1]))

    def merge(self, other: Histogram) -> None:
        """Add what `other` counted."""
        if not other.count:
            return
        self._counts.add(other._counts)
        self.sum_s += other.sum_s
        self._min_s = min(self._min_s, other._min_s)
        self._max_s = max(self._max_s, other._max_s)

    def table(self) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
        """(values in seconds, ascending; how many calls each): every bucket that holds a call.

        A bucket stands for its middle, clipped to the least and greatest duration that was seen.
        """
        index = np.flatnonzero(self._table)
        half = self._counts.sub_bucket_half_count
        # HdrHistogram's layout: the first two halves count single microseconds, each further one doubles.
        shift = np.maximum(index // half - 1, 0)
        lowest_us = np.where(index < half, index, index % half + half) << shift
        middles_s = (lowest_us + ((1 << shift) - 1) / 2) / 1e6
        return np.clip(middles_s, self._min_s, self._max_s), self._table[index].astype(np.int64)

    def encoded(self) -> str | None:
        """HdrHistogram's own compressed V2 encoding, in base64; None while empty."""
        return self._counts.encode().decode() if self.count else None

    @classmethod
    def decoded(cls, hdr: str, *, count: int, sum_s: float, min_s: float, max_s: float) -> Histogram:
        """The histogram that `encoded` wrote. ValueError for anything else, however large once unpacked."""
        _check(hdr)
        histogram = cls()
        try:
            histogram._counts.decode_and_add(hdr)
        except Exception as problem:  # the library raises TypeError, IndexError, zlib.error and its own
            raise ValueError(f"counts that do not decode ({type(problem).__name__})") from None
        if histogram.count != count:
            raise ValueError(f"{histogram.count} counted durations for a count of {count}")
        histogram.sum_s, histogram._min_s, histogram._max_s = sum_s, min_s, max_s
        return histogram


def _check(hdr: str) -> None:
    """ValueError unless this is a histogram like ours.

    The library unpacks whatever size it is given, and makes room for any range.
    """
    try:
        packed = base64.b64decode(hdr, validate=True)[_OUTER_HEADER_BYTES:]
        unpacked = zlib.decompressobj().decompress(packed, _MOST_UNPACKED + 1)
        digits, lowest_us, highest_us = struct.unpack_from(">IQQ", unpacked, _SETTINGS_AT)
    except (ValueError, zlib.error, struct.error):
        raise ValueError("counts that do not decode") from None
    if len(unpacked) > _MOST_UNPACKED:
        raise ValueError(f"counts of more than {_MOST_UNPACKED:,} bytes")
    if (digits, lowest_us, highest_us) != (DIGITS, 1, HIGHEST_US):
        raise ValueError(f"a histogram of {digits} digits from {lowest_us} to {highest_us} us")
