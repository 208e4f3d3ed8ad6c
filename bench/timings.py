"""What `Server-Timing` costs a call of MLflow's server: the same application with it and without, in turn.

    python -m bench.timings [PAIRS]

MLflow's own application with the demo model, called in this process, so that no socket and no other process
adds noise. A pair is a call each way, in random order, so that whatever else the machine does meets both
alike. The cost is the median of the ratios, with its 99 % interval by order statistics.
"""

from __future__ import annotations

import asyncio
import json
import os
import random
import statistics
import sys
from importlib import import_module
from time import perf_counter as clock
from typing import Any

from scipy.stats import binom

from scorebench.models.demo_data import LABEL, wine_table
from scorebench.models.flavors import DEFAULT_FLAVOR, demo_model
from scorebench.timings import ServerTiming

PAIRS = 2_000
WARM_UP = 200
WRAPPED = (
    "_parse_json_data",
    "parse_csv_input",
    "parse_parquet_input",
    "predictions_to_json",
    "unwrapped_predictions_to_json",
    "invocations",
)
"""Names of MLflow's scoring server that timings replace."""


async def measure(pairs: int) -> list[tuple[float, float]]:
    """(seconds without, seconds with) of each pair."""
    pyfunc = import_module("mlflow.pyfunc")  # `from mlflow import pyfunc` is a stand-in that loads it later
    from mlflow.pyfunc import scoring_server

    os.environ[scoring_server._SERVER_MODEL_PATH] = "unused"
    model = pyfunc.load_model(str(demo_model(DEFAULT_FLAVOR)))
    scoring_server.load_model_with_mlflow_config = lambda _: model
    places = [(scoring_server, name) for name in WRAPPED] + [(pyfunc, "_validate_prediction_input")]
    plain = [getattr(module, name) for module, name in places]
    from scorebench.timings.app import app

    assert isinstance(app, ServerTiming)
    timed = [getattr(module, name) for module, name in places]
    own = model._predict_fn.__wrapped__, model._predict_fn
    rows = wine_table().drop(columns=LABEL).head(1)
    body = json.dumps({"dataframe_split": rows.to_dict("split")}).encode()

    async def call(*, with_timings: bool) -> float:
        for (module, name), function in zip(places, timed if with_timings else plain, strict=True):
            setattr(module, name, function)
        model._predict_fn = own[with_timings]
        began_s = clock()
        await ask(app if with_timings else app.app, body)
        return clock() - began_s

    for number in range(WARM_UP):
        await call(with_timings=bool(number % 2))
    found = []
    for _ in range(pairs):
        first = random.random() < 0.5
        took = {first: await call(with_timings=first), not first: await call(with_timings=not first)}
        found.append((took[False], took[True]))
    return found


async def ask(app: Any, body: bytes) -> None:
    """One POST to /invocations."""
    messages = [{"type": "http.request", "body": body, "more_body": False}]
    status = []

    async def receive() -> dict[str, Any]:
        return messages.pop() if messages else await asyncio.Future()

    async def send(message: dict[str, Any]) -> None:
        status.append(message.get("status"))

    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": "POST",
        "scheme": "http",
        "path": "/invocations",
        "raw_path": b"/invocations",
        "query_string": b"",
        "root_path": "",
        "headers": [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(body))],
        "client": ("127.0.0.1", 1),
        "server": ("127.0.0.1", 2),
    }
    await app(scope, receive, send)
    assert status[0] == 200


def main(pairs: int) -> None:
    found = asyncio.run(measure(pairs))
    ratios = sorted(timed / plain for plain, timed in found)
    low, high = (int(binom.ppf(q, pairs, 0.5)) for q in (0.005, 0.995))
    without_ms, with_ms = (1e3 * statistics.median(one[n] for one in found) for n in (0, 1))
    print(f"{pairs:,} pairs of calls: {without_ms:.3f} ms without timings, {with_ms:.3f} ms with (medians)")
    print(f"ratio of a pair: median {statistics.median(ratios):.4f}, ", end="")
    print(f"99 % sure: {ratios[max(low - 1, 0)]:.4f} to {ratios[min(high, pairs - 1)]:.4f}")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else PAIRS)
