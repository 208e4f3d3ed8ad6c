"""The client's certificate, read again when its files change. Knows files and TLS contexts; no connection."""

from __future__ import annotations

import ssl
from collections.abc import Callable
from pathlib import Path

from scorebench.client.sign_ins.record import Grant
from scorebench.client.tls import Certificate, client_context

LOOK_AGAIN_S = 1.0


class CertificateFiles:
    """What `--cert`, `--key` and `--ca-file` hold; `use` gets a new context each time they have changed.

    A certificate of a day, or of an hour, is renewed by who issues it: a new file replaces the old one.
    """

    def __init__(
        self, ca_file: Path | None, certificate: Certificate, use: Callable[[ssl.SSLContext], object]
    ) -> None:
        self._ca_file, self._certificate, self._use = ca_file, certificate, use
        self._seen: object = None

    def fetch(self) -> Grant:
        """Look at the files. InputError where they have changed, and can't be used as they are."""
        seen = self._state()
        if seen is None or seen != self._seen:
            context = client_context(self._ca_file, self._certificate)
            self._seen = seen
            self._use(context)
        return Grant({}, (), look_again_s=LOOK_AGAIN_S)

    def _state(self) -> object:
        """What changes with the files; None where one is not there."""
        files = (self._ca_file, self._certificate.file, self._certificate.key)
        try:
            found = [path.stat() for path in files if path is not None]
        except OSError:
            return None
        return [(one.st_ino, one.st_size, one.st_mtime_ns) for one in found]
