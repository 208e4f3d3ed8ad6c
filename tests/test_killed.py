"""A generator that is killed: what it counted until seconds before is read back, held to the server's log."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from scorebench.folders import folder
from scorebench.folders.names import JOURNAL
from tests.commands import locust, scorebench
from tests.scoring_server import Behaviour, Constant, ScoringServer, scoring_server

LOST_S = 5.0


def started(tmp_path: Path, *words: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "scorebench", "run", *words, "--users", "4", "--run-time", "60s"],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        stdin=subprocess.DEVNULL,
        text=True,
    )


def killed_after(process: subprocess.Popen[str], server: ScoringServer, seconds: float) -> float:
    """Kill the generator's processes that long after its first call, but not the launcher; when it was."""
    while not server.log():
        time.sleep(0.05)
    time.sleep(seconds)
    children = psutil.Process(process.pid).children(recursive=True)
    killed_s = time.monotonic()
    for child in children:
        os.kill(child.pid, signal.SIGKILL)
    return killed_s


@pytest.mark.parametrize("words", [[], ["--processes", "2"]], ids=["alone", "master and workers"])
def test_a_killed_generator_loses_at_most_five_seconds(tmp_path: Path, words: list[str]) -> None:
    """SIGKILL after 9 s: of what the server had answered 5 s before, all is counted, and nothing twice."""
    with scoring_server(Behaviour(service=Constant(0.02))) as server:
        process = started(tmp_path, server.url, *words)
        killed_s = killed_after(process, server, 9.0)
        _, err = process.communicate(timeout=60)
        log = server.log()
    (path,) = [file.parent for file in tmp_path.glob(f"reports/*/{JOURNAL}") if not file.parent.is_symlink()]
    assert process.returncode == 128 + signal.SIGKILL
    assert (
        f"killed by signal 9; what it counted until then: scorebench report {path.relative_to(tmp_path)}"
        in err
    )
    read = folder.read(path)
    limit_s = killed_s - LOST_S
    before = [one for one in log if one.answered_s is not None and one.answered_s < limit_s]
    assert len(before) > 50
    assert len(before) <= read.measured.calls <= len(log)
    shown = scorebench(tmp_path, "report", str(path))
    assert shown.code == 0
    assert "the run was killed: its recording covers the first" in shown.out
    assert f"{read.measured.calls:,} calls due" in shown.out


def test_a_worker_that_is_killed_before_the_first_call_ends_the_run(tmp_path: Path) -> None:
    """SIGKILL right after the fork: one line, exit 4, no folder, no process and no call, within seconds.

    The worker has not said a word to its master then, which would wait for it for ever.
    """
    with scoring_server() as server:
        process = started(tmp_path, server.url, "--processes", "2", "--quiet")
        family = workers_of(process)
        began_s = time.monotonic()
        family[-1].kill()
        _, err = process.communicate(timeout=60)
        assert time.monotonic() - began_s < 20
        assert not server.log()
    assert process.returncode == 4
    assert err.splitlines() == [
        "scorebench: 1 of 2 worker processes (--processes) ended before the first call: nothing was sent. "
        "Look for what ended them, such as a lack of memory, and run again."
    ]
    assert not list(tmp_path.glob("reports/*/*"))
    assert not psutil.wait_procs(family, timeout=10)[1]


def workers_of(process: subprocess.Popen[str]) -> list[psutil.Process]:
    """Both worker processes, as soon as they are there."""
    while True:
        family = psutil.Process(process.pid).children(recursive=True)
        if len(family) == 3:
            return family
        time.sleep(0.01)


def test_a_generator_that_is_killed_at_once_is_told_of(tmp_path: Path) -> None:
    """--quiet and SIGKILL before anything was written down: 137, and a line that says so."""
    with scoring_server() as server:
        process = started(tmp_path, server.url, "--quiet")
        killed_after(process, server, 0.0)
        _, err = process.communicate(timeout=60)
    assert process.returncode == 128 + signal.SIGKILL
    said = (
        "scorebench: the run was killed by signal 9 before anything was written down: nothing is left of it"
    )
    assert err.splitlines() == [said]
    assert not list(tmp_path.glob("reports/*/*"))


def test_workers_of_a_killed_master_stop_and_leave_what_they_sent(tmp_path: Path) -> None:
    """SIGKILL for the master alone: the last call leaves within 3 s, and the workers' folders make one run.

    In it is every call of the server's log, from both workers.
    """
    with scoring_server(Behaviour(service=Constant(0.02))) as server:
        process = started(tmp_path, server.url, "--processes", "2")
        while not server.log():
            time.sleep(0.05)
        time.sleep(4.0)
        (master,) = psutil.Process(process.pid).children()
        workers = master.children()
        killed_s = time.monotonic()
        master.kill()
        _, err = process.communicate(timeout=60)
        log = server.log()
    assert process.returncode == 128 + signal.SIGKILL
    assert max(one.first_byte_s for one in log) - killed_s < 3.0
    assert not psutil.wait_procs(workers, timeout=10)[1]
    folders = sorted(path.parent for path in tmp_path.glob("reports/2*/worker-*/recording.json"))
    assert [path.name for path in folders] == ["worker-0", "worker-1"]
    assert f"scorebench merge {folders[0].parent.relative_to(tmp_path)}/worker-*" in err
    done = scorebench(tmp_path, "merge", *map(str, folders))
    assert done.code == 4
    assert "the master was lost while the load ran: these are the figures of worker" in done.out
    (merged,) = tmp_path.glob("reports/*-merged")
    recording = folder.read(merged)
    assert recording.measured.calls == len(log)
    assert {worker for worker, _ in recording.measured.users} == {0, 1}


def test_a_run_that_ends_leaves_no_journal(tmp_path: Path) -> None:
    """Long enough for entries: the recording has every call of the server's log, and no journal is left."""
    with scoring_server(Behaviour(service=Constant(0.02))) as server:
        done = locust(tmp_path, "-H", server.url, "--users", "2", "--run-time", "6s")
    assert done.summary["calls"] == len(server.log())
    assert not list(tmp_path.rglob(JOURNAL))
    assert done.summary["accounting"]["adds_up"]
