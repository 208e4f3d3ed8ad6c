"""`scorebench sweep`, as a user starts it, against a server of known speed: stopped, and resumed."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path

from scorebench.folders import folder
from tests.commands import scorebench
from tests.schemas import validator
from tests.scoring_server import Behaviour, Constant, scoring_server

WORDS = ["--users", "1,2", "--rows-per-call", "1,3", "--repeats", "1", "-t", "2s", "--warm-up", "0.5s"]


def test_a_sweep_that_was_stopped_is_resumed(tmp_path: Path) -> None:
    """Ctrl-C in the second cell: exit 130, the first is kept; resumed, the others are measured, it is not."""
    with scoring_server(Behaviour(service=Constant(0.02), at_once=1)) as server:
        process = subprocess.Popen(
            [sys.executable, "-m", "scorebench", "sweep", server.url, *WORDS],
            cwd=tmp_path,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert process.stderr is not None
        said = process.stderr.readline()
        calls = len(server.log())
        server.wait_for_calls(calls + 5, timeout_s=60)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=60)
        (path,) = (p for p in (tmp_path / "reports").glob("*-sweep") if not p.is_symlink())
        (kept,) = path.glob("cells/*/recording.json")
        before = kept.read_bytes()
        assert process.returncode == 130, said + err
        assert "1 cell of 4 measured" in out
        assert "Traceback" not in err
        done = scorebench(tmp_path, "sweep", server.url, *WORDS, "--resume", str(path))
        sent = len(server.log())
    assert kept.read_bytes() == before
    parsed = json.loads((path / "sweep.json").read_text())
    validator("sweep").validate(parsed)
    assert len(parsed["cells"]) == 4
    assert all(cell["runs"] for cell in parsed["cells"]), done.err
    assert {name.name for name in path.iterdir()} >= {"sweep.json", "sweep.csv", "sweep.txt", "report.html"}
    assert len(done.err.splitlines()) >= 3
    counted = [folder.read(one.parent) for one in path.glob("cells/*/recording.json")]
    assert sent >= sum(one.measured.calls + one.warm_up.calls for one in counted)


def test_a_sweep_ends_within_its_budget(tmp_path: Path) -> None:
    """Room for one or two of four runs: it says so, and every cell that is left is in the table."""
    with scoring_server() as server:
        done = scorebench(tmp_path, "sweep", server.url, *WORDS, "--budget", "10s")
    assert "the time budget was used up" in done.out
    assert "not reached" in done.out
