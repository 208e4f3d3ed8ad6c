"""The load generators: how each is started, and how what it says is read. Knows their words; owns no clock.

All send the same one-row body with POST over kept-alive connections, as fast as the answers come.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

from bench.generator import Figures, Generator, Task, on_path
from bench.processes import Ended, Failed

OWN = "scorebench"
HERE = Path(__file__).resolve().parent

# scorebench -------------------------------------------------------------------------------------------------


def find_own() -> str | None:
    """The scorebench of this Python, or else the one on the PATH."""
    return shutil.which(OWN, path=str(Path(sys.executable).parent)) or shutil.which(OWN)


def _scorebench(program: str, task: Task) -> list[str]:
    load = f"--users {task.connections} --run-time {task.seconds:g}s".split()
    return [program, "run", task.server, *load, "--data", str(task.data), "--report-dir", str(task.folder)]


def read_scorebench(_ended: Ended, task: Task) -> Figures:
    summary = json.loads((task.folder / "latest" / "summary.json").read_text(encoding="utf-8"))
    times = summary["service_time_s"]
    failed = summary["calls"] - summary["valid"]
    return Figures(summary["calls"], summary["throughput_per_s"], failed, times.get("p50"), times.get("p99"))


# Locust -----------------------------------------------------------------------------------------------------


def _locust(user: str) -> Callable[[str, Task], list[str]]:
    def command(program: str, task: Task) -> list[str]:
        who = [program, "-m", "locust", "-f", str(HERE / "locust_users.py"), user, "-H", task.server]
        load = f"-u {task.connections} -r {task.connections} -t {task.seconds:g}s --stop-timeout 10".split()
        return [*who, *load, "--headless", "--json", "--loglevel", "ERROR"]

    return command


def _python_with_locust() -> str | None:
    return sys.executable if find_spec("locust") else None


def read_locust(ended: Ended, _task: Task) -> Figures:
    """From the statistics that it prints at its end; its CSV files stop at the last whole second."""
    (stats,) = json.loads(ended.stdout)
    calls, lasted_s = stats["num_requests"], stats["last_request_timestamp"] - stats["start_time"]
    times = {float(ms): count for ms, count in stats["response_times"].items()}
    p50_s, p99_s = (_at(times, calls * part) / 1000 for part in (0.5, 0.99))
    return Figures(calls, calls / lasted_s, stats["num_failures"], p50_s, p99_s)


def _at(counts: dict[float, int], rank: float) -> float:
    """The first value by which `rank` of the counted are reached."""
    reached = 0
    for value, count in sorted(counts.items()):
        reached += count
        if reached >= rank:
            return value
    raise ValueError(f"{reached} counted, none of rank {rank}")


# wrk: the script says in JSON what the printed summary rounds -----------------------------------------------

WRK = """\
local file = io.open("body.json", "rb")
wrk.body = file:read("*a")
file:close()
wrk.method = "POST"
wrk.headers["Content-Type"] = "application/json"
done = function(summary, latency)
   local e = summary.errors
   io.write(string.format(
      '{"calls": %d, "duration_us": %d, "failed": %d, "p50_us": %d, "p99_us": %d}\\n',
      summary.requests, summary.duration, e.connect + e.read + e.write + e.status + e.timeout,
      latency:percentile(50), latency:percentile(99)))
end
"""


def _wrk(program: str, task: Task) -> list[str]:
    script = task.folder / "post.lua"
    script.write_text(WRK, encoding="utf-8")
    whole_s = max(1, round(task.seconds))  # wrk takes no parts of a second
    options = ["-c", str(task.connections), "-t", "1", "-d", f"{whole_s}s", "--latency", "-s", str(script)]
    return [program, *options, task.url]


def read_wrk(ended: Ended, _task: Task) -> Figures:
    said = json.loads(ended.stdout.strip().splitlines()[-1])
    rate_per_s = said["calls"] / said["duration_us"] * 1e6
    return Figures(said["calls"], rate_per_s, said["failed"], said["p50_us"] / 1e6, said["p99_us"] / 1e6)


def _one_descriptor(program: str, task: Task) -> list[str]:
    """A prototype of ours, which says what wrk's script says."""
    words = [task.server.partition("//")[2], str(task.connections), f"{task.seconds:g}", str(task.body)]
    return [program, str(HERE / "one_descriptor.py"), *words]


# hey --------------------------------------------------------------------------------------------------------


def _hey(program: str, task: Task) -> list[str]:
    options = [
        "-z",
        f"{task.seconds:g}s",
        "-c",
        str(task.connections),
        "-m",
        "POST",
        "-T",
        "application/json",
    ]
    return [program, *options, "-D", str(task.body), task.url]


def read_hey(ended: Ended, _task: Task) -> Figures:
    text = ended.stdout
    statuses = {status: int(count) for status, count in re.findall(r"\[(\d+)\]\s+(\d+) responses", text)}
    errors = sum(
        int(count) for count in re.findall(r"^\s+\[(\d+)\]\s+\D", _after(text, "Error distribution"), re.M)
    )
    failed = errors + sum(count for status, count in statuses.items() if status != "200")
    rate_per_s = float(_found(r"Requests/sec:\s+([\d.]+)", text, "hey"))
    p50_s, p99_s = (_percentile(rf"{at}% in ([\d.]+) secs", text) for at in (50, 99))
    return Figures(sum(statuses.values()) + errors, rate_per_s, failed, p50_s, p99_s)


def _after(text: str, title: str) -> str:
    return text.partition(title)[2]


def _percentile(pattern: str, text: str) -> float | None:
    found = re.search(pattern, text)
    return float(found.group(1)) if found else None


def _found(pattern: str, text: str, name: str) -> str:
    found = re.search(pattern, text)
    if found is None:
        raise Failed(f"{name}: its output has no {pattern!r}: {text.strip()[-300:]}")
    return found.group(1)


# k6 ---------------------------------------------------------------------------------------------------------

K6 = """\
import http from "k6/http";
export const options = {
  vus: Number(__ENV.CONNECTIONS), duration: __ENV.DURATION, summaryTrendStats: ["med", "p(99)"],
};
const body = open("./body.json");
const parameters = { headers: { "Content-Type": "application/json" } };
export default function () { http.post(__ENV.URL, body, parameters); }
export function handleSummary(data) { return { "k6.json": JSON.stringify(data) }; }
"""


def _k6(program: str, task: Task) -> list[str]:
    script = task.folder / "post.js"
    script.write_text(K6, encoding="utf-8")
    given = {"URL": task.url, "CONNECTIONS": task.connections, "DURATION": f"{task.seconds:g}s"}
    settings = [part for name, value in given.items() for part in ("-e", f"{name}={value}")]
    return [program, "run", "--quiet", "--no-usage-report", *settings, str(script)]


def read_k6(_ended: Ended, task: Task) -> Figures:
    metrics = json.loads((task.folder / "k6.json").read_text(encoding="utf-8"))["metrics"]
    calls, times = metrics["http_reqs"]["values"], metrics["http_req_duration"]["values"]
    failed = int(metrics["http_req_failed"]["values"]["passes"])  # "passes" the test of having failed
    return Figures(int(calls["count"]), calls["rate"], failed, times["med"] / 1000, times["p(99)"] / 1000)


# vegeta: rate 0 sends as fast as its workers can ------------------------------------------------------------


def _vegeta(program: str, task: Task) -> list[str]:
    targets = task.folder / "targets.txt"
    targets.write_text(f"POST {task.url}\nContent-Type: application/json\n@{task.body}\n", encoding="utf-8")
    workers = str(task.connections)
    options = ["-rate=0", f"-workers={workers}", f"-max-workers={workers}", f"-duration={task.seconds:g}s"]
    return [program, "attack", *options, f"-targets={targets}", "-output=results.bin"]


def read_vegeta(_ended: Ended, task: Task) -> Figures:
    """`vegeta report` of the results file, run apart: reading it is not part of the load."""
    program = on_path("vegeta")() or "vegeta"
    results = str(task.folder / "results.bin")
    report = [program, "report", "-type=json", results]
    done = subprocess.run(report, capture_output=True, text=True, check=True, timeout=60)
    return parse_vegeta(done.stdout)


def parse_vegeta(text: str) -> Figures:
    said = json.loads(text)
    times, good = said["latencies"], said["status_codes"].get("200", 0)
    calls: int = said["requests"]
    return Figures(calls, said["rate"], calls - good, times["50th"] / 1e9, times["99th"] / 1e9)


# oha --------------------------------------------------------------------------------------------------------


def _oha(program: str, task: Task) -> list[str]:
    options = [
        "-z",
        f"{task.seconds:g}s",
        "-c",
        str(task.connections),
        "-m",
        "POST",
        "-T",
        "application/json",
    ]
    return [program, *options, "-D", str(task.body), "--no-tui", "--output-format", "json", task.url]


def read_oha(ended: Ended, _task: Task) -> Figures:
    said = json.loads(ended.stdout)
    statuses: dict[str, int] = said["statusCodeDistribution"]
    errors = {why: count for why, count in said["errorDistribution"].items() if "deadline" not in why}
    failed = sum(errors.values()) + sum(count for status, count in statuses.items() if status != "200")
    calls = sum(statuses.values()) + sum(errors.values())  # what the deadline cut off was no call
    times = said["latencyPercentiles"]
    return Figures(calls, calls / said["summary"]["total"], failed, times["p50"], times["p99"])


GENERATORS = (
    # 4: a generator that is measured at its limit says of itself that it did not keep up
    Generator(OWN, find_own, _scorebench, read_scorebench, ("--version",), codes=(0, 4)),
    Generator(
        "FastHttpUser", _python_with_locust, _locust("Fast"), read_locust, ("-m", "locust", "-V"), 0.001
    ),
    Generator("HttpUser", _python_with_locust, _locust("Plain"), read_locust, ("-m", "locust", "-V"), 0.001),
    Generator("wrk", on_path("wrk"), _wrk, read_wrk, ("-v",)),
    Generator("one-descriptor", lambda: sys.executable, _one_descriptor, read_wrk, asked_for=True),
    Generator("hey", on_path("hey"), _hey, read_hey, (), 0.0001),
    Generator("k6", on_path("k6"), _k6, read_k6, ("version",)),
    Generator("vegeta", on_path("vegeta"), _vegeta, read_vegeta),
    Generator("oha", on_path("oha"), _oha, read_oha, ("--version",)),
)
