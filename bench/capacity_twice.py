"""Is the capacity found the server's? Twice on a real `mlflow models serve`, then at 85 % and 125 % of it.

The server is brought up anew for each, pinned to one core, and the load to another.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

if not __package__:  # run as a script: `bench` is found from the repository's root
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from bench.processes import cores

SHARES = (0.85, 1.25)


def main(arguments: Sequence[str] | None = None) -> int:
    """0 where both searches found a rate; 1 otherwise."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--limit", default="p99<200ms")
    parser.add_argument("--budget", default="5m", help="of each search (5m)")
    parser.add_argument("--run-time", default="60s", help="of each run at a share of the capacity (60s)")
    options = parser.parse_args(arguments)
    print("| | rate | p99 | verdict |\n| --- | ---: | ---: | --- |", flush=True)
    held = [_search(number, options) for number in (1, 2)]
    rates = [rate for rate in held if rate is not None]
    if len(rates) < len(held):
        return 1
    for share in SHARES:
        _run(share, rates, options)
    print(f"\nThe second search's rate is {100 * (rates[1] / rates[0] - 1):+.1f} % off the first's.")
    return 0


def _search(number: int, options: argparse.Namespace) -> float | None:
    words = ["capacity", "webserver", "--limit", options.limit, "--budget", options.budget]
    with tempfile.TemporaryDirectory() as folder:
        found = _scorebench(words, Path(folder), "capacity.json")
    held, failed = found["held"], found["failed"]
    if held is None:
        print(f"| search {number} | - | - | {found['ended']} |", flush=True)
        return None
    fails = "-" if failed is None else f"fails at {failed['rate_per_s']:.1f}/s"
    print(f"| search {number} | {held['rate_per_s']:.1f}/s | {_p99(held)} | holds; {fails} |", flush=True)
    return float(held["rate_per_s"])


def _run(share: float, rates: Sequence[float], options: argparse.Namespace) -> None:
    """At `share` of the mean of what the searches found."""
    rate = share * sum(rates) / len(rates)
    words = ["run", "webserver", "--users", "100", "--rate", f"{rate:.1f}", "--arrivals", "poisson"]
    with tempfile.TemporaryDirectory() as folder:
        words += ["--warm-up", "5s", "--run-time", options.run_time, "--limit", options.limit]
        summary = _scorebench(words, Path(folder), "summary.json")
    verdict = summary["verdict"]
    p99_s = summary["response_time_s"]["p99"]
    said = "not said" if p99_s is None else f"{p99_s * 1e3:,.0f} ms"
    met = {True: "limits met", False: "limits broken", None: "not known"}[verdict["met"]]
    print(f"| {share:.0%} | {rate:.1f}/s | {said} | {met} |", flush=True)


def _scorebench(words: Sequence[str], folder: Path, wanted: str) -> dict[str, Any]:
    generator_core, server_core = cores()
    pinned = ["--cpus", str(server_core), "--generator-cpus", str(generator_core)]
    where = ["--report-dir", str(folder), *(["--quiet"] if words[0] == "run" else [])]
    subprocess.run(
        [sys.executable, "-m", "scorebench", *words, *pinned, *where], check=False, stdout=sys.stderr
    )
    data: dict[str, Any] = json.loads((folder / "latest" / wanted).read_text(encoding="utf-8"))
    return data


def _p99(tried: dict[str, Any]) -> str:
    """Of the one limit that was searched with."""
    (figure,) = tried["figures"].values()
    return "not said" if figure is None else f"{figure * 1e3:,.0f} ms"


if __name__ == "__main__":
    sys.exit(main())
