"""How true the figures are: scorebench against a server on a real socket that draws, sleeps and logs.

Three tables: a server frozen for 5 s, beside what closed loops say of it; service times of known
distributions at several rates; an M/M/1 queue against theory. The truth is the server's own log.
"""

from __future__ import annotations

import argparse
import math
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path

if not __package__:  # run as a script: `bench` and `tests` are found from the repository's root
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import numpy as np
from tests.scoring_server import (
    Behaviour,
    Constant,
    Draw,
    Exponential,
    Record,
    ScoringServer,
    TwoHumps,
    scoring_server,
)

from bench.closed_loops import GENERATORS, USERS
from scorebench.figures.percentiles import percentile
from scorebench.figures.summary import summarise
from scorebench.figures.times import Times
from scorebench.folders import folder as folder_of_run
from scorebench.recordings.recording import Recording

FREEZE_S, FREEZE_FROM_S, FREEZE_RATE = 5.0, 10.0, 100
DISTRIBUTIONS: dict[str, Draw] = {
    "constant 5 ms": Constant(0.005),
    "exponential 5 ms": Exponential(0.005),
    "two humps": TwoHumps(0.004, 0.040, second_share=0.3),
}
RATES = (50, 200, 1000)
MEAN_SERVICE_S = 0.010  # two processes take half a millisecond to wake each other: a part of any response
LOADS = {0.5: 1 / 3, 0.8: 1.0}  # load: share of the calls, since the mean of a short queue scatters less
QUEUES = 6
"""Side by side, each with seeds of its own: a mean over 180,000 calls at 80/s is 2 % off by chance."""


@dataclass(frozen=True)
class Row:
    """`said` beside the `truth`, in seconds."""

    what: str
    name: str
    said: float | None
    truth: float

    def cells(self) -> list[str]:
        if self.said is None:
            return [self.what, self.name, "not said", _ms(self.truth), "-"]
        off = _percent((self.said - self.truth) / self.truth)
        return [self.what, self.name, _ms(self.said), _ms(self.truth), off]


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the tables as Markdown."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--runs", type=int, default=3, help="of each distribution and rate (3)")
    parser.add_argument("--calls", type=int, default=1400, help="least calls of a run (1400)")
    parser.add_argument("--queue-calls", type=int, default=180_000, help="at the greater load (180000)")
    parser.add_argument("--only", choices=("freeze", "times", "queue"))
    options = parser.parse_args(arguments)
    tables: dict[str, Callable[[], list[Row]]] = {
        "freeze": freeze,
        "times": lambda: times(options.runs, options.calls),
        "queue": lambda: queue(options.queue_calls),
    }
    for name, measure in tables.items():
        if options.only in (None, name):
            show(HEADS[name], measure())
    return 0


HEADS = {
    "freeze": f"A server frozen for {FREEZE_S:g} s in a run of 30 s at {FREEZE_RATE}/s",
    "times": "Service times, medians of the runs",
    "queue": "An M/M/1 queue: mean response time, beside the server's log and theory",
}


def show(head: str, rows: Sequence[Row]) -> None:
    print(f"**{head}**\n\n| what | figure | said | truth | off |\n| --- | --- | ---: | ---: | ---: |")
    for row in rows:
        print("| " + " | ".join(row.cells()) + " |")
    print(flush=True)


def _ms(seconds: float) -> str:
    return f"{seconds * 1e3:,.2f} ms"


def _percent(ratio: float) -> str:
    """One decimal with a sign, and none where it rounds to zero."""
    text = f"{ratio * 100:+.1f} %"
    return "0.0 %" if text[1:] == "0.0 %" else text


def run(server: ScoringServer, *words: str) -> Recording:
    """The recording of a run of scorebench against `server`."""
    with tempfile.TemporaryDirectory() as folder:
        command = [
            sys.executable,
            "-m",
            "scorebench",
            "run",
            server.url,
            "--quiet",
            "--report-dir",
            folder,
            *words,
        ]
        subprocess.run(command, check=False, stdout=subprocess.DEVNULL)
        return folder_of_run.read(Path(folder) / "latest")


def freeze() -> list[Row]:
    """Response times of scorebench; then what others say of the same freeze."""
    behaviour = Behaviour(service=Constant(0.005), freezes=((FREEZE_FROM_S, FREEZE_FROM_S + FREEZE_S),))
    with scoring_server(behaviour) as server:
        load = f"--users {USERS} --rate {FREEZE_RATE} --arrivals constant --run-time 30s"
        recording = run(server, *load.split())
        truth = responses_of(server.log(), FREEZE_RATE)
    said = summarise(recording).response
    rows = [
        Row(f"scorebench, {USERS} users", name, said.percentiles[name].value, _quantile(truth, q))
        for name, q in (("p50", 0.5), ("p99", 0.99))
    ]
    # 3,000 calls are too few for a report to print a p99.9; what the recording holds is compared.
    kept = percentile(*recording.measured.response.table(), 0.999)
    rows.append(Row(f"scorebench, {USERS} users", "p99.9, from its recording", kept, _quantile(truth, 0.999)))
    for generator in (one for one in GENERATORS if one.is_here):
        with scoring_server(behaviour) as server:
            p99_s = generator.p99_s(server.url, FREEZE_RATE, 30)
        rows.append(Row(generator.name, "p99", p99_s, _quantile(truth, 0.99)))
    return rows


def responses_of(log: Sequence[Record], rate_per_s: float) -> list[float]:
    """From when each call was due, by the rate alone, to when its answer left."""
    calls = sorted((r for r in log if r.answered_s is not None), key=lambda record: record.first_byte_s)
    start_s = min(record.first_byte_s - n / rate_per_s for n, record in enumerate(calls))
    return [float(r.answered_s or 0) - (start_s + n / rate_per_s) for n, r in enumerate(calls)]


def times(runs: int, calls: int) -> list[Row]:
    """Each distribution at each rate: the median over runs of what was said, and of the truth."""
    rows = []
    for name, draw in DISTRIBUTIONS.items():
        for rate in RATES:
            seconds = max(10, math.ceil(calls / rate))
            found = [_times_once(draw, rate, seconds, seed) for seed in range(1, runs + 1)]
            for figure, q in (("p50", 0.5), ("p90", 0.9), ("p99", 0.99)):
                said = [value for one in found if (value := one[0].percentiles[figure].value) is not None]
                truth = [_quantile(one[1], q) for one in found]
                middle = statistics.median(said) if len(said) == runs else None
                rows.append(Row(f"{name}, {rate}/s", figure, middle, statistics.median(truth)))
    return rows


def _times_once(draw: Draw, rate: int, seconds: int, seed: int) -> tuple[Times, list[float]]:
    with scoring_server(Behaviour(service=draw)) as server:
        words = ["--users", "200", "--rate", str(rate), "--arrivals", "poisson", "--seed", str(seed)]
        recording = run(server, *words, "--run-time", f"{seconds}s")
        return summarise(recording).service, [record.response_s for record in server.log()]


def queue(calls: int) -> list[Row]:
    """One server, exponential service, Poisson arrivals: `calls` at the greater load, in several queues."""
    rows = []
    for load, share in LOADS.items():
        rate = load / MEAN_SERVICE_S
        seconds = math.ceil(share * calls / rate / QUEUES)
        with ThreadPoolExecutor(QUEUES) as pool:
            found = list(pool.map(partial(_queue_once, rate, seconds), range(1, QUEUES + 1)))
        counts = [len(log) for _, log in found]
        said = statistics.fmean([mean_s for mean_s, _ in found], counts)
        truth = statistics.fmean([response_s for _, log in found for response_s in log])
        rows.append(Row(f"{load:.0%} load, {sum(counts):,} calls", "mean, log", said, truth))
        rows.append(Row(f"{load:.0%} load", "mean, theory", said, 1 / (1 / MEAN_SERVICE_S - rate)))
    return rows


def _queue_once(rate: float, seconds: int, seed: int) -> tuple[float, list[float]]:
    """(the mean response time that was said, the response times by the server's log)."""
    behaviour = Behaviour(service=Exponential(MEAN_SERVICE_S, seed=seed), at_once=1)
    with scoring_server(behaviour) as server:
        words = ["--users", "100", "--rate", f"{rate:g}", "--arrivals", "poisson", "--seed", str(100 + seed)]
        said = summarise(run(server, *words, "--run-time", f"{seconds}s")).response.mean_s
        assert said is not None
        return said, [record.response_s for record in server.log()]


def _quantile(values: Sequence[float], q: float) -> float:
    """The nearest rank, as the summary's percentiles are."""
    ordered = np.sort(np.asarray(values))
    return float(ordered[max(math.ceil(q * len(ordered)) - 1, 0)])


if __name__ == "__main__":
    sys.exit(main())
