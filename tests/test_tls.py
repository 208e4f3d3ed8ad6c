"""TLS verifies whom it talks to, and carries what plain connections carry."""

from __future__ import annotations

import json
import socket
import ssl
import threading
from contextlib import suppress
from pathlib import Path

import gevent
import pytest

from scorebench.answers.http_message import CallFailed
from scorebench.answers.outcome import Outcome
from scorebench.client.probe import server_version
from scorebench.client.target import Target
from scorebench.client.tls import TlsSocket, client_context
from scorebench.errors import InputError
from tests import requirements
from tests.client import answer_of, connection_to, fate, request_to
from tests.raw_client import ANSWER
from tests.scoring_server import Behaviour, Certificates, Reply, certificates, replies, scoring_server
from tests.test_connection import LARGE
from tests.test_connection_reuse import SLOW, lasting_at_least


@pytest.fixture(scope="module")
def papers(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    return certificates(tmp_path_factory.mktemp("papers"))


@pytest.fixture(scope="module")
def trust(papers: Certificates) -> ssl.SSLContext:
    return client_context(papers.ca)


def test_calls_over_tls(papers: Certificates, trust: ssl.SSLContext) -> None:
    """Session tickets come after the handshake: neither they nor a pause make a connection look closed."""
    with scoring_server(tls=papers.server) as server, connection_to(server.url, tls=trust) as connection:
        for _ in range(5):
            assert json.loads(answer_of(connection, request_to(server)).body) == ANSWER
            gevent.sleep(0.02)
        assert {record.connection for record in server.log()} == {0}
    assert connection.reconnects == 0


def test_an_expected_answer_over_tls(papers: Certificates, trust: ssl.SSLContext) -> None:
    """The same bytes again are known by their plain text."""
    with scoring_server(tls=papers.server) as server, connection_to(server.url, tls=trust) as connection:
        raw = answer_of(connection, request_to(server)).raw
        assert raw is not None
        assert [connection.call(request_to(server), raw) for _ in range(5)] == [None] * 5
        assert server.calls == 6


def test_by_name(papers: Certificates, trust: ssl.SSLContext) -> None:
    """The name in the URL is the one that is verified, not the address it stands for."""
    with scoring_server(tls=papers.server) as server:
        url = f"https://localhost:{server.port}"
        with connection_to(url, tls=trust) as connection:
            assert fate(connection, request_to(url)) == 200


def test_by_ipv6(papers: Certificates, trust: ssl.SSLContext) -> None:
    """An address in brackets is verified as an address."""
    requirements.ipv6()
    with (
        scoring_server(tls=papers.server, ipv6=True) as server,
        connection_to(server.url, tls=trust) as connection,
    ):
        assert fate(connection, request_to(server)) == 200


@pytest.mark.parametrize("fault", ["unknown authority", "another name", "expired"])
def test_a_certificate_that_does_not_hold(tmp_path: Path, fault: str) -> None:
    """No byte of a call leaves for a server that cannot prove who it is; the message says why."""
    names = ("example.org",) if fault == "another name" else ()
    papers = certificates(tmp_path, *names, expired=fault == "expired")
    trust = client_context(None if fault == "unknown authority" else papers.ca)
    with scoring_server(tls=papers.server) as server, connection_to(server.url, tls=trust) as connection:
        with pytest.raises(CallFailed, match=r"CERTIFICATE_VERIFY_FAILED") as caught:
            connection.call(request_to(server))
        assert server.requests() == []
    assert caught.value.outcome is Outcome.TLS_FAILED


@pytest.mark.parametrize(
    ("fault", "advice"),
    [
        ("unknown authority", "--ca-file"),
        ("another name", "write the name in the URL that it was issued for"),
        ("expired", "the server needs a new certificate"),
    ],
)
def test_each_fault_of_tls_has_its_own_advice(tmp_path: Path, fault: str, advice: str) -> None:
    """One line before the run; a certificate file helps with an unknown authority alone."""
    names = ("example.org",) if fault == "another name" else ()
    papers = certificates(tmp_path, *names, expired=fault == "expired")
    with scoring_server(tls=papers.server) as server, pytest.raises(InputError) as refused:
        server_version(Target.parse(server.url), None if fault == "unknown authority" else papers.ca)
    assert advice in str(refused.value)
    assert ("--ca-file" in str(refused.value)) == (fault == "unknown authority")


def test_https_on_a_plain_port_is_told() -> None:
    """The server answers the handshake as uvicorn and nginx do: with a 400 in plain HTTP."""
    with socket.create_server(("127.0.0.1", 0)) as plain:

        def answer() -> None:
            with plain.accept()[0] as one:
                one.recv(4096)
                one.sendall(b"HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n")

        answering = threading.Thread(target=answer)
        answering.start()
        with pytest.raises(InputError, match="if it is plain HTTP, write http:// in the URL"):
            server_version(Target.parse(f"https://127.0.0.1:{plain.getsockname()[1]}"))
        answering.join(5.0)


def test_large_bodies_over_tls(papers: Certificates, trust: ssl.SSLContext) -> None:
    """Megabytes pass whole in both directions, again and again on one connection."""
    body = bytes(range(32, 127)) * 30_000
    with (
        scoring_server(Behaviour(default=Reply(body=body)), tls=papers.server) as server,
        connection_to(server.url, tls=trust) as connection,
    ):
        for _ in range(3):
            assert answer_of(connection, request_to(server, LARGE)).body == body
        log = server.log()
    assert [record.body == LARGE for record in log] == [True] * 3
    assert {record.connection for record in log} == {0}


@pytest.mark.parametrize("body", [b'{"inputs": [[1]]}', LARGE], ids=["small", "large"])
def test_a_tls_connection_found_closed_is_reopened(
    papers: Certificates, trust: ssl.SSLContext, body: bytes
) -> None:
    """As a plain one."""
    with (
        scoring_server(Behaviour(default=replies.STALE), tls=papers.server) as server,
        connection_to(server.url, tls=trust) as connection,
    ):
        fates = []
        for _ in range(3):
            fates.append(fate(connection, request_to(server, body)))
            gevent.sleep(0.05)
        served = [record.connection for record in server.log() if record.answered_s is not None]
    assert fates == [200] * 3
    assert served == [0, 1, 2]
    assert connection.reconnects == 2


@pytest.mark.parametrize(
    ("reply", "outcome"),
    [
        pytest.param(replies.CHUNKED, 200, id="chunked"),
        pytest.param(replies.UNTIL_CLOSE, 200, id="no length"),
        pytest.param(replies.GARBAGE_AFTER, 200, id="another answer after it"),
        pytest.param(replies.DRIP, 200, id="byte by byte"),
        pytest.param(replies.CLOSED, Outcome.CONNECTION_CLOSED, id="closed"),
        pytest.param(replies.RESET, Outcome.CONNECTION_RESET, id="reset"),
        pytest.param(replies.CUT_IN_BODY, Outcome.CONNECTION_CLOSED, id="cut in its body"),
        pytest.param(replies.NEVER, Outcome.CLIENT_TIMEOUT, id="no answer"),
        pytest.param(replies.NOT_HTTP, Outcome.MALFORMED_HTTP, id="SSH"),
    ],
)
def test_answers_over_tls(
    papers: Certificates, trust: ssl.SSLContext, reply: Reply, outcome: int | Outcome
) -> None:
    """What is whole or broken without TLS is so with it; the next call is answered."""
    with (
        scoring_server(Behaviour(script={0: reply}), tls=papers.server) as server,
        connection_to(server.url, tls=trust, timeout_s=1.0) as connection,
    ):
        assert [fate(connection, request_to(server)) for _ in range(2)] == [outcome, 200]
        assert server.calls == 2
    assert connection.reconnects == 0


class ServerInMemory:
    """The socket of a client whose server is here, so that a test says what comes in one piece."""

    def __init__(self, certificate: Path) -> None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)
        self._to, self._from = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.tls = context.wrap_bio(self._to, self._from, server_side=True)

    def send(self, data: bytes) -> int:
        return self._to.write(data)

    def recv(self, size: int) -> bytes:
        if not self._from.pending:
            raise BlockingIOError
        return self._from.read(size)

    def shake_hands_with(self, client: TlsSocket) -> None:
        for _ in range(2):
            with suppress(BlockingIOError):
                client.handshake()
            with suppress(ssl.SSLWantReadError):
                self.tls.do_handshake()


def test_what_is_left_over_meets_no_later_call(papers: Certificates, trust: ssl.SSLContext) -> None:
    """A second record that came with an answer's is not taken for the answer to the next call."""
    server = ServerInMemory(papers.server)
    client = TlsSocket(server, trust, "localhost")
    server.shake_hands_with(client)
    assert client.send(b"first") == 5
    assert server.tls.read(100) == b"first"
    server.tls.write(b"its answer")
    assert client.recv(1000) == b"its answer"
    assert client.send(b"second") == 6
    server.tls.write(b"its answer")
    server.tls.write(b"and one that nobody asked for")
    assert client.recv(1000) == b"its answer"
    with pytest.raises(BrokenPipeError):
        client.send(b"third")


def test_a_killed_call_over_tls(papers: Certificates, trust: ssl.SSLContext) -> None:
    """The connection is used again, with a new handshake."""
    with (
        scoring_server(Behaviour(script={0: SLOW}), tls=papers.server) as server,
        connection_to(server.url, tls=trust) as connection,
    ):
        killed = gevent.spawn(connection.call, request_to(server))
        gevent.sleep(0.2)
        killed.kill()
        assert fate(connection, request_to(server)) == 200


def test_a_server_without_tls(trust: ssl.SSLContext) -> None:
    """https:// to a plain server fails as TLS, http:// to a TLS server does not look like an answer."""
    with (
        scoring_server() as server,
        connection_to(f"https://127.0.0.1:{server.port}", tls=trust, connect_timeout_s=0.5) as connection,
    ):
        found = fate(connection, request_to(server))
    # The server takes the hello for a request that has no end yet, and waits; or answers it with a 400.
    assert found in (Outcome.TLS_FAILED, Outcome.CONNECT_TIMEOUT)


def test_a_tls_server_called_without(papers: Certificates) -> None:
    """The call fails; it does not hang."""
    with (
        scoring_server(tls=papers.server) as server,
        connection_to(f"http://127.0.0.1:{server.port}", timeout_s=5.0) as connection,
    ):
        assert isinstance(fate(connection, request_to(server)), Outcome)


def test_a_handshake_that_stops(trust: ssl.SSLContext) -> None:
    """A server that accepts and says nothing is given up after the connect timeout, not the call's."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        url = f"https://127.0.0.1:{listener.getsockname()[1]}"
        with (
            connection_to(url, tls=trust, connect_timeout_s=0.2, timeout_s=60.0) as connection,
            lasting_at_least(0.2),
        ):
            assert fate(connection, request_to(url)) is Outcome.CONNECT_TIMEOUT


def test_authorities_that_cannot_be_read(tmp_path: Path) -> None:
    """A CA file that is missing, a folder or no PEM is named before the first call."""
    (tmp_path / "text.pem").write_text("no certificate")
    for name in ("missing.pem", "", "text.pem"):
        with pytest.raises(InputError, match=r"expected a file of PEM certificates") as caught:
            client_context(tmp_path / name)
        assert str(tmp_path / name) in str(caught.value)


def test_verification_is_the_default() -> None:
    """Without any option, certificate and name are checked."""
    context = client_context()
    assert (context.verify_mode, context.check_hostname) == (ssl.CERT_REQUIRED, True)
