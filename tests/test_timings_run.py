"""`--timings`, as a user asks for it, against a server that tells its stages and one that does not."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from scorebench.folders.finished import finished
from scorebench.report.page import render
from tests.commands import scorebench
from tests.scoring_server import Behaviour, Reply, replies, scoring_server

TOLD = Reply(
    service_s=0.03, headers=(("Server-Timing", "total;dur=25, predict;dur=20, own;dur=3, worker;desc=8"),)
)


def test_a_run_with_timings(tmp_path: Path) -> None:
    """Each call waits at least 30 ms, of which the server says that 25 were its own, 20 of them predicting.

    What the report says is exact: 20 ms of predict, 5 around it, the rest of the wait is the network's.
    """
    with scoring_server(Behaviour(default=TOLD)) as server:
        done = scorebench(tmp_path, "run", server.url, "--users", "2", "--calls", "60", "--timings")
        log = server.log()
    stages = done.summary["stages"]
    assert (stages["calls"], stages["told"], stages["impossible"]) == (60, 60, 0)
    assert len(log) == 60
    for parts in (stages["typical"]["p50"]["parts_s"], stages["mean_s"]):
        assert parts["predict"] == pytest.approx(0.020, abs=1e-6)
        assert parts["around"] == pytest.approx(0.005, abs=1e-6)
        assert parts["network"] >= 0.004
        assert "unknown" not in parts
    assert sum(stages["mean_s"].values()) == pytest.approx(done.summary["response_time_s"]["mean"], abs=1e-5)
    assert stages["typical"]["p99"] is None  # 60 calls support no p99
    assert (stages["others"]["own"]["calls"], stages["others"]["own"]["p50"]) == (
        60,
        pytest.approx(0.003, rel=1e-3),
    )
    assert stages["workers"] == {"8": 60}
    assert "the model's predict" in done.out
    floor = done.summary["environment"]["server"]["floor"]
    assert floor["ping_status"] == 200
    assert 0 < floor["ping_s"] < 5
    assert "what any call takes at least" in done.out
    (folder,) = done.folders
    run = finished(folder)
    page = render(run.recording, run.summary, run.verdict)
    assert "The median call" in page
    assert "the model&#39;s predict" in page


def test_calls_that_fail_leave_the_others_their_parts(tmp_path: Path) -> None:
    """Two resets and a 500 among 30 calls: 27 are valid, and each of them has its parts."""
    script = {3: replies.RESET, 7: Reply(status=500, body=b"no"), 11: replies.RESET}
    with scoring_server(Behaviour(default=TOLD, script=script)) as server:
        done = scorebench(tmp_path, "run", server.url, "--users", "2", "--calls", "30", "--timings")
    assert done.code == 1, done.err
    stages = done.summary["stages"]
    assert (stages["calls"], stages["told"], stages["impossible"]) == (27, 27, 0)
    assert stages["mean_s"]["predict"] == pytest.approx(0.020, abs=1e-6)


def test_without_timings_nothing_is_split(tmp_path: Path) -> None:
    with scoring_server(Behaviour(default=TOLD)) as server:
        done = scorebench(tmp_path, "run", server.url, "--users", "1", "--calls", "5")
    assert done.summary["stages"] is None
    recording = json.loads((done.folders[0] / "recording.json").read_text())
    assert recording["measured"]["stages"] is None
    assert "Where the time went" not in done.out
