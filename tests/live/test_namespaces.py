"""A master and workers with a network each, as on machines of their own: network namespaces of Linux."""

from __future__ import annotations

import os
import re
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


def test_a_load_from_three_machines_counts_what_the_server_saw(
    server: tuple[ScoringServer, dict[str, str]], tmp_path: Path
) -> None:
    """60/s for 20 s; one worker is killed, and one comes: 1,200 due, and no call unaccounted for.

    Calls of the log that the report lacks are at most as many as it says were lost.
    """
    scoring, spaces = server
    reach = ["--worker", "--master-host", ADDRESS["master"]]
    load = ["--headless", "--expect-workers", "2", "--users", "12", "--spawn-rate", "12"]
    load += ["--rate", "60", "--run-time", "20s", "--data", str(ROOT / "payloads" / "wine.csv")]
    here = ["--master", "--master-bind-host", ADDRESS["master"], "-H", scoring.url]
    master = locust(spaces["master"], tmp_path, *here, *load)
    workers = [locust(spaces[name], tmp_path, *reach) for name in ("one", "two")]
    try:
        scoring.wait_for_calls(50, timeout_s=60)
        workers.append(locust(spaces["three"], tmp_path, *reach))
        time.sleep(3.0)
        workers[0].kill()
        out, err = master.communicate(timeout=120)
    finally:
        for one in (master, *workers):
            one.kill()
            one.communicate()
    scoring.stop()
    done, log = Done(master.returncode, out, err, tmp_path / "reports"), len(scoring.log())
    found = {one["code"]: one["text"] for one in done.summary["verdict"]["findings"]}
    assert done.code == 4, out + err
    assert done.summary["accounting"]["due"] == 1200
    assert done.summary["accounting"]["adds_up"]
    lost = re.search(r"at most ([\d,]+) calls", found["worker_lost"])
    assert lost is not None
    assert 0 <= log - done.summary["calls"] <= int(lost[1].replace(",", ""))
    (*_, counted) = re.findall(r"^ +Aggregated +(\d+) +\d+\(", err, re.MULTILINE)
    assert 0 <= done.summary["calls"] - int(counted) <= 60 / 2  # a batch of the killed worker
