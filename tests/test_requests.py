"""Calls by request: counted by name and user, merged over workers, kept in the file, shown in the report."""

from __future__ import annotations

import csv
import io
import re
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import numpy as np
import pytest

from scorebench.answers.outcome import Outcome
from scorebench.figures.summary import summarise
from scorebench.folders import folder, making
from scorebench.load.warm_up import WarmUp
from scorebench.recordings.calls import UNKNOWN_USER
from scorebench.recordings.form import form_of, recording_of
from scorebench.recordings.recording import Recording
from scorebench.recordings.warm_up_gate import WarmUpGate
from scorebench.report import page
from scorebench.report.data import requests_csv
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


def test_the_csv_has_a_line_for_each_request_and_user() -> None:
    """The line of all users adds up its users' calls; seconds as they were measured."""
    rows = list(csv.DictReader(io.StringIO(requests_csv(summarise(recording())))))
    assert [(row["method"], row["name"], row["worker"], row["user"], row["calls"]) for row in rows] == [
        ("GET", "/list", "", "", "2"),
        ("GET", "/list", "0", "0", "2"),
        ("POST", "/item", "", "", "2"),
        ("POST", "/item", "0", "1", "1"),
        ("POST", "/item", "0", "not known", "1"),
    ]
    assert [row["mean_s"] for row in rows] == ["0.25", "0.25", "0.25", "0.25", ""]


@pytest.mark.parametrize("name", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1"])
def test_no_request_name_is_a_formula(name: str) -> None:
    """Beginnings that OWASP lists for CSV injection: a quote before it, no control character."""
    made = Recording()
    for _ in WarmUpGate(WarmUp()).adding(
        made, replace(calls([(0.0, 0.0, 0.1)]), payload=np.array([0])), [("GET", name)]
    ):
        pass
    (all_users, of_one) = csv.DictReader(io.StringIO(requests_csv(summarise(made)), newline=""))
    assert all_users["name"] == of_one["name"] == f"'{name.strip()}"


def test_the_page_shows_each_request_and_who_made_it() -> None:
    """The same figures as the text report, in ms; a user that is not known is no "None"."""
    made = recording()
    summary = summarise(made)
    shown = page.render(made, summary, judge(summary, made))
    cells = [re.findall(r"<td>(.*?)</td>", row) for row in re.findall(r"<tr>(.*?)</tr>", shown)]
    assert ["GET", "/list", "all", "2", "2", "250.0", "375.0", "125.0"] in cells
    assert ["POST", "/item", "0.1", "1", "1", "250.0", "250.0", "250.0"] in cells
    assert ["POST", "/item", "not known", "1", "0", "-", "-", "-"] in cells
    assert "<td>None</td>" not in shown


def test_the_folder_has_the_csv_only_where_requests_differ(tmp_path: Path) -> None:
    """Our own user sends one request: its folder stays as it is."""
    for made, there in ((recording(), True), (Recording(), False)):
        path = making.create(tmp_path, "url", datetime(2026, 1, 1))
        summary = summarise(made)
        folder.write(path, made, summary, judge(summary, made))
        assert (path / "requests.csv").exists() is there
