"""How runs of other people's locustfiles end: by time, by themselves, by a script, in the middle of calls."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from scorebench.servers import ports
from tests.locustfiles import (
    IMPORT,
    SERVER,
    STRANGERS,
    WORDS,
    agree,
    compare,
    ran,
    run,
)
from tests.scoring_server import scoring_server


def test_a_shape_may_read_the_run_time(tmp_path: Path) -> None:
    """`parsed_options.run_time` stays what was asked for, and the shape ends the run."""
    compared = compare(tmp_path, "shaped", "-u", "3", *WORDS)
    for one in (compared.without, *compared.ours):
        assert one.done.ends_with(0), one.done.err
        assert "Traceback" not in one.done.err


def test_calls_under_way_at_the_end_are_cut_off(tmp_path: Path) -> None:
    """A server that hangs: each call that reached it is cut off or given up by its task, and none is lost."""
    compared = compare(tmp_path, "hanging", "-u", "5", "-r", "10", "-t", "3s")
    assert sum(compared.without.locust.values()) == 0
    for one in compared.ours:
        outcomes = one.done.summary["outcomes"]
        assert set(outcomes) == {"client timeout", "cut off"}
        assert outcomes["cut off"] in (4, 5)  # the fifth user may be between two calls
        assert sum(outcomes.values()) == one.done.summary["calls"] == one.paths["/slow"]


def test_calls_of_other_clients_under_way_at_the_end_are_cut_off(tmp_path: Path) -> None:
    """Clients that Locust does not know, such as boto3: each call that a hanging server read is counted.

    Nine calls hang: of four users that are stopped in one, of another that calls again in `on_stop`, of one
    that gives up after 0.3 s, of a task and its greenlet at once, and of a greenlet in the background. The
    users that sleep or wait for something else have had nine answers, and have no call under way.
    """
    compared = compare(tmp_path, "own_client_hanging", "-u", "13", "-r", "20", "-t", "3s")
    for one in compared.ours:
        assert one.paths["/slow"] == 9
        outcomes = one.done.summary["outcomes"]
        assert outcomes == {"valid": 10, "cut off": 8, "client timeout": 1}, one.done.out
        assert one.done.summary["calls"] == sum(one.paths.values()) == 19
        assert one.ours["sagemaker", "finally"] == one.ours["sagemaker", "farewell"] == one.paths["/b"] == 1
        assert one.ours["sagemaker", "answered"] == 5
        assert one.ours["POST", "queueing"] == one.ours["sagemaker", "listening"] == 1
        assert one.ours["POST", "joining"] == 2
        assert one.ours["?", "Farewell, stopped in a task"] == 1
        assert one.ours["?", "GivingUp, given up in a task"] == 1
        assert one.ours["?", "TwoAtOnce, stopped in a task"] == one.ours["POST", "/slow"] == 1
        assert one.ours["?", "InTheBackground, stopped in the background"] == 1
        assert "users_killed" not in one.findings


def test_a_long_task_ends_when_locust_says(tmp_path: Path) -> None:
    """--stop-timeout is Locust's: a task of ten seconds is killed after one."""
    compared = compare(tmp_path, "long_task", "-u", "1", "-t", "3s", "-s", "1")
    agree(compared)
    for one in compared.ours:
        assert 0 < one.paths["/a"] < 60  # 3 s and 1 s at 10/s, and not the 100 of the whole task


@pytest.mark.parametrize(
    ("code", "words", "expected"),
    [("", (), 1), ("7", (), 7), ("0", (), 0), ("", ("--exit-code-on-error", "9"), 9)],
)
def test_the_exit_code_that_was_decided_stays(
    tmp_path: Path, code: str, words: tuple[str, ...], expected: int
) -> None:
    """Calls failed: what the locustfile or --exit-code-on-error makes of that is what Locust exits with."""
    compared = compare(tmp_path, "own_exit_code", "-u", "2", *WORDS, *words, MY_CODE=code)
    agree(compared)
    assert compared.first.done.ends_with(expected)


def test_a_missed_limit_is_worse_than_a_zero(tmp_path: Path) -> None:
    """A locustfile that decides for 0 can't know of our limits: a missed one exits 3."""
    words = ("-u", "2", *WORDS, "--limit", "throughput>100000/s", "--limit", "valid>1%")
    compared = compare(tmp_path, "own_exit_code", *words, MY_CODE="0")
    assert compared.without.done.code == 2  # Locust knows no --limit
    assert all(one.done.ends_with(3) for one in compared.ours)


@pytest.mark.parametrize("words", [[], ["init"]], ids=["without init", "init"])
def test_locust_as_a_library(tmp_path: Path, words: list[str]) -> None:
    """An Environment without Locust's command line: the folder is written, and the report printed."""
    (tmp_path / "mine.py").write_text(IMPORT + (STRANGERS / "library.py").read_text())
    with scoring_server(SERVER) as server:
        one = ran(tmp_path, [sys.executable, "mine.py", *words], server, {"HOST": server.url})
    assert one.done.ends_with(0), one.done.err
    summary = one.done.summary
    cut_off = summary["outcomes"].get("cut off", 0)
    assert 0 < summary["calls"] - cut_off <= one.paths["/a"] <= summary["calls"]  # some never arrived
    assert int(str(one.printed("locust"))) == summary["calls"] - cut_off
    assert "Measurement: " in one.done.out


@pytest.mark.parametrize(("name", "code"), [("leaving", 7), ("library_left", 0)])
def test_a_run_that_python_leaves_is_reported(tmp_path: Path, name: str, code: int) -> None:
    """`sys.exit` in a task, and a script that ends while its test runs: Locust reports nothing then."""
    (tmp_path / "mine.py").write_text(IMPORT + (STRANGERS / f"{name}.py").read_text())
    words = ["-m", "locust", "--headless", "-f", "mine.py", "-t", "20s"] if name == "leaving" else ["mine.py"]
    with scoring_server(SERVER) as server:
        host = ["-H", server.url] if name == "leaving" else []
        one = ran(tmp_path, [sys.executable, *words, *host], server, {"HOST": server.url})
    assert one.done.code == code, one.done.err
    assert "Traceback" not in one.done.err
    summary = one.done.summary
    cut_off = summary["outcomes"].get("cut off", 0)
    assert 5 < summary["calls"] - cut_off <= one.paths["/a"] <= summary["calls"]
    assert "Measurement: " in one.done.out


def test_two_who_end_a_run_leave_one_report(tmp_path: Path) -> None:
    """The second finds Locust stopped while the report is still being made: it waits for that."""
    source = IMPORT + (STRANGERS / "ended_twice.py").read_text()
    one = run(tmp_path / "run", source, ("-u", "2", *WORDS[:2], "-t", "9s", "-s", "3"), {}, True)
    assert one.done.ends_with(0), one.done.err
    assert "Traceback" not in one.done.err
    assert sum(one.paths.values()) == one.done.summary["calls"] == one.ours["POST", "/a"] > 5


def test_locust_as_a_library_with_a_worker(tmp_path: Path) -> None:
    """A master and a worker without options: no traceback, and each call is counted as Locust counts it."""
    (tmp_path / "mine.py").write_text(IMPORT + (STRANGERS / "library_of_two.py").read_text())
    with scoring_server(SERVER) as server:
        variables = {"HOST": server.url, "MASTER_PORT": str(ports.claim(0))}
        one = ran(tmp_path, [sys.executable, "mine.py"], server, variables)
    assert one.done.ends_with(0), one.done.err
    assert "Traceback" not in one.done.err
    summary = one.done.summary
    cut_off = summary["outcomes"].get("cut off", 0)
    assert 0 < summary["calls"] - cut_off <= one.paths["/a"] <= summary["calls"]
    assert int(str(one.printed("locust"))) == summary["calls"] - cut_off
