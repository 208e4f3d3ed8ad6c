"""What other generators say of the same server, at the same rate: their p99, each by its own means.

Knows their command lines and outputs; they count from when they sent, which is the point.
"""

from __future__ import annotations

import csv
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

BODY = '{"dataframe_split": {"columns": ["a"], "data": [[1.0]]}}'
USERS = 10
_UNITS = {"us": 1e-6, "µs": 1e-6, "ms": 1e-3, "s": 1.0}


@dataclass(frozen=True)
class Other:
    """`ask` gives the p99 in seconds, None where it says none; `program` must be on the PATH."""

    name: str
    program: str | None
    ask: Callable[[str, int, int], float | None]

    @property
    def is_here(self) -> bool:
        return self.program is None or shutil.which(self.program) is not None

    def p99_s(self, url: str, rate_per_s: int, seconds: int) -> float | None:
        """Of calls to the server at `url`."""
        return self.ask(f"{url}/invocations", rate_per_s, seconds)


LOCUSTFILE = """
from locust import FastHttpUser, constant_throughput, task
class Caller(FastHttpUser):
    wait_time = constant_throughput(EACH)
    @task
    def call(self):
        self.client.post("/invocations", data=BODY, headers={"Content-Type": "application/json"})
"""


def _locust(url: str, rate_per_s: int, seconds: int) -> float | None:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "caller.py"
        file.write_text(LOCUSTFILE.replace("EACH", f"{rate_per_s / USERS:g}").replace("BODY", repr(BODY)))
        command = [
            sys.executable,
            "-m",
            "locust",
            "--headless",
            "-f",
            str(file),
            "-H",
            url.rpartition("/")[0],
        ]
        command += [
            "-u",
            str(USERS),
            "-r",
            "100",
            "-t",
            f"{seconds}s",
            "--csv",
            f"{folder}/out",
            "--only-summary",
        ]
        subprocess.run(command, check=False, capture_output=True, cwd=folder)
        with (Path(folder) / "out_stats.csv").open() as rows:
            (total,) = (row for row in csv.DictReader(rows) if row["Name"] == "Aggregated")
        return float(total["99%"]) / 1e3


def _wrk(url: str, rate_per_s: int, seconds: int) -> float | None:  # noqa: ARG001 (it knows no rate)
    with tempfile.TemporaryDirectory() as folder:
        script = Path(folder) / "post.lua"
        script.write_text(
            f"wrk.method='POST' wrk.body='{BODY}' wrk.headers['Content-Type']='application/json'"
        )
        command = ["wrk", "-t1", "-c1", f"-d{seconds}s", "--latency", "-s", str(script), url]
        return _duration(_said(command), r"99%\s+([\d.]+)(us|ms|s)")


def _hey(url: str, rate_per_s: int, seconds: int) -> float | None:
    each = rate_per_s / USERS
    command = ["hey", "-z", f"{seconds}s", "-c", str(USERS), "-q", f"{each:g}", "-m", "POST", "-d", BODY]
    return _duration(_said([*command, "-T", "application/json", url]), r"99%+ in ([\d.]+) (secs)")


def _k6(url: str, rate_per_s: int, seconds: int) -> float | None:
    with tempfile.TemporaryDirectory() as folder:
        script = Path(folder) / "load.js"
        script.write_text(
            "import http from 'k6/http';\n"
            f"export const options = {{summaryTrendStats: ['p(99)'], scenarios: {{a: {{executor: "
            f"'constant-arrival-rate', rate: {rate_per_s}, duration: '{seconds}s', preAllocatedVUs: {USERS}, "
            f"maxVUs: {USERS}}}}}}};\n"
            f"export default () => http.post('{url}', '{BODY}', "
            "{headers: {'Content-Type': 'application/json'}});"
        )
        return _duration(
            _said(["k6", "run", "--quiet", str(script)]), r"http_req_duration[^\n]*p\(99\)=([\d.]+)(µs|ms|s)"
        )


def _said(command: list[str]) -> str:
    return subprocess.run(command, check=False, capture_output=True, text=True).stdout


def _duration(said: str, pattern: str) -> float | None:
    found = re.search(pattern, said)
    return float(found[1]) * _UNITS.get(found[2], 1.0) if found else None


GENERATORS = (
    Other(f"Locust, FastHttpUser, {USERS} users", None, _locust),
    Other("wrk, 1 connection", "wrk", _wrk),
    Other(f"hey, {USERS} workers", "hey", _hey),
    Other(f"k6, constant arrival rate, {USERS} VUs", "k6", _k6),
)
