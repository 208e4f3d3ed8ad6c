"""How long a report over many recordings takes, and how much memory: `docs/scale.md` is pasted from it."""

from __future__ import annotations

import argparse
import resource
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path

if not __package__:  # run as a script: `bench` is found from the repository's root
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from bench.peers import find_own
from bench.report_bytes import REPORT_S, calls_of
from scorebench.folders import atomic
from scorebench.folders.names import RECORDING
from scorebench.recordings.form import form_of
from scorebench.recordings.recording import Recording
from scorebench.report.data import dumped

USERS, CALLS_PER_S = 100, 1_000


def worker_recording(seconds: int, seed: int) -> Recording:
    """What one worker leaves."""
    made = Recording(environment={"workers": 1, "users": USERS, "started_s": 1_700_000_000.0})
    for number in range(round(seconds / REPORT_S)):
        calls = calls_of(USERS, CALLS_PER_S, seed * 1_000 + number)
        times = {name: getattr(calls, name) + number * REPORT_S for name in ("due_s", "sent_s", "done_s")}
        made.add(replace(calls, **times))
    return made


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--recordings", type=int, default=100, help="how many (100)")
    parser.add_argument("--seconds", type=int, default=600, help="length of each (600)")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="scorebench-merging-") as name:
        folders = [Path(name, f"worker-{number + 1}") for number in range(options.recordings)]
        size = 0
        for number, folder in enumerate(folders):
            folder.mkdir()
            made = worker_recording(options.seconds, number)
            atomic.write_text(folder / RECORDING, dumped(form_of(made)))
            size += (folder / RECORDING).stat().st_size
        program = find_own()
        if program is None:
            raise SystemExit(
                "scorebench: not found beside this Python nor on the PATH; run `pip install -e .`"
            )
        command = [program, "merge", *map(str, folders), "--report-dir", f"{name}/reports"]
        began_s = time.monotonic()
        done = subprocess.run(command, capture_output=True, check=False)
        took_s = time.monotonic() - began_s
        peak_bytes = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024
        if done.returncode not in (0, 4):
            raise SystemExit(done.stderr.decode(errors="replace"))
    calls = options.recordings * round(options.seconds / REPORT_S) * round(CALLS_PER_S * REPORT_S)
    print(
        f"{options.recordings} recordings of {options.seconds} s, {USERS} users, "
        f"{CALLS_PER_S:,} calls/s each ({size / 1e6:,.0f} MB, {calls:,} calls): merged, judged and "
        f"written as a report in {took_s:.0f} s, {peak_bytes / 1e6:,.0f} MB of memory at most"
    )


if __name__ == "__main__":
    main()
