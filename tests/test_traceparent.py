"""Each call has a trace of its own, and the report names the slowest by the traces that the server saw."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from scorebench.answers.outcome import Outcome
from scorebench.errors import InputError
from scorebench.figures.summary import summarise
from scorebench.options.settings import from_namespace
from scorebench.recordings.slowest import MOST
from scorebench.recordings.tally import Tally
from scorebench.report import text
from scorebench.verdicts.verdict import judge
from tests.commands import scorebench
from tests.recordings import calls, evenly, recording, through_msgpack
from tests.scoring_server import Behaviour, replies, scoring_server

TRACEPARENT = re.compile(r"00-([0-9a-f]{32})-([0-9a-f]{16})-01")
"""W3C Trace Context, section 3.2: version 00, trace id, parent id, flags with the sampled bit."""


def ids(count: int, first: int = 1) -> Any:
    """Different ids, ascending."""
    return np.array([f"{number:032x}" for number in range(first, first + count)])


def test_the_slowest_are_kept_and_merged() -> None:
    """Of two processes' 30 calls each the 20 slowest, slowest first: those of the slower process.

    A call that was cut off has no end, and one that never left has no id.
    """
    slow_s, fast_s = [1 + n / 10 for n in range(30)], [n / 100 for n in range(30)]
    tallies = []
    for first, services in ((1, slow_s), (101, fast_s)):
        tally = Tally()
        tally.add(replace(calls(evenly(30, 10.0, services)), traces=ids(30, first)))
        tallies.append(tally)
    odd = calls(evenly(2, 1.0, 50.0), outcome=[Outcome.CUT_OFF, Outcome.VALID])
    tallies[0].add(replace(odd, traces=np.array(["a", ""])))
    tallies[1].merge(tallies[0])
    found = tallies[1].slowest
    assert [one.trace_id for one in found] == [f"{number:032x}" for number in range(30, 30 - MOST, -1)]
    assert [one.service_s for one in found] == pytest.approx(slow_s[::-1][:MOST])


def test_they_stand_in_the_file_and_the_text() -> None:
    """Through a worker's message and into the report; without traces there is no such section."""
    made = recording(replace(calls(evenly(3, 10.0, (0.1, 0.3, 0.2))), traces=ids(3)))
    read = through_msgpack(made)
    assert read.measured.slowest == made.measured.slowest
    summary = summarise(read)
    shown = text.render(summary, judge(summary, read, ()))
    lines = shown[shown.index("Slowest calls by their traces") :].splitlines()[2:5]
    assert [line.split()[0] for line in lines] == [f"{number:032x}" for number in (2, 3, 1)]
    bare = recording(calls(evenly(3)))
    assert "Slowest calls" not in text.render(summarise(bare), judge(summarise(bare), bare, ()))


def test_a_trace_of_the_users_own_is_refused() -> None:
    """One header can't hold two: --header with a traceparent goes for all calls."""
    from argparse import Namespace

    asked = Namespace(traceparent=True, header=["TraceParent: 00-x-y-01"])
    with pytest.raises(InputError, match="--traceparent: a header of yours has that name too"):
        from_namespace(asked, "http://localhost:1")


def test_each_call_has_a_trace_of_its_own(tmp_path: Path) -> None:
    """Of 40 calls by two processes no id is twice; the server's slow one is the report's slowest."""
    behaviour = Behaviour(script={17: replace(replies.PREDICTED, service_s=1.0)})
    with scoring_server(behaviour) as server:
        words = ["--calls", "40", "--users", "2", "--processes", "2", "--traceparent"]
        done = scorebench(tmp_path, "run", server.url, *words)
        log = server.log()
    found = [TRACEPARENT.fullmatch(record.headers["traceparent"]) for record in log]
    assert all(found)
    traces = [one[1] for one in found if one]
    assert len(set(traces)) == len({one[2] for one in found if one}) == len(log) == 40
    told = done.summary["slowest"]
    assert (done.code, len(told)) == (0, MOST)
    assert told[0]["trace_id"] == traces[17]
    assert told[0]["service_s"] >= 1.0
    assert {one["trace_id"] for one in told} <= set(traces)
    assert traces[17] in (done.folders[0] / "report.html").read_text()
