"""Histograms of durations."""

from __future__ import annotations

import base64
import struct
import tracemalloc
import zlib
from typing import Any

import numpy as np
import pytest
from hdrh.histogram import HdrHistogram
from hypothesis import given
from hypothesis import strategies as st

from scorebench.figures.percentiles import percentile
from scorebench.recordings.histogram import DIGITS, HIGHEST_US, Histogram

DURATIONS = st.lists(st.floats(0, 4_000), min_size=1, max_size=60)


def histogram(*durations_s: float) -> Histogram:
    made = Histogram()
    made.add(np.array(durations_s, dtype=np.float64))
    return made


def test_an_empty_histogram_has_no_figures() -> None:
    """Nothing was measured: None, not 0."""
    empty = histogram()
    assert empty.count == 0
    assert (empty.mean_s, empty.min_s, empty.max_s) == (None, None, None)


def test_mean_and_extremes_are_exact() -> None:
    """0.1, 0.2 and 0.6 s: mean 0.3 s, and the least and greatest to the last digit."""
    found = histogram(0.1, 0.2, 0.6)
    assert found.mean_s == pytest.approx(0.3)
    assert (found.min_s, found.max_s) == (0.1, 0.6)


def test_a_clock_set_back_counts_as_nothing() -> None:
    """A negative duration is counted, as 0 s."""
    found = histogram(-0.5, 1.0)
    assert (found.count, found.min_s, found.max_s) == (2, 0.0, 1.0)


def test_beyond_an_hour_the_true_maximum_stays() -> None:
    """Two hours land in the last bucket, and `max_s` still says two hours."""
    found = histogram(2.0, 7_200.0)
    assert found.max_s == 7_200.0
    assert HIGHEST_US == 3_600e6
    assert found.count == 2


@given(DURATIONS)
def test_the_library_reads_what_it_would_have_recorded(durations_s: list[float]) -> None:
    """Counts, percentiles and encoding are those of HdrHistogram's own `record_value`, value by value."""
    theirs = HdrHistogram(1, HIGHEST_US, DIGITS)
    for duration in durations_s:
        theirs.record_value(min(round(duration * 1e6), HIGHEST_US))
    assert histogram(*durations_s).encoded() == theirs.encode().decode()


@given(DURATIONS)
def test_a_bucket_is_within_a_thousandth_of_what_it_counts(durations_s: list[float]) -> None:
    """Each call's value in the table is its true one within 0.1 % or 1 µs, up to one hour."""
    durations_s = [min(duration, 3_600.0) for duration in durations_s]
    values_s, counts = histogram(*durations_s).table()
    found = np.repeat(values_s, counts)
    true = np.sort(np.array(durations_s))
    assert len(found) == len(true)
    assert np.all(np.abs(found - true) <= np.maximum(true * 1e-3, 1e-6))


@given(DURATIONS, st.floats(0.001, 0.999))
def test_no_percentile_leaves_the_measured_range(durations_s: list[float], q: float) -> None:
    """Every percentile lies between the least and the greatest duration that was seen."""
    found = percentile(*histogram(*durations_s).table(), q)
    assert found is not None
    assert min(durations_s) <= found <= max(durations_s)


@given(DURATIONS)
def test_the_table_is_the_librarys(durations_s: list[float]) -> None:
    """Bucket by bucket the counts are those that HdrHistogram's own iterator tells, values inside."""
    durations_s = [min(duration, 3_600.0) for duration in durations_s]
    found = histogram(*durations_s)
    values_s, counts = found.table()
    highest_us = [(i.value_iterated_to, i.count_at_value_iterated_to) for i in recorded(found)]
    assert counts.tolist() == [count for _, count in highest_us]
    for value_s, (highest, _) in zip(values_s.tolist(), highest_us, strict=True):
        assert highest * (1 - 1e-3) - 1 <= value_s * 1e6 <= highest + 0.5


def recorded(found: Histogram) -> Any:
    return found._counts.get_recorded_iterator()


@given(st.lists(DURATIONS, max_size=4))
def test_merging_equals_adding_at_once(parts: list[list[float]]) -> None:
    """Histograms of the parts, merged, hold the same buckets as one of them all."""
    merged = histogram()
    for part in parts:
        merged.merge(histogram(*part))
    once = histogram(*[duration for part in parts for duration in part])
    assert same(merged, once)


@given(st.lists(st.floats(0, 4_000), max_size=60))
def test_a_round_trip_changes_nothing(durations_s: list[float]) -> None:
    """Encoded and decoded, it is the same histogram; nothing is encoded of an empty one."""
    found = histogram(*durations_s)
    hdr, min_s, max_s = found.encoded(), found.min_s, found.max_s
    if hdr is None or min_s is None or max_s is None:
        assert not durations_s
        return
    again = Histogram.decoded(hdr, count=found.count, sum_s=found.sum_s, min_s=min_s, max_s=max_s)
    assert same(again, found)


def packed(payload: bytes) -> str:
    """As HdrHistogram's V2 encoding wraps it: cookie, length, zlib, base64."""
    body = zlib.compress(payload)
    return base64.b64encode(struct.pack(">II", 0x1C849314, len(body)) + body).decode()


def header(digits: int = 3, lowest_us: int = 1, highest_us: int = HIGHEST_US) -> bytes:
    """The 40 bytes before the counters."""
    return struct.pack(">IIIIQQd", 0x1C849313, 0, 0, digits, lowest_us, highest_us, 1.0)


REFUSED = {
    "zeros that unpack to 300 MB": packed(header() + bytes(300 * 10**6)),
    "another range": packed(header(highest_us=2**62) + b"\x02"),
    "more digits": packed(header(digits=5) + b"\x02"),
    "no header": packed(b""),
    "not compressed": base64.b64encode(b"x" * 60).decode(),
    "not base64": "é",
    "another count": packed(header() + b"\x04"),
}


@pytest.mark.parametrize("hdr", REFUSED.values(), ids=REFUSED)
def test_counts_that_are_not_ours_are_refused_unpacked_or_not(hdr: str) -> None:
    """However large it would be once unpacked, memory grows by no more than 8 MB."""
    tracemalloc.start()
    try:
        with pytest.raises(ValueError, match=r"^(counts|a histogram|\d+ counted)"):
            Histogram.decoded(hdr, count=1, sum_s=1.0, min_s=1.0, max_s=1.0)
        assert tracemalloc.get_traced_memory()[1] < 8e6
    finally:
        tracemalloc.stop()


def test_packed_packs_as_the_library_does() -> None:
    """The helper's own header and a count of one, zigzag 2, decode."""
    assert Histogram.decoded(packed(header() + b"\x02"), count=1, sum_s=0.0, min_s=0.0, max_s=0.0).count == 1


def same(left: Histogram, right: Histogram) -> bool:
    tables = zip(left.table(), right.table(), strict=True)
    return (
        all(np.array_equal(*pair) for pair in tables)
        and left.sum_s == pytest.approx(right.sum_s)
        and (left.count, left.min_s, left.max_s) == (right.count, right.min_s, right.max_s)
    )


def test_same_goes_red() -> None:
    """The comparison that these tests rest on sees one duration more, and one that differs."""
    assert not same(histogram(1.0), histogram(1.0, 1.0))
    assert not same(histogram(1.0, 2.0), histogram(1.0, 3.0))
