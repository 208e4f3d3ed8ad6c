"""MLflow's scoring application with and without timings, in one process: prints what it answered, as JSON.

A program of its own, since it wraps MLflow's functions for good. Knows ASGI and MLflow; no socket.
"""

from __future__ import annotations

import asyncio
import io
import json
import os
import sys
import time
from typing import Any

import pandas as pd
from mlflow.models import Model, infer_signature
from mlflow.pyfunc import PyFuncModel, scoring_server

ROWS = pd.DataFrame({"a": [1.0, 2.5], "b": [3.0, 4.0]})
SLEEP_S = 0.02
SPLIT = json.dumps({"dataframe_split": ROWS.to_dict("split")}).encode()
INVOCATIONS = "/invocations"


def parquet() -> bytes:
    written = io.BytesIO()
    ROWS.to_parquet(written)
    return written.getvalue()


REQUESTS = {
    "split": ("application/json", SPLIT),
    "instances": ("application/json", json.dumps({"instances": ROWS.to_dict("records")}).encode()),
    "csv": ("text/csv", ROWS.to_csv(index=False).encode()),
    "parquet": ("application/vnd.apache.parquet", parquet()),
    "no json": ("application/json", b"{"),
    "a missing column": ("application/json", b'{"inputs": {"a": [1.0]}}'),
    "another type": ("text/plain", b"x"),
    "a model that raises": ("application/json", b'{"inputs": {"a": [-1.0], "b": [1.0]}}'),
}


class Impl:
    """Sleeps for 20 ms, and adds the columns up."""

    def predict(self, data: Any, params: Any = None) -> Any:
        if (data["a"] < 0).any():
            raise ValueError("below zero")
        time.sleep(SLEEP_S)
        return data.sum(axis=1)


def model() -> PyFuncModel:
    meta = Model(signature=infer_signature(ROWS, ROWS.sum(axis=1)))
    meta.add_flavor("python_function", loader_module="none")
    return PyFuncModel(meta, Impl())


async def ask(app: Any, content_type: str, body: bytes, path: str = INVOCATIONS) -> dict[str, Any]:
    """Status, headers and body of one answer."""
    messages = [{"type": "http.request", "body": body, "more_body": False}]
    answer: dict[str, Any] = {"body": b""}

    async def receive() -> dict[str, Any]:
        if messages:
            return messages.pop()
        await asyncio.sleep(3600)  # the client stays
        raise AssertionError

    async def send(message: dict[str, Any]) -> None:
        if message["type"] == "http.response.start":
            answer["status"], answer["headers"] = message["status"], message["headers"]
        else:
            answer["body"] += message.get("body", b"")

    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": "POST",
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "root_path": "",
        "headers": [(b"content-type", content_type.encode()), (b"content-length", str(len(body)).encode())],
        "client": ("127.0.0.1", 1),
        "server": ("127.0.0.1", 2),
    }
    await app(scope, receive, send)
    return answer


def answers(app: Any) -> dict[str, dict[str, Any]]:
    found = {}
    for name, (content_type, body) in REQUESTS.items():
        answer = asyncio.run(ask(app, content_type, body))
        headers = {key.decode(): value.decode() for key, value in answer["headers"]}
        told = headers.pop("server-timing", None)
        found[name] = {
            "status": answer["status"],
            "headers": headers,
            "body": answer["body"].decode(),
            "told": told,
        }
    return found


def main() -> None:
    """Without timings first: the wrapping stays."""
    os.environ[scoring_server._SERVER_MODEL_PATH] = "unused"
    plain = answers(scoring_server.init(model()))
    scoring_server.load_model_with_mlflow_config = lambda _: model()
    from scorebench.timings.app import app

    timed = answers(app)
    again = [asyncio.run(ask(app, *REQUESTS["split"])) for _ in range(5)]
    headers = [dict(answer["headers"])[b"server-timing"].decode() for answer in again]
    json.dump({"plain": plain, "timed": timed, "again": headers}, sys.stdout)


if __name__ == "__main__":
    main()
