"""Who may join: stands between Locust's messages and the network. Knows Locust's sockets, and the secret.

With a secret, what is sent is sealed, and what is not sealed is not heard. Without one, a master that nobody
told where to listen listens on this machine alone.
"""

from __future__ import annotations

import logging
import os
import secrets
from pathlib import Path
from typing import Any

import zmq
from locust.rpc import Message, zmqrpc

from scorebench.cluster import bounds
from scorebench.cluster.seals import LEAST_SECRET, MASTER, WORKER, Forged, Seals
from scorebench.errors import InputError
from scorebench.plugin.lifecycle.messages import KEY
from scorebench.plugin.lifecycle.refusing import refuse
from scorebench.runs.launch import SECRET_VARIABLE

SECRET, SECRET_FILE = SECRET_VARIABLE, f"{SECRET_VARIABLE}_FILE"
"""The environment variables that hold the secret, or name a file that does. Never an option: anybody on the
machine can read those."""
EVERYWHERE = "*"
"""Locust's default of --master-bind-host."""
LOOPBACK = ("127.0.0.1", "localhost", "::1", "[::1]")
MOST_TOLD = 5
"""Messages that are not heard and logged one by one."""

logger = logging.getLogger("scorebench")


def secret() -> bytes | None:
    """What master and workers share; None where nothing was given. InputError for one that is no secret."""
    given, file = os.environ.get(SECRET), os.environ.get(SECRET_FILE)
    if not given and not file:
        return None
    place = SECRET if given else f"{SECRET_FILE}={file}"
    if not given:
        try:
            given = Path(str(file)).read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError) as problem:
            raise InputError(f"{place}: can't be read ({problem}); expected a file with a secret") from None
    if len(given) < LEAST_SECRET:
        raise InputError(
            f"{place}: found {len(given)} characters; expected a secret of {LEAST_SECRET} or more, such as "
            "`openssl rand -hex 32` prints"
        )
    return given.encode()


class Sealed:
    """A socket of Locust's whose messages are sealed; what can't be opened or read is dropped."""

    def __init__(self, socket: Any, seals: Seals | None, worker: bytes = b"") -> None:
        """`worker` is the name of the worker whose only peer is its master."""
        self._socket, self._seals, self._worker = socket, seals, worker
        self._dropped = 0
        self._names: set[bytes] = set()
        """Of those that were heard."""

    def __getattr__(self, name: str) -> Any:
        return getattr(self._socket, name)

    def let_go(self) -> None:
        """Let this process end though nobody reads what it sent."""
        self._socket.linger = 0

    def send(self, content: bytes, flags: int = 0) -> None:
        self._socket.send(self._seal(self._worker, content), flags)

    def send_multipart(self, parts: list[bytes]) -> None:
        name, content = parts
        self._socket.send_multipart([name, self._seal(name, content)])

    def recv(self) -> bytes:
        while True:
            content = self._opened(self._worker, self._socket.recv())
            if content is not None:
                return content

    def recv_multipart(self) -> list[bytes]:
        while True:
            name, *parts = self._socket.recv_multipart()
            content = self._opened(name, parts[0]) if len(parts) == 1 else None
            if content is not None:
                return [name, content]

    def _seal(self, name: bytes, content: bytes) -> bytes:
        return content if self._seals is None else self._seals.seal(name, content)

    def _opened(self, name: bytes, message: bytes) -> bytes | None:
        try:
            content = message if self._seals is None else self._seals.opened(name, message)
            if too_large := bounds.too_large(content, KEY):
                raise Forged(too_large)
            if str(Message.unserialize(content).node_id).encode() != name:
                raise Forged("it is sent in another worker's name")
            if not name.decode().isprintable():
                raise Forged("its worker's name can't be printed")
            if name not in self._names and len(self._names) >= bounds.MOST_NAMES:
                raise Forged(f"{bounds.MOST_NAMES:,} workers have come already")
            self._names.add(name)
        except Exception as problem:  # whatever a stranger sends must not end this process
            self._drop(name, problem)
            return None
        return content

    def _drop(self, name: bytes, problem: Exception) -> None:
        self._dropped += 1
        if self._dropped <= MOST_TOLD:
            why = str(problem) if isinstance(problem, Forged) else "it can't be read"
            logger.warning("scorebench: a message of %r was not heard: %s", name[:60], why)


class Server(zmqrpc.Server):
    """Where a master listens."""

    def __init__(self, host: str, port: int) -> None:
        shared = _secret_or_exit()
        if shared is None and host == EVERYWHERE:
            logger.warning(
                "scorebench: this master listens on 127.0.0.1 alone. For workers on other machines set %s, "
                "or %s, to the same secret for all, or name an address with --master-bind-host.",
                SECRET,
                SECRET_FILE,
            )
            host = LOOPBACK[0]
        elif shared is None and host not in LOOPBACK:
            logger.warning(
                "scorebench: this master listens on %s without a secret: anybody who reaches port %s can "
                "join and report any figures. Set %s for master and workers.",
                host,
                port,
                SECRET,
            )
        self._shared = shared
        super().__init__(host, port)

    @property
    def socket(self) -> Any:
        """Sealed. Locust makes it, and then binds it: what it refuses must be said in between."""
        return self._sealed

    @socket.setter
    def socket(self, made: Any) -> None:
        made.setsockopt(zmq.MAXMSGSIZE, bounds.MOST_MESSAGE_BYTES)
        self._sealed = Sealed(made, _seals(self._shared, MASTER))


class Client(zmqrpc.Client):
    """A worker's line to its master."""

    def __init__(self, host: str, port: int, identity: str) -> None:
        super().__init__(host, port, identity)
        self.socket: Any = Sealed(self.socket, _seals(_secret_or_exit(), WORKER), identity.encode())


_made: dict[tuple[int, bytes], Seals] = {}
"""By process and role: a line that breaks and is made again goes on with its conversation."""


def _seals(shared: bytes | None, role: bytes) -> Seals | None:
    if shared is None:
        return None
    return _made.setdefault((os.getpid(), role), Seals(shared, role, secrets.token_bytes(16)))


def _secret_or_exit() -> bytes | None:
    try:
        return secret()
    except InputError as error:
        refuse(error)


def let_go(line: Any) -> None:
    """The other end of a worker's line is gone: what is sent there must not keep this process."""
    if isinstance(line.socket, Sealed):
        line.socket.let_go()


def install() -> None:
    """Have Locust use these for its master and workers; before it makes them."""
    zmqrpc.Server, zmqrpc.Client = Server, Client  # type: ignore[misc]
