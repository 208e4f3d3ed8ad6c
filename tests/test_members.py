"""Workers that leave, join, are killed and are stopped while a load runs: held to the server's own log."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

import msgspec
import psutil
import pytest
import zmq

from scorebench.cluster.lease import GIVE_UP_S
from scorebench.load.arrivals import parse
from scorebench.servers import ports
from tests.commands import ROOT, Done
from tests.scoring_server import Behaviour, Constant, ScoringServer, scoring_server

WAITING = f"""
import os
import sys
import scorebench.plugin
import locust.main
print("ready", flush=True)
port, _, os.environ["SCOREBENCH_CLUSTER_SECRET"] = sys.stdin.readline().strip().partition(" ")
sys.argv = ["locust", "-f", "{ROOT / "locustfile.py"}", "--worker", "--master-host", "127.0.0.1"]
sys.argv += ["--master-port", port]
locust.main.main()
"""


@dataclass
class Cluster:
    """A run with several workers that goes on, and the server that it loads."""

    command: subprocess.Popen[str]
    server: ScoringServer
    folder: Path
    waiting: subprocess.Popen[str]
    """One more worker, which has loaded all and is told the port where its master listens."""

    @property
    def master(self) -> psutil.Process:
        """Its children are the workers."""
        own = psutil.Process(self.command.pid)
        return own if "--processes" in own.cmdline() and "locust" in own.cmdline() else own.children()[0]

    def join(self) -> None:
        """Have the worker that waits connect, as from another machine."""
        words = self.master.cmdline()
        secret = self.master.environ().get("SCOREBENCH_CLUSTER_SECRET", "")
        assert self.waiting.stdin is not None
        self.waiting.stdin.write(f"{words[words.index('--master-port') + 1]} {secret}\n")
        self.waiting.stdin.flush()

    def wait_for_users(self, users: int) -> None:
        """Until so many users have called: a worker that joins brings users of its own."""
        while len({record.connection for record in self.server.log()}) < users:
            assert self.command.poll() is None, self.command.communicate()
            time.sleep(0.1)

    def lie(self) -> None:
        """Reports of three million calls from a stranger, in its own name and in that of each worker."""
        words = self.master.cmdline()
        port, one = words[words.index("--master-port") + 1], {"num_requests": 3_000_000}
        names = [b"stranger", *(worker.name().encode() for worker in self.master.children())]
        with zmq.Context() as context, context.socket(zmq.DEALER) as line:
            line.setsockopt(zmq.IDENTITY, names[0])
            line.connect(f"tcp://127.0.0.1:{port}")
            for name in names:
                for told in ({"stats": [], "stats_total": one, "errors": {}}, {}, None, [1]):
                    line.send(msgspec.msgpack.encode(("stats", told, name.decode())))
            for nonsense in (b"", b"\xc1", b"\x93", msgspec.msgpack.encode(("heartbeat", {}, "stranger"))):
                line.send(nonsense)

    def done(self) -> Done:
        out, err = self.command.communicate(timeout=120)
        return Done(self.command.returncode, out, err, self.folder / "reports")


def started(words: Sequence[str], folder: Path) -> subprocess.Popen[str]:
    """`python WORDS` in `folder`."""
    pipe = subprocess.PIPE
    command = [sys.executable, *words]
    return subprocess.Popen(command, cwd=folder, text=True, stdin=pipe, stdout=pipe, stderr=pipe)


@contextmanager
def cluster(folder: Path, command: Sequence[str], service_s: float) -> Iterator[Cluster]:
    """`python -m COMMAND` with three workers and the server's URL at its end, once its first calls came."""
    with scoring_server(Behaviour(service=Constant(service_s))) as server:
        waiting = started(["-c", WAITING], folder)
        assert waiting.stdout is not None
        assert waiting.stdout.readline() == "ready\n"
        process = started(["-m", *command, server.url], folder)
        try:
            server.wait_for_calls(50, timeout_s=60)
            yield Cluster(process, server, folder, waiting)
        finally:
            for one in (process, waiting):
                one.kill()
                one.communicate()


def locusts_count(done: Done) -> int:
    """All requests, by the table that Locust prints at its end."""
    return int(re.findall(r"^ +Aggregated +(\d+) +\d+\(", done.err, re.MULTILINE)[-1])


def codes(done: Done) -> dict[str, str]:
    return {found["code"]: found["text"] for found in done.summary["verdict"]["findings"]}


def test_a_number_of_calls_is_exact_though_a_worker_leaves_and_one_joins(tmp_path: Path) -> None:
    """600 calls of 0.1 s by six users on three workers; a fourth joins, one gets SIGTERM: 600."""
    words = ["scorebench", "run", "--processes", "3", "--users", "6", "--calls", "600"]
    with cluster(tmp_path, words, service_s=0.1) as load:
        load.lie()
        load.join()
        load.wait_for_users(7)
        load.master.children()[0].terminate()
        done = load.done()
        log = len(load.server.log())
    assert done.summary["valid"] == log == 600, done.out + done.err
    found = codes(done)
    assert not found.keys() & {"worker_lost", "never_sent", "does_not_add_up", "users_missing"}
    assert found["worker_left"].startswith("1 of 3 processes of the generator left while the load ran")
    assert found["worker_joined"].startswith("1 of 3 processes of the generator joined while the load ran")


def test_the_rate_is_kept_though_one_is_killed_one_added_and_one_stopped(tmp_path: Path) -> None:
    """60/s for 15 s: 900 calls are due whoever is there; all that is not in the report is bounded.

    The log can hold more calls than the report by as many as were lost with the killed worker, which the
    report says. Locust's own count is the report's, but for a batch that the killed worker had not handed
    to Locust when it reported last: a second of its third at most.
    """
    port = str(ports.claim(0))
    words = ["locust", "-f", str(ROOT / "locustfile.py"), "--headless", "--processes", "3"]
    words += ["--master-bind-host", "127.0.0.1", "--master-bind-port", port, "--master-port", port]
    words += ["--users", "12", "--spawn-rate", "12", "--rate", "60", "--run-time", "15s", "--host"]
    with cluster(tmp_path, words, service_s=0.01) as load:
        load.lie()
        load.join()
        load.wait_for_users(13)
        killed, stopped, *_ = load.master.children()
        killed.kill()
        stopped.send_signal(signal.SIGSTOP)
        time.sleep(4.0)
        stopped.send_signal(signal.SIGCONT)
        done = load.done()
        log = len(load.server.log())
    account, found = done.summary["accounting"], codes(done)
    assert done.code == 4, done.out + done.err
    assert account["due"] == 900
    assert account["adds_up"]
    lost = re.search(r"at most ([\d,]+) calls that it had sent", found["worker_lost"])
    assert lost is not None
    assert 0 <= log - done.summary["calls"] <= int(lost[1].replace(",", ""))
    assert found.keys() >= {"worker_lost", "worker_joined", "worker_away"}
    assert 0 <= done.summary["calls"] - locusts_count(done) <= 60 / 3


ROWS = "a,b\n1,2\n3,4\n"


OTHER_VERSIONS = """
import importlib.metadata, json, sys
others, true = json.loads(sys.argv[1]), importlib.metadata.version
importlib.metadata.version = lambda name: others.get(name) or true(name)
sys.argv = ["locust", *sys.argv[2:]]
import locust.main
locust.main.main()
"""


TWICE = """
import sys
import locust.main
from scorebench.cluster import reports
from scorebench.recordings.form import form_of, recording_of
pack = reports.pack
def doubled(recording, kept, resets):
    recording.merge(recording_of(form_of(recording)))
    return pack(recording, kept, resets)
reports.pack = doubled
sys.argv = ["locust", *sys.argv[2:]]
locust.main.main()
"""
"""A worker that reports each call twice, its due times too: by itself that adds up."""


def apart(
    folder: Path,
    rows: str | None,
    *words: str,
    load: Sequence[str] = ("--calls", "10"),
    code: str = OTHER_VERSIONS,
    service_s: float = 0.0,
    **versions: str,
) -> tuple[int, str, list[int]]:
    """A master and a worker, each in a folder of its own with its own rows.csv.

    `versions` are what the worker finds installed, where that is another than here. How the master ended and
    what it said; the size of each body that the server got.
    """
    port = str(ports.claim(0))
    for name, content in (("master", ROWS), ("worker", rows)):
        (folder / name).mkdir()
        if content is not None:
            (folder / name / "rows.csv").write_text(content)
    with scoring_server(Behaviour(service=Constant(service_s))) as server:
        file = ["-f", str(ROOT / "locustfile.py")]
        other = ["-c", code, json.dumps(versions)]
        worker = started([*other, *file, "--worker", "--master-port", port], folder / "worker")
        words = ("--headless", "--expect-workers", "1", "--data", "rows.csv", *load, *words)
        here = ("--master", "--master-bind-host", "127.0.0.1", "--master-bind-port", port, "-H", server.url)
        master = started(["-m", "locust", *file, *here, *words], folder / "master")
        try:
            out, err = master.communicate(timeout=90)
        finally:
            for one in (master, worker):
                one.kill()
                one.communicate()
        return master.returncode, out + err, [len(record.body) for record in server.log()]


def test_workers_with_other_rows_are_refused_before_the_first_call(tmp_path: Path) -> None:
    """The same name, other content: exit 2, a line that says whose payload is another, and no call.

    It may be the rows or what encodes them: a package of another version is named in the same line.
    """
    code, said, bodies = apart(tmp_path, "a,b\n1,2\n3,5\n", pandas="1.5.3")
    assert code == 2, said
    assert ": the payload's digest is " in said
    assert "All workers must send the same" in said
    assert f"It encodes with pandas 1.5.3 (here {version('pandas')})." in said
    assert bodies == []


def test_a_worker_of_another_version_is_refused_before_the_first_call(tmp_path: Path) -> None:
    """The same rows, a scorebench of tomorrow: exit 2, and one line that says who and what differs."""
    code, said, bodies = apart(tmp_path, ROWS, scorebench="99.0")
    assert code == 2, said
    (line,) = [one for one in said.splitlines() if one.startswith("scorebench: ")]
    assert f"the version of scorebench is 99.0; expected {version('scorebench')}, as its master has" in line
    assert "Traceback" not in said
    assert bodies == []


def test_a_master_hands_its_payloads_out(tmp_path: Path) -> None:
    """A worker without rows.csv sends its master's: ten calls, all valid."""
    code, said, bodies = apart(tmp_path, None, "--hand-out")
    assert code in (0, 4), said
    assert len(bodies) == 10
    assert "10 calls" in said


def test_a_worker_that_counts_more_than_there_was_to_send_is_not_believed(tmp_path: Path) -> None:
    """Ten calls by the server's log and by --calls, twenty by the worker: not valid."""
    code, said, bodies = apart(tmp_path, ROWS, code=TWICE)
    assert len(bodies) == 10
    assert code == 4, said
    assert "tell of more than there can have been: 20 calls, of 10" in " ".join(said.split())


@pytest.mark.parametrize("arrivals", ["constant", "poisson"])
def test_a_worker_that_counts_more_than_was_due_is_not_believed(arrivals: str, tmp_path: Path) -> None:
    """20 a second for 3 s, without --calls: the worker tells of twice what the log has."""
    load = ("--rate", "20", "--arrivals", arrivals, "--run-time", "3s", "--seed", "7")
    code, said, bodies = apart(tmp_path, ROWS, load=load, code=TWICE)
    sent = len(list(parse(arrivals, 20.0, 3.0, 7).due_times()))
    assert len(bodies) == sent > 30
    assert code == 4, said
    assert f"worker 0 counted {2 * sent} calls, and at most {sent} were due" in " ".join(said.split())


def test_a_worker_whose_users_wait_longer_than_there_was_time_is_not_believed(tmp_path: Path) -> None:
    """One user waits for answers of 0.1 s all of its 3 s; its worker tells of twice that."""
    code, said, bodies = apart(
        tmp_path, ROWS, load=("--users", "1", "--run-time", "3s"), code=TWICE, service_s=0.1
    )
    assert len(bodies) <= 31
    assert code == 4, said
    assert "a user of worker 0 waited" in " ".join(said.split())


@pytest.mark.parametrize("stop_s", [6.0, 14.0])
def test_nothing_is_lost_in_silence_while_a_master_stands_still(stop_s: float, tmp_path: Path) -> None:
    """SIGSTOP of a master, two workers at 40/s for 16 s: 640 calls are due, each of the log is counted.

    Reports wait in the sockets' queues. After 6 s the workers go on; after 14 s they have taken their master
    for dead, ended and left what they had not reported in folders of their own: it ends too, and misses them.
    """
    words = ["scorebench", "run", "--processes", "2", "--users", "4", "--rate", "40", "--run-time", "16s"]
    with cluster(tmp_path, words, service_s=0.01) as load:
        master = load.master
        master.send_signal(signal.SIGSTOP)
        time.sleep(stop_s)
        master.send_signal(signal.SIGCONT)
        done = load.done()
        log = len(load.server.log())
    account, found = done.summary["accounting"], codes(done)
    assert account["adds_up"], done.out + done.err
    assert "more_than_dealt" not in found
    assert ("worker_lost" in found) is (stop_s > GIVE_UP_S)
    if stop_s < GIVE_UP_S:
        assert done.summary["calls"] == account["due"] == log == 640
    else:
        lost = [int(most.replace(",", "")) for most in re.findall(r"at most ([\d,]+)", found["worker_lost"])]
        assert done.code == 4
        assert 0 <= log - done.summary["calls"] <= sum(lost)
        assert len(lost) == 2
