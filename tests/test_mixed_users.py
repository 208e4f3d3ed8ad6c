"""Users of ours beside Locust's in one locustfile, and what listens to both: each call counts once."""

from __future__ import annotations

import csv
import re
from collections import Counter
from pathlib import Path

import pytest

from scorebench.load.schedule import NO_USERS
from tests.locustfiles import (
    STRANGERS,
    WORDS,
    agree,
    compare,
    run,
)


def test_the_csv_logger_hears_each_request(tmp_path: Path) -> None:
    """Locust's own logger beside us has a line for each request."""
    compared = compare(tmp_path, "logging_requests", "-u", "1", *WORDS)
    agree(compared)
    for one in compared.ours:
        with (one.folder / "requests.csv").open() as lines:
            assert len(list(csv.DictReader(lines))) == one.paths["/a"] > 0


def test_locusts_own_listeners_hear_our_users(tmp_path: Path) -> None:
    """The CSV logger and --otel hear of each call of a ScoringUser, as the server's log has it."""
    source = (STRANGERS / "ours_logged.py").read_text()
    exporters = {f"OTEL_{kind}_EXPORTER": "none" for kind in ("TRACES", "LOGS")}
    variables = {**exporters, "OTEL_METRICS_EXPORTER": "console"}
    one = run(tmp_path / "run", source, ("-u", "1", *WORDS, "--calls", "50", "--otel"), variables, True)
    with (one.folder / "requests.csv").open() as lines:
        assert len(list(csv.DictReader(lines))) == one.paths["/invocations"] == 50, one.done.err
    assert one.locust == Counter({("POST", "/invocations"): 50})
    assert re.search(r'"count": 50,', one.done.out)


@pytest.mark.parametrize(
    "words",
    [(), ("--rate", "20"), ("--rate", "20", "--warm-up", "0.3s")],
    ids=["closed loop", "open loop", "warm-up"],
)
def test_both_kinds_of_users_count_once(tmp_path: Path, words: tuple[str, ...]) -> None:
    """A locustfile with our users and others: each call is once in Locust's table, and once in ours.

    The schedule of an open loop is that of our users; others have none, and their calls are due when sent.
    """
    source = (STRANGERS / "ours_too.py").read_text()
    one = run(tmp_path / "run", source, ("-u", "2", *WORDS, *words), {}, True)
    assert one.done.summary["accounting"]["adds_up"]
    assert one.done.ends_with(0), one.done.err
    warm_up = one.locust - one.ours
    assert not one.ours - one.locust
    assert bool(warm_up) == ("--warm-up" in words)
    assert one.locust["POST", "/a"] == one.paths["/a"] > 0
    assert one.locust["POST", "/invocations"] == one.paths["/invocations"] > 0


def test_a_worker_without_our_users_hands_on_its_share_of_the_rate(tmp_path: Path) -> None:
    """One user of ours on two workers, 20/s for 3 s: all 60 calls are due, and those not sent are told.

    They are those of the other worker until it has handed on what it was dealt: 10/s for the time that takes.
    """
    source = (STRANGERS / "ours_too.py").read_text()
    words = ("-u", "2", *WORDS, "--rate", "20", "--processes", "2")
    one = run(tmp_path / "run", source, words, {}, True)
    missed = one.done.summary["accounting"]["never_sent"].get(NO_USERS, 0)
    assert 45 <= one.paths["/invocations"] == one.ours["POST", "/invocations"]
    assert one.paths["/invocations"] + missed in (59, 60, 61)
    assert not missed or "had no user to send them" in one.findings["never_sent"]


def test_calls_of_a_worker_without_our_users_are_sent_by_others(tmp_path: Path) -> None:
    """30 calls for two workers, of which one has no user of ours: 30 are sent, and the run ends by itself."""
    source = (STRANGERS / "ours_too.py").read_text()
    words = ("-u", "2", "--calls", "30", "--processes", "2", "-t", "40s")
    one = run(tmp_path / "run", source, words, {}, True)
    assert one.ours["POST", "/invocations"] == one.paths["/invocations"] == 30
    assert one.done.summary["wall_time_s"] < 30
