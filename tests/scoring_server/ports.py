"""Ports where no server answers, and certificates for those that do. Knows sockets and trustme."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path


@dataclass(frozen=True)
class Certificates:
    """PEM files: `ca` is what a client trusts, `server` what a server shows (key and chain in one)."""

    ca: Path
    server: Path


def certificates(folder: Path, *names: str, expired: bool = False) -> Certificates:
    """A new authority and a certificate of it for `names` (without any: localhost, 127.0.0.1 and ::1)."""
    import trustme  # takes longer than the server's whole start

    authority = trustme.CA()
    until = datetime.now(UTC) - timedelta(days=1) if expired else None
    issued = authority.issue_cert(*(names or ("localhost", "127.0.0.1", "::1")), not_after=until)
    found = Certificates(folder / "ca.pem", folder / "server.pem")
    authority.cert_pem.write_to_path(str(found.ca))
    issued.private_key_and_cert_chain_pem.write_to_path(str(found.server))
    return found


def refusing_port(host: str = "127.0.0.1") -> int:
    """A port where nobody listens: a connection to it is refused."""
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as sock:
        sock.bind((host, 0))
        port: int = sock.getsockname()[1]
        return port


@contextmanager
def silent_port() -> Iterator[int]:
    """A port where connections neither succeed nor fail (Linux): its queue of unaccepted ones is full."""
    with ExitStack() as stack:
        listener = stack.enter_context(socket.socket())
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        for _ in range(4):
            filler = stack.enter_context(socket.socket())
            filler.setblocking(False)
            filler.connect_ex(listener.getsockname())
        yield listener.getsockname()[1]
