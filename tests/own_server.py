"""A kind of server of the tests' own, written as anybody would write one. The fake server answers for it."""

from __future__ import annotations

from contextlib import ExitStack

from scorebench.recordings.types import Sample
from scorebench.servers.kinds import Kind, Wanted
from scorebench.servers.protocol import Progress, ServerInfo
from tests.scoring_server import Behaviour, Constant, ScoringServer, scoring_server

MINE = Kind(
    name="mine",
    title="Mine",
    port=5999,
    about="a server of the tests",
    needs="nothing",
    module="tests.own_server",
)


class OwnServer:
    """Counts what it was asked; `looks`: how often it is alive before it ends by itself."""

    kind = MINE.name
    last: OwnServer | None = None
    looks = 1_000_000

    def __init__(self, wanted: Wanted) -> None:
        self.wanted = wanted
        self.fake: ScoringServer | None = None
        self.calls = 0
        self._stack = ExitStack()
        OwnServer.last = self

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self.wanted.port}" if self.fake is None else self.fake.url

    def start(self, progress: Progress | None = None) -> None:
        self.fake = self._stack.enter_context(scoring_server(Behaviour(service=Constant(0.01))))

    def wait_ready(self, progress: Progress | None = None, timeout_s: float | None = None) -> None: ...

    def describe(self) -> ServerInfo:
        return ServerInfo(
            kind=self.kind, url=self.endpoint, model=self.wanted.model_uri, workers=self.wanted.workers
        )

    def usage(self) -> list[Sample]:
        return []

    def log_tail(self, lines: int = 20) -> str:
        return "mine has said nothing"

    def alive(self) -> bool:
        self.looks -= 1
        return self.looks > 0

    def exit_status(self) -> int | None:
        return 7

    def stop(self) -> None:
        if self.fake is not None:
            self.calls = len(self.fake.log())
        self._stack.close()


def create(wanted: Wanted) -> OwnServer:
    return OwnServer(wanted)
