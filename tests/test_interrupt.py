"""Signals to Locust's own command, wherever the process is just then; and listeners that take their time."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.commands import ROOT, Done, locust
from tests.scoring_server import Behaviour, Constant, ScoringServer, scoring_server

COMMAND = [
    sys.executable,
    "-m",
    "locust",
    "-f",
    str(ROOT / "locustfile.py"),
    "--headless",
    "-u",
    "4",
    "-r",
    "100",
]

SLOW_LISTENER = """
import gevent
from locust import events
from scorebench.plugin import ScoringUser

class Caller(ScoringUser):
    pass

@events.request.add_listener
def tell_a_database(**request):
    gevent.sleep(0.002)
"""


def stopped(folder: Path, server: ScoringServer, *signals: signal.Signals, apart_s: float) -> Done:
    """What a run left that got these signals while it was at its calls."""
    command = [*COMMAND, "-t", "30s", "-H", server.url]
    process = subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    server.wait_for_calls(4, timeout_s=30)
    time.sleep(0.5)
    for number in signals:
        process.send_signal(number)
        time.sleep(apart_s)
    out, err = process.communicate(timeout=60)
    return Done(process.returncode, out, err, folder / "reports")


@pytest.mark.parametrize("apart_s", [0.001, 0.03])
def test_an_impatient_ctrl_c_loses_no_call(tmp_path: Path, apart_s: float) -> None:
    """Twice at once, while users or the counting are busy: the run ends, and each call is counted."""
    with scoring_server() as server:
        began = time.monotonic()
        done = stopped(tmp_path, server, signal.SIGINT, signal.SIGINT, apart_s=apart_s)
        sent = len(server.log())
    assert time.monotonic() - began < 25
    assert "Traceback" not in done.err
    assert done.summary["calls"] == sent
    assert done.summary["accounting"]["adds_up"]


def test_ctrl_c_after_sigterm_cuts_the_calls_in_flight_off(tmp_path: Path) -> None:
    """SIGTERM has the run wait for calls of 20 s; Ctrl-C ends the wait."""
    with scoring_server(Behaviour(service=Constant(20.0))) as server:
        done = stopped(tmp_path, server, signal.SIGTERM, signal.SIGINT, apart_s=1.0)
    assert "Traceback" not in done.err
    assert done.summary["accounting"]["cut_off"] == 4


STUBBORN = """
import requests
import scorebench.plugin
from locust import User, events, task

class Stubborn(User):
    @task
    def one(self):
        while True:
            try:
                requests.post(self.host, data=b"{}")
            except BaseException:
                pass
            events.request.fire(
                request_type="own", name="score", response_time=1, response_length=0, exception=None
            )
"""


def test_ctrl_c_ends_a_run_whose_users_never_end(tmp_path: Path) -> None:
    """A task that catches its kill: Locust waits for ever, the second Ctrl-C does not."""
    locustfile = tmp_path / "stubborn.py"
    locustfile.write_text(STUBBORN)
    with scoring_server(Behaviour(service=Constant(0.05))) as server:
        words = ["-f", str(locustfile), "--headless", "--only-summary", "-t", "2s", "-H", server.url]
        command = [sys.executable, "-m", "locust", *words]
        process = subprocess.Popen(
            command, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        server.wait_for_calls(2, timeout_s=30)
        time.sleep(4)
        for _ in range(2):
            process.send_signal(signal.SIGINT)
            time.sleep(2)
        out, err = process.communicate(timeout=30)
    done = Done(process.returncode, out, err, tmp_path / "reports")
    assert done.summary["calls"] > 10
    assert done.summary["accounting"]["adds_up"]
    assert "Traceback" not in err


def test_a_listener_that_waits_costs_no_call(tmp_path: Path) -> None:
    """A listener of Locust's that writes to a network lets the report be asked for in between."""
    locustfile = tmp_path / "slow.py"
    locustfile.write_text(SLOW_LISTENER)
    with scoring_server(Behaviour(service=Constant(0.01))) as server:
        done = locust(tmp_path, "-H", server.url, "-u", "4", "-r", "100", "-t", "3s", locustfile=locustfile)
        sent = len(server.log())
    assert "Traceback" not in done.err
    assert done.summary["calls"] == sent > 100
