"""`--scrape`, as a user starts it: against a server of metrics that counts who asked."""

from __future__ import annotations

import itertools
import json
import time
from pathlib import Path

import psutil
import pytest

from tests.commands import scorebench
from tests.metrics_server import metrics_server
from tests.scoring_server import Behaviour, Constant, scoring_server

SECRET = "sesame"
WORDS = ["--rate", "40", "--users", "2", "--run-time", "5s"]


def test_the_metrics_are_read_before_during_and_after(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A page that breaks is told, a token that it sends back is in no file, and no process is left."""
    monkeypatch.setenv("TOKEN", SECRET)
    shown = itertools.count()

    def show(at_s: float) -> str:
        if next(shown) == 3:
            return "<html>"
        return (
            f"process_start_time_seconds 1e9\nqueue {at_s}\n# TYPE done counter\ndone_total {at_s}\n"
            f'sent{{token="{SECRET}"}} {at_s}\n'
        )

    with scoring_server(Behaviour(service=Constant(0.002))) as server, metrics_server(show) as metrics:
        words = [*WORDS, "--bearer-env", "TOKEN", "--scrape", metrics.url]
        done = scorebench(tmp_path, "run", server.url, *words)
    assert done.ends_with(0), done.err
    assert "The server's own metrics that moved with latency" in done.out
    (folder,) = done.folders
    assert not [file for file in folder.rglob("*") if file.is_file() and SECRET in file.read_text()]
    kept = json.loads((folder / "recording.json").read_text())
    first_s, ended_s = kept["measured"]["first_due_s"], kept["environment"]["load_ended_s"]
    assert kept["scraped_s"][0] < first_s
    assert kept["scraped_s"][-1] >= ended_s
    assert sum(first_s < at < ended_s for at in kept["scraped_s"]) >= 3
    assert len(kept["scraped_s"]) <= len(metrics.asked_s)
    assert set(kept["scraped_gauges"]) == {"process_start_time_seconds", "queue"}
    assert (
        len(kept["scraped_gauges"]["process_start_time_seconds"]) <= 2
    )  # before the load, and the first since
    assert set(kept["scraped_counters"]) == {"done_total"}
    assert kept["environment"]["scrape"] == [metrics.url]
    assert not [
        one for one in psutil.process_iter(["cmdline"]) if "scorebench.scrapes" in (one.info["cmdline"] or ())
    ]


def test_a_server_that_began_anew_is_not_measured(tmp_path: Path) -> None:
    """By its own metrics, in the middle of the load: the figures mix a warm server with a cold one."""
    asked: list[float] = []

    def show(_: float) -> str:
        asked.append(time.time())
        return f"process_start_time_seconds {asked[3] if len(asked) > 4 else 1e9}\n"

    with scoring_server(Behaviour(service=Constant(0.002))) as server, metrics_server(show) as metrics:
        done = scorebench(tmp_path, "run", server.url, *WORDS, "--scrape", metrics.url)
    assert done.code == 4, done.err
    assert "restarted once" in done.out


def test_a_place_without_metrics_is_refused_before_the_load(tmp_path: Path) -> None:
    with scoring_server() as server, metrics_server(lambda _: "<html>") as metrics:
        done = scorebench(tmp_path, "run", server.url, *WORDS, "--scrape", metrics.url)
        assert not server.log()
    assert done.code == 2
    assert "no metrics there: it is not Prometheus text" in done.err
    assert "Traceback" not in done.err
