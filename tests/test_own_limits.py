"""What the generator can't do is the generator's fault: its limits, its stalls, its helpers that fail."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import psutil
import pytest

from scorebench.servers import ports
from scorebench.verdicts.finding import Severity
from tests.commands import ROOT, locust
from tests.scoring_server import Behaviour, Constant, scoring_server
from tests.scoring_server.replies import CLOSING, Reply
from tests.scoring_server.scoring import JSON

WINE = str(ROOT / "payloads" / "wine.csv")
RUN = [sys.executable, "-m", "scorebench", "run"]


def start(tmp_path: Path, *words: str, files: tuple[int, int] | None = None) -> subprocess.Popen[str]:
    """A run in its own process, which may open `files` (now, at most)."""
    limit = (
        ["bash", "-c", f'ulimit -Sn {files[0]}; ulimit -Hn {files[1]}; exec "$@"', "bash"] if files else []
    )
    return subprocess.Popen(
        [*limit, *RUN, *words], cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def left(tmp_path: Path, name: str) -> Any:
    return json.loads((tmp_path / "reports" / "latest" / name).read_text())


def invalid(tmp_path: Path) -> dict[str, str]:
    """Code and text of each finding that makes the measurement not valid."""
    findings = left(tmp_path, "summary.json")["verdict"]["findings"]
    return {one["code"]: one["text"] for one in findings if one["severity"] == Severity.INVALID}


@pytest.mark.parametrize("processes", [[], ["--processes", "2"]])
def test_more_users_than_files_are_refused(tmp_path: Path, processes: list[str]) -> None:
    """256 files less 64 spare ones are 192 users a process; nothing is sent for 1,000."""
    with scoring_server() as server:
        run = start(tmp_path, server.url, "--users", "1000", "--calls", "10", *processes, files=(256, 256))
        out, err = run.communicate(timeout=60)
        assert not server.log()
    assert run.returncode == 2, out + err
    users = "500" if processes else "1,000"
    *_, last = err.splitlines()  # Locust itself complains first
    assert last.startswith(f"scorebench: --users: found {users} in one process, which may open 256 files")
    assert "at most 192" in last


def test_the_limit_that_may_be_raised_is_raised(tmp_path: Path) -> None:
    """With 64 files now and 4,096 at most, a hundred users get an answer each."""
    with scoring_server() as server:
        words = ["--users", "100", "--calls", "300"]
        run = start(tmp_path, server.url, *words, files=(64, 4096))
        out, err = run.communicate(timeout=60)
        assert len(server.log()) == 300, out + err
    assert left(tmp_path, "summary.json")["valid"] == 300


def test_files_that_run_out_are_the_generators_fault(tmp_path: Path) -> None:
    """Where connections can't be opened any more, the calls fail and the measurement is not valid."""
    closing = Behaviour(service=Constant(0.01), default=CLOSING)
    with scoring_server(closing) as server:
        run = start(tmp_path, server.url, "--users", "8", "--run-time", "6s")
        server.wait_for_calls(50, timeout_s=60)
        (generator,) = psutil.Process(run.pid).children()
        generator.rlimit(psutil.RLIMIT_NOFILE, (generator.num_fds() - 8, 4096))
        time.sleep(2)
        generator.rlimit(psutil.RLIMIT_NOFILE, (4096, 4096))
        out, err = run.communicate(timeout=60)
    assert run.returncode == 1, out + err
    assert "Too many open files" in invalid(tmp_path)["own_limit"]
    assert "Traceback" not in err


@pytest.mark.parametrize("processes", [[], ["--processes", "2"]])
def test_a_generator_that_is_stopped_says_so(tmp_path: Path, processes: list[str]) -> None:
    """SIGSTOP for 5 s: the sample of that second has a stall of 5 s, and all others have less than it."""
    with scoring_server(Behaviour(service=Constant(0.01))) as server:
        run = start(tmp_path, server.url, "--users", "2", "--run-time", "10s", *processes)
        server.wait_for_calls(50, timeout_s=60)
        (generator,) = psutil.Process(run.pid).children()
        stopped = generator.children()[0] if processes else generator
        stopped.send_signal(signal.SIGSTOP)
        time.sleep(5)
        began = time.monotonic()
        stopped.send_signal(signal.SIGCONT)
        run.communicate(timeout=60)
        most_s = 5 + time.monotonic() - began
    samples = left(tmp_path, "recording.json")["resources"]
    stalls = sorted(one["stall_s"] for one in samples if one["who"].startswith("generator"))
    assert 4.95 <= stalls[-1] <= most_s
    assert stalls[-2] < 4


FAILING = """
import scorebench.plugin.lifecycle.sampler as sampler
from scorebench.plugin import ScoringUser

def broken(*_):
    raise RuntimeError("no sample today")

sampler._rss = broken

class Caller(ScoringUser):
    pass
"""


@pytest.mark.parametrize("processes", [[], ["--processes", "2"]])
def test_a_helper_that_dies_is_found(tmp_path: Path, processes: list[str]) -> None:
    """The sampler fails after a second: a finding names it, and the measurement is not valid."""
    locustfile = tmp_path / "failing.py"
    locustfile.write_text(FAILING)
    with scoring_server(Behaviour(service=Constant(0.01))) as server:
        if processes:
            port = str(ports.claim(0))
            processes = [*processes, "--master-bind-host", "127.0.0.1"]
            processes += ["--master-bind-port", port, "--master-port", port]
        words = ["-H", server.url, "-u", "2", "-r", "2", "-t", "3s", *processes]
        done = locust(tmp_path, *words, locustfile=locustfile)
    assert done.code == 4, done.err
    assert invalid(tmp_path)["helper_died"].endswith("sampler: RuntimeError('no sample today')")


def test_a_generator_that_reads_long_says_so(tmp_path: Path) -> None:
    """Six answers of 3 MB, no two alike, that the server has ready: it waits for the user, who still reads.

    Counted by the user's own clock, so a slow machine changes both sides of the share.
    """
    numbers = b"[0.25]," * 400_000
    script = {
        call: Reply(body=b'{"predictions": [' + numbers + b"[%d.5]]}" % call, content_type=JSON)
        for call in range(6)
    }
    with scoring_server(Behaviour(script=script)) as server:
        words = ["--users", "1", "--calls", "6", "--expect", "any", "--data", WINE]
        run = start(tmp_path, server.url, *words)
        out, err = run.communicate(timeout=120)
        assert len(server.log()) == 6
    assert "6 calls" in out, out + err
    recording = left(tmp_path, "recording.json")
    assert recording["reading_s"] > recording["measured"]["service"]["sum_s"] / 9
    findings = left(tmp_path, "summary.json")["verdict"]["findings"]
    assert "generator_read" in {one["code"] for one in findings}
