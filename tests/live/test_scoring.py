"""The helpers that hold live servers to their model: each goes red where it should."""

from __future__ import annotations

import http.server
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from tests.live.scoring import (
    Reply,
    assert_pings,
    assert_predicts,
    assert_runs_as_sagemaker_does,
    largest_body,
)

from scorebench.servers import hosting

ROWS = {"columns": ["a"], "data": [[0.1], [0.2]]}


@pytest.mark.parametrize(
    ("own", "status", "right"),
    [((0.1, 0.2), 200, True), ((0.1, 0.2000000001), 200, False), ((0.1, 0.2), 400, False)],
)
def test_predictions_that_differ_are_seen(own: tuple[float, float], status: int, right: bool) -> None:
    """A server that answers each row's own value: right, wrong in the tenth digit, right but refused."""
    with _echo(status) as url:
        if right:
            assert_predicts(url, ROWS, own)
            return
        with pytest.raises(AssertionError):
            assert_predicts(url, ROWS, own)


def test_no_rows_are_no_proof() -> None:
    """Comparing nothing does not pass."""
    with pytest.raises(AssertionError):
        assert_predicts("http://127.0.0.1:1", {"columns": [], "data": []}, [])


def test_predictions_are_read_bare_and_wrapped() -> None:
    """MLflow 1's list, and the object of later versions."""
    assert Reply(200, b"[1.5]").predictions() == Reply(200, b'{"predictions": [1.5]}').predictions() == [1.5]


def test_a_ping_that_fails_is_seen() -> None:
    """A server that answers 500 to GET /ping."""
    with _echo(500) as url, pytest.raises(AssertionError):
        assert_pings(url)


def test_the_largest_body_is_as_large_as_sagemaker_takes() -> None:
    """6,291,456 bytes, and still JSON with all the rows."""
    body, rows = largest_body({"dataframe_split": {"columns": ["a"], "data": []}}, [[0.125], [1.5]])
    assert len(body) == hosting.BODY_LIMIT_BYTES == 6_291_456
    assert len(json.loads(body)["dataframe_split"]["data"]) == rows


@pytest.mark.parametrize(
    ("change", "right"),
    [
        ({}, True),
        ({"RW": True}, False),
        ({"Cmd": []}, False),
        ({"Init": True}, False),
        ({"port": "80/tcp"}, False),
    ],
)
def test_a_container_run_otherwise_is_seen(change: dict[str, Any], right: bool) -> None:
    """A writable model, no `serve`, an init or another port is not how SageMaker runs it."""
    told = {
        "Mounts": [{"Destination": "/opt/ml/model", "RW": change.get("RW", False)}],
        "Config": {"Cmd": change.get("Cmd", ["serve"])},
        "HostConfig": {"Init": change.get("Init")},
        "NetworkSettings": {"Ports": {change.get("port", "8080/tcp"): []}},
    }
    if right:
        assert_runs_as_sagemaker_does(told)
        return
    with pytest.raises(AssertionError):
        assert_runs_as_sagemaker_does(told)


@contextmanager
def _echo(status: int) -> Iterator[str]:
    """A server whose prediction of a row is the row's first value."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            self._answer({"predictions": [row[0] for row in body["dataframe_split"]["data"]]})

        def do_GET(self) -> None:
            self._answer({})

        def _answer(self, content: dict[str, Any]) -> None:
            text = json.dumps(content).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

        def log_message(self, format: str, *args: object) -> None:
            return

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()
