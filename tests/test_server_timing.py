"""`Server-Timing` is read by the W3C's grammar, within bounds; what breaks it is refused and counted."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scorebench.answers.server_timing import LONGEST_NAME, MOST_BYTES, MOST_METRICS, parse


@pytest.mark.parametrize(
    ("header", "durations_ms"),
    [
        # The examples of the specification, section 2.
        (b"miss, db;dur=53, app;dur=47.2", {"db": 53, "app": 47.2}),
        (b"customView, dc;desc=atl", {}),
        (b'cache;desc="Cache Read";dur=23.2', {"cache": 23.2}),
        (b"total;dur=123.4", {"total": 123.4}),
        # RFC 9110, 5.6.1: a list may have empty elements, and space around its commas.
        (b" , a;dur=1 ,,\tb ; dur = 2,", {"a": 1, "b": 2}),
        # Names of parameters know no case; of two with one name the first counts, even a wrong one.
        (b"a;DUR=1", {"a": 1}),
        (b"a;dur=1;dur=2", {"a": 1}),
        (b'a;dur="1.5"', {"a": 1.5}),
        (b"a;dur=1e3", {"a": 1000}),
        # A comma, a semicolon and an escaped quote inside quotes are text.
        (rb'a;desc="x, y;dur=9\", z";dur=3, b;dur=4', {"a": 3, "b": 4}),
        # A metric may stand there twice: it happened twice.
        (b"a;dur=1, a;dur=2", {"a": 3}),
        (b"a;unknown=7;dur=1", {"a": 1}),
        (b"", {}),
    ],
)
def test_what_the_grammar_allows(header: bytes, durations_ms: dict[str, float]) -> None:
    told = parse(header)
    assert told.durations_s == pytest.approx({name: ms / 1e3 for name, ms in durations_ms.items()})
    assert told.refused == 0


@pytest.mark.parametrize(
    "metric",
    [
        b"a;dur=-1",
        b"a;dur=nan",
        b"a;dur=inf",
        b"a;dur=1e999",
        b"a;dur=1_000",
        b"a;dur=0x10",
        b"a;dur",
        b"a;dur=",
        b"a;dur=;dur=1",
        b"a;dur=3600001",
        b"two words;dur=1",
        b"b\xff;dur=1",
        b'"quoted";dur=1',
        b"=;dur=1",
        b"a" * (LONGEST_NAME + 1) + b";dur=1",
    ],
)
def test_what_breaks_it_is_refused_alone(metric: bytes) -> None:
    """The metrics before and after it count all the same."""
    told = parse(b"before;dur=1, " + metric + b", after;dur=2")
    assert (told.durations_s, told.refused) == ({"before": 0.001, "after": 0.002}, 1)


def test_a_quote_without_an_end_ends_the_header() -> None:
    told = parse(b'before;dur=1, a;desc="x, after;dur=2')
    assert (told.durations_s, told.refused) == ({"before": 0.001}, 1)


def test_a_sum_beyond_an_hour_is_refused() -> None:
    """Two durations that are allowed may add up to one that is not."""
    told = parse(b"a;dur=3600000, a;dur=1")
    assert (told.durations_s, told.refused) == ({"a": 3600.0}, 1)


def test_size_and_count_are_bounded() -> None:
    metrics = [b"m%d;dur=1" % number for number in range(MOST_METRICS + 3)]
    told = parse(b",".join(metrics))
    assert (len(told.durations_s), told.refused) == (MOST_METRICS, 3)
    assert parse(b"a;dur=1" + b" " * (MOST_BYTES - 7)).durations_s == {"a": 0.001}
    too_long = parse(b"a;dur=1" + b" " * (MOST_BYTES - 6))
    assert (too_long.durations_s, too_long.refused) == ({}, 1)


@given(st.binary(max_size=300) | st.text(alphabet=' ",;=\\ab1.\t', max_size=300).map(str.encode))
def test_nothing_breaks_the_reader(header: bytes) -> None:
    """Whatever a server sends, the reader ends, and keeps durations that are some."""
    told = parse(header)
    assert all(0 <= seconds <= 3600 for seconds in told.durations_s.values())
    assert all(len(name) <= LONGEST_NAME and name.isascii() for name in told.durations_s)
