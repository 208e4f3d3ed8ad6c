"""Does a plan hold? A sweep's plan against open loops on the server that was swept, as a table in Markdown.

    scorebench sweep webserver --users 1,2,4 --workers 1,2 --repeats 3 --run-time 20s
    python -m bench.plan reports/latest
    python -m bench.plan reports/latest -- --port 5005

For each number of workers it offers 30, 50 and 70 % of what they carried, as Poisson arrivals, each to a
server started anew, and compares percentiles. What stands after `--` is given to each run. A measured
percentile is `inside` where the plan's two bounds hold it, `meets` where its own bounds reach into them, else
`outside`. Where the plan has no upper bound it is `above the lower bound` at best, which any slow server is.
"""

from __future__ import annotations

import argparse
import math
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from scorebench.figures.percentiles import Estimate
from scorebench.folders.finished import Finished, finished
from scorebench.folders.planned import measured_in
from scorebench.folders.sweeps import read_sweep
from scorebench.plans.measured import Measured
from scorebench.plans.plan import Response, response
from scorebench.sweeps.grid import Place
from scorebench.units import say_seconds
from scorebench.verdicts.finding import Severity

SHARES = (0.3, 0.5, 0.7)
PERCENTILES = {"p50": 0.5, "p99": 0.99}
USERS = 32
"""As many calls at once as the queues of a server at 70 % of its load ever hold."""
WARM_UP_S = 5
ABOVE = "above the lower bound"
COLUMNS = ("workers", "load", "rate", "", "planned", "measured", "off by", "")


@dataclass(frozen=True)
class Held:
    """One percentile: what the plan says, and what a run measured; None where it has too few calls."""

    name: str
    planned: Response
    measured: Estimate

    @property
    def off(self) -> float | None:
        """By how much of the measured value the plan is too long."""
        value = self.measured.value
        return None if not value else self.planned.s / value - 1

    @property
    def outcome(self) -> str:
        found, of = self.measured, self.planned
        if found.value is None:
            return "too few calls"
        if of.low_s <= found.value and of.high_s == math.inf:
            return ABOVE
        if of.low_s <= found.value <= of.high_s:
            return "inside"
        low_s, high_s = (found.value if bound is None else bound for bound in (found.low, found.high))
        return "meets" if low_s <= of.high_s and of.low_s <= high_s else "outside"

    @property
    def cells(self) -> str:
        """Its part of a line."""
        off = "-" if self.off is None else f"{self.off:+.0%}"
        found, of = self.measured, self.planned
        planned, measured = (
            _between(of.s, of.low_s, of.high_s),
            _between(found.value, found.low, found.high),
        )
        return f"{self.name} | {planned} | {measured} | {off} | {self.outcome}"


def _between(value_s: float | None, low_s: float | None, high_s: float | None) -> str:
    if value_s is None:
        return "-"
    low, high = (_bound(bound) for bound in (low_s, high_s))
    return f"{say_seconds(value_s)} ({low} to {high})"


def _bound(bound_s: float | None) -> str:
    if bound_s is None:
        return "-"
    return "no end" if bound_s == math.inf else say_seconds(bound_s)


def summed_up(held: Sequence[Held]) -> Iterator[str]:
    """A sentence a percentile."""
    for name in PERCENTILES:
        of = [one for one in held if one.name == name]
        offs = sorted(one.off for one in of if one.off is not None)
        inside, meets = (sum(one.outcome == word for one in of) for word in ("inside", "meets"))
        if offs:
            least, middle, most = offs[0], offs[len(offs) // 2], offs[-1]
            open_ended = sum(one.outcome == ABOVE for one in of)
            yield (
                f"{name}: {inside} of {len(of)} inside the plan's bounds, {meets} more by their own bounds; "
                f"{open_ended} above a lower bound that has no upper one."
            )
            yield f"{name}: the plan is off by {least:+.0%} to {most:+.0%}, in the middle by {middle:+.0%}."


def main(arguments: Sequence[str] | None = None) -> int:
    """0 where every run's measurement was valid; 1 otherwise."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("sweep", type=Path, help="folder of a sweep over users and workers")
    parser.add_argument("--calls", type=int, default=1500, help="about as many in each run (1500)")
    # argparse takes no positional words after an option.
    words = list(sys.argv[1:] if arguments is None else arguments)
    end = words.index("--") if "--" in words else len(words)
    options = parser.parse_args(words[:end])
    options.options = words[end + 1 :]
    known = {name: measured_in(options.sweep, q) for name, q in PERCENTILES.items()}
    place = read_sweep(options.sweep).cells[0].place
    print(f"| {' | '.join(COLUMNS)} |\n|{' --- |' * len(COLUMNS)}", flush=True)
    held, invalid = [], []
    for workers, share, rate_per_s in _loads(known["p99"]):
        done = _run(place, workers, rate_per_s, options)
        found = list(_compared(known, done, workers, rate_per_s))
        for one in found:
            print(f"| {workers} | {share:.0%} | {rate_per_s:.1f}/s | {one.cells} |", flush=True)
        held += found
        if not done.verdict.valid:
            why = next(one.text for one in done.verdict.findings if one.severity is Severity.INVALID)
            invalid.append(f"{workers} workers, {rate_per_s:.1f}/s: {why}")
    print()
    print("\n".join([*summed_up(held), *(f"Not valid: {one}." for one in invalid)]))
    return 1 if invalid else 0


def _loads(measured: Measured) -> Iterator[tuple[int, float, float]]:
    """(workers, share of what they carried, calls a second)."""
    for one in measured.carried:
        for share in SHARES:
            yield one.workers, share, round(share * one.per_s, 1)


def _compared(known: dict[str, Measured], done: Finished, workers: int, rate_per_s: float) -> Iterator[Held]:
    for name, q in PERCENTILES.items():
        yield Held(name, response(known[name], rate_per_s, workers, q), done.summary.response.percentile(q))


def _run(place: Place, workers: int, rate_per_s: float, options: argparse.Namespace) -> Finished:
    words = ["run", place.server, "--workers", str(workers), "--rate", str(rate_per_s)]
    run_time = f"{WARM_UP_S + math.ceil(options.calls / rate_per_s)}s"
    words += ["--arrivals", "poisson", "--users", str(USERS), "--run-time", run_time]
    words += ["--warm-up", f"{WARM_UP_S}s"]
    words += ["--format", place.format, "--rows-per-call", str(place.rows_per_call)]
    words += ["--flavor", place.flavor] if place.flavor else []
    with tempfile.TemporaryDirectory() as folder:
        words += ["--quiet", "--report-dir", folder, *options.options]
        subprocess.run([sys.executable, "-m", "scorebench", *words], check=False, stdout=sys.stderr)
        return finished(Path(folder) / "latest")


if __name__ == "__main__":
    sys.exit(main())
