"""TLS over a socket that never blocks: bytes in, bytes out. Knows ssl; nothing of HTTP, and no clock."""

from __future__ import annotations

import errno
import ssl
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from scorebench.errors import InputError

_RECORD_BYTES = 16_384


@dataclass(frozen=True)
class Certificate:
    """What a client shows a server that asks for it (mutual TLS): PEM files. `key` None: it is in `file`."""

    file: Path
    key: Path | None = None


def client_context(ca_file: Path | None = None, certificate: Certificate | None = None) -> ssl.SSLContext:
    """A context that verifies the server's certificate and name, against `ca_file` or the system's store.

    With `certificate` the client shows one too. InputError for files that can't be used.
    """
    try:
        context = ssl.create_default_context(cafile=None if ca_file is None else str(ca_file))
    except (OSError, ssl.SSLError) as error:
        raise InputError(f"{ca_file}: {error}; expected a file of PEM certificates") from None
    if certificate is not None:
        _show(context, certificate)
    return context


def _show(context: ssl.SSLContext, certificate: Certificate) -> None:
    for flag, path in (("--cert", certificate.file), ("--key", certificate.key)):
        try:
            if path is not None:
                path.read_bytes()
        except OSError as error:  # which ssl would not name
            raise InputError(f"{flag} {path}: {error.strerror}; expected a PEM file") from None
    place = f"--key {certificate.key}" if certificate.key else f"--cert {certificate.file}"
    try:
        context.load_cert_chain(certificate.file, certificate.key, password=_ask_nobody)
    except _Encrypted:
        raise InputError(f"{place}: the key is encrypted; expected one without a passphrase") from None
    except ssl.SSLError as error:
        reason = (error.reason or "no PEM").lower().replace("_", " ")
        raise InputError(
            f"{place}: {reason}; expected the PEM key of the certificate in {certificate.file}"
        ) from None


class _Encrypted(Exception):
    """OpenSSL asks for a passphrase, on the terminal if nobody answers."""


def _ask_nobody() -> str:
    raise _Encrypted


class TlsSocket:
    """The `send` and `recv` of a socket, encrypted. Both raise BlockingIOError when they must wait.

    `unsent` is true while encrypted bytes wait for the socket: call `flush` until it is false.
    """

    def __init__(self, sock: Any, context: ssl.SSLContext, host: str) -> None:
        self._sock = sock
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._tls = context.wrap_bio(self._incoming, self._outgoing, server_hostname=host)
        self._pending = b""
        self._answered = False
        self.unanswered_bytes = 0
        """Encrypted bytes sent since something was received."""

    @property
    def unsent(self) -> bool:
        return bool(self._pending) or self._outgoing.pending > 0

    def flush(self) -> None:
        """Send what is encrypted already."""
        while self.unsent:
            self._pending = self._pending or self._outgoing.read()
            sent = self._sock.send(self._pending)
            self.unanswered_bytes += sent
            self._pending = self._pending[sent:]

    def handshake(self) -> None:
        """Go on with the handshake as far as the bytes that are there allow."""
        while True:
            try:
                self._tls.do_handshake()
            except ssl.SSLWantReadError:
                self.flush()
                self._fill()
            else:
                self.flush()
                return

    def send(self, data: bytes | memoryview) -> int:
        """Encrypt and send a part of `data`; how many bytes of it were taken.

        BrokenPipeError where the server closed, or where bytes of it are left over from its last answer:
        they would be taken for the answer to what is sent now.
        """
        self.flush()
        if self._answered and (self._incoming.pending or self._tls.pending()):
            raise BrokenPipeError(errno.EPIPE, "bytes that no call waits for")
        try:
            taken = self._tls.write(data[:_RECORD_BYTES])
        except (ssl.SSLZeroReturnError, ssl.SSLEOFError):
            raise BrokenPipeError(errno.EPIPE, "the server ended the session") from None
        with suppress(BlockingIOError):  # `unsent` says so
            self.flush()
        return taken

    def recv(self, size: int) -> bytes:
        """Up to `size` bytes; b"" when the server closed."""
        while True:
            try:
                data = self._tls.read(size)
            except ssl.SSLWantReadError:
                self._fill()
            except (ssl.SSLZeroReturnError, ssl.SSLEOFError):
                return b""
            else:
                self._answered = True
                self.unanswered_bytes = 0
                return data

    def _fill(self) -> None:
        data = self._sock.recv(4 * _RECORD_BYTES)
        if data:
            self._incoming.write(data)
        else:
            self._incoming.write_eof()
