"""How a live server is asked, and what it is held to: the model's own predictions, SageMaker's rules."""

from __future__ import annotations

import http.client
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from scorebench.servers import hosting, ready


@dataclass(frozen=True)
class Demo:
    """A model folder and what the model itself, without MLflow or a server, says of the first rows."""

    folder: Path
    predictions: tuple[float, ...]


@dataclass(frozen=True)
class Reply:
    """What a server answered to one POST /invocations."""

    status: int
    body: bytes
    server_timing: str = ""

    def predictions(self) -> list[float]:
        """The numbers, bare or under the key `predictions`."""
        found = json.loads(self.body)
        found = found["predictions"] if isinstance(found, dict) else found
        return [float(value) for value in found]


def post(url: str, body: object, content_type: str = "application/json") -> Reply:
    """One POST to `url`/invocations; `body` is sent as it is if it is bytes, else as JSON."""
    payload = body if isinstance(body, bytes) else json.dumps(body).encode()
    where = urlsplit(url)
    connection = http.client.HTTPConnection(where.hostname or "", where.port, timeout=120)
    try:
        connection.request("POST", "/invocations", payload, {"Content-Type": content_type})
        answer = connection.getresponse()
        return Reply(answer.status, answer.read(), answer.getheader("Server-Timing", ""))
    finally:
        connection.close()


def assert_predicts(url: str, rows: dict[str, Any], own: Sequence[float], wrapped: bool = True) -> None:
    """The server's predictions are the model's own: all rows in one call, and the first of them one by one.

    wrapped: as MLflow 2 and 3 take it (`dataframe_split`); else the bare split object of the Java server.
    """
    assert len(own) == len(rows["data"]) > 0
    together = post(url, _body(rows["columns"], rows["data"], wrapped))
    assert (together.status, together.predictions()) == (200, list(own))
    for row, expected in list(zip(rows["data"], own, strict=True))[:5]:
        alone = post(url, _body(rows["columns"], [row], wrapped))
        assert (alone.status, alone.predictions()) == (200, [expected])


def _body(columns: list[str], data: list[list[float]], wrapped: bool) -> dict[str, Any]:
    split = {"columns": columns, "data": data}
    return {"dataframe_split": split} if wrapped else split


def assert_runs_as_sagemaker_does(told: dict[str, Any]) -> None:
    """`docker run IMAGE serve`, the model read-only at /opt/ml/model, port 8080, no init."""
    (mount,) = told["Mounts"]
    assert (mount["Destination"], mount["RW"]) == ("/opt/ml/model", False)
    assert told["Config"]["Cmd"] == ["serve"]
    assert not told["HostConfig"].get("Init")
    assert set(told["NetworkSettings"]["Ports"]) == {"8080/tcp"}


def assert_pings(url: str) -> None:
    """Twenty pings, each answered 200 within 2 s."""
    port = int(url.rsplit(":", 1)[1])
    for _ in range(20):
        answer = ready.get("127.0.0.1", port, "/ping", timeout_s=hosting.PING_TIMEOUT_S)
        assert not isinstance(answer, str), answer
        assert answer[0] == 200


def largest_body(frame: dict[str, Any], data: list[list[float]]) -> tuple[bytes, int]:
    """A body of exactly 6,291,456 bytes, all rows and a little white space; and how many rows."""
    split = frame.get("dataframe_split", frame)
    row_bytes = max(len(json.dumps(row)) + 2 for row in data)
    count = (hosting.BODY_LIMIT_BYTES - 1000) // row_bytes
    split["data"] = [data[number % len(data)] for number in range(count)]
    body = json.dumps(frame).encode()
    assert hosting.BODY_LIMIT_BYTES * 0.8 < len(body) <= hosting.BODY_LIMIT_BYTES
    return body.ljust(hosting.BODY_LIMIT_BYTES), count
