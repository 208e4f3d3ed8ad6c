"""What starting costs: `scorebench run --calls 1`, beside `import locust`, which every run needs.

Both in turn, ten times over, so that whatever else the machine does strikes both. The ratio is that of the
medians. A ready body of rows (`--body`) is read once, to check and count them, which imports pandas too.
Compiled modules are kept, as Python does unless PYTHONDONTWRITEBYTECODE says otherwise.

    python bench/start_up.py
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from time import perf_counter as clock

if not __package__:  # run as a script: `bench` and `tests` are found from the repository's root
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from tests.scoring_server import Behaviour, scoring_server

BODY = '{"instances": [1.0]}'


def main(arguments: Sequence[str] | None = None) -> int:
    """Print one line for each kind of run."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--times", type=int, default=10, metavar="N", help="how often each (default 10)")
    times = parser.parse_args(arguments).times
    python = sys.executable
    with tempfile.TemporaryDirectory() as folder, scoring_server(Behaviour()) as server:
        (Path(folder) / "body.json").write_text(BODY)
        run = [python, "-m", "scorebench", "run", server.url, "--calls", "1", "--users", "1"]
        commands = {
            "import locust": [python, "-c", "import locust"],
            "import scorebench.plugin": [python, "-c", "import scorebench.plugin"],
            "scorebench run --calls 1 --body body.json": [*run, "--body", "body.json"],
            "scorebench run --calls 1": run,
        }
        taken_s = _in_turn(commands, times, folder)
    base_s = statistics.median(taken_s["import locust"])
    for name, found_s in taken_s.items():
        typical_s = statistics.median(found_s)
        print(f"{name:<43}{typical_s:6.2f} s  {typical_s / base_s:.2f} x import locust")
    return 0


def _in_turn(commands: dict[str, list[str]], times: int, folder: str) -> dict[str, list[float]]:
    """Seconds by name, after one turn that isn't counted: it fills the caches."""
    taken_s: dict[str, list[float]] = {name: [] for name in commands}
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    for turn in range(times + 1):
        for name, command in commands.items():
            began_s = clock()
            subprocess.run(command, cwd=folder, env=environment, capture_output=True, check=True)
            if turn:
                taken_s[name].append(clock() - began_s)
    return taken_s


if __name__ == "__main__":
    raise SystemExit(main())
