"""The fake server does what it was told and writes down what it did, or other tests would prove nothing."""

from __future__ import annotations

import json
import os
import signal
import socket
import ssl
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path
from threading import Thread

import pytest

from tests import requirements
from tests.raw_client import ANSWER, TWO_ROWS, WAIT_S, ask, connect, request
from tests.scoring_server import (
    Behaviour,
    Certificates,
    Constant,
    ScoringServer,
    certificates,
    refusing_port,
    replies,
    scoring_server,
    silent_port,
)
from tests.scoring_server.handle import ROOT


def test_answers_and_log_agree() -> None:
    """A call is answered with one prediction a row, and its record holds what was sent and when."""
    with scoring_server() as server, connect(server) as sock:
        sent_s = time.monotonic()
        status, body = ask(sock)
        done_s = time.monotonic()
        (record,) = server.log()
    assert (status, json.loads(body)) == (200, ANSWER)
    assert (record.number, record.connection, record.call) == (0, 0, 0)
    assert (record.method, record.path, record.body, record.rows) == ("POST", "/invocations", TWO_ROWS, 2)
    assert record.headers["content-type"] == "application/json"
    assert record.status == 200
    assert record.complete_s is not None
    assert record.answered_s is not None
    assert sent_s <= record.first_byte_s <= record.complete_s <= record.answered_s <= done_s


def test_the_log_has_a_call_as_soon_as_its_answer_is_read() -> None:
    """No answer reaches the client before its record is complete."""
    with scoring_server() as server, connect(server) as sock:
        for number in range(50):
            ask(sock)
            assert [record.status for record in server.log()] == [200] * (number + 1)


def test_the_log_outlives_the_server() -> None:
    """After the `with`, and after a stop within it, the log is still there."""
    with scoring_server() as server, connect(server) as sock:
        ask(sock)
        server.stop()
        assert server.calls == 1
    assert server.log()[0].status == 200


def test_connections_and_calls_are_numbered() -> None:
    """A record tells which connection it came on, and as which request on that."""
    with scoring_server() as server, connect(server) as first, connect(server) as second:
        for sock in (first, second, first, first, second):
            ask(sock)
        found = [(record.number, record.connection, record.call) for record in server.log()]
    assert found == [(0, 0, 0), (1, 1, 0), (2, 0, 1), (3, 0, 2), (4, 1, 1)]


def test_first_byte_and_complete_request_come_apart() -> None:
    """A request that comes in two parts is complete later than it began, and answered after that."""
    with scoring_server() as server, connect(server) as sock:
        message = request()
        sock.sendall(message[:30])
        time.sleep(0.05)
        ask(sock, message[30:])
        (record,) = server.log()
    assert record.complete_s is not None
    assert record.complete_s - record.first_byte_s >= 0.04


def test_sixteen_connections_lose_nothing() -> None:
    """Calls from many connections at once are all answered and all logged."""

    def many(server: ScoringServer) -> None:
        with connect(server) as sock:
            for _ in range(50):
                assert ask(sock)[0] == 200

    with scoring_server() as server:
        threads = [Thread(target=many, args=(server,)) for _ in range(16)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        log = server.log()
    assert len(log) == server.calls == 16 * 50
    assert {record.connection for record in log} == set(range(16))
    assert all(record.status == 200 for record in log)


def test_pipelined_calls_are_answered_in_order() -> None:
    """Two calls in one segment give two answers; the second is served after the first."""
    with scoring_server(Behaviour(service=Constant(0.01))) as server, connect(server) as sock:
        other = b'{"inputs": [[10]]}'
        sock.sendall(request() + request(other))
        bodies = []
        with closing(sock.makefile("rb")) as stream:
            for _ in range(2):
                length = 0
                while line := stream.readline().strip():
                    name, _, value = line.partition(b":")
                    length = int(value) if name == b"content-length" else length
                bodies.append(json.loads(stream.read(length)))
        first, second = server.log()
    assert bodies == [ANSWER, {"predictions": [10.0]}]
    assert first.answered_s is not None
    assert second.started_s is not None
    assert first.answered_s <= second.started_s


@pytest.fixture
def papers(tmp_path: Path) -> Certificates:
    return certificates(tmp_path)


def test_tls_is_verified_against_its_authority(papers: Certificates) -> None:
    """A client that trusts the authority is served, one that does not breaks off before a call."""
    with scoring_server(tls=papers.server) as server:
        assert server.url.startswith("https://127.0.0.1:")
        trusting = ssl.create_default_context(cafile=str(papers.ca))
        with trusting.wrap_socket(connect(server), server_hostname="127.0.0.1") as sock:
            assert json.loads(ask(sock)[1]) == ANSWER
        with pytest.raises(ssl.SSLCertVerificationError):
            ssl.create_default_context().wrap_socket(connect(server), server_hostname="127.0.0.1")
        assert server.calls == 1


def test_tls_carries_large_bodies_both_ways(papers: Certificates) -> None:
    """Records of TLS and buffers of sockets do not lose or hold back a byte."""
    with scoring_server(Behaviour(default=replies.huge(3_000_000)), tls=papers.server) as server:
        trusting = ssl.create_default_context(cafile=str(papers.ca))
        with trusting.wrap_socket(connect(server), server_hostname="localhost") as sock:
            rows = json.dumps({"inputs": [[0.5]] * 200_000}).encode()
            assert len(ask(sock, request(rows))[1]) == 3_000_000
        assert server.log()[0].rows == 200_000


@pytest.mark.parametrize("fault", ["expired", "another name"])
def test_bad_certificates_are_bad(tmp_path: Path, fault: str) -> None:
    """A certificate can be past its time, or be for another name."""
    names = ("example.org",) if fault == "another name" else ()
    papers = certificates(tmp_path, *names, expired=fault == "expired")
    with scoring_server(tls=papers.server) as server:
        trusting = ssl.create_default_context(cafile=str(papers.ca))
        with pytest.raises(ssl.SSLCertVerificationError, match=r"expired|not valid for|mismatch"):
            trusting.wrap_socket(connect(server), server_hostname="127.0.0.1")


def test_ipv6() -> None:
    """The server can be had on ::1, with brackets in its URL."""
    requirements.ipv6()
    with scoring_server(ipv6=True) as server, connect(server) as sock:
        assert server.url == f"http://[::1]:{server.port}"
        assert ask(sock)[0] == 200


def test_a_server_can_come_back_on_its_port() -> None:
    """A restart is two servers on one port, one after the other; two at a time is an error here."""
    with scoring_server() as first:
        port = first.port
        with pytest.raises(OSError, match="in use"), scoring_server(port=port):
            pass
    with scoring_server(port=port) as second, connect(second) as sock:
        assert ask(sock)[0] == 200


def test_refusing_and_silent_ports() -> None:
    """Nobody listens on one; on the other a connection neither succeeds nor fails."""
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", refusing_port()), timeout=WAIT_S)
    with silent_port() as port, pytest.raises(TimeoutError):
        socket.create_connection(("127.0.0.1", port), timeout=0.2)


def test_a_dead_server_is_no_empty_log() -> None:
    """A server that died makes the test fail, where an empty log could have let it pass."""
    with pytest.raises(RuntimeError, match="ended with -9"), scoring_server() as server:  # noqa: PT012
        os.kill(server.pid, signal.SIGKILL)
        assert server.log() == []


def test_a_server_that_died_unseen_fails_at_the_end() -> None:
    """Even if nobody asks it for its log."""
    with pytest.raises(RuntimeError, match="ended with -9"), scoring_server() as server:
        os.kill(server.pid, signal.SIGKILL)


def test_waiting_for_calls_gives_up() -> None:
    """Waiting for calls that do not come ends in an error."""
    with scoring_server() as server, pytest.raises(TimeoutError, match=r"0 calls after 0\.05 s, expected 1"):
        server.wait_for_calls(1, timeout_s=0.05)


def test_works_under_gevents_patches() -> None:
    """In a process that Locust has patched, the server starts, answers and gives its log all the same."""
    script = (
        "from gevent import monkey; monkey.patch_all()\n"
        "from tests.raw_client import ask, connect\nfrom tests.scoring_server import scoring_server\n"
        "with scoring_server() as server, connect(server) as sock:\n"
        "    print(ask(sock)[0], server.calls, len(server.log()))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert (done.stdout, done.stderr) == ("200 1 1\n", "")


def test_the_server_goes_with_its_test() -> None:
    """When the test's process is killed, the server sees its end and leaves the port."""
    script = (
        "import time\nfrom tests.scoring_server import scoring_server\n"
        "with scoring_server() as server:\n    print(server.port, flush=True); time.sleep(60)\n"
    )
    with subprocess.Popen([sys.executable, "-c", script], cwd=ROOT, stdout=subprocess.PIPE) as test:
        assert test.stdout is not None
        port = int(test.stdout.readline())
        test.kill()
    end_s = time.monotonic() + WAIT_S
    while time.monotonic() < end_s:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=WAIT_S).close()
        except ConnectionError:
            return
        time.sleep(0.01)
    pytest.fail("the server still listens")
