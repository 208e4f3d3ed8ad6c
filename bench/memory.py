"""Whether scorebench's memory grows with the calls: the peak of a long run against that of a short one.

Both call an nginx that answers from memory. Exits with 1 if the long run's peak is above the short one's by
more than is allowed, or if a run's calls are not those that the server counted.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import threading
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import psutil

if not __package__:  # run as a script: `bench` is found from the repository's root
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from bench.generator import Task, at_least_one
from bench.peers import find_own
from bench.processes import Failed, cores, run
from bench.stub import Stub, stub

MEGABYTE = 1_000_000
ALLOWED_MB = 5
AT_TIMES = 1
"""Files that are open now and then: the journal, while it is written."""
PATIENCE_S = 1800.0
PROBES = 16  # requests that may come before the first call: is a server there, and which version?


@dataclass(frozen=True)
class Peak:
    """The resident memory of one run at its highest."""

    calls: int
    server_calls: int
    bytes: int
    descriptors: tuple[int, int]
    """Most open files of its processes in the first and in the last tenth of the run."""

    def agrees(self) -> bool:
        return self.calls <= self.server_calls <= self.calls + PROBES


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="memory.py", description=__doc__)
    parser.add_argument("--short", type=at_least_one, default=10_000, help="calls of the short run (10000)")
    parser.add_argument(
        "--long", type=at_least_one, default=1_000_000, help="calls of the long run (1000000)"
    )
    parser.add_argument(
        "--connections", type=at_least_one, default=16, help="users, one connection each (16)"
    )
    options = parser.parse_args(arguments)
    try:
        peaks = measure([options.short, options.long], options.connections)
    except (Failed, OSError) as error:
        print(error, file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130
    for line in told(peaks):
        print(line)
    return int(not is_bounded(peaks))


def measure(calls: Sequence[int], connections: int) -> list[Peak]:
    """One run for each number of calls. Raises Failed where one can't be had."""
    program = find_own()
    if program is None:
        raise Failed("scorebench: not found beside this Python nor on the PATH; run `pip install -e .`")
    generator_core, server_core = cores()
    with stub(server_core) as server:
        return [one_run(program, server, generator_core, number, connections) for number in calls]


def one_run(program: str, server: Stub, core: int, calls: int, connections: int) -> Peak:
    with tempfile.TemporaryDirectory(prefix="scorebench-memory-") as folder:
        task = Task(server.url, connections, 0, Path(folder))
        task.write()
        before = server.requests()
        options = ["--users", str(connections), "--calls", str(calls)]
        where = ["--data", str(task.data), "--report-dir", folder]
        with Descriptors() as seen:
            ended = run([program, "run", server.url, *options, *where], task.folder, core, PATIENCE_S, (0, 4))
        summary = json.loads((task.folder / "latest" / "summary.json").read_text(encoding="utf-8"))
        return Peak(summary["calls"], server.requests() - before, ended.peak_bytes, seen.ends())


class Descriptors:
    """Counts the open files of what this process started, four times a second, in a thread."""

    def __init__(self) -> None:
        self._seen: list[int] = []
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> Descriptors:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._over.wait(0.25):
            with suppress(psutil.Error, OSError):
                self._seen.append(sum(one.num_fds() for one in psutil.Process().children(recursive=True)))

    def ends(self) -> tuple[int, int]:
        """(first tenth, last tenth) of the time when all users are there."""
        full = max(self._seen, default=0)
        loaded = [count for count in self._seen if count > full / 2]
        tenth = max(len(loaded) // 10, 1)
        return max(loaded[:tenth], default=0), max(loaded[-tenth:], default=0)


def told(peaks: Sequence[Peak]) -> list[str]:
    """A line a run, and one of the difference."""
    lines = [
        f"{peak.calls:>12,} calls: peak {peak.bytes / MEGABYTE:,.1f} MB; open files at most "
        f"{peak.descriptors[0]} in its first tenth, {peak.descriptors[1]} in its last"
        for peak in peaks
    ]
    differ = [peak for peak in peaks if not peak.agrees()]
    lines += [f"{peak.calls:,} calls in the summary, {peak.server_calls:,} at the server" for peak in differ]
    grown = (peaks[-1].bytes - peaks[0].bytes) / MEGABYTE
    return [
        *lines,
        f"the long run's peak is {grown:+,.1f} MB off the short one's; {ALLOWED_MB} MB are allowed",
    ]


def is_bounded(peaks: Sequence[Peak]) -> bool:
    grown = peaks[-1].bytes - peaks[0].bytes
    kept = all(peak.agrees() and peak.descriptors[1] <= peak.descriptors[0] + AT_TIMES for peak in peaks)
    return kept and grown <= ALLOWED_MB * MEGABYTE


if __name__ == "__main__":
    sys.exit(main())
