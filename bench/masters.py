"""How many workers a master can lead: simulated ones on real sockets, and what they cost it.

One process plays the workers: each has a connection of its own, says all that a real worker says, as often,
and reports calls that nobody made. The master is a real one, on a core of its own. What it does not do is
compare the workers' payloads before the test, since they have none.
"""

from __future__ import annotations

import gevent.monkey

gevent.monkey.patch_all()

import argparse  # noqa: E402 (gevent first)
import json  # noqa: E402
import subprocess  # noqa: E402
import sys  # noqa: E402
import tempfile  # noqa: E402
import time  # noqa: E402
from collections.abc import Iterator, Sequence  # noqa: E402
from contextlib import contextmanager  # noqa: E402
from dataclasses import dataclass, field, replace  # noqa: E402
from pathlib import Path  # noqa: E402
from typing import Any  # noqa: E402

import gevent  # noqa: E402
import numpy as np  # noqa: E402
import psutil  # noqa: E402
import zmq.green as zmq  # noqa: E402
from locust import __version__ as locust_version  # noqa: E402
from locust.rpc.protocol import Message  # noqa: E402
from locust.stats import RequestStats  # noqa: E402

if not __package__:  # run as a script: `bench` is found from the repository's root
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from bench.processes import cores, pinned_to, stop  # noqa: E402
from bench.report_bytes import REPORT_S, calls_of  # noqa: E402
from bench.stub import free_port, stub  # noqa: E402
from scorebench.cluster import reports  # noqa: E402
from scorebench.cluster.lease import BEAT_S  # noqa: E402
from scorebench.plugin.lifecycle import messages  # noqa: E402
from scorebench.plugin.lifecycle.messages import Alive, Beat, Hello, Prepare, Ready  # noqa: E402
from scorebench.recordings.recording import Recording  # noqa: E402

USERS, CALLS_PER_S = 10, 100
"""Of each worker."""
LOCUSTFILE = """
from scorebench.plugin.lifecycle import muster
muster.Muster._difference = lambda self, name: None  # simulated workers have no payload to compare
from scorebench.locustfile import *
"""
HEARTBEAT_S = 1.0
START_S = 120.0


@dataclass(frozen=True)
class Led:
    """One master with its workers. Delays are those of the answers to beats, in seconds."""

    workers: int
    reported: int
    counted: int
    cpu: float
    """Cores that the master used while the load ran."""
    rss_bytes: int
    delays_s: Sequence[float] = field(repr=False)
    reports_per_s: float
    lost: int


class Content:
    """What every worker reports, made once an interval, with the time of now."""

    def __init__(self) -> None:
        self._made_s, self._packed = 0.0, b""
        stats = RequestStats()
        for _ in range(round(CALLS_PER_S * REPORT_S)):
            stats.log_request("POST", "/invocations", 20, 30)
        self.locust = {
            "stats": stats.serialize_stats(),
            "stats_total": stats.total.get_stripped_report(),
            "errors": {},
            "user_classes_count": {"MLflowUser": USERS},
            "user_count": USERS,
        }
        self._calls = calls_of(USERS, CALLS_PER_S)
        self._first_s = float(self._calls.due_s[0])

    @property
    def calls(self) -> int:
        """In one report."""
        return len(self._calls)

    def packed(self) -> bytes:
        now_s = time.time()
        if now_s - self._made_s > REPORT_S / 4:
            shift_s = now_s - REPORT_S - self._first_s
            calls = self._calls
            times = {name: getattr(calls, name) + shift_s for name in ("due_s", "sent_s", "done_s")}
            shifted = replace(calls, **times)
            recording = Recording()
            recording.add(shifted)
            recording.add_due(len(shifted.user))
            self._made_s, self._packed = now_s, reports.pack(recording, [], 0)
        return self._packed


class Simulated:
    """One worker: answers as one does, and reports while the test runs."""

    def __init__(self, number: int, context: Any, port: int, content: Content) -> None:
        self.name = f"simulated-{number}"
        self._content, self._phase = content, number
        self._socket = context.socket(zmq.DEALER)
        self._socket.setsockopt(zmq.IDENTITY, self.name.encode())
        self._socket.connect(f"tcp://127.0.0.1:{port}")
        self.reports = 0
        self.delays_s: list[float] = []
        self._beats: dict[int, float] = {}
        self.is_running = self.is_over = False
        self._send("client_ready", locust_version)
        self._send(messages.HELLO, messages.saying(Hello("simulated", 1_000_000 + number)))
        self._greenlets = [gevent.spawn(self._listen), gevent.spawn(self._live)]

    def end(self) -> None:
        gevent.killall(self._greenlets)
        self._socket.close(linger=0)

    def _send(self, what: str, data: object = None) -> None:
        made: Any = Message
        self._socket.send(made(what, data, self.name).serialize())

    def _live(self) -> None:
        gevent.sleep(self._phase * 0.37 % BEAT_S)
        number = 0
        while not self.is_over:
            if number % round(HEARTBEAT_S / BEAT_S) == 0:
                state = "running" if self.is_running else "ready"
                self._send(
                    "heartbeat", {"state": state, "current_cpu_usage": 5, "current_memory_usage": 10**8}
                )
            number += 1
            if self.is_running:
                self._beats[number] = time.perf_counter()
                calls = self.reports * self._content.calls
                self._send(messages.BEAT, messages.saying(Beat(number, calls, USERS)))
                if number % round(REPORT_S / BEAT_S) == self._phase % round(REPORT_S / BEAT_S):
                    self._report("stats", self._content.locust | {messages.KEY: self._content.packed()})
            gevent.sleep(BEAT_S)

    def _report(self, what: str, data: dict[str, object]) -> None:
        self.reports += 1
        self._send(what, data)

    def _listen(self) -> None:
        unserialize: Any = Message.unserialize
        while not self.is_over:
            message = unserialize(self._socket.recv())
            if message.type == messages.PREPARE:
                test = messages.content(message, Prepare).test
                self._send(messages.READY, messages.saying(Ready(test)))
            elif message.type == "spawn":
                self._begin(message.data["user_classes_count"])
            elif message.type == messages.ALIVE:
                sent_s = self._beats.pop(messages.content(message, Alive).number, None)
                if sent_s is not None:
                    self.delays_s.append(time.perf_counter() - sent_s)
            elif message.type == messages.STOP:
                self.is_running = False
                self._report(messages.LAST, {messages.KEY: self._content.packed()})
            elif message.type in ("stop", "quit"):
                self._send("client_stopped")
                self.is_over = message.type == "quit"

    def _begin(self, users: dict[str, int]) -> None:
        self._send("spawning")
        self._send("spawning_complete", {"user_classes_count": users, "user_count": sum(users.values())})
        self._send(messages.BEGUN)
        self.is_running = True


def led(workers: int, seconds: int) -> Led:
    """One test with that many workers."""
    generator_core, _ = cores()
    with stub(generator_core) as server, tempfile.TemporaryDirectory(prefix="scorebench-masters-") as name:
        folder, port = Path(name), free_port()
        with (
            _master(server.url, port, workers, seconds, folder) as process,
            pinned_to(generator_core),
        ):
            context, content = zmq.Context(), Content()
            context.max_sockets = workers + 10
            everyone = [Simulated(number, context, port, content) for number in range(workers)]
            _until(lambda: all(one.is_running for one in everyone), process)
            family = psutil.Process(process.pid)
            began_s, began_cpu = time.monotonic(), _cpu_s(family)
            _until(lambda: not all(one.is_running for one in everyone), process)
            took_s, cpu_s, rss = (
                time.monotonic() - began_s,
                _cpu_s(family) - began_cpu,
                family.memory_info().rss,
            )
            sent = sum(one.reports for one in everyone)
            while process.poll() is None:
                gevent.sleep(0.1)
            for one in everyone:
                one.end()
        recording, summary = (
            json.loads((folder / "reports" / "latest" / file).read_text())
            for file in ("recording.json", "summary.json")
        )
        return Led(
            workers=workers,
            reported=sum(one.reports for one in everyone) * content.calls,
            counted=summary["calls"],
            cpu=cpu_s / took_s,
            rss_bytes=rss,
            delays_s=[delay for one in everyone for delay in one.delays_s],
            reports_per_s=sent / took_s,
            lost=sum(event["what"] in ("worker lost", "worker away") for event in recording["events"]),
        )


@contextmanager
def _master(
    url: str, port: int, workers: int, seconds: int, folder: Path
) -> Iterator[subprocess.Popen[bytes]]:
    (folder / "locustfile.py").write_text(LOCUSTFILE, encoding="utf-8")
    command = [sys.executable, "-m", "locust", "-f", "locustfile.py", "--master", "--headless", "--host", url]
    command += ["--master-bind-host", "127.0.0.1", "--master-bind-port", str(port)]
    command += ["--expect-workers", str(workers), "-u", str(workers * USERS), "-r", str(workers * USERS)]
    command += ["-t", f"{seconds}s", "--only-summary", "--quiet", "--report-dir", "reports"]
    with pinned_to(cores()[1]), (folder / "said.txt").open("wb") as said:
        process = subprocess.Popen(command, cwd=folder, stdout=said, stderr=said, stdin=subprocess.DEVNULL)
    try:
        yield process
    finally:
        stop(process)


def _cpu_s(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system)


def _until(holds: object, process: subprocess.Popen[bytes]) -> None:
    end_s = time.monotonic() + START_S
    while not holds():  # type: ignore[operator]
        if process.poll() is not None or time.monotonic() > end_s:
            raise SystemExit(f"the master ended with {process.poll()}, or did not begin in {START_S:.0f} s")
        gevent.sleep(0.05)


def table(found: Sequence[Led]) -> str:
    """A row for each number of workers."""
    rows = [
        f"| {one.workers:,} | {one.reports_per_s:,.1f} | {one.cpu:.2f} cores | {one.rss_bytes / 1e6:,.0f} MB "
        f"| {np.median(one.delays_s) * 1e3:,.1f} ms | {np.quantile(one.delays_s, 0.99) * 1e3:,.1f} ms | "
        f"{one.reported:,} | {one.counted:,} | {one.lost} |"
        for one in found
    ]
    head = (
        "| workers | reports a second | the master's CPU | its memory | answer to a beat, median | p99 | "
        "calls reported | counted | workers lost or away |"
    )
    return "\n".join([head, "|---|---|---|---|---|---|---|---|---|", *rows])


if __name__ == "__main__":
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--workers", default="2,10,100,500", help="numbers of workers (2,10,100,500)")
    parser.add_argument("--seconds", type=int, default=30, help="of load, each (30)")
    options = parser.parse_args()
    print(table([led(int(one), options.seconds) for one in options.workers.split(",")]))
