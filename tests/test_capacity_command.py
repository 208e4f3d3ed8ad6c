"""`scorebench capacity`, as a user starts it, against a server of known speed."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import pytest

from scorebench import folder, schema
from scorebench.capacity_steps import measured_of
from scorebench.limits import parse_limit
from scorebench.trial import Plan
from tests.commands import Done, scorebench
from tests.scoring_server import Behaviour, Constant, scoring_server


def found(done: Done) -> dict[str, object]:
    """capacity.json of the only search that was left, held to its schema."""
    (path,) = (p for p in done.reports.glob("*/capacity.json") if not p.parent.is_symlink())
    parsed: dict[str, object] = json.loads(path.read_text())
    jsonschema.Draft202012Validator(schema.load("capacity")).validate(parsed)
    assert (path.parent / "capacity.txt").read_text() in done.out
    return parsed


def test_a_search_ends_with_a_rate_below_what_the_server_can(tmp_path: Path) -> None:
    """20 ms a call, one at a time: at most 50/s can be served, and more is never recommended."""
    with scoring_server(Behaviour(service=Constant(0.02), at_once=1)) as server:
        done = scorebench(
            tmp_path, "capacity", server.url, "--limit", "p90<200ms", "--budget", "28s", "--for", "500"
        )
        sent = len(server.log())
    data = found(done)
    assert done.code == 0, done.err
    held = data["held"]
    assert isinstance(held, dict)
    assert 5 < held["rate_per_s"] <= 50
    assert "holds" in done.out.lower()
    assert "for 500/s" in done.out.lower()
    steps = data["steps"]
    assert isinstance(steps, list)
    assert {step["rate_per_s"] is None for step in steps} == {True, False}
    (top,) = (p.parent for p in done.reports.glob("*/capacity.json") if not p.parent.is_symlink())
    recordings = [folder.read(path) for path in sorted((top / "steps").iterdir())]
    assert sent == sum(r.measured.calls + r.warm_up.calls + r.reconnects for r in recordings)
    for page in (top / "report.html", top / "steps" / "00" / "report.html"):
        assert "p90 by offered rate" in page.read_text()  # a step shows the search that it was part of
    again = scorebench(tmp_path, "report", str(top / "steps" / "00"), "--format", "html")
    assert again.out == (top / "steps" / "00" / "report.html").read_text()


def test_a_server_too_slow_for_its_limit_is_told(tmp_path: Path) -> None:
    """50 ms a call can't keep p50<10ms at any rate: exit 3, and nothing is recommended."""
    with scoring_server(Behaviour(service=Constant(0.05), at_once=1)) as server:
        done = scorebench(tmp_path, "capacity", server.url, "--limit", "p50<10ms", "--budget", "22s")
    assert found(done)["held"] is None
    assert done.code in (3, 4), done.out
    assert "no rate" in done.out.lower() or "even the lowest rate" in done.out.lower()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--budget", "1s"], "--budget 1s: a search needs 20s at least"),
        (["--for", "inf"], "--for inf: expected calls a second"),
        (["--for", "-1"], "--for -1: expected calls a second"),
        (["--limit", "p99<50"], "bound 50 has no unit"),
    ],
)
def test_wrong_input_is_refused_before_anything_is_sent(tmp_path: Path, words: list[str], said: str) -> None:
    """One line, exit 2, no folder."""
    with scoring_server() as server:
        done = scorebench(tmp_path, "capacity", server.url, *words)
        assert not server.log()
    assert (done.code, len(done.err.splitlines())) == (2, 1), done.err
    assert said in done.err
    assert not done.reports.exists()


def test_no_server_is_told_once(tmp_path: Path) -> None:
    """Nobody listens: exit 2, and no folder is left."""
    done = scorebench(tmp_path, "capacity", "http://127.0.0.1:9", "--budget", "30s")
    assert done.code == 2
    assert "127.0.0.1:9" in done.err
    assert not list(done.reports.glob("*")) if done.reports.exists() else True


def test_answers_to_the_warm_up_count_when_they_come(tmp_path: Path) -> None:
    """Half a second a call: as many answers come as calls are sent, once the queue is full."""
    with scoring_server(Behaviour(service=Constant(0.5))) as server:
        words = ["--users", "40", "--rate", "40", "--run-time", "7s", "--warm-up", "1s"]
        done = scorebench(tmp_path, "run", server.url, *words)
    (path,) = done.folders
    plan = Plan(0, 6.0, 40, 40.0, "")
    measured = measured_of(folder.read(path), plan, (parse_limit("p50<1s"),), 8.0)
    assert measured.achieved_per_s == pytest.approx(40, rel=0.03)
    assert measured.throughput_per_s == pytest.approx(40, rel=0.03)
