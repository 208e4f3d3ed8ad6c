"""A local HTTPS service that lets calls in by the published rules, and logs them. Knows no scorebench.

It stands for services that no test can reach: an OAuth token server (RFC 6749), Databricks, Entra, a gateway.
What it is asked for against the rules it refuses, and says why, so that a test sees it.
"""

from __future__ import annotations

import json
import ssl
import threading
from base64 import b64decode
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from time import monotonic
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from tests.scoring_server import predict, rows_of


@dataclass(frozen=True)
class Asked:
    """One request; names of headers are in lower case, `at_s` is `time.monotonic()`."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes
    at_s: float
    peer: str | None = None
    """A name that the client's certificate is for."""

    @property
    def form(self) -> dict[str, str]:
        """The fields of a form-encoded body, each given once."""
        assert self.headers.get("content-type") == "application/x-www-form-urlencoded"
        fields = parse_qs(self.body.decode("ascii"), strict_parsing=True)
        assert all(len(values) == 1 for values in fields.values())
        return {name: values[0] for name, values in fields.items()}


@dataclass(frozen=True)
class Said:
    """An answer: `content` becomes JSON."""

    status: int
    content: object = field(default_factory=dict)


Route = Callable[[Asked], Said]


class Gateway:
    """A service on a free port of 127.0.0.1. `routes` by path, without its query."""

    def __init__(
        self,
        pem: Path | None,
        routes: Mapping[str, Route],
        client_ca: Path | None = None,
        *,
        keeps_alive: bool = True,
    ) -> None:
        self._keeps_alive = keeps_alive
        self.log: list[Asked] = []
        self.answers: list[int] = []
        """The status of each answer, in the order in which they were made."""
        self.routes = dict(routes)
        gateway = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *_: object) -> None:
                pass

            def _serve(self) -> None:
                gateway.serve(self)

            do_GET = do_POST = _serve

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        if pem is not None:
            context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=client_ca)
            context.load_cert_chain(pem)
            if client_ca is not None:
                context.verify_mode = ssl.CERT_REQUIRED
            self._server.socket = context.wrap_socket(
                self._server.socket, server_side=True, do_handshake_on_connect=False
            )
        self.port = int(self._server.server_address[1])
        self.url = f"{'http' if pem is None else 'https'}://localhost:{self.port}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)
        self._thread.start()

    def serve(self, handler: BaseHTTPRequestHandler) -> None:
        """Answer one request by its route."""
        body = handler.rfile.read(int(handler.headers.get("content-length", 0)))
        headers = {name.lower(): value for name, value in handler.headers.items()}
        asked = Asked(handler.command, handler.path, headers, body, monotonic(), _peer(handler.connection))
        self.log.append(asked)
        route = self.routes.get(urlsplit(handler.path).path)
        said = Said(404, {"message": f"no {handler.path}"}) if route is None else route(asked)
        content = json.dumps(said.content).encode()
        self.answers.append(said.status)
        handler.send_response(said.status)
        handler.send_header("Content-Type", "application/json")
        handler.send_header("Content-Length", str(len(content)))
        if not self._keeps_alive:
            handler.send_header("Connection", "close")
        handler.end_headers()
        handler.wfile.write(content)

    def asked(self, path: str) -> list[Asked]:
        """The requests for `path`."""
        return [one for one in self.log if urlsplit(one.path).path == path]

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()


def _peer(connection: object) -> str | None:
    if not isinstance(connection, ssl.SSLSocket):
        return None
    names: Any = (connection.getpeercert() or {}).get("subjectAltName", ())
    return next((str(value) for kind, value in names if kind == "DNS"), None)


@contextmanager
def gateway(
    pem: Path | None,
    routes: Mapping[str, Route],
    client_ca: Path | None = None,
    *,
    keeps_alive: bool = True,
) -> Iterator[Gateway]:
    """A running gateway; `pem` has its key and certificate, None: plain HTTP."""
    running = Gateway(pem, routes, client_ca, keeps_alive=keeps_alive)
    try:
        yield running
    finally:
        running.stop()


def scores(asked: Asked) -> Said:
    """One prediction a row, as MLflow would."""
    rows = rows_of(asked.body, asked.headers["content-type"])
    return Said(200, {"predictions": [predict(row) for row in rows]})


class Tokens:
    """Issues tokens for client credentials (RFC 6749, sections 2.3.1, 4.4 and 5) and knows which are good.

    `refuses` makes it answer 401 with its text; `expected` are fields that must be in each request.
    """

    def __init__(
        self,
        client_id: str,
        secret: str,
        *,
        lifetime_s: float,
        expected: Mapping[str, str] | None = None,
        in_body: bool = False,
    ) -> None:
        self.client_id, self.secret, self.lifetime_s = client_id, secret, lifetime_s
        self.refuses: str | None = None
        self.issued: dict[str, float] = {}
        """Each token and when it ends."""
        self.faults: list[str] = []
        """What was asked for against the rules."""
        self._expected, self._in_body = dict(expected or {}), in_body

    def issue(self, asked: Asked) -> Said:
        """The route of the token's URL."""
        if self.refuses is not None:
            return Said(401, {"error": "invalid_client", "error_description": self.refuses})
        fields = asked.form
        found = (
            (fields.pop("client_id", ""), fields.pop("client_secret", ""))
            if self._in_body
            else basic(asked, form_encoded=True)
        )
        wanted = {"grant_type": "client_credentials", **self._expected}
        if asked.method != "POST" or fields != wanted:
            self.faults.append(f"{asked.method} with {fields}; expected {wanted}")
            return Said(400, {"error": "invalid_request"})
        if found != (self.client_id, self.secret):
            return Said(401, {"error": "invalid_client", "error_description": f"not {found[1]}"})
        token = f"token-{len(self.issued)}-0123456789abcdef"
        self.issued[token] = monotonic() + self.lifetime_s
        return Said(200, {"access_token": token, "token_type": "Bearer", "expires_in": self.lifetime_s})

    def admits(self, asked: Asked) -> bool:
        """Whether the request carries a token that is good at this moment."""
        kind, _, token = asked.headers.get("authorization", "").partition(" ")
        return kind == "Bearer" and self.issued.get(token, 0.0) > asked.at_s

    def guard(self, route: Route) -> Route:
        """`route` for who is let in, 401 for the others."""
        return lambda asked: route(asked) if self.admits(asked) else Said(401, {"message": "who are you?"})


def basic(asked: Asked, *, form_encoded: bool = False) -> tuple[str, str]:
    """User and password of a request (RFC 7617); for OAuth clients each is form-encoded first."""
    kind, _, encoded = asked.headers.get("authorization", "").partition(" ")
    if kind != "Basic":
        return "", ""
    user, _, password = b64decode(encoded, validate=True).decode("utf-8").partition(":")
    return (unquote(user), unquote(password)) if form_encoded else (user, password)
