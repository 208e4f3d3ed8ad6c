"""A request → the bytes that answer it, remembered: the same body is parsed once. No socket, no time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeVar

from tests.scoring_server.replies import NOT_FOUND, Reply, rejected, unsupported
from tests.scoring_server.scoring import NotScored, predict, rows_of

K = TypeVar("K")
V = TypeVar("V")

REMEMBERED = 20_000  # bodies and heads; more than that and all are forgotten


@dataclass(frozen=True)
class Head:
    """A request's head. `body_bytes` is None where its length is not told in a way that this server reads."""

    method: str
    path: str
    headers: Mapping[str, str]
    body_bytes: int | None

    @property
    def content_type(self) -> str:
        return self.headers.get("content-type", "")


@dataclass(frozen=True)
class Answer:
    """What goes out for one body."""

    body: bytes  # the request's, one object for all calls that sent the same
    rows: int | None
    reply: Reply
    wire: bytes


class Answers:
    """Heads and answers, made on first sight."""

    def __init__(self) -> None:
        self._heads: dict[bytes, Head] = {}
        self._answers: dict[tuple[int, str, bytes], Answer] = {}

    def head(self, data: bytes) -> Head:
        """`data` ends with the empty line. Raises ValueError if it is no HTTP/1.1 request."""
        found = self._heads.get(data)
        if found is None:
            found = _kept(self._heads, data, parse_head(data))
        return found

    def answer(self, reply: Reply, content_type: str, body: bytes) -> Answer:
        """The reply to that body; where it can't be scored, MLflow's error in its place."""
        key = (id(reply), content_type, body)  # by identity: comparing two replies costs more than a call may
        found = self._answers.get(key)
        if found is None:
            found = _kept(self._answers, key, _answer(reply, content_type, body))
        return found


def parse_head(data: bytes) -> Head:
    """The head of an HTTP/1.1 request, as strictly as a server reads it."""
    first, *lines = data[:-4].decode("latin-1").split("\r\n")
    method, path, version = first.split(" ")
    if version != "HTTP/1.1":
        raise ValueError(f"{version!r} is not HTTP/1.1")
    headers = {}
    for line in lines:
        name, colon, value = line.partition(":")
        if not colon or name != name.strip() or name.lower() in headers:
            raise ValueError(f"{line!r} is no header, or its second")
        headers[name.lower()] = value.strip()
    length = headers.get("content-length", "0")
    told = length.isdecimal() and "transfer-encoding" not in headers
    return Head(method, path, headers, int(length) if told else None)


def probe(head: Head, version: str) -> Reply:
    """What MLflow answers to a GET."""
    bodies = {"/ping": b"\n", "/health": b"\n", "/version": version.encode()}
    body = bodies.get(head.path)
    return NOT_FOUND if body is None else Reply(body=body)


def _answer(reply: Reply, content_type: str, body: bytes) -> Answer:
    try:
        predictions = [predict(row) for row in rows_of(body, content_type)]
    except NotScored as error:
        refusal = unsupported(content_type) if error.status == 415 else rejected(message=str(error))
        reply = refusal if reply.predicts else reply
        return Answer(body, None, reply, reply.message([]))
    return Answer(body, len(predictions), reply, reply.message(predictions))


def _kept(memory: dict[K, V], key: K, value: V) -> V:
    if len(memory) >= REMEMBERED:
        memory.clear()
    memory[key] = value
    return value
