"""Where the calls go: a URL taken apart, and the bytes of a request to it. Knows no socket and no secret."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from scorebench.errors import InputError

DEFAULT_PATH = "/invocations"
PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True)
class Target:
    """The scoring endpoint: `path` is what is posted to, `host` a name or an address without brackets."""

    scheme: str
    host: str
    port: int
    path: str

    @classmethod
    def parse(cls, url: str) -> Target:
        """The target of `url`; a path other than / is kept, else it is /invocations.

        InputError for another scheme, no host, a port that is none, or a user and password in it.
        """
        try:
            parts = urlsplit(url.strip())
            port = parts.port
        except ValueError as error:
            raise InputError(f"{url}: {error}; expected a URL such as http://localhost:5001") from None
        if parts.scheme not in PORTS or not parts.hostname:
            found = f"scheme {parts.scheme!r}" if parts.scheme else "no scheme"
            raise InputError(
                f"{url}: {found}; expected http://HOST:PORT or https://HOST, such as http://localhost:5001"
            )
        if parts.username or parts.password:
            raise InputError(
                f"{parts.scheme}://…@{parts.hostname}: a secret in a URL is seen by all; use --bearer-env"
            )
        if any(ord(letter) <= 32 or ord(letter) == 127 for letter in parts.path + parts.query):
            raise InputError(f"{url!r}: a space or control character in the path; percent-encode it")
        path = parts.path if parts.path not in ("", "/") else DEFAULT_PATH
        query = f"?{parts.query}" if parts.query else ""
        return cls(parts.scheme, parts.hostname, port or PORTS[parts.scheme], path + query)

    @property
    def netloc(self) -> str:
        """HOST:PORT, an IPv6 address in brackets, the scheme's own port left out: the Host header."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == PORTS[self.scheme] else f"{host}:{self.port}"

    @property
    def base_url(self) -> str:
        """The URL without a path."""
        return f"{self.scheme}://{self.netloc}"

    @property
    def url(self) -> str:
        """The URL that is posted to."""
        return self.base_url + self.path

    def request(self, body: bytes, content_type: str, headers: Mapping[str, str] | None = None) -> bytes:
        """A whole POST, head and body, ready to send; `headers` are added to those every request has."""
        lines = [
            f"POST {self.path} HTTP/1.1",
            f"Host: {self.netloc}",
            f"Content-Type: {content_type}",
            f"Content-Length: {len(body)}",
            "Accept: application/json",
            *(f"{name}: {value}" for name, value in (headers or {}).items()),
        ]
        return "\r\n".join([*lines, "", ""]).encode("latin-1") + body

    def get(self, path: str, headers: Mapping[str, str] | None = None) -> bytes:
        """A whole GET of `path`, such as /version."""
        extra = [f"{name}: {value}" for name, value in (headers or {}).items()]
        lines = [f"GET {path} HTTP/1.1", f"Host: {self.netloc}", *extra]
        return "\r\n".join([*lines, "", ""]).encode("latin-1")
