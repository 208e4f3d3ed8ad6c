"""`scorebench.run`, in a process that must stay as it was."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import scorebench
from scorebench import folder
from tests.scoring_server import Behaviour, Constant, refusing_port, replies, scoring_server


def test_the_result_is_what_the_folder_holds(tmp_path: Path) -> None:
    """Calls as the server logged them, the verdict of the limits, and the recording beside it."""
    with scoring_server(Behaviour(service=Constant(0.01))) as server:
        found = scorebench.run(
            server.url, users=2, calls=60, limits=["mean<1s", "max<1ms"], report_dir=tmp_path, quiet=True
        )
        assert len(server.log()) == 60
    assert (found.calls, found.valid, found.met) == (60, 60, False)
    assert found.valid_measurement is found.verdict.valid
    assert folder.read(found.folder).measured.calls == 60
    assert found.to_frame()["calls"].sum() == 60
    assert list(found.to_frame().columns)[:4] == ["worker", "user", "calls", "valid"]
    assert "MISSED" in found._repr_html_()
    assert {line.name for line in found.plot().data} == {"service time (from sent)"}


def test_rows_come_from_a_frame(tmp_path: Path) -> None:
    """Three rows, sent in turn."""
    rows = pd.DataFrame({"a": [1.0, 2.0, 3.0], "b": ["x", "y", "z"]})
    with scoring_server() as server:
        found = scorebench.run(server.url, users=1, calls=6, data=rows, report_dir=tmp_path, quiet=True)
    assert found.valid == 6
    assert found.environment["payload"]["bodies"] == 3


def test_failed_calls_are_results_and_not_errors(tmp_path: Path) -> None:
    """A server that is overloaded once: 19 valid calls, exit code 1 in the verdict, nothing raised."""
    with scoring_server(Behaviour(script={7: replies.OVERLOADED})) as server:
        found = scorebench.run(server.url, users=1, calls=20, report_dir=tmp_path, quiet=True)
    assert (found.valid, int(found.verdict.exit_code)) == (19, 1)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"workerz": 1}, "did you mean workers?"),
        ({"user": 1}, "did you mean users?"),
        ({"rate": -1}, "--rate"),
        ({"users": 0}, "--users 0"),
        ({"data": "nowhere.csv"}, "nowhere.csv"),
        ({"limits": ["p99"]}, "--limit p99"),
    ],
)
def test_wrong_input_raises_before_a_call(tmp_path: Path, options: dict[str, Any], said: str) -> None:
    """InputError, as the command says it; nothing is sent, no folder is left."""
    with scoring_server() as server:
        with pytest.raises(scorebench.InputError) as error:
            scorebench.run(server.url, report_dir=tmp_path / "reports", quiet=True, **options)
        assert not server.log()
    assert said in str(error.value)
    assert not list((tmp_path / "reports").glob("*"))


def test_no_server_is_an_input_error(tmp_path: Path) -> None:
    """Nobody listens: the message says where."""
    port = refusing_port()
    with pytest.raises(scorebench.InputError, match=str(port)):
        scorebench.run(f"http://127.0.0.1:{port}", run_time=1, report_dir=tmp_path, quiet=True)


def test_the_callers_process_stays_as_it_was(tmp_path: Path) -> None:
    """No Locust, no gevent, the standard library's own socket; also from a thread, and within asyncio."""
    code = f"""
import asyncio, socket, sys, threading
own = socket.socket
import scorebench
from tests.scoring_server import scoring_server
with scoring_server() as server:
    go = lambda: scorebench.run(server.url, users=1, calls=3, report_dir={str(tmp_path)!r}, quiet=True).calls
    async def within(): return go()
    found = []
    thread = threading.Thread(target=lambda: found.append(go())); thread.start(); thread.join()
    print(go(), asyncio.run(within()), *found)
assert socket.socket is own
print(sorted(name for name in sys.modules if name.partition(".")[0] in ("gevent", "locust")))
"""
    root = Path(__file__).resolve().parents[1]
    done = subprocess.run([sys.executable, "-c", code], cwd=root, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == ["3 3 3", "[]"]
