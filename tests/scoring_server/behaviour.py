"""How a fake server behaves and what it writes down, as records that its process and the test exchange."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from tests.scoring_server.replies import PREDICTED, Reply
from tests.scoring_server.service import NO_TIME, Draw


@dataclass(frozen=True)
class Behaviour:
    """What the server does with its calls. A call is a POST; a GET is a probe, not numbered and not scripted.

    The first of these that knows the call gives its reply: `script` by the call's number at the server, from
    0; `on_path`; `default`.

    `service` draws the time from the complete request to the answer. `at_once` calls are served while
    others queue (None: all). Inside `freezes`, (from_s, to_s) since the first call, nothing is served. An
    idle connection is closed after `idle_close_s`.
    """

    service: Draw = NO_TIME
    at_once: int | None = None
    freezes: tuple[tuple[float, float], ...] = ()
    default: Reply = PREDICTED
    script: Mapping[int, Reply] = field(default_factory=dict)
    on_path: Mapping[str, Reply] = field(default_factory=dict)
    idle_close_s: float | None = None
    path: str = "/invocations"
    version: str = "3.17.2"

    def reply(self, number: int, path: str) -> Reply | None:
        """The reply to a call, or None where nothing but the default is left."""
        return self.script.get(number) or self.on_path.get(path)


@dataclass(frozen=True)
class Place:
    """Where the server listens and runs."""

    host: str = "127.0.0.1"
    port: int = 0  # 0: a free one
    certificate: Path | None = None  # a PEM file with key and chain; None: plain HTTP
    core: int | None = None  # the one core it may use


@dataclass(slots=True)
class Record:
    """One request as the server saw it. Times are CLOCK_MONOTONIC, `time.monotonic()` of any process.

    Whatever the client measures, its sent <= first_byte_s <= complete_s <= answered_s <= its done.
    """

    connection: int  # its number at the server, from 0
    call: int  # the request's number on its connection, from 0
    first_byte_s: float  # when it came, by the kernel's stamp: the server may have woken later to read it
    number: int | None = None  # the call's number at the server, from 0; None: a probe, or no whole head came
    method: str = ""
    path: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)  # names in lower case
    body: bytes = b""
    rows: int | None = None  # None: no body with rows
    complete_s: float | None = None  # when its last byte was read; None: it was not awaited, or never came
    service_s: float | None = None  # as drawn
    started_s: float | None = None  # when its service began, after the queue
    due_s: float | None = None  # when its service ended, by the server's plan
    reply: Reply | None = None
    status: int | None = None  # None: no whole answer left
    answered_s: float | None = None  # when the last byte of a whole answer left; None: it never did
    pieces_s: list[float] = field(default_factory=list)  # when each piece of a stream left, its head first
    client_left_s: float | None = None  # when the client closed before its answer

    @property
    def response_s(self) -> float:
        """From the first byte of the request to the last of the answer."""
        if self.answered_s is None:
            raise ValueError(f"call {self.number} was not answered")
        return self.answered_s - self.first_byte_s
