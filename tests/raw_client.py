"""A client of a few lines, for tests that must see every byte. Knows sockets; nothing of scorebench."""

from __future__ import annotations

import http.client
import socket

from tests.scoring_server import (
    ScoringServer,
)

TWO_ROWS = b'{"dataframe_split": {"columns": ["a", "b"], "data": [[1, 2.5], [3, 4]]}}'
ANSWER = {"predictions": [3.5, 7.0]}  # 1 + 2.5, 3 + 4
WAIT_S = 5.0


def request(
    body: bytes = TWO_ROWS, path: str = "/invocations", content_type: str = "application/json"
) -> bytes:
    head = f"POST {path} HTTP/1.1\r\ncontent-type: {content_type}\r\ncontent-length: {len(body)}\r\n\r\n"
    return head.encode() + body


def connect(server: ScoringServer) -> socket.socket:
    return socket.create_connection((server.host, server.port), timeout=WAIT_S)


def read_answer(sock: socket.socket) -> tuple[int, bytes]:
    """Status and body, as the standard library reads them."""
    response = http.client.HTTPResponse(sock, method="POST")
    response.begin()
    return response.status, response.read()


def ask(sock: socket.socket, message: bytes | None = None) -> tuple[int, bytes]:
    sock.sendall(message or request())
    return read_answer(sock)


def read_to_end(sock: socket.socket) -> bytes:
    parts = []
    while part := sock.recv(65536):
        parts.append(part)
    return b"".join(parts)
