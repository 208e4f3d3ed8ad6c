"""A run → what to change, by a table of rules. Pure: knows figures; no report, no file.

A rule is silent where the data does not support it. Where the generator was the limit, or the measurement is
not valid, nothing else is said: every other figure may be the generator's.
"""

from __future__ import annotations

from collections.abc import Iterator

from scorebench.advice.commands import value_of
from scorebench.advice.record import Advice, Facts, Rule
from scorebench.advice.worker_rules import (
    blas_threads,
    fewer_workers,
    more_workers,
    uneven_workers,
    with_workers,
)
from scorebench.figures.server_use import server_samples
from scorebench.figures.trend import trend
from scorebench.units import say_percent, say_seconds

GENERATOR_CODES = {"generator_cpu", "generator_busy", "generator_lag"}
SCHEMA_SHARE, QUEUE_SHARE, NETWORK_SHARE, PARSER_SHARE = 0.1, 0.2, 0.5, 0.1
HELD_BACK_S = (0.035, 0.06)
"""Linux acknowledges the first part of an answer after 40 ms, where nothing else is to be sent. What takes
longer to arrive is held up by something else."""
SLOW_FIRST = 10.0
GROWTH_ALPHA, GROWTH_SHARE = 0.01, 0.01
WIRE = ("name", "connect", "tls", "send", "network", "receive")
DECIDES_ROWS = ("--body", "--scenario")
"""Options that leave no choice of rows in a call."""
LENGTHS = ("--calls", "--iterations", "--stop-when")
"""Options that end a run before its time."""


def advise(facts: Facts) -> list[Advice]:
    """All that the run supports; empty where it supports nothing, or is not valid."""
    if bound := RULES[0].advice(facts):
        return bound
    if facts.invalid is not None:
        return []
    return [advice for rule in RULES[1:] for advice in rule.advice(facts)]


def _generator_bound(facts: Facts) -> Iterator[Advice]:
    found = next((one for one in facts.findings if one.code in GENERATOR_CODES), None)
    if found is not None:
        yield Advice(
            "generator_bound",
            found.text,
            "measure with a generator that is not the limit",
            "figures that are the server's; nothing else can be said from this run",
            facts.again({"--processes": f"{_processes(facts) + 1}"}),
        )


def _processes(facts: Facts) -> int:
    """That made the load."""
    number = value_of(facts.command, "--processes") or ""
    return int(number) if number.isascii() and number.isdigit() and len(number) < 5 else 1


def _schema(facts: Facts) -> Iterator[Advice]:
    call = facts.typical
    if call is None:
        return
    schema_s, predict_s = call.parts_s.get("schema", 0.0), call.parts_s.get("predict", 0.0)
    if schema_s > predict_s and schema_s >= SCHEMA_SHARE * call.mean_s:
        yield Advice(
            "schema_over_predict",
            f"schema enforcement takes {say_seconds(schema_s)} of the median call, the model "
            f"{say_seconds(predict_s)}",
            "send the signature's own types and columns, or log the model with fewer columns",
            _off(schema_s, call.mean_s),
            facts.command,
        )


def _off(part_s: float, whole_s: float) -> str:
    return (
        f"at most {say_seconds(part_s)} less a call ({say_percent(round(part_s / whole_s, 3))} of the median)"
    )


def _queue(facts: Facts) -> Iterator[Advice]:
    call = facts.typical
    queue_s = 0.0 if call is None else call.parts_s.get("queue", 0.0)
    if call is not None and queue_s >= QUEUE_SHARE * call.mean_s:
        workers = (facts.workers or 1) + 1
        yield Advice(
            "threads_queue",
            f"the median call waits {say_seconds(queue_s)} of {say_seconds(call.mean_s)} for a worker thread",
            "serve with more workers, or offer fewer calls at once",
            _off(queue_s, call.mean_s),
            with_workers(facts, workers),
        )


def _held_back_s(facts: Facts) -> float | None:
    """How long the rest of the median call's answer waited for an acknowledgement; None where it did not."""
    receive_s = 0.0 if facts.typical is None else facts.typical.parts_s.get("receive", 0.0)
    return receive_s if HELD_BACK_S[0] <= receive_s < HELD_BACK_S[1] else None


def _tcp_delay(facts: Facts) -> Iterator[Advice]:
    call, held_s = facts.typical, _held_back_s(facts)
    if call is None or held_s is None:
        return
    several = (facts.workers or 1) > 1 and facts.server.get("uvloop") is False
    yield Advice(
        "tcp_delay",
        f"{say_seconds(held_s)} of the median call's {say_seconds(call.mean_s)} lie between the first byte "
        "of its answer and the last: TCP holds the rest back until the first part is acknowledged",
        "pip install uvloop where the server runs: without it, uvicorn's workers leave TCP_NODELAY off"
        if several
        else "have the server set TCP_NODELAY, or write an answer in one piece",
        _off(held_s, call.mean_s),
        facts.command,
    )


def _network(facts: Facts) -> Iterator[Advice]:
    call = None if _held_back_s(facts) else facts.typical  # that has a name of its own
    wire_s = 0.0 if call is None else sum(call.parts_s.get(part, 0.0) for part in WIRE)
    if call is not None and wire_s >= NETWORK_SHARE * call.mean_s:
        yield Advice(
            "network",
            f"connections, network and HTTP server take {say_seconds(wire_s)} of the median call's "
            f"{say_seconds(call.mean_s)}",
            "call from nearer, keep connections open, and send more rows in a call",
            _off(wire_s, call.mean_s),
            _with_more_rows(facts),
        )


def _with_more_rows(facts: Facts) -> str:
    """Ten times as many, where the command says how many."""
    if any(value_of(facts.command, flag) is not None for flag in DECIDES_ROWS):
        return facts.command
    rows = (facts.summary.environment.get("payload") or {}).get("rows_per_call")
    return facts.again({"--rows-per-call": f"{10 * rows if isinstance(rows, int) and rows > 0 else 10}"})


def _parsers(facts: Facts) -> Iterator[Advice]:
    missing = [name for name in ("uvloop", "httptools") if facts.server.get(name) is False]
    call = facts.typical
    network_s = 0.0 if call is None else call.parts_s.get("network", 0.0)
    if missing and call is not None and network_s >= PARSER_SHARE * call.mean_s:
        yield Advice(
            "http_packages",
            f"{' and '.join(missing)} not installed in the server, and HTTP takes {say_seconds(network_s)} "
            f"of the median call's {say_seconds(call.mean_s)}",
            "pip install 'uvicorn[standard]' where the server runs",
            _off(network_s, call.mean_s),
            facts.command,
        )


def _slow_first(facts: Facts) -> Iterator[Advice]:
    warm_up, median = facts.summary.warm_up, facts.summary.service.percentile(0.5)
    if warm_up.max_s is None or median is None or median.value is None:
        return
    if warm_up.max_s >= SLOW_FIRST * median.value:
        yield Advice(
            "slow_first_calls",
            f"the slowest call of the warm-up took {say_seconds(warm_up.max_s)}, "
            f"{warm_up.max_s / median.value:.0f} times the median",
            "send the model a few calls before it gets traffic, such as in its readiness probe",
            f"{say_seconds(warm_up.max_s - median.value)} less for the first callers after each start",
            facts.command,
        )


def _memory(facts: Facts) -> Iterator[Advice]:
    points = [
        (one["t_s"], float(rss))
        for one in server_samples(facts.recording)
        if (rss := one["rss_bytes"]) is not None
    ]
    found = trend(points)
    if found is None or not found.rises(GROWTH_ALPHA):
        return
    if found.per_s * found.over_s < GROWTH_SHARE * points[-1][1]:
        return
    low, middle, high = (3600 * slope / 1e6 for slope in (found.low_per_s, found.per_s, found.high_per_s))
    yield Advice(
        "memory_grows",
        f"the server's memory grows by {middle:z,.0f} MB an hour ({low:z,.0f} to {high:z,.0f})",
        "look for what the model keeps between calls; until then restart workers in time",
        "a server that is not killed for its memory",
        facts.again({"--run-time": "30m"}, without=LENGTHS),
    )


RULES = (
    Rule("generator_bound", "a finding about the generator", "docs/reliability.md", _generator_bound),
    Rule("schema_over_predict", "more than predict, and 10 % of the median call", "Server-Timing", _schema),
    Rule("threads_queue", "20 % of the median call", "Server-Timing", _queue),
    Rule(
        "tcp_delay",
        "35 to 60 ms from the first byte of an answer to the last, in the median call",
        "RFC 896 and RFC 1122, 4.2.3.2: Nagle's algorithm beside delayed acknowledgements",
        _tcp_delay,
    ),
    Rule("network", "50 % of the median call", "Server-Timing, phases of the client", _network),
    Rule(
        "more_workers",
        "each worker busy 90 %, half a core free",
        "utilisation law (Jain, The Art of Computer Systems Performance Analysis, 1991, chapter 33)",
        more_workers,
    ),
    Rule("fewer_workers", "one fewer would be busy 50 % at most", "utilisation law, as above", fewer_workers),
    Rule(
        "uneven_workers",
        "one serves 1.5 times its share, with a user for each or more",
        "the calls that each worker counts",
        uneven_workers,
    ),
    Rule(
        "blas_threads",
        "1.5 cores a worker and 80 % of all cores, and no *_NUM_THREADS set",
        "scikit-learn's documentation: parallelism, oversubscription",
        blas_threads,
    ),
    Rule(
        "http_packages", "10 % of the median call is HTTP", "uvicorn's documentation: installation", _parsers
    ),
    Rule("slow_first_calls", "10 times the median", "warm-up against the rest of the run", _slow_first),
    Rule(
        "memory_grows",
        "Mann-Kendall's p below 1 %, Theil-Sen's lower bound above 0, and 1 % of the memory",
        "figures/trend.py names the papers",
        _memory,
    ),
)
