"""A master and workers with a network each, as on machines of their own: network namespaces of Linux."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from uuid import uuid4

import pytest
from tests.commands import ROOT, Done
from tests.scoring_server import Behaviour, Constant
from tests.scoring_server.behaviour import Place
from tests.scoring_server.handle import ScoringServer

HOSTS = ("server", "master", "one", "two", "three")
ADDRESS = {name: f"10.89.0.{number}" for number, name in enumerate(HOSTS, 1)}
SECRET = {"SCOREBENCH_CLUSTER_SECRET": "a secret of the tests"}


def ip(*words: str) -> None:
    subprocess.run(["ip", *words], check=True, capture_output=True)


def require_namespaces() -> None:
    """Skip where none can be made: they take root, iproute2, and a kernel with bridges."""
    space = f"sb-probe-{uuid4().hex[:6]}"
    try:
        ip("netns", "add", space)
    except (OSError, subprocess.CalledProcessError) as problem:
        pytest.skip(f"needs network namespaces: {problem}")
    try:
        ip("-n", space, "link", "add", "bridge", "type", "bridge")
        ip("-n", space, "link", "add", "net", "type", "veth", "peer", "name", "far")
    except subprocess.CalledProcessError as problem:
        pytest.skip(f"needs network namespaces with bridges: {problem}")
    finally:
        ip("netns", "del", space)


@contextmanager
def networks() -> Iterator[dict[str, str]]:
    """{host: its namespace}, all of them on a bridge in that of the server; gone afterwards."""
    spaces = {name: f"sb-{name}-{uuid4().hex[:6]}" for name in HOSTS}
    hub = spaces["server"]
    try:
        for name, space in spaces.items():
            ip("netns", "add", space)
            ip("-n", space, "link", "set", "lo", "up")
            device = "bridge" if name == "server" else "net"
            if name == "server":
                ip("-n", space, "link", "add", device, "type", "bridge")
            else:
                ip("-n", space, "link", "add", device, "type", "veth", "peer", f"to-{name}", "netns", hub)
                ip("-n", hub, "link", "set", f"to-{name}", "master", "bridge", "up")
            ip("-n", space, "addr", "add", f"{ADDRESS[name]}/24", "dev", device)
            ip("-n", space, "link", "set", device, "up")
        yield spaces
    finally:
        for space in spaces.values():
            with suppress(subprocess.CalledProcessError):
                ip("netns", "del", space)


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[tuple[ScoringServer, dict[str, str]]]:
    """The fake server in its namespace, and all namespaces."""
    require_namespaces()
    with networks() as spaces:
        inside = tmp_path / "python"
        inside.write_text(f'#!/bin/sh\nexec ip netns exec {spaces["server"]} {sys.executable} "$@"\n')
        inside.chmod(0o700)
        with monkeypatch.context() as patch:
            patch.setattr(sys, "executable", str(inside))
            one = ScoringServer(Behaviour(service=Constant(0.01)), Place(ADDRESS["server"]))
        try:
            yield one, spaces
        finally:
            one.stop()


def locust(space: str, folder: Path, *words: str) -> subprocess.Popen[str]:
    """`locust WORDS` in a namespace, with the secret."""
    command = [sys.executable, "-m", "locust", "-f", str(ROOT / "locustfile.py"), *words]
    pipe = subprocess.PIPE
    return subprocess.Popen(
        ["ip", "netns", "exec", space, *command],
        cwd=folder,
        env=os.environ | SECRET,
        text=True,
        stdin=pipe,
        stdout=pipe,
        stderr=pipe,
    )


RELAY = """
import asyncio, sys

DELAY_S = 0.02

async def pump(reader, writer):
    loop, waiting = asyncio.get_running_loop(), asyncio.Queue()

    async def write():
        while (one := await waiting.get()) is not None:
            await asyncio.sleep(one[0] - loop.time())
            writer.write(one[1])
        writer.close()

    task = loop.create_task(write())
    while data := await reader.read(65536):
        waiting.put_nowait((loop.time() + DELAY_S, data))
    waiting.put_nowait(None)
    await task

async def serve(reader, writer):
    there, back = await asyncio.open_connection(sys.argv[1], 5557)
    await asyncio.gather(pump(reader, back), pump(there, writer), return_exceptions=True)

async def main():
    async with await asyncio.start_server(serve, sys.argv[1], 5558) as server:
        print("listens", flush=True)
        await server.serve_forever()

asyncio.run(main())
"""
"""Takes what workers and their master say to each other, and passes it on 20 ms later, each way.

The kernel's own delay (netem) is a module that many machines lack.
"""


@contextmanager
def relay(space: str) -> Iterator[None]:
    """It listens beside the master, on the next port."""
    command = ["ip", "netns", "exec", space, sys.executable, "-c", RELAY, ADDRESS["master"]]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == "listens\n"
            yield
        finally:
            process.kill()


def test_a_load_from_three_machines_counts_what_the_server_saw(
    server: tuple[ScoringServer, dict[str, str]], tmp_path: Path
) -> None:
    """60/s for 24 s, workers 20 ms away from their master: one is killed, one comes, one stops for 4 s.

    1,440 calls are due, and each is accounted for. Calls of the log that the report lacks are at most as many
    as it says were lost. Locust's own count is the report's, but for a batch of the killed worker.
    """
    scoring, spaces = server
    reach = ["--worker", "--master-host", ADDRESS["master"], "--master-port", "5558"]
    load = ["--headless", "--expect-workers", "2", "--users", "12", "--spawn-rate", "12"]
    load += ["--rate", "60", "--run-time", "24s", "--data", str(ROOT / "payloads" / "wine.csv")]
    here = ["--master", "--master-bind-host", ADDRESS["master"], "-H", scoring.url]
    with relay(spaces["master"]):
        master = locust(spaces["master"], tmp_path, *here, *load)
        workers = [locust(spaces[name], tmp_path, *reach) for name in ("one", "two")]
        try:
            scoring.wait_for_calls(50, timeout_s=60)
            workers.append(locust(spaces["three"], tmp_path, *reach))
            time.sleep(3.0)
            workers[0].kill()
            time.sleep(3.0)
            workers[1].send_signal(signal.SIGSTOP)
            time.sleep(4.0)
            workers[1].send_signal(signal.SIGCONT)
            out, err = master.communicate(timeout=120)
        finally:
            for one in (master, *workers):
                one.kill()
                one.communicate()
    scoring.stop()
    done, log = Done(master.returncode, out, err, tmp_path / "reports"), len(scoring.log())
    found = {one["code"]: one["text"] for one in done.summary["verdict"]["findings"]}
    assert done.code == 4, out + err
    assert done.summary["accounting"]["due"] == 1440
    assert done.summary["accounting"]["adds_up"]
    assert found.keys() >= {"worker_lost", "worker_joined", "worker_away"}, out + err
    lost = re.search(r"at most ([\d,]+) calls", found["worker_lost"])
    assert lost is not None
    assert 0 <= log - done.summary["calls"] <= int(lost[1].replace(",", ""))
    (*_, counted) = re.findall(r"^ +Aggregated +(\d+) +\d+\(", err, re.MULTILINE)
    assert 0 <= done.summary["calls"] - int(counted) <= 60 / 2
