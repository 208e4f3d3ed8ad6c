"""What is written down as the run goes covers the time that has passed, with calls in it or without."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from scorebench.folders.journal import read_journal
from scorebench.folders.names import JOURNAL
from scorebench.plugin.lifecycle.written import WrittenDown
from scorebench.recordings.recording import Recording
from tests.recordings import START_S, calls, evenly, recording


def test_a_hanging_server_does_not_date_the_kill_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ten calls in the first second, then no answer until the kill: the last entry, of second 20, counts."""
    now = [START_S]
    monkeypatch.setattr(time, "time", lambda: now[0])
    written = WrittenDown(lambda: tmp_path, {"started_s": START_S})
    written.write([])
    assert not (tmp_path / JOURNAL).exists()  # a test without calls leaves nothing
    written.add(recording(calls(evenly(10))))
    for passed_s in range(2, 21, 2):
        now[0] = START_S + passed_s
        written.write([])
    read = read_journal(tmp_path / JOURNAL)
    assert read.measured.calls == 10
    assert read.environment["stopped_s"] == START_S + 20
    assert read.events[-1].get("why") == "its recording covers the first 20 s"
    written.close(keep=False)


def test_an_entry_without_calls_keeps_what_was_sampled(tmp_path: Path) -> None:
    """Memory and CPU of a server that hangs are written down as well."""
    written = WrittenDown(lambda: tmp_path, {"started_s": START_S})
    written.add(recording(calls(evenly(1))))
    written.write([])
    sample = {"t_s": START_S + 1, "who": "server", "cpu": 0.1, "rss_bytes": 1}
    written.add(Recording(resources=[sample]))  # type: ignore[list-item]
    written.write([])
    assert [one["t_s"] for one in read_journal(tmp_path / JOURNAL).resources] == [START_S + 1]
    written.close(keep=False)
