"""What `Server-Timing` costs MLflow's server: calls to one with it and one without, in turn.

    python -m bench.timings [PAIRS]

Both serve the demo model on the same cores. A pair is a call to each, in random order, so that whatever else the
machine does meets both alike; the median of the ratios is the cost, with its 99 % interval by order statistics.
"""

from __future__ import annotations

import http.client
import random
import statistics
import sys
from contextlib import ExitStack
from time import perf_counter as clock

from scipy.stats import binom

from scorebench import servers
from scorebench.client.target import Target
from scorebench.models.demo_data import wine_features
from scorebench.models.flavors import DEFAULT_FLAVOR, demo_model
from scorebench.payloads.payload import encode

PAIRS = 2_000
WARM_UP = 100


def main(pairs: int) -> None:
    body = encode(wine_features().head(1), "split", rows_per_call=1).bodies[0]
    with ExitStack() as stack:
        connections = []
        for timings in (False, True):
            server = servers.create(
                "webserver", model_uri=str(demo_model(DEFAULT_FLAVOR)), port=0, timings=timings
            )
            target = Target.parse(stack.enter_context(servers.running(server)).endpoint)
            connections.append(http.client.HTTPConnection(target.host, target.port))
        for _ in range(WARM_UP):
            for connection in connections:
                _call(connection, body)
        ratios, plain, timed = [], [], []
        for _ in range(pairs):
            order = [0, 1] if random.random() < 0.5 else [1, 0]
            took = dict(sorted((which, _call(connections[which], body)) for which in order))
            plain.append(took[0])
            timed.append(took[1])
            ratios.append(took[1] / took[0])
    ratios.sort()
    low, high = (int(binom.ppf(q, pairs, 0.5)) for q in (0.005, 0.995))
    print(f"{pairs:,} pairs; without {1e3 * statistics.median(plain):.2f} ms, with ", end="")
    print(f"{1e3 * statistics.median(timed):.2f} ms (medians)")
    print(f"ratio of a pair: median {statistics.median(ratios):.4f}, ", end="")
    print(f"99 % sure: {ratios[max(low - 1, 0)]:.4f} to {ratios[min(high, pairs - 1)]:.4f}")


def _call(connection: http.client.HTTPConnection, body: bytes) -> float:
    began_s = clock()
    connection.request("POST", "/invocations", body, {"content-type": "application/json"})
    answer = connection.getresponse()
    answer.read()
    took_s = clock() - began_s
    assert answer.status == 200
    return took_s


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else PAIRS)
