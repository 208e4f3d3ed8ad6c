"""A stream's events are those of the WHATWG's rules, however its bytes are cut and its lines end."""

from __future__ import annotations

import re
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scorebench.answers.event_stream import Event, EventStream


def events(pieces: list[bytes]) -> list[Event]:
    """What a stream of these pieces holds."""
    stream = EventStream()
    return [event for piece in pieces for event in stream.feed(piece)]


def by_the_rules(stream: bytes) -> list[Event]:
    """The whole stream at once, by the steps of the standard's section 9.2.6: slow, and independent."""
    text = stream.decode("utf-8", "surrogateescape").removeprefix("\ufeff")
    found, data, kind = [], "", ""
    *lines, _ = re.split("\r\n|\n|\r", text)  # what follows the last end of a line is no line
    for line in lines:
        if line == "":
            if data != "":
                whole = data[:-1].encode("utf-8", "surrogateescape")
                found.append(Event(whole, kind.encode("utf-8", "surrogateescape")))
            data = kind = ""
            continue
        field, value = [*line.split(":", 1), ""][:2]
        value = value[1:] if value.startswith(" ") else value
        if field == "data":
            data += value + "\n"
        elif field == "event":
            kind = value
    return found


@pytest.mark.parametrize(
    ("stream", "data"),
    [
        pytest.param(b"data: YHOO\ndata: +2\ndata: 10\n\n", [b"YHOO\n+2\n10"], id="several lines"),
        pytest.param(
            b": test stream\n\ndata: first event\nid: 1\n\ndata:second event\nid\n\ndata:  third event\n\n",
            [b"first event", b"second event", b" third event"],
            id="comment, ids, one space taken",
        ),
        pytest.param(b"data\n\ndata\ndata\n\ndata:", [b"", b"\n"], id="fields without a value, no last line"),
        pytest.param(b"data:test\n\ndata: test\n\n", [b"test", b"test"], id="with a space or without"),
        pytest.param(b"data: x\n", [], id="no blank line at its end"),
        pytest.param(b"data: [DONE]", [], id="no end of the last line"),
        pytest.param(b"\xef\xbb\xbfdata: x\n\n", [b"x"], id="a byte order mark"),
        pytest.param(b"data: x\n\n\xef\xbb\xbfdata: y\n\n", [b"x"], id="a byte order mark later on"),
        pytest.param(b"data: a\r\n\r\ndata: b\r\rdata: c\n\n", [b"a", b"b", b"c"], id="three ends of line"),
        pytest.param(b"event: ping\n\ndata: x\n\n", [b"x"], id="an event without data"),
        pytest.param(b"Data: x\n data: y\nother: z\n\n", [], id="other names"),
        pytest.param(b"data: \xff\xfe\n\n", [b"\xff\xfe"], id="no UTF-8"),
    ],
)
def test_the_standards_examples(stream: bytes, data: list[bytes]) -> None:
    """The first four are those of the HTML standard, section 9.2.6; the rest follow from its rules."""
    assert [event.data for event in events([stream])] == data == [e.data for e in by_the_rules(stream)]


def test_an_event_has_its_kind() -> None:
    """The standard's example of named events; the next event has none any more."""
    stream = b"event: add\ndata: 73857293\n\nevent: remove\ndata: 2153\n\ndata: 1\n\n"
    assert events([stream]) == [Event(b"73857293", b"add"), Event(b"2153", b"remove"), Event(b"1")]


_WORDS = [
    b"data",
    b"event",
    b":",
    b": ",
    b" ",
    b"\n",
    b"\r",
    b"\r\n",
    b"x",
    b"[DONE]",
    b"\xef\xbb\xbf",
    b"\xc3",
]
_STREAMS = st.lists(st.sampled_from(_WORDS), max_size=40).map(b"".join)


@given(_STREAMS, st.lists(st.integers(0, 60), max_size=10))
def test_any_bytes_cut_anywhere(stream: bytes, places: list[int]) -> None:
    """Any stream has the events that the rules give it, in pieces, in single bytes, and as a whole."""
    bounds = sorted({0, len(stream), *(place for place in places if place < len(stream))})
    pieces = [stream[start:end] for start, end in pairwise(bounds)]
    single = [bytes([byte]) for byte in stream]
    assert events(pieces) == events(single) == events([stream]) == by_the_rules(stream)


def test_an_unfinished_event_is_known() -> None:
    """Whether the end of the stream would lose something."""
    stream = EventStream()
    stream.feed(b"data: x\n\n")
    assert not stream.is_inside_an_event
    stream.feed(b"data: y\n")
    assert stream.is_inside_an_event


def test_a_long_line_in_small_pieces_is_read_in_time() -> None:
    """A megabyte in pieces of ten bytes: what is read again at each piece would be fifty billion bytes."""
    stream = EventStream()
    found = stream.feed(b"data: ")
    for _ in range(100_000):
        found += stream.feed(b"0123456789")
    found += stream.feed(b"\n\n")
    assert [len(event.data) for event in found] == [1_000_000]
