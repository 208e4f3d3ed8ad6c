"""Who may join a cluster: messages sealed with a secret, each heard once; and where a master listens."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scorebench.cluster.seals import MASTER, WORKER, Forged, Seals

SECRET, NAME = b"a secret of the tests", b"vm_1"


def pair(secret: bytes = SECRET, runs: bytes = b"1") -> tuple[Seals, Seals]:
    """(master, worker), each with the name of its conversation in this run."""
    return Seals(secret, MASTER, runs.rjust(16, b"m")), Seals(secret, WORKER, runs.rjust(16, b"w"))


def met(secret: bytes = SECRET, runs: bytes = b"1") -> tuple[Seals, Seals]:
    """Both, after the worker's greeting and the master's answer."""
    master, worker = pair(secret, runs)
    master.opened(NAME, worker.seal(NAME, b"client_ready"))
    worker.opened(NAME, master.seal(NAME, b"ack"))
    return master, worker


@given(contents=st.lists(st.tuples(st.booleans(), st.binary(max_size=50)), max_size=12))
def test_what_is_sealed_can_be_opened_on_the_other_end(contents: list[tuple[bool, bytes]]) -> None:
    """Both ways, in any order, whatever it holds."""
    master, worker = met()
    for to_master, content in contents:
        sender, receiver = (worker, master) if to_master else (master, worker)
        assert receiver.opened(NAME, sender.seal(NAME, content)) == content


@given(at=st.integers(0, 200), bit=st.integers(0, 7))
def test_a_changed_bit_is_found(at: int, bit: int) -> None:
    """Wherever it is: in the seal, the number, the content."""
    master, worker = met()
    message = bytearray(worker.seal(NAME, b"three million calls, all valid" * 4))
    message[at % len(message)] ^= 1 << bit
    with pytest.raises(Forged):
        master.opened(NAME, bytes(message))


def test_nothing_is_heard_twice_or_in_another_name() -> None:
    """A report that comes again, in another worker's name, or back to who sent it."""
    master, worker = met()
    report = worker.seal(NAME, b"100 calls")
    assert master.opened(NAME, report) == b"100 calls"
    for receiver, name in ((master, NAME), (master, b"vm_2"), (worker, NAME)):
        with pytest.raises(Forged):
            receiver.opened(name, report)


def test_what_was_recorded_in_another_run_is_not_heard() -> None:
    """A worker's report and a master's order, sealed with the same secret a day before."""
    master_before, worker_before = met(runs=b"0")
    report, order = worker_before.seal(NAME, b"100 calls"), master_before.seal(NAME, b"spawn")
    for master, worker in (met(), pair()):
        with pytest.raises(Forged):
            master.opened(NAME, report)
        with pytest.raises(Forged):
            worker.opened(NAME, order)


def test_without_the_secret_nothing_is_heard() -> None:
    """Another secret, none at all, and bytes that are nothing."""
    master, _ = met()
    _, stranger = pair(b"another secret of the tests")
    for message in (stranger.seal(NAME, b"client_ready"), b"\x93\xa5stats\x80\xa4vm_1", b"", bytes(500)):
        with pytest.raises(Forged):
            master.opened(NAME, message)


def test_a_greeting_may_come_again_until_it_is_answered() -> None:
    """Locust greets every five seconds until it has an answer; after that a greeting is an old one."""
    master, worker = pair()
    early = [worker.seal(NAME, b"client_ready") for _ in range(3)]
    assert master.opened(NAME, early[0]) == master.opened(NAME, early[1]) == b"client_ready"
    worker.opened(NAME, master.seal(NAME, b"ack"))
    assert master.opened(NAME, worker.seal(NAME, b"heartbeat")) == b"heartbeat"
    with pytest.raises(Forged):
        master.opened(NAME, early[2])


LISTENS = """
import logging, os, sys
import scorebench.plugin
import psutil
from locust.rpc import zmqrpc
logging.basicConfig(stream=sys.stdout, format="%(message)s")
server = zmqrpc.Server(sys.argv[1], 0) if sys.argv[1] != "*" else zmqrpc.Server("*", int(sys.argv[2]))
print(sorted(c.laddr.ip for c in psutil.Process().net_connections("tcp") if c.status == "LISTEN"))
"""


@pytest.mark.parametrize(
    ("host", "secret", "where", "says"),
    [
        ("*", "", "['127.0.0.1']", "this master listens on 127.0.0.1 alone"),
        ("127.0.0.1", "", "['127.0.0.1']", ""),
        ("0.0.0.0", "", "['0.0.0.0']", "listens on 0.0.0.0 without a secret"),
        ("0.0.0.0", "x" * 16, "['0.0.0.0']", ""),
    ],
)
def test_a_master_without_a_secret_listens_here_or_says_what_it_does(
    host: str, secret: str, where: str, says: str
) -> None:
    """By the sockets of the process itself."""
    from scorebench.servers import ports

    code = [sys.executable, "-c", LISTENS, host, str(ports.claim(0))]
    done = subprocess.run(
        code, env={"SCOREBENCH_CLUSTER_SECRET": secret}, capture_output=True, text=True, check=True
    )
    *said, listens = done.stdout.splitlines()
    assert listens == where
    assert (says in " ".join(said)) if says else not said


def test_a_secret_that_is_none_is_refused_in_a_line(tmp_path: Path) -> None:
    """Too short, or a file that is not there: exit 2, before anything listens."""
    for name, value, says in (
        ("SCOREBENCH_CLUSTER_SECRET", "short", "found 5 characters; expected a secret of 16 or more"),
        ("SCOREBENCH_CLUSTER_SECRET_FILE", str(tmp_path / "none"), "can't be read"),
    ):
        code = "import scorebench.plugin; from locust.rpc import zmqrpc; zmqrpc.Server('127.0.0.1', 0)"
        done = subprocess.run(
            [sys.executable, "-c", code], env={name: value}, capture_output=True, text=True, check=False
        )
        assert done.returncode == 2
        (line,) = done.stderr.splitlines()
        assert line.startswith(f"scorebench: {name}")
        assert says in line
