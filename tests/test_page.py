"""The routes behind the tab in Locust's page, and its start form, without a browser."""

from __future__ import annotations

import json
import re
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families

from scorebench.servers import ports
from tests.commands import run
from tests.locust_page import ended, get, locust_page, post, state
from tests.scoring_server import Behaviour, Constant, ScoringServer, scoring_server

BEHAVIOUR = Behaviour(service=Constant(0.01))
SLOW_TO_LOAD = """
import gevent
from gevent.monkey import get_original
from locust import events
from scorebench.plugin import ScoringUser

get_original("time", "sleep")(5)

@events.init.add_listener
def look(**_):
    loop = gevent.get_hub().loop
    before_s = loop.now()
    loop.update_now()
    print("behind by", loop.now() - before_s)

class Caller(ScoringUser):
    pass
"""
FORM = {"user_count": 2, "spawn_rate": 100, "run_time": "1s"}


@pytest.fixture(scope="module")
def server() -> Iterator[ScoringServer]:
    with scoring_server(BEHAVIOUR) as server:
        yield server


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory, server: ScoringServer) -> Iterator[tuple[str, Path]]:
    folder = tmp_path_factory.mktemp("page")
    with locust_page(folder, server.url) as url:
        yield url, folder


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("rows_per_call", "0", "Rows Per Call 0: expected a whole number"),
        ("rows_per_call", "many", "Rows Per Call many"),
        ("format", "xml", "Format xml"),
        ("rate", "fast", "Rate fast"),
        ("limit", "p99<50", "Limit"),
        ("warm_up", "2s", "Warm Up 2s: the run lasts 1 s"),
        ("data", "/etc/passwd", "--data: cannot be set here"),
        ("header", "X-Tenant a", "Header: no colon in it"),
        ("header", "X-A: 1, Authorization: abcdef", "pass --header-env Authorization=VARIABLE"),
        ("header_env", "X-A=HOME", "--header-env: cannot be set here"),
        ("arrivals", "replay:/etc/passwd", "Arrivals replay: names a file"),
        ("host", "http://127.0.0.1:1", "127.0.0.1:1"),
        ("host", "ftp://x", "ftp"),
    ],
)
def test_a_wrong_option_is_told_in_the_form_and_nothing_starts(
    page: tuple[str, Path], server: ScoringServer, field: str, value: str, said: str
) -> None:
    """The answer that the form shows names the option; no call was sent, no folder made."""
    url, folder = page
    before = len(server.log())
    answer = post(f"{url}/swarm", **(FORM | {"host": server.url, field: value}))
    assert answer["success"] is False
    assert said in answer["message"]
    stats = json.loads(get(f"{url}/stats/requests")[1])
    assert stats["state"] == "ready"
    assert len([record for record in server.log()[before:] if record.method == "POST"]) == 0
    assert not (folder / "reports").exists()


def test_what_is_shown_is_what_the_run_left(page: tuple[str, Path], server: ScoringServer) -> None:
    """Figures of the tab after the run stand so in summary.json; a cleared field is no value.

    Headers of the form go with each call, and their values are in no file.
    """
    url, folder = page
    assert state(url)["board"] is None or state(url)["runs"]
    wanted = {"limit": "p99<5s,valid>1%", "header": "X-Tenant: tenant-of-mine, X-Two: b, c"}
    wanted |= {"traceparent": "true", "stream": "false", "scenario": "none"}  # as Locust sends its fields
    before = len(server.log())
    # 3 s, because Locust counts the time that a test takes to begin.
    assert post(f"{url}/swarm", **(FORM | wanted | {"run_time": "3s"}), rate="", warm_up="")["success"]
    shown = ended(url)
    sent = {(call.headers["x-tenant"], call.headers["x-two"]) for call in server.log()[before:]}
    assert sent == {("tenant-of-mine", "b, c")}
    assert all(call.headers["traceparent"].startswith("00-") for call in server.log()[before:])
    left = [path for path in folder.rglob("*") if path.is_file()]
    assert not [path for path in left if b"tenant-of-mine" in path.read_bytes()]
    name = shown["runs"][0]["name"]
    summary = json.loads((folder / "reports" / name / "summary.json").read_text())
    assert shown["board"]["progress"].startswith(f"{summary['calls']:,} calls in ")
    users = next(table for table in shown["board"]["tables"] if table["title"].startswith("Users"))
    assert [int(row[4].replace(",", "")) for row in users["rows"]] == [u["calls"] for u in summary["users"]]
    assert summary["environment"]["limits"] == ["p99<5s", "valid>1%"]
    assert summary["environment"]["arrivals"] is None
    told = {one.name: one.value for family in metrics(url) for one in family.samples if not one.labels}
    assert told["scorebench_service_time_seconds_count"] == summary["valid"]
    assert told["scorebench_service_time_seconds_sum"] == pytest.approx(
        summary["service_time_s"]["mean"] * summary["valid"]
    )
    assert told["scorebench_rows_total"] == summary["rows"]


def metrics(url: str) -> list[Any]:
    """What Prometheus reads there, by its own parser."""
    status, text, headers = get(f"{url}/scorebench/metrics")
    assert status == 200
    assert headers["content-type"].startswith("text/plain; version=")
    return list(text_string_to_metric_families(text))


def test_options_posted_while_it_runs_change_nothing(page: tuple[str, Path], server: ScoringServer) -> None:
    """A form with nonsense sent in the middle, as no page sends it: the report is of what was asked first."""
    url, folder = page
    earlier = {run["name"] for run in state(url)["runs"]}
    assert post(f"{url}/swarm", **(FORM | {"run_time": "3s", "limit": "p50<5s"}))["success"]
    while not (state(url)["board"] or {}).get("running"):
        time.sleep(0.05)
    assert post(f"{url}/swarm", user_count=3, spawn_rate=100, limit="nonsense")["success"]
    post(f"{url}/stop")
    (run,) = [run for run in ended(url)["runs"] if run["name"] not in earlier]
    summary = json.loads((folder / "reports" / run["name"] / "summary.json").read_text())
    assert summary["environment"]["limits"] == ["p50<5s"]


@pytest.mark.parametrize(
    "asked",
    [
        "nowhere/summary.json",
        "{run}/locust.log",
        "{run}/..%2f..%2flocust.log",
        "{run}/../../locust.log",
        "..%2f/summary.json",
        "latest/summary.json",
        "%2e%2e/locust.log",
    ],
)
def test_only_files_of_runs_of_this_process_are_served(
    page: tuple[str, Path], server: ScoringServer, asked: str
) -> None:
    """Another folder, another file, a way up: not there."""
    url, _ = page
    if not state(url)["runs"]:
        post(f"{url}/swarm", **FORM)
    run = ended(url)["runs"][0]
    assert get(f"{url}/scorebench/{run['files'][0]['href']}")[0] == 200
    assert get(f"{url}/scorebench/runs/{asked.format(run=run['name'])}")[0] == 404


def test_a_report_may_not_act_for_who_is_logged_in(page: tuple[str, Path], server: ScoringServer) -> None:
    """Files of a run come with a policy that gives them an origin of their own."""
    url, _ = page
    if not state(url)["runs"]:
        post(f"{url}/swarm", **FORM)
    for file in ended(url)["runs"][0]["files"]:
        _, _, headers = get(f"{url}/scorebench/{file['href']}")
        assert "sandbox" in headers["content-security-policy"]
        assert "allow-same-origin" not in headers["content-security-policy"]
        assert headers["x-content-type-options"] == "nosniff"


def test_an_autostart_that_is_refused_says_so_in_the_page(tmp_path: Path, server: ScoringServer) -> None:
    """--autostart with a limit that can't be read: the tab tells it, and no call was sent."""
    words = ["--autostart", "-u", "1", "--limit", "p99<50"]
    with locust_page(tmp_path, server.url, *words) as url:
        told: dict[str, Any] = {}
        end_s = time.monotonic() + 20
        while not told.get("refused") and time.monotonic() < end_s:
            time.sleep(0.2)
            told = state(url)
    assert "--limit" in told["refused"]
    assert told["board"] is None
    assert not (tmp_path / "reports").exists()


def test_what_is_slow_to_load_takes_nothing_from_the_runs_time(tmp_path: Path) -> None:
    """Locust's timer for `-t` counts from its loop's clock, which stands still while modules load.

    The locustfile needs 5 s for that. Before Locust sets the timer, the clock has been set: it is behind by
    no more than a busy machine takes since then.
    """
    slow = tmp_path / "slow.py"
    slow.write_text(SLOW_TO_LOAD)
    with scoring_server(BEHAVIOUR) as server:
        words = ["-f", str(slow), "-H", server.url, "-t", "1s", "--autostart", "--autoquit", "0"]
        done = run([sys.executable, "-m", "locust", *words, "--web-port", str(ports.claim(0))], tmp_path)
    (behind_s,) = re.findall(r"^behind by (.*)$", done.out, re.MULTILINE)
    assert float(behind_s) < 4


ROUTES = [("POST", "/swarm"), ("POST", "/stop"), ("POST", "/stats/reset"), ("GET", "/stats/requests")]
ROUTES += [
    ("GET", "/stats/report"),
    ("GET", "/logs"),
    ("GET", "/scorebench/state"),
    ("GET", "/no/such/route"),
]


@pytest.mark.parametrize(("method", "route"), ROUTES)
def test_another_site_gets_nothing(
    page: tuple[str, Path], server: ScoringServer, method: str, route: str
) -> None:
    """Status 403 before any route, no word that lets a browser show the answer to it, and no call sent."""
    url, _ = page
    before = len(server.log())
    body = b"user_count=1&spawn_rate=1&host=http://127.0.0.1:1" if method == "POST" else None
    for headers in (
        {"Origin": "https://evil.example"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Host": "evil.example"},
    ):
        asked = urllib.request.Request(f"{url}{route}", body, headers, method=method)
        with pytest.raises(urllib.error.HTTPError) as refused:
            urllib.request.urlopen(asked, timeout=30)
        assert refused.value.code == 403
        assert refused.value.read().startswith(b"scorebench: this page ")
        assert "Access-Control-Allow-Origin" not in refused.value.headers
    assert len([record for record in server.log()[before:] if record.method == "POST"]) == 0


def test_its_answers_are_for_its_own_pages(page: tuple[str, Path]) -> None:
    """Locust alone says to each that every site may read it."""
    headers = get(f"{page[0]}/stats/requests")[2]
    assert "access-control-allow-origin" not in headers
    assert headers["x-frame-options"] == "SAMEORIGIN"


def test_it_listens_on_this_machine_alone(tmp_path: Path) -> None:
    """Without locust.conf and --web-host: on 127.0.0.1, as Locust's own log names it."""
    code = (
        "import sys, scorebench.plugin\n"
        "from locust.argument_parser import get_parser\n"
        "for words in ([], ['--web-host', '*']):\n"
        "    print(get_parser().parse_args(words).web_host)\n"
    )
    assert run([sys.executable, "-c", code], tmp_path).out.split() == ["127.0.0.1", "*"]
