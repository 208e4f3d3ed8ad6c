"""Calls by request: counted by name and user, merged over workers, kept in the file, shown in the report."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from scorebench.answers.outcome import Outcome
from scorebench.figures.summary import summarise
from scorebench.load.warm_up import WarmUp
from scorebench.recordings.calls import UNKNOWN_USER
from scorebench.recordings.form import form_of, recording_of
from scorebench.recordings.recording import Recording
from scorebench.recordings.warm_up_gate import WarmUpGate
from scorebench.report.text import render
from scorebench.verdicts.verdict import judge
from tests.recordings import calls

NAMES = [("GET", "/list"), ("POST", "/item")]


def recording(warm_up: int = 0) -> Recording:
    """Four calls: user 0 lists twice (1/8 and 3/8 s), user 1 posts once (1/4 s), nobody posts in vain."""
    made = Recording()
    times = [(0.0, 0.0, 0.125), (1.0, 1.0, 1.375), (2.0, 2.0, 2.25), (3.0, 3.0, 3.5)]
    outcomes = [Outcome.VALID, Outcome.VALID, Outcome.VALID, Outcome.NOT_FOUND]
    batch = replace(calls(times, outcomes, [0, 0, 1, UNKNOWN_USER]), payload=np.array([0, 0, 1, 1]))
    for _ in WarmUpGate(WarmUp(calls=warm_up)).adding(made, batch, NAMES):
        pass
    return made


def test_each_request_has_its_own_figures() -> None:
    """Mean, min and max are those of the valid calls of that name, in all and by user; unknown users last."""
    listed, posted = summarise(recording()).requests
    assert (listed.method, listed.name, listed.calls, listed.valid) == ("GET", "/list", 2, 2)
    assert (listed.mean_s, listed.min_s, listed.max_s) == (0.25, 0.125, 0.375)
    assert (posted.calls, posted.valid) == (2, 1)
    assert [(user.user, user.calls, user.valid) for user in posted.users] == [(1, 1, 1), (None, 1, 0)]


def test_the_warm_up_is_in_no_request() -> None:
    """Two calls of warm-up: what is left are the two posts."""
    (posted,) = summarise(recording(warm_up=2)).requests
    assert (posted.name, posted.calls) == ("/item", 2)


def test_workers_are_told_apart_and_added_up() -> None:
    """The same users of two workers are four, and each request has the calls of both."""
    together = Recording()
    for worker in (0, 1):
        one = recording()
        one.rename_users(worker)
        together.merge(one)
    listed, _ = summarise(together).requests
    assert listed.calls == 4
    assert [(user.worker, user.user) for user in listed.users] == [(0, 0), (1, 0)]


def test_the_file_keeps_them() -> None:
    """What is written reads back to the same figures."""
    made = recording()
    again = recording_of(form_of(made))
    assert summarise(again).requests == summarise(made).requests != ()


def test_the_report_has_a_line_for_each() -> None:
    """Method, name, and milliseconds; calls of a user that is not known stand below the others."""
    made = recording()
    summary = summarise(made)
    lines = [line.split() for line in render(summary, judge(summary, made)).splitlines()]
    assert ["GET", "/list", "all", "250.0", "375.0", "125.0", "2", "2"] in lines
    assert ["not", "known", "-", "-", "-", "1", "0"] in lines
