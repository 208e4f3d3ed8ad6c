"""`scorebench soak`, as a user starts it, against a server with a log: killed, and resumed."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from scorebench.folders.soaks import part_folders, read_soak
from scorebench.soaks.found import Kind
from tests.commands import scorebench
from tests.metrics_server import metrics_server
from tests.schemas import validator
from tests.scoring_server import Behaviour, Constant, replies, scoring_server

WORDS = ["--rate", "40", "--users", "4", "--run-time", "9s", "--part", "5s"]


def test_a_soak_whose_machine_went_down_is_resumed(tmp_path: Path) -> None:
    """SIGKILL of all its processes in the first part: what was counted stays, and the rest is measured.

    Every call that is counted is in the server's log; those of the last seconds before the kill are lost.
    """
    with scoring_server(Behaviour(service=Constant(0.005))) as server:
        process = subprocess.Popen(
            [sys.executable, "-m", "scorebench", "soak", server.url, *WORDS],
            cwd=tmp_path,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        server.wait_for_calls(130, timeout_s=60)
        family = [*psutil.Process(process.pid).children(recursive=True), psutil.Process(process.pid)]
        for one in family:
            os.kill(one.pid, signal.SIGKILL)
        process.wait()
        (path,) = (p for p in (tmp_path / "reports").glob("*-soak") if not p.is_symlink())
        before = read_soak(path)
        other = scorebench(tmp_path, "soak", server.url, *WORDS, "--seed", "3", "--resume", str(path))
        done = scorebench(tmp_path, "soak", server.url, *WORDS, "--resume", str(path))
        sent = len(server.log())
    assert other.code == 2
    assert "was another soak" in other.err
    after = read_soak(path)
    assert after.left_s == 0, done.err
    assert after.parts[0] == before.parts[0] if before.parts else len(after.parts) >= 2
    counted = sum(part.calls for part in after.parts)
    assert counted <= sent
    assert len(part_folders(path)) >= 2
    assert "Traceback" not in done.err
    parsed = json.loads((path / "soak.json").read_text())
    validator("soak").validate(parsed)
    assert {one.name for one in path.iterdir()} >= {"soak.json", "soak.csv", "soak.txt", "report.html"}
    again = scorebench(tmp_path, "report", str(path))
    assert again.out.startswith("Soak:        9 s of 9 s measured"), again.out


def test_a_server_that_rejects_everything_ends_the_soak(tmp_path: Path) -> None:
    """Its parts would each end within a second: the first is enough."""
    with scoring_server(Behaviour(default=replies.rejected())) as server:
        done = scorebench(tmp_path, "soak", server.url, *WORDS)
    assert done.code == 1
    assert "its last part ended early" in done.out
    assert len(list((tmp_path / "reports").glob("*-soak/parts/*"))) == 1


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ([], "--run-time: expected how long to soak, such as 8h"),
        (["--run-time", "1h", "--calls", "5"], "--calls: a soak ends by --run-time; leave it out"),
        (["--run-time", "1h", "--part", "0.5s"], "--part 0.5s: expected whole seconds"),
        (["--run-time", "500ms"], "--run-time 500ms: expected whole seconds"),
        (["--run-time", "90.5s"], "--run-time 90.5s: expected whole seconds"),
        (["--run-time", "8d"], "--run-time 8d: expected a week at most"),
        (["--run-time", "1h", "--resume", "nowhere"], "nowhere/soak-plan.json: No such file or directory"),
        (["--run-time", "1h", "--part", "10s", "--warm-up", "20s"], "--warm-up"),
    ],
)
def test_wrong_input_is_one_line(tmp_path: Path, words: list[str], said: str) -> None:
    done = scorebench(tmp_path, "soak", "http://127.0.0.1:1", *words)
    assert done.code == 2
    assert said in done.err
    assert done.err.count("\n") == 1


def test_a_server_elsewhere_tells_its_memory_and_its_restart(tmp_path: Path) -> None:
    """By its own metrics: it grows each second, and says at its sixth reading that it began anew.

    Then the part is not valid. That such memory has a trend is for tests of tables: it takes a minute.
    """
    began_s, started = time.monotonic(), [1e9]

    def show(_: float) -> str:
        started.append(time.time() if len(started) == 6 else started[-1])
        grown = 4e8 + 2e6 * (time.monotonic() - began_s)
        return f"process_start_time_seconds {started[-1]}\nprocess_resident_memory_bytes {grown}\n"

    words = ["--rate", "20", "--users", "2", "--run-time", "8s"]
    with scoring_server(Behaviour(service=Constant(0.005))) as server, metrics_server(show) as metrics:
        done = scorebench(tmp_path, "soak", server.url, *words, "--scrape", metrics.url)
    assert done.code == 4, done.err
    (path,) = (p for p in (tmp_path / "reports").glob("*-soak") if not p.is_symlink())
    found = read_soak(path)
    memory = found.values("memory")
    assert len(memory) >= 5
    assert memory == sorted(memory)
    assert 4e8 < memory[0] < memory[-1]
    assert [one.kind for one in found.happenings if one.kind is Kind.RESTART] == [Kind.RESTART]
