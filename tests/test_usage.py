"""The server's own figures: CPU, memory and threads of its processes or its container, a sample a second."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from scorebench.folders import folder
from scorebench.recordings.types import Sample
from scorebench.runs.launch import Launch, run
from scorebench.servers.protocol import ServerInfo
from scorebench.servers.usage import MOST_PROCESSES, ContainerUsage, ProcessUsage
from tests.scoring_server import Behaviour, Constant, scoring_server
from tests.test_launch import Told

NOBODY = 2**22 - 1


def test_a_process_alone_is_the_server() -> None:
    """Its memory and threads are what psutil says of this process, within what a moment changes."""
    (sample,) = ProcessUsage().of([os.getpid()])
    assert sample["who"] == "server"
    assert sample["rss_bytes"] == pytest.approx(psutil.Process().memory_info().rss, rel=0.1)
    assert abs(sample["threads"] - psutil.Process().num_threads()) <= 2
    assert sample["cpu"] is not None


def test_several_processes_are_summed_and_told_one_by_one() -> None:
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as other:
        usage = ProcessUsage()
        samples = usage.of([os.getpid(), other.pid, NOBODY])
        other.communicate(b"\n")
        assert [one["who"] for one in usage.of([os.getpid(), other.pid])] == ["server"]
    together, *each = samples
    assert {one["who"] for one in each} == {f"server process {pid}" for pid in (os.getpid(), other.pid)}
    assert together["rss_bytes"] == sum(one["rss_bytes"] or 0 for one in each)
    assert together["threads"] == sum(one["threads"] for one in each)


def test_nothing_is_told_of_nobody() -> None:
    assert ProcessUsage().of([NOBODY]) == []
    assert ProcessUsage().of([]) == []


def test_work_is_seen() -> None:
    """A second of CPU is a second of CPU, however long it takes to get."""
    usage = ProcessUsage()
    usage.of([os.getpid()])
    before = psutil.Process().cpu_times()
    began_s = time.monotonic()
    while sum(psutil.Process().cpu_times()[:2]) - sum(before[:2]) < 0.3:
        pass
    (sample,) = usage.of([os.getpid()])
    took_s = time.monotonic() - began_s
    assert sample["cpu"] == pytest.approx(0.3 / took_s, rel=0.5)


def test_a_server_of_many_processes_has_few_samples() -> None:
    usage = ProcessUsage()
    usage._processes = {number: psutil.Process() for number in range(100)}
    assert len(usage.of(range(100))) == 1 + MOST_PROCESSES


STATS = {
    "cpu_stats": {"cpu_usage": {"total_usage": 5_000_000_000}},
    "memory_stats": {"usage": 300, "stats": {"inactive_file": 100}},
    "pids_stats": {"current": 12},
}


def test_a_container_worked_by_hand(monkeypatch: pytest.MonkeyPatch) -> None:
    """3 s of CPU in 2 s are 1.5 cores; 300 bytes of which 100 are the page cache's are 200."""
    now = iter([10.0, 12.0])
    monkeypatch.setattr("scorebench.servers.usage.time.monotonic", lambda: next(now))
    usage = ContainerUsage()
    (first,) = usage.of(STATS)
    (second,) = usage.of({**STATS, "cpu_stats": {"cpu_usage": {"total_usage": 8_000_000_000}}})
    assert (first["cpu"], first["rss_bytes"], first["threads"]) == (None, 200, 12)
    assert (second["cpu"], second["who"]) == (1.5, "server")


@pytest.mark.parametrize(
    "stats", [{}, {"cpu_stats": None}, {"cpu_stats": {"cpu_usage": {"total_usage": "x"}}}]
)
def test_an_engine_that_tells_nothing_is_no_error(stats: dict[str, object]) -> None:
    """As it does of a container that has just stopped."""
    assert ContainerUsage().of(stats) == []


class _Used(Told):
    """A server of this test's own process, sampled by who started it."""

    known = ProcessUsage()

    def usage(self) -> list[Sample]:
        return self.known.of([os.getpid()])

    def describe(self) -> ServerInfo:
        return ServerInfo(kind=self.kind, url=self.url)


def test_samples_of_the_server_reach_the_recording(tmp_path: Path) -> None:
    """From the process that started it, not from the generator, which has users to wake."""
    with scoring_server(Behaviour(service=Constant(0.01))) as server:
        run(Launch(server.url, tmp_path, run_time="4s", show_report=False), _Used(server.url))
    found = folder.read(tmp_path)
    of_server = [one for one in found.resources if one["who"] == "server"]
    assert len(of_server) >= 2
    assert all(one["threads"] >= 1 and one["rss_bytes"] for one in of_server)
    page = (tmp_path / "report.html").read_text()
    assert "Threads" in page
