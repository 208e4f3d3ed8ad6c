"""Figures after a statistics reset, and with users that come and go: of what came after, and of all."""

from __future__ import annotations

import json
import subprocess
import sys
import time
import urllib.request
from pathlib import Path
from typing import Any

import pytest

from scorebench.load.schedule import GENERATOR_LATE
from scorebench.servers import ports
from tests.commands import ROOT, locust
from tests.scoring_server import Behaviour, Constant, ScoringServer, scoring_server

WINE = str(ROOT / "payloads" / "wine.csv")
PROCESSES = pytest.mark.parametrize("processes", [[], ["--processes", "2"]], ids=["alone", "distributed"])

COMING_AND_GOING = '''
from locust import LoadTestShape
from scorebench.plugin import ScoringUser

class Caller(ScoringUser):
    """As it comes."""

class Waves(LoadTestShape):
    """Four users, then one, then three."""
    def tick(self):
        now = self.get_run_time()
        return next(((users, 100) for until, users in ((1.5, 4), (3, 1), (4.5, 3)) if now < until), None)
'''


def cluster(words: list[str]) -> list[str]:
    if not words:
        return []
    port = str(ports.claim(0))
    return [*words, "--master-bind-host", "127.0.0.1", "--master-bind-port", port, "--master-port", port]


@PROCESSES
def test_users_that_come_and_go_keep_their_counts(tmp_path: Path, processes: list[str]) -> None:
    """4, 1, 3 users: each has a line of its own, their calls add up to the server's log."""
    locustfile = tmp_path / "waves.py"
    locustfile.write_text(COMING_AND_GOING)
    with scoring_server(Behaviour(service=Constant(0.01))) as server:
        words = ["-H", server.url, "--data", WINE, *cluster(processes)]
        done = locust(tmp_path, *words, locustfile=locustfile)
        sent = len(server.log())
    assert done.ends_with(0), done.err
    users = done.summary["users"]
    assert len(users) == len({(user["worker"], user["user"]) for user in users}) == 6
    assert sum(user["calls"] for user in users) == done.summary["calls"] == sent


def test_a_user_that_leaves_makes_the_call_it_waited_for(tmp_path: Path) -> None:
    """Four users, then one, at 20/s: every call that was due was sent, since no user was busy.

    One call may be due in the last moment: where the machine stalls then, the end comes before it is sent.
    """
    locustfile = tmp_path / "waves.py"
    locustfile.write_text(COMING_AND_GOING)
    with scoring_server() as server:
        words = ["-H", server.url, "--data", WINE, "--rate", "20"]
        done = locust(tmp_path, *words, locustfile=locustfile)
        sent = len(server.log())
    account = done.summary["accounting"]
    assert account["never_sent"] in ({}, {GENERATOR_LATE: 1})
    assert account["valid"] == sent == account["due"] - sum(account["never_sent"].values()) > 80


def test_the_ticket_of_a_user_that_was_killed_is_not_lost(tmp_path: Path) -> None:
    """Four users wait up to 2 s for their turn, three are killed after 0.1 s: others make their calls.

    Each due call was sent, or is the one that was due as the run or its user ended: where the machine stalls
    for the 0.1 s of the drain, such a call is not sent, or has no answer.
    """
    locustfile = tmp_path / "waves.py"
    locustfile.write_text(COMING_AND_GOING)
    with scoring_server() as server:
        words = ["-H", server.url, "--data", WINE, "--rate", "2", "--drain", "0.1"]
        done = locust(tmp_path, *words, locustfile=locustfile)
        sent = len(server.log())
    account = done.summary["accounting"]
    assert account["never_sent"] in ({}, {GENERATOR_LATE: 1})
    assert account["due"] == account["valid"] + account["cut_off"] + sum(account["never_sent"].values())
    assert account["due"] - 1 <= account["valid"] <= sent <= account["due"]
    assert sent >= 8, "at 0, 0.5, … 4 s of the 4.5 s or a little more, without the last"


@PROCESSES
def test_reset_stats_counts_from_when_all_users_are_there(tmp_path: Path, processes: list[str]) -> None:
    """--reset-stats: what was called while users were started is in the server's log alone."""
    with scoring_server(Behaviour(service=Constant(0.01))) as server:
        words = ["-H", server.url, "-u", "3", "-r", "1", "-t", "5s", "--reset-stats", "--data", WINE]
        done = locust(tmp_path, *words, *cluster(processes))
        log = server.log()
    assert done.ends_with(0), done.err
    summary = done.summary
    assert 0 < summary["calls"] < len(log)
    assert sum(user["calls"] for user in summary["users"]) == summary["calls"]
    assert summary["accounting"]["adds_up"]
    # The third user is there 2 s after the first: the figures hold calls of 3 s; of 4 where a second worker
    # got the second user a second later, from when the 5 s then count.
    assert summary["wall_time_s"] < (5 if processes else 4)


@PROCESSES
def test_the_pages_reset_button_forgets_what_came_before(tmp_path: Path, processes: list[str]) -> None:
    """POST /stats/reset in the middle: the report holds the calls after it, a user's calls in flight more."""
    web = ports.claim(0)
    with scoring_server(Behaviour(service=Constant(0.01))) as server:
        before, after, total = _reset_in_the_middle(tmp_path, server, web, cluster(processes))
    (path,) = (path for path in (tmp_path / "reports").glob("*/summary.json") if not path.parent.is_symlink())
    summary: dict[str, Any] = json.loads(path.read_text())
    in_flight = 3
    # A worker is told by a message: what it counts until that arrives is forgotten too.
    late = 0 if not processes else 300
    assert total - after - in_flight - late <= summary["calls"] <= total - before + in_flight
    assert sum(user["calls"] for user in summary["users"]) == summary["calls"] > 0
    assert summary["accounting"]["adds_up"]


def _reset_in_the_middle(
    folder: Path, server: ScoringServer, web: int, processes: list[str]
) -> tuple[int, int, int]:
    """Calls that the server had seen just before the reset, just after, and at the end."""
    command = [sys.executable, "-m", "locust", "-f", str(ROOT / "locustfile.py"), "--autostart"]
    command += ["--web-host", "127.0.0.1", "--web-port", str(web), "--autoquit", "1", "-t", "5s"]
    command += ["-H", server.url, "-u", "3", "-r", "100", "--data", WINE, *processes]
    with subprocess.Popen(
        command, cwd=folder, stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as process:
        end_s = time.monotonic() + 30
        while len(server.log()) < 100 and time.monotonic() < end_s:
            time.sleep(0.05)
        time.sleep(1.0)
        before = len(server.log())
        request = urllib.request.Request(f"http://127.0.0.1:{web}/stats/reset", method="POST")
        urllib.request.urlopen(request, timeout=10).close()
        after = len(server.log())
        process.wait(60)
    return before, after, len(server.log())
