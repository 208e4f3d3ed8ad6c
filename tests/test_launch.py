"""A run in a process of its own: watched, repeated, handed on."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from scorebench.commands.run import worst
from scorebench.figures.summary import summarise
from scorebench.folders import folder
from scorebench.recordings.happenings import SERVER_ENDED
from scorebench.recordings.types import Sample
from scorebench.runs import launch
from scorebench.runs.launch import Launch, run
from scorebench.servers.protocol import Progress, ServerInfo
from scorebench.verdicts.verdict import judge
from tests.commands import scorebench
from tests.scoring_server import Behaviour, Constant, replies, scoring_server


@dataclass
class Told:
    """A server that ends, or loses a process, when it is told to."""

    url: str
    pids: tuple[int, ...] = ()
    lives: bool = True
    kind: str = "told"
    next_pids: tuple[int, ...] = field(default_factory=tuple)

    @property
    def endpoint(self) -> str:
        return self.url

    def start(self, progress: Progress | None = None) -> None: ...
    def wait_ready(self, progress: Progress | None = None, timeout_s: float | None = None) -> None: ...
    def stop(self) -> None: ...

    def describe(self) -> ServerInfo:
        pids, self.pids = self.pids, self.next_pids
        return ServerInfo(kind=self.kind, url=self.url, pids=pids or None)

    def usage(self) -> list[Sample]:
        return []

    def log_tail(self, lines: int = 20) -> str:
        return ""

    def alive(self) -> bool:
        return self.lives

    def exit_status(self) -> int | None:
        return None if self.lives else 137


def ended_process() -> int:
    """The number of a process that is gone."""
    return 2**22 - 1  # the kernel's largest is one more; nothing here has it


def events(path: Path) -> list[str]:
    return [event["what"] for event in folder.read(path).events]


def codes(path: Path) -> set[str]:
    recording = folder.read(path)
    return {finding.code for finding in judge(summarise(recording), recording).findings}


def test_a_server_that_ends_ends_the_run(tmp_path: Path) -> None:
    """The run stops long before its time, says why, and keeps what it measured."""
    with scoring_server(Behaviour(service=Constant(0.01))) as server:
        told = Told(server.url)

        def end() -> None:
            server.wait_for_calls(20, timeout_s=60)
            told.lives = False

        threading.Thread(target=end).start()
        began = time.monotonic()
        code = run(Launch(server.url, tmp_path, run_time="60s", show_report=False), told)
        assert time.monotonic() - began < 30
    assert events(tmp_path) == ["server ended"]
    assert "server_ended" in codes(tmp_path)
    assert code == 4
    assert folder.read(tmp_path).measured.valid > 0


def test_a_server_that_ends_before_the_first_call_ends_the_run(tmp_path: Path) -> None:
    """What is said while Locust still loads belongs to the run, and is not forgotten at its start."""
    with scoring_server(Behaviour(service=Constant(0.01))) as server, said_at_once(SERVER_ENDED):
        began = time.monotonic()
        code = run(Launch(server.url, tmp_path, run_time="60s", show_report=False), Told(server.url))
        assert time.monotonic() - began < 30
    assert events(tmp_path) == ["server ended"]
    assert code == 4


@contextmanager
def said_at_once(word: str) -> Iterator[None]:
    """Have the launcher look at the server before Locust can have started."""
    with pytest.MonkeyPatch.context() as patch:
        until_it_ends = launch._Watch.until_it_ends

        def says(watch: Any) -> int:
            launch._tell(watch._process, word)
            return until_it_ends(watch)

        patch.setattr(launch._Watch, "until_it_ends", says)
        yield


def test_a_lost_worker_is_noted(tmp_path: Path) -> None:
    """A process of the server that is gone, while the server lives, makes the measurement invalid."""
    with scoring_server() as server:
        code = run(
            Launch(server.url, tmp_path, run_time="4s", show_report=False),
            Told(server.url, pids=(ended_process(),), next_pids=()),
        )
    assert events(tmp_path) == ["server restarted"]
    assert code == 4


def test_a_server_that_has_just_ended_was_not_restarted(tmp_path: Path) -> None:
    """Its processes go right after somebody saw it alive: it is said to have ended, and nothing else."""
    holder = subprocess.Popen(["sleep", "60"])
    with scoring_server(Behaviour(service=Constant(0.01))) as server:

        class Ending(Told):
            def alive(self) -> bool:
                lived = self.lives
                if lived and server.calls >= 20:
                    holder.kill()
                    holder.wait()
                    self.lives = False
                return lived

        told = Ending(server.url, pids=(holder.pid,))
        assert run(Launch(server.url, tmp_path, run_time="60s", show_report=False), told) == 4
    assert events(tmp_path) == ["server ended"]


def test_wrong_input_leaves_no_folder(tmp_path: Path) -> None:
    """What Locust's process refuses is told in a line, and the folder made for it is gone."""
    said: list[str] = []
    path = tmp_path / "run"
    path.mkdir()
    with scoring_server() as server:
        launch = Launch(server.url, path, options={"data": str(tmp_path / "none.csv")})
        assert run(launch, on_output=said.append) == 2
        assert not server.log()
    assert not path.exists()
    assert any("none.csv" in line for line in said)


def test_repeated_runs_stand_side_by_side(tmp_path: Path) -> None:
    """--repeat 2: two folders in one, a table of both, a suite each, and every call in the server's log."""
    with scoring_server() as server:
        words = ["--users", "2", "--calls", "30", "--repeat", "2", "--junit", "out.xml"]
        done = scorebench(tmp_path, "run", server.url, *words)
        assert (done.code, len(server.log())) == (0, 60), done.err
    runs = sorted(path.parent for path in (tmp_path / "reports").glob("*/run-*/summary.json"))
    assert [path.name for path in runs if "latest" not in path.parts] == ["run-1", "run-2"]
    assert [folder.read(path).measured.valid for path in runs if "latest" not in path.parts] == [30, 30]
    assert "median" in done.out
    assert len(ElementTree.parse(tmp_path / "out.xml").findall("testsuite")) == 2


def test_users_start_at_once(tmp_path: Path) -> None:
    """300 users, 300 calls of 2 s: each user makes one, so none was done before the last had started."""
    with scoring_server(Behaviour(service=Constant(2.0))) as server:
        done = scorebench(tmp_path, "run", server.url, "--users", "300", "--calls", "300")
        assert len(server.log()) == 300, done.err
    assert [user["calls"] for user in done.summary["users"]] == [1] * 300
    assert "spawn rate" not in done.err


def test_users_start_as_slowly_as_asked(tmp_path: Path) -> None:
    """--spawn-rate 2 of four users with calls of 0.1 s: the last two start a second after the first two."""
    with scoring_server(Behaviour(service=Constant(0.1))) as server:
        done = scorebench(
            tmp_path, "run", server.url, "--users", "4", "--spawn-rate", "2", "--run-time", "3s"
        )
        first_s = [record.first_byte_s for record in server.log() if record.call == 0]
    assert done.ends_with(0), done.err
    assert sorted(s - min(first_s) > 0.7 for s in first_s) == [False, False, True, True]


def test_a_missed_limit_is_told_to_ci(tmp_path: Path) -> None:
    """Exit 3, a failed test case, an annotation and a step summary, of one run."""
    step = tmp_path / "step.md"
    with scoring_server(Behaviour(service=Constant(0.02))) as server:
        words = ["--users", "1", "--calls", "20", "--limit", "mean<1ms", "--junit", "out.xml"]
        done = scorebench(
            tmp_path, "run", server.url, *words, "--github-summary", GITHUB_STEP_SUMMARY=str(step)
        )
    assert done.code == 3, done.err
    (suite,) = ElementTree.parse(tmp_path / "out.xml").findall("testsuite")
    assert suite.get("failures") == "1"
    assert "::error title=scorebench%3A limit missed::" in done.out
    assert "MISSED" in step.read_text()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--junit", "nowhere/out.xml"], "--junit nowhere/out.xml: no folder nowhere"),
        (["--junit", "."], "--junit .: is a folder"),
        (["--github-summary"], "--github-summary: GITHUB_STEP_SUMMARY is not set"),
        (["--repeat", "0"], "--repeat 0: expected at least 1"),
        (["--drop", "nothing"], "the demo's rows: found no column 'nothing' to drop"),
        (["--data", "nowhere.csv"], "nowhere.csv: found no such file"),
    ],
)
def test_what_is_wrong_is_refused_first(tmp_path: Path, words: list[str], said: str) -> None:
    """One line, exit 2, nothing sent, no folder left."""
    with scoring_server() as server:
        done = scorebench(tmp_path, "run", server.url, *words, GITHUB_STEP_SUMMARY="")
        assert not server.log()
    assert done.code == 2
    assert said in done.err
    assert len(done.err.splitlines()) == 1
    assert not done.reports.exists()


def test_failed_calls_come_before_missed_limits() -> None:
    """The exit code of several runs: refused, failed, missed, not valid, good."""
    assert worst([0, 4, 3, 1]) == 1
    assert worst([0, 4, 3]) == 3
    assert worst([0, 4]) == 4
    assert worst([0, 0]) == 0
    assert worst([0, -9]) == -9


def test_a_run_with_failures_is_not_good(tmp_path: Path) -> None:
    """--repeat keeps the worst code."""
    with scoring_server(Behaviour(script={40: replies.OVERLOADED})) as server:
        done = scorebench(tmp_path, "run", server.url, "--users", "1", "--calls", "30", "--repeat", "2")
    assert done.code == 1


class Heard:
    """A process that keeps what it is sent, and has a standard input."""

    def __init__(self) -> None:
        self.signals: list[int] = []
        told, self._out = os.pipe()
        self.told = os.fdopen(told, "rb", 0)
        self.stdin = self

    def fileno(self) -> int:
        return self._out

    def send_signal(self, number: int) -> None:
        self.signals.append(number)


@pytest.mark.parametrize("early", [0, 1, 2, 3])
def test_a_signal_before_the_run_has_a_process_waits_for_it(early: int) -> None:
    """The first asks for an end, the second is a word, the third kills: whenever they come."""
    heard, numbers, process = [signal.SIGTERM, signal.SIGINT, signal.SIGTERM], list[int](), Heard()
    before = signal.getsignal(signal.SIGTERM)
    with launch._Signals(numbers.append) as signals:
        for number in heard[:early]:
            os.kill(os.getpid(), number)
        signals.pass_on_to(process)  # type: ignore[arg-type]
        for number in heard[early:]:
            os.kill(os.getpid(), number)
    assert numbers == heard
    assert process.signals == [signal.SIGTERM, signal.SIGKILL]
    assert process.told.read(100) == b"cut short\n"
    assert signal.getsignal(signal.SIGTERM) == before


STOPPED_BEFORE = """
import os, signal, sys
from scorebench import cli
from scorebench.runs import launch
launch.run = lambda *_, **__: os.kill(os.getpid(), signal.SIGTERM)
sys.exit(cli.main(sys.argv[1:]))
"""


def test_a_sigterm_before_the_run_leaves_no_folder(tmp_path: Path) -> None:
    """The folder is there, the run's process is not yet: exit 143, and nothing stays."""
    with scoring_server() as server:
        command = [sys.executable, "-c", STOPPED_BEFORE, "run", server.url]
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 143, done.stderr
    assert "Traceback" not in done.stderr
    assert not [path for path in (tmp_path / "reports").glob("*") if not path.is_symlink()]
