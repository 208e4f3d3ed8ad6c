"""A real Prometheus reads Locust's page, and answers each query of the Grafana dashboard from it.

Grafana itself is in none of the registries that tests may use: tests/test_telemetry.py decodes the dashboard
by Grafana's own types instead.
"""

from __future__ import annotations

import json
import subprocess
import time
import urllib.parse
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests import requirements
from tests.commands import ROOT
from tests.locust_page import locust_page, post
from tests.scoring_server import Behaviour, replies, scoring_server

from scorebench.servers import ports

DASHBOARD = ROOT / "deploy" / "grafana" / "scorebench.json"
USAGE = b'data: {"usage": {"prompt_tokens": 3, "completion_tokens": 5}}\n\n'
CHUNKS = (b'data: {"n": 1}\n\n', b'data: {"n": 2}\n\n', USAGE, b"data: [DONE]\n\n")
WAIT_S = 60


@contextmanager
def prometheus(folder: Path, page: str) -> Iterator[str]:
    """The address of a Prometheus that reads Locust's `page` each second, as docs/telemetry.md shows."""
    program, port = requirements.program("prometheus"), ports.claim(0)
    config = {
        "scrape_configs": [
            {
                "job_name": "scorebench",
                "scrape_interval": "1s",
                "metrics_path": "/scorebench/metrics",
                "static_configs": [{"targets": [page.removeprefix("http://")]}],
            }
        ]
    }
    (folder / "prometheus.yml").write_text(json.dumps(config))  # JSON is YAML
    words = [f"--web.listen-address=127.0.0.1:{port}", f"--storage.tsdb.path={folder / 'tsdb'}"]
    with (folder / "prometheus.log").open("w") as log:
        process = subprocess.Popen(
            [program, f"--config.file={folder / 'prometheus.yml'}", *words], stdout=log, stderr=log
        )
        try:
            yield f"http://127.0.0.1:{port}"
        finally:
            process.terminate()
            process.wait(30)


def ask(url: str, query: str) -> list[dict[str, Any]]:
    """What Prometheus answers to a query at this moment; nothing while it is starting."""
    try:
        with urllib.request.urlopen(
            f"{url}/api/v1/query?{urllib.parse.urlencode({'query': query})}", timeout=10
        ) as answer:
            found = json.load(answer)
    except OSError:
        return []
    assert found["status"] == "success", (query, found)
    result: list[dict[str, Any]] = found["data"]["result"]
    return result


def wait_for(url: str, query: str) -> None:
    end_s = time.monotonic() + WAIT_S
    while not ask(url, query):
        assert time.monotonic() < end_s, f"nothing for {query}"
        time.sleep(0.3)


def test_prometheus_answers_each_query_of_the_dashboard(tmp_path: Path) -> None:
    """While streams are measured: each panel has something to draw, and the counters are the summary's.

    Grafana puts the chosen generators and a range of four scrapes into the queries.
    """
    board = json.loads(DASHBOARD.read_text())
    queries = [target["expr"] for panel in board["panels"] for target in panel["targets"]]
    (tmp_path / "body.json").write_text('{"inputs": [1.5]}')
    reply = replies.streamed(*CHUNKS, pause_s=0.02)
    with (
        scoring_server(Behaviour(default=reply)) as server,
        locust_page(tmp_path, server.url, body="body.json") as page,
        prometheus(tmp_path, page) as url,
    ):
        wait_for(url, "up == 1")
        form = {"user_count": 2, "spawn_rate": 100, "run_time": "60s", "rate": "20", "stream": "true"}
        assert post(f"{page}/swarm", **form, host=server.url)["success"]
        wait_for(url, "rate(scorebench_chunk_gap_seconds_count[5s]) > 0")
        found = {query: ask(url, filled(query)) for query in queries}
        assert post(f"{page}/stop")["success"]
        time.sleep(3)  # three more scrapes
        counted = ask(url, "scorebench_calls_total")
    assert len(queries) >= 20
    assert not [query for query, answer in found.items() if not answer]
    totals = {one["metric"]["outcome"]: int(one["value"][1]) for one in counted}
    (folder,) = [path for path in (tmp_path / "reports").iterdir() if not path.is_symlink()]
    assert totals == json.loads((folder / "summary.json").read_text())["outcomes"]


def filled(query: str) -> str:
    """As Grafana asks."""
    return query.replace("$instance", ".*").replace("$__rate_interval", "5s")
