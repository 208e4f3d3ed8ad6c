"""Do the stages that a server tells agree with MLflow's functions timed in a process without a server?

    python -m bench.stages [PAIRS]

Starts MLflow's web server with the demo model and timings. A pair is a call of it, and the same body given to
MLflow's own `invocations` here, with a clock around the same functions that is not `scorebench.timings`. The
two come in random order, so that whatever else the machine does meets both alike. Compared are the medians
and the fastest tenths: of these other programs took least.
"""

from __future__ import annotations

import http.client
import json
import random
import statistics
import sys
from collections.abc import Callable
from functools import wraps
from importlib import import_module
from time import perf_counter as clock
from typing import Any

from scorebench import servers
from scorebench.answers.server_timing import parse
from scorebench.models.demo_data import LABEL, wine_table
from scorebench.models.flavors import DEFAULT_FLAVOR, demo_model

PAIRS, WARM_UP = 1_000, 100
STAGES = ("parse", "schema", "predict", "write")
Durations = dict[str, float]


def in_process(folder: str, body: bytes) -> Callable[[], Durations]:
    """A call of MLflow's functions in this process, and how long each took."""
    pyfunc = import_module("mlflow.pyfunc")  # `from mlflow import pyfunc` is a stand-in that loads it later
    from mlflow.pyfunc import scoring_server

    took: Durations = {}

    def around(place: Any, name: str, stage: str) -> None:
        function = getattr(place, name)

        @wraps(function)
        def timed(*args: Any, **kwargs: Any) -> Any:
            began_s = clock()
            try:
                return function(*args, **kwargs)
            finally:
                took[stage] = clock() - began_s

        setattr(place, name, timed)

    model = pyfunc.load_model(folder)
    around(scoring_server, "_parse_json_data", "parse")
    around(pyfunc, "_validate_prediction_input", "schema")
    around(model, "_predict_fn", "predict")
    around(scoring_server, "predictions_to_json", "write")
    schema = model.metadata.get_input_schema()

    def call() -> Durations:
        answer = scoring_server.invocations(body.decode(), "application/json", model, schema)
        assert answer.status == 200
        return dict(took)

    return call


def of_server(port: int, body: bytes) -> Callable[[], Durations]:
    """A call of the server, over one connection, and what it tells of it."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)

    def call() -> Durations:
        connection.request("POST", "/invocations", body, {"Content-Type": "application/json"})
        answer = connection.getresponse()
        answer.read()
        assert answer.status == 200
        return dict(parse(answer.getheader("Server-Timing", "").encode()).durations_s)

    return call


def measure(pairs: int) -> tuple[list[Durations], list[Durations]]:
    """What the server told, and what was timed here, of each pair."""
    folder = str(demo_model(DEFAULT_FLAVOR))
    rows = wine_table().drop(columns=LABEL).head(1)
    body = json.dumps({"dataframe_split": rows.to_dict("split")}).encode()
    told: list[Durations] = []
    own: list[Durations] = []
    with servers.running(servers.create("webserver", model_uri=folder, port=0, timings=True)) as server:
        port = int(server.endpoint.rsplit(":", 1)[1].split("/")[0])
        both = [(of_server(port, body), told), (in_process(folder, body), own)]
        for _ in range(WARM_UP + pairs):
            for call, kept in random.sample(both, 2):
                kept.append(call())
    return told[WARM_UP:], own[WARM_UP:]


def main(pairs: int) -> None:
    told, own = measure(pairs)
    print(f"{pairs:,} pairs of calls; ms           median                  fastest tenth")
    print("            server  in process  ratio     server  in process  ratio")
    for stage in STAGES:
        line = f"{stage:8}"
        for of in (statistics.median, lambda values: statistics.quantiles(values, n=10)[0]):
            server, here = (1e3 * of([one[stage] for one in calls]) for calls in (told, own))
            line += f"  {server:8.3f}  {here:10.3f}  {server / here:5.2f}"
        print(line)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else PAIRS)
