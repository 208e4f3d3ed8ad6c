"""Where the calls go: a URL taken apart, and the bytes of a request to it. Knows no socket and no secret."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from scorebench.client.hiding import in_urls
from scorebench.errors import InputError

DEFAULT_PATH = "/invocations"
ACCEPT = "application/json"
ACCEPT_STREAM = "text/event-stream, application/json"
_BARE = re.compile(r"([\w.-]+|\[[0-9A-Fa-f:.]+\]):[0-9]{1,5}([/?].*)?")
"""HOST:PORT without a scheme, with a path or without."""
PORTS = {"http": 80, "https": 443}
_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_LATIN = re.compile(r"[\t -~\xa0-\xff]*")


@dataclass(frozen=True)
class Target:
    """The scoring endpoint: `path` is what is posted to, `host` a name or an address without brackets."""

    scheme: str
    host: str
    port: int
    path: str
    names_path: bool = field(default=True, compare=False)
    """Whether the path was given; else it is DEFAULT_PATH."""

    @classmethod
    def parse(cls, url: str) -> Target:
        """The target of `url`; a path other than / is kept, else it is /invocations. HOST:PORT means http://.

        InputError for another scheme, no host, a port that is none, or a user and password in it.
        """
        url = url.strip()
        if _BARE.fullmatch(url):
            url = f"http://{url}"
        shown = _as_shown(url)
        try:
            parts = urlsplit(url)
            port = parts.port
        except ValueError as error:
            why = "no URL" if "@" in url else error  # which may quote a password
            raise InputError(f"{shown}: {why}; expected a URL such as http://localhost:5001") from None
        if parts.scheme not in PORTS or not parts.hostname:
            found = f"scheme {parts.scheme!r}" if parts.scheme not in ("", *PORTS) else "no scheme or no host"
            raise InputError(
                f"{shown}: {found}; expected http://HOST:PORT or https://HOST, such as http://localhost:5001"
            )
        if "@" in parts.netloc:
            raise InputError(f"{shown}: a user or password in a URL is visible to everyone; use --bearer-env")
        if port == 0:
            raise InputError(f"{shown}: no server has port 0; expected 1 to 65535")
        if not _is_printable_ascii(url.replace(parts.netloc, "")):
            raise InputError(f"{shown}: a space, control or non-ASCII character; percent-encode it")
        is_named = parts.path not in ("", "/")
        path = parts.path if is_named else DEFAULT_PATH
        path += f"?{parts.query}" if parts.query else ""
        host = _ascii_host(parts.hostname)
        return cls(parts.scheme, host, port or PORTS[parts.scheme], path, is_named)

    @classmethod
    def elsewhere(cls, host: str | None) -> Target:
        """What a locustfile calls its host, for a report: its own clients take more than ours do.

        Anything is taken: `localhost:50051`, `ws://…`, nothing at all. User, password and query are dropped.
        """
        text = (host or "").strip()
        try:
            parts = urlsplit(text if "://" in text else f"//{text}")
            port = parts.port
        except ValueError:
            return cls("", "", 0, "")
        return cls(parts.scheme, parts.hostname or "", port or PORTS.get(parts.scheme, 0), parts.path)

    @property
    def netloc(self) -> str:
        """HOST:PORT, an IPv6 address in brackets, the scheme's own port left out: the Host header."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == PORTS.get(self.scheme, 0) else f"{host}:{self.port}"

    @property
    def base_url(self) -> str:
        """The URL without a path."""
        return f"{self.scheme}://{self.netloc}" if self.scheme else self.netloc

    @property
    def url(self) -> str:
        """The URL that is posted to."""
        return self.base_url + self.path

    @property
    def shown(self) -> str:
        """The URL as it may be shown, without the values of its query: they may be secrets."""
        return in_urls(self.url)

    @property
    def query(self) -> str:
        """What follows the path's question mark; "" where there is none."""
        return self.path.partition("?")[2]

    def refuse_in_the_clear(self, place: str) -> None:
        """InputError where a secret that `place` names would leave this machine unencrypted."""
        if self.scheme != "https" and not is_loopback(self.host):
            raise InputError(f"{place}: {self.base_url}: a secret would be sent unencrypted; use https://")

    def request(
        self,
        body: bytes,
        content_type: str,
        headers: Mapping[str, str] | None = None,
        accept: str = ACCEPT,
    ) -> bytes:
        """A whole POST, head and body, ready to send; `headers` are added to those every request has.

        Host, Content-Type and Accept among them replace ours.
        """
        ours = {
            "Host": self.netloc,
            "Content-Type": content_type,
            "Content-Length": str(len(body)),
            "Accept": accept,
        }
        return f"POST {self.path} HTTP/1.1\r\n".encode("ascii") + _head(ours, headers or {}) + b"\r\n" + body

    def get(self, path: str, headers: Mapping[str, str] | None = None) -> bytes:
        """A whole GET of `path`, such as /version."""
        return (
            f"GET {path} HTTP/1.1\r\n".encode("ascii") + _head({"Host": self.netloc}, headers or {}) + b"\r\n"
        )


def _head(ours: Mapping[str, str], given: Mapping[str, str]) -> bytes:
    """Header lines: ours, each in its place, where `given` has none of that name; then the rest."""
    by_name = {name.lower(): (name, value) for name, value in given.items()}
    first = {name: by_name.pop(name.lower(), (name, value))[1] for name, value in ours.items()}
    return header_lines({**first, **dict(by_name.values())})


def header_lines(headers: Mapping[str, str]) -> bytes:
    """Lines of a head, each with its end. InputError for what no header can hold; it shows no value."""
    for name, value in headers.items():
        if not _TOKEN.fullmatch(name) or not is_latin(value):
            raise InputError(
                f"header {name!r}: not allowed in a header; expected printable Latin text on one line"
            )
    return "".join(f"{name}: {value}\r\n" for name, value in headers.items()).encode("latin-1")


def is_latin(text: str) -> bool:
    """Whether a header can hold `text`: printable Latin-1 and tabs (RFC 9110, section 5.5)."""
    return _LATIN.fullmatch(text) is not None


def is_loopback(host: str) -> bool:
    """Whether the host is this machine by its name or address."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:  # a name; 127.0.0.1.example.org is somebody else's
        return host == "localhost"


def _is_printable_ascii(text: str) -> bool:
    return all("!" <= letter <= "~" for letter in text)


def _ascii_host(host: str) -> str:
    try:
        name = host if host.isascii() else host.encode("idna").decode()
    except UnicodeError as error:
        raise InputError(f"{host!r}: {error}; expected a host name or an address") from None
    if not _is_printable_ascii(name):
        raise InputError(f"{host!r}: a space or control character; expected a host name or an address")
    return name


def _as_shown(url: str) -> str:
    """`url` as an error may show it: in one line, without user, password and query."""
    before, at, after = url.rpartition("@")
    scheme, slashes, _ = before.partition("://")
    shown = f"{scheme}://…@{after}" if slashes and scheme.isalnum() else f"…@{after}" if at else url
    shown, mark, _ = shown.partition("?")
    shown += f"{mark}…" if mark else ""
    return shown if shown and shown.isprintable() else repr(shown)
