"""What a worker reports is checked before it counts: in size, form and time."""

from __future__ import annotations

from dataclasses import replace

import msgspec
import pytest

from scorebench.answers.outcome import Outcome
from scorebench.cluster import reports
from scorebench.cluster.reports import BadReport, pack, read_report
from scorebench.figures.summary import summarise
from scorebench.recordings.calls import Calls
from scorebench.recordings.happenings import REPORT_REFUSED
from scorebench.recordings.recording import Recording
from scorebench.verdicts.finding import Severity
from scorebench.verdicts.verdict import judge
from tests.recordings import START_S, calls, evenly, recording


def batch() -> Calls:
    return replace(calls(evenly(20), [Outcome.VALID] * 19 + [Outcome.REJECTED]))


def told(of: Recording, kept: list[Calls]) -> bytes:
    return pack(of, kept, 3)


def test_a_good_report_is_read_as_it_was_told() -> None:
    """Counts, users of that worker, and the calls kept."""
    report, counted, (kept,) = read_report(told(recording(batch()), [batch()]), 7, START_S)
    assert (report.resets, counted.measured.calls, len(kept)) == (3, 20, 20)
    assert {worker for worker, _ in counted.measured.users} == {7}


def bad_reports() -> dict[str, object]:
    good = msgspec.msgpack.decode(told(recording(batch()), [batch()]))
    short = dict(good["calls"], due_s=good["calls"]["due_s"][:-8])
    odd = dict(good["calls"], due_s=b"123")
    few = {name: column for name, column in good["calls"].items() if name != "due_s"}
    damaged = dict(good["recording"], measured=dict(good["recording"]["measured"], rows=-1))
    late = calls([(at + 8 * 86_400, at + 8 * 86_400, at + 8 * 86_400) for at in range(3)])
    return {
        "nothing": b"",
        "no bytes": None,
        "another message": msgspec.msgpack.encode({"a": 1}),
        "lists without end": b"\x91" * 100_000,
        "columns of other lengths": msgspec.msgpack.encode(dict(good, calls=short)),
        "half a number": msgspec.msgpack.encode(dict(good, calls=odd)),
        "a column less": msgspec.msgpack.encode(dict(good, calls=few)),
        "a negative count": msgspec.msgpack.encode(dict(good, recording=damaged)),
        "a clock eight days ahead": told(recording(late), []),
    }


@pytest.mark.parametrize("name", bad_reports())
def test_a_bad_report_is_refused_in_one_line(name: str) -> None:
    """Whatever is wrong with it; a clock that is a week off would have every second in between drawn."""
    with pytest.raises(BadReport) as bad:
        read_report(bad_reports()[name], 1, START_S)
    assert len(str(bad.value).splitlines()) == 1


def test_size_is_bounded_before_it_is_unpacked(monkeypatch: pytest.MonkeyPatch) -> None:
    message = told(recording(batch()), [])
    monkeypatch.setattr(reports, "MOST_BYTES", len(message) - 1)
    with pytest.raises(BadReport, match="found no report of at most"):
        read_report(message, 1, START_S)


def test_a_report_that_was_refused_makes_the_measurement_not_valid() -> None:
    """Its calls are in no figure."""
    made = recording(batch())
    why = "worker 2: found columns of calls that differ in length"
    made.events = [{"t_s": START_S, "what": REPORT_REFUSED, "why": why}]
    (one,) = [f for f in judge(summarise(made), made).findings if f.code == "report_refused"]
    assert one.severity is Severity.INVALID
    assert why in one.text
