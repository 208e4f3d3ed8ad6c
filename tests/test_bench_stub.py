"""The stub answers every POST and counts it; what the bench starts is pinned, measured and surely gone."""

from __future__ import annotations

import http.client
import json
import os
import socket
import sys
import time
from pathlib import Path

import psutil
import pytest
from bench import processes
from bench.memory import Peak, is_bounded, told
from bench.processes import Failed, pinned_to, run
from bench.stub import Stub, stub

from tests.requirements import program

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="pins processes to cores, as Linux does")


def post(server: Stub, bodies: list[bytes]) -> list[tuple[int, bytes]]:
    """All on one connection; http.client would raise if it had been closed in between."""
    connection = http.client.HTTPConnection(server.url.removeprefix("http://"), timeout=10)
    connection.auto_open = 0
    connection.connect()
    answers = []
    for body in bodies:
        connection.request("POST", "/invocations", body, {"Content-Type": "application/json"})
        response = connection.getresponse()
        answers.append((response.status, response.read()))
    connection.close()
    return answers


def test_posts_are_answered_on_one_connection_and_counted() -> None:
    """Bodies of none, one and a million bytes get a prediction, keep the connection, and are counted."""
    program("nginx")
    with stub() as server:
        before = server.requests()
        answers = post(server, [b"x", b"x" * 1_000_000, b"", b"x"])
        assert server.requests() - before == 4
        assert server.requests() - before == 4  # asking does not count
    assert [status for status, _ in answers] == [200] * 4
    assert all(json.loads(body) == {"predictions": [5.47]} for _, body in answers)


def test_the_stub_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """After the `with` its process, its port and its folder are gone, an error inside notwithstanding."""
    program("nginx")
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))

    def use() -> None:
        with stub() as server:
            seen.append(server)
            assert list(tmp_path.iterdir())
            raise KeyboardInterrupt

    seen: list[Stub] = []
    with pytest.raises(KeyboardInterrupt):
        use()
    assert not list(tmp_path.iterdir())
    assert not psutil.pid_exists(seen[0].process.pid)
    host, port = seen[0].url.removeprefix("http://").split(":")
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection((host, int(port)), timeout=5)


def test_the_stub_is_pinned() -> None:
    """nginx runs on the core that it was given, and this process keeps its own."""
    program("nginx")
    mine = os.sched_getaffinity(0)
    core = min(mine)
    with stub(core) as server:
        assert psutil.Process(server.process.pid).cpu_affinity() == [core]
    assert os.sched_getaffinity(0) == mine


def test_without_nginx_it_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    """A missing nginx is named with its cure."""
    monkeypatch.setattr("shutil.which", lambda *_args, **_more: None)
    with pytest.raises(Failed, match="nginx: not found on the PATH; install it"), stub():
        pass


def test_an_nginx_that_breaks_says_why(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A server that ends at once is an error with its own words, not a wait."""
    fake = tmp_path / "nginx"
    fake.write_text("#!/bin/sh\necho no such directive >&2\nexit 1\n")
    fake.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    with pytest.raises(Failed, match="no such directive"), stub():
        pass


def python(tmp_path: Path, code: str, **more: float) -> processes.Ended:
    return run([sys.executable, "-c", code], tmp_path, **more)  # type: ignore[arg-type]


def test_a_program_is_measured(tmp_path: Path) -> None:
    """Its output, its processor time and its memory come back, and it runs on its core."""
    core = max(os.sched_getaffinity(0))
    code = "import os; data = b'x' * 80_000_000; sum(range(10**6)); print(os.sched_getaffinity(0))"
    found = python(tmp_path, code, core=core)
    assert found.stdout.strip() == f"{{{core}}}"
    assert found.cpu_s > 0
    assert found.peak_bytes > 80_000_000


def test_a_program_that_fails_is_an_error_with_its_words(tmp_path: Path) -> None:
    """Another code than those allowed raises, with the end of what it said."""
    with pytest.raises(Failed, match=r"ended with 3: no luck"):
        python(tmp_path, "import sys; print('no luck', file=sys.stderr); sys.exit(3)")
    assert run([sys.executable, "-c", "raise SystemExit(3)"], tmp_path, codes=(0, 3)).stdout == ""


def test_a_program_that_hangs_is_stopped_with_its_children(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither it nor what it started is left."""
    monkeypatch.setattr(processes, "GRACE_S", 1.0)
    code = (
        "import subprocess, sys, time\n"
        "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)'])\n"
        "print(child.pid, flush=True); time.sleep(60)\n"
    )
    with pytest.raises(Failed, match="still ran 1 s after it should have ended; stopped"):
        python(tmp_path, code)
    child = int((tmp_path / "stdout.txt").read_text())
    end_s = time.monotonic() + 5
    while psutil.pid_exists(child) and psutil.Process(child).status() != psutil.STATUS_ZOMBIE:
        assert time.monotonic() < end_s
        time.sleep(0.01)


def test_pinning_ends_with_its_block() -> None:
    """An error inside gives the cores back as well."""
    mine = os.sched_getaffinity(0)
    with pytest.raises(ValueError, match="x"), pinned_to(min(mine)):
        raise ValueError("x")
    assert os.sched_getaffinity(0) == mine


@pytest.mark.parametrize(
    ("long_bytes", "server_calls", "bounded"),
    [
        (105_000_000, 1000, True),
        (105_000_001, 1000, False),
        (90_000_000, 1000, True),
        (105_000_000, 999, False),
    ],
)
def test_memory_is_bounded_by_5_megabytes(long_bytes: int, server_calls: int, bounded: bool) -> None:
    """5 MB above the short run's 100 MB is allowed; not a byte more, nor another count than the server's."""
    peaks = [Peak(10, 10, 100_000_000, (30, 30)), Peak(1000, server_calls, long_bytes, (30, 30))]
    assert is_bounded(peaks) is bounded
    assert told(peaks)[0].split()[:5] == ["10", "calls:", "peak", "100.0", "MB;"]


def test_open_files_may_not_grow_over_a_run() -> None:
    assert is_bounded([Peak(10, 10, 10, (30, 32)), Peak(10, 10, 10, (30, 30))]) is False
