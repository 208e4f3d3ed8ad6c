"""How late users wake: the lag of scorebench at 500 calls a second, beside a bare `time.sleep` loop.

Both run at the same time, three times over, on the machine as it is. The bare loop sleeps until each due time
and does nothing else.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

if not __package__:  # run as a script: `bench` and `tests` are found from the repository's root
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from tests.scoring_server import Behaviour, Constant, scoring_server

from bench.accuracy import run
from scorebench.figures.percentiles import percentile
from scorebench.recordings.recording import Recording

RATE = 500
BARE_LOOP = """
import sys, time
rate, seconds = float(sys.argv[1]), float(sys.argv[2])
start, lags = time.perf_counter() + 0.1, []
for number in range(int(rate * seconds)):
    due = start + number / rate
    time.sleep(max(0.0, due - time.perf_counter()))
    lags.append(max(0.0, time.perf_counter() - due))
lags.sort()
print(lags[len(lags) // 2], lags[int(len(lags) * 0.99)])
"""


@dataclass(frozen=True)
class Lags:
    """How late at the median and the 99th percentile, in seconds; the share of a core, where it was asked."""

    p50_s: float
    p99_s: float
    cpu: float | None = None


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the table as Markdown."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--runs", type=int, default=3, help="of both, side by side (3)")
    parser.add_argument("--seconds", type=int, default=10, help="of a run (10)")
    options = parser.parse_args(arguments)
    pairs = [side_by_side(options.seconds) for _ in range(options.runs)]
    print("| run | scorebench p50 | p99 | of a core | bare loop p50 | p99 | p99, ratio |")
    print("| --- | ---: | ---: | ---: | ---: | ---: | ---: |")
    for number, (own, bare) in enumerate(pairs, start=1):
        cpu = "-" if own.cpu is None else f"{own.cpu:.0%}"
        lags = f"{_ms(own.p50_s)} | {_ms(own.p99_s)} | {cpu} | {_ms(bare.p50_s)} | {_ms(bare.p99_s)}"
        print(f"| {number} | {lags} | {own.p99_s / bare.p99_s:.2f} |")
    print(
        f"\nMedian ratio of the p99s: {statistics.median(own.p99_s / bare.p99_s for own, bare in pairs):.2f}"
    )
    return 0


def side_by_side(seconds: int) -> tuple[Lags, Lags]:
    """The lags of scorebench and of the bare loop, at the same time."""
    with scoring_server(Behaviour(service=Constant(0.003))) as server:
        command = [sys.executable, "-c", BARE_LOOP, str(RATE), str(seconds + 2)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as loop:
            words = f"--users 20 --rate {RATE} --arrivals constant --run-time {seconds}s"
            recording = run(server, *words.split())
            said, _ = loop.communicate()
    p50_s, p99_s = map(float, said.split())
    return _lags(recording), Lags(p50_s, p99_s)


def _lags(recording: Recording) -> Lags:
    table = recording.measured.lag.table()
    p50_s, p99_s = percentile(*table, 0.5), percentile(*table, 0.99)
    if p50_s is None or p99_s is None:
        raise SystemExit("no call waited for its due time: nothing to compare")
    samples = [sample for sample in recording.resources if sample["who"].startswith("generator")]
    used = [cpu for sample in samples if (cpu := sample["cpu"]) is not None]
    return Lags(p50_s, p99_s, statistics.median(used) if used else None)


def _ms(seconds: float) -> str:
    return f"{seconds * 1e3:.3f} ms"


if __name__ == "__main__":
    sys.exit(main())
