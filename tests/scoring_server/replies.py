"""What the server may answer, as data: MLflow's replies, nginx's, and broken HTTP. No socket, no time."""

from __future__ import annotations

import json
from dataclasses import dataclass
from enum import Enum
from http import HTTPStatus

from tests.scoring_server.scoring import CSV, JSON, PARQUET

HTML, TEXT = "text/html", "text/plain; charset=utf-8"
STREAM = "text/event-stream; charset=utf-8"


class Framing(Enum):
    """How the client learns where the body ends."""

    LENGTH = "content-length"
    CHUNKED = "chunked"
    UNTIL_CLOSE = "the end of the connection"


class End(Enum):
    """What becomes of the connection after the reply."""

    KEEP = "kept alive"
    CLOSE = "closed"
    RESET = "reset"


class Read(Enum):
    """How much of the request is read before the reply leaves."""

    ALL = "all"
    HEAD_THEN_REST = "the head; the rest is read and thrown away after the reply"
    HEAD = "the head; the rest is never read"


@dataclass(frozen=True)
class Predictions:
    """The body is what MLflow answers: one prediction a row, `predict(row)`.

    `extra` predictions more (or fewer) than rows; `nan` puts a bare NaN first; `bare` is 1.x's plain list.
    """

    extra: int = 0
    nan: bool = False
    bare: bool = False
    tensor: bool = False
    """As the Open Inference Protocol, version 2, answers."""

    def encode(self, values: list[float]) -> bytes:
        values = values[: len(values) + self.extra] if self.extra < 0 else values + [0.0] * self.extra
        values = [float("nan"), *values[1:]] if self.nan else values
        if self.tensor:
            output = {"name": "predict", "shape": [len(values), 1], "datatype": "FP64", "data": values}
            return json.dumps({"model_name": "m", "id": "1", "outputs": [output]}).encode()
        return json.dumps(values if self.bare else {"predictions": values}).encode()


@dataclass(frozen=True)
class Reply:
    """One answer and what happens around it. `dataclasses.replace` makes another of it.

    `cut`: only so many bytes of the message leave, a negative number counts from its end; 0 is silence.
    `raw` takes the place of the message; `before` and `after` are sent around it as they are. With
    `piece_bytes` it leaves piece by piece, `pause_s` apart. `service_s` takes the place of the draw.

    `stream` are the pieces of a body that leaves while it is made: after the head each leaves by itself,
    `pause_s` apart, and the log holds when. There `cut` counts these pieces.
    """

    status: int = 200
    body: bytes | Predictions = Predictions()
    content_type: str = JSON
    headers: tuple[tuple[str, str], ...] = ()
    framing: Framing = Framing.LENGTH
    end: End = End.KEEP
    announce_end: bool = True
    read: Read = Read.ALL
    before: bytes = b""
    after: bytes = b""
    raw: bytes | None = None
    cut: int | None = None
    piece_bytes: int | None = None
    pause_s: float = 0.0
    service_s: float | None = None
    stream: tuple[bytes, ...] = ()

    @property
    def predicts(self) -> bool:
        """Whether the request's rows decide what the body is."""
        return self.raw is None and isinstance(self.body, Predictions)

    def message(self, predictions: list[float]) -> bytes:
        """The bytes that go out, whole (not yet cut)."""
        if self.raw is not None:
            return self.raw
        if self.stream:
            return b"".join(self.wire_pieces())
        body = self.body.encode(predictions) if isinstance(self.body, Predictions) else self.body
        return b"".join((self.before, self._head(len(body)), self._framed(body), self.after))

    def wire_pieces(self) -> list[bytes]:
        """Of a stream: the head, each piece as HTTP frames it, and what ends it."""
        framed = self.stream
        if self.framing is Framing.CHUNKED:
            framed = tuple(b"%x\r\n%b\r\n" % (len(piece), piece) for piece in (*self.stream, b""))
        pieces = [self._head(sum(map(len, self.stream))), *framed]
        return pieces if self.cut is None else pieces[: self.cut]

    def _head(self, body_bytes: int) -> bytes:
        lines = [
            f"HTTP/1.1 {self.status} {_reason(self.status)}",
            "server: uvicorn",
            f"content-type: {self.content_type}",
        ]
        if self.framing is Framing.LENGTH:
            lines.append(f"content-length: {body_bytes}")
        elif self.framing is Framing.CHUNKED:
            lines.append("transfer-encoding: chunked")
        if self.announce_end and self.end is not End.KEEP:
            lines.append("connection: close")
        lines += [f"{name}: {value}" for name, value in self.headers]
        return "\r\n".join([*lines, "", ""]).encode()

    def _framed(self, body: bytes) -> bytes:
        if self.framing is not Framing.CHUNKED:
            return body
        size = max(1, len(body) // 3)  # three chunks or four: a client that reads one is found out
        chunks = [body[at : at + size] for at in range(0, len(body), size)] + [b""]
        return b"".join(b"%x\r\n%b\r\n" % (len(chunk), chunk) for chunk in chunks)


def _reason(status: int) -> str:
    return HTTPStatus(status).phrase if status in HTTPStatus.__members__.values() else ""


PREDICTED = Reply()

# HTTP that is correct, and that a client must bear
CHUNKED = Reply(framing=Framing.CHUNKED)
CLOSING = Reply(end=End.CLOSE)  # says `connection: close`, and does
UNTIL_CLOSE = Reply(framing=Framing.UNTIL_CLOSE, end=End.CLOSE)
EMPTY = Reply(body=b"")
CONTINUE_FIRST = Reply(before=b"HTTP/1.1 100 Continue\r\n\r\n")
HINTS_FIRST = Reply(before=b"HTTP/1.1 103 Early Hints\r\nlink: </style.css>; rel=preload\r\n\r\n")
EARLY = Reply(413, b"too large", TEXT, end=End.CLOSE, read=Read.HEAD_THEN_REST)
EARLY_AND_GONE = Reply(413, b"too large", TEXT, end=End.CLOSE, read=Read.HEAD)
DRIP = Reply(piece_bytes=1, pause_s=0.001)

INVALID = Reply(
    400, b"Invalid HTTP request received.", TEXT, end=End.CLOSE
)  # uvicorn's, to what is no HTTP/1.1
NO_METHOD = Reply(405, b'{"detail":"Method Not Allowed"}')

# HTTP that breaks
STALE = Reply(
    end=End.CLOSE, announce_end=False
)  # answered in full, then closed without a word: the next call finds out
CLOSED = Reply(cut=0, end=End.CLOSE)
RESET = Reply(cut=0, end=End.RESET)
NEVER = Reply(cut=0)
CUT_IN_HEAD = Reply(cut=25, end=End.CLOSE)
CUT_IN_BODY = Reply(cut=-5, end=End.CLOSE)
CUT_IN_CHUNKS = Reply(
    framing=Framing.CHUNKED, cut=-5, end=End.CLOSE
)  # the empty chunk that ends the body is missing
RESET_IN_BODY = Reply(cut=-5, end=End.RESET)
STALLED = Reply(cut=-5)
GARBAGE_AFTER = Reply(after=b"HTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\n???")
MALFORMED = Reply(raw=b"HTTP/1.1 OK 200\r\ncontent-length: 0\r\n\r\n")
NOT_HTTP = Reply(raw=b"SSH-2.0-OpenSSH_9.2\r\n")

# Answers that are no predictions, as MLflow, uvicorn and others word them
WRONG_COUNT = Reply(body=Predictions(extra=-1))
ONE_TOO_MANY = Reply(body=Predictions(extra=1))
NAN = Reply(body=Predictions(nan=True))
TENSOR = Reply(body=Predictions(tensor=True))
BARE_LIST = Reply(body=Predictions(bare=True))
NOT_JSON = Reply(body=b"5.47, 5.12", content_type=TEXT)
UNAUTHORIZED = Reply(401, b'{"error_code": "UNAUTHENTICATED", "message": "no token"}')
NOT_FOUND = Reply(404, b'{"detail":"Not Found"}')
CRASHED = Reply(500, b"Internal Server Error", TEXT)
OVERLOADED = Reply(503, b"Service Unavailable", TEXT, end=End.CLOSE)  # uvicorn above its concurrency limit
TOO_MANY = Reply(429, b'{"message": "Too Many Requests"}', headers=(("retry-after", "1"),))
MLFLOW_TIMEOUT = Reply(
    504, b"Request processing time exceeded limit"
)  # a JSON header and no JSON, as MLflow sends it


def raw(message: bytes, end: End = End.KEEP) -> Reply:
    """These bytes and no others."""
    return Reply(raw=message, end=end)


def streamed(*pieces: bytes, pause_s: float = 0.0, framing: Framing = Framing.CHUNKED) -> Reply:
    """Server-sent events, in these pieces."""
    end = End.CLOSE if framing is Framing.UNTIL_CLOSE else End.KEEP
    return Reply(
        body=b"", content_type=STREAM, framing=framing, end=end, pause_s=pause_s, stream=tuple(pieces)
    )


def huge(body_bytes: int, framing: Framing = Framing.LENGTH) -> Reply:
    """An answer whose body has that size."""
    return Reply(body=b" " * body_bytes, framing=framing)


def nginx(status: int) -> Reply:
    """The page that nginx itself answers with: 413, 429, 502, 503, 504."""
    title = f"{status} {'Request Entity Too Large' if status == 413 else _reason(status)}"
    page = (
        f"<html>\r\n<head><title>{title}</title></head>\r\n<body>\r\n<center><h1>{title}</h1></center>\r\n"
        "<hr><center>nginx</center>\r\n</body>\r\n</html>\r\n"
    )
    return Reply(status, page.encode(), HTML)


def rejected(code: str = "BAD_REQUEST", message: str = "Failed to enforce schema") -> Reply:
    """MLflow's 400 for a request that it does not take."""
    return Reply(400, json.dumps({"error_code": code, "message": message}).encode())


def model_error(message: str = "Encountered an unexpected error while evaluating the model.") -> Reply:
    """MLflow's 400 for a model that raised: the stack trace is what tells it from a bad request."""
    trace = 'Traceback (most recent call last):\n  File "model.py", line 1, in predict\nValueError: no\n'
    return Reply(
        400, json.dumps({"error_code": "BAD_REQUEST", "message": message, "stack_trace": trace}).encode()
    )


def unsupported(content_type: str) -> Reply:
    """MLflow's 415."""
    known = [CSV, JSON, PARQUET]
    text = f"This predictor only supports the following content types: Types: {known}. Got '{content_type}'."
    return Reply(415, text.encode(), TEXT)
