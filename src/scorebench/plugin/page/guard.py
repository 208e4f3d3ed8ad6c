"""Who may use Locust's page: pages that it served itself, and programs. Knows headers; no test and no run.

Locust answers every site: another page in the owner's browser could start a test against any host, and read
the figures. Browsers say where a request comes from, in headers that no script can set: `Origin` (RFC 6454,
section 7) and `Sec-Fetch-Site` (W3C, Fetch Metadata Request Headers). A name that an attacker's server lets
point to this machine ("DNS rebinding") shows itself in `Host`. Programs such as curl send neither, and may
do what they could do anyway.
"""

from __future__ import annotations

import ipaddress
import logging
import socket
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from flask import Response, request

if TYPE_CHECKING:
    from locust.web import WebUI

logger = logging.getLogger("scorebench")

ALL_INTERFACES = ("", "*", "0.0.0.0", "::")  # noqa: S104 (to warn of them)
OWN_ROUTES = ("locust", "scorebench")
OURS = ("same-origin", "none")
"""`Sec-Fetch-Site` of a page's own requests, and of what a person typed or chose from bookmarks."""


@dataclass(frozen=True)
class Guard:
    """`names`: hosts that it may be called by, beside addresses and localhost. `start`: its path."""

    names: frozenset[str] = field(default_factory=frozenset)
    start: str = "/"

    def refusal(
        self, method: str, path: str, headers: Mapping[str, str], *, of_locustfile: bool = False
    ) -> str | None:
        """Why a request is not answered, in one line; None where it is. `headers` by lower-case name.

        `of_locustfile`: the route is neither Locust's nor ours. A sign-in elsewhere leads back to such a one.
        """
        host = headers.get("host", "")
        if not self._is_known(_name(f"//{host}")):
            return f"this page is not called {_shown(host)}; if it is, start Locust with --web-allowed-host"
        origin = headers.get("origin")
        if origin is not None and not self._is_own(origin, host):
            return f"this page takes no orders from {_shown(origin)}; open it at its own address"
        site = headers.get("sec-fetch-site")
        may_link = of_locustfile or path in (self.start, f"{self.start.rstrip('/')}/login")
        if site is not None and site not in OURS and not (may_link and _is_a_link(method, headers)):
            return "this page takes no orders from other sites; open it at its own address"
        return None

    def _is_known(self, name: str) -> bool:
        """A rebinding attack needs a name of the attacker's: an address can't be one."""
        return name == "localhost" or name in self.names or _is_address(name)

    def _is_own(self, origin: str, host: str) -> bool:
        """The scheme may differ: a proxy may add TLS. It may also put another host in place of its own."""
        name = _name(origin)
        return bool(name) and (urlsplit(origin).netloc.lower() == host.lower() or name in self.names)


def _is_a_link(method: str, headers: Mapping[str, str]) -> bool:
    """Somebody follows a link. The start page and the login change and tell nothing by themselves."""
    navigates = (headers.get("sec-fetch-mode"), headers.get("sec-fetch-dest")) == ("navigate", "document")
    return method == "GET" and navigates


def protect(web_ui: WebUI, allowed: str | None, *, start: str) -> None:
    """Refuse what the guard refuses, before any route of Locust's, of ours or of the locustfile's."""
    assert web_ui.app is not None
    names = {name.strip().lower() for name in (allowed or "").split(",")} - {""}
    names |= {socket.gethostname().lower()} | ({web_ui.host.lower()} - set(ALL_INTERFACES))
    guard = Guard(frozenset(names), start)

    def check() -> Response | None:
        headers = {name.lower(): value for name, value in request.headers.items()}
        of_locustfile = request.blueprint not in OWN_ROUTES
        why = guard.refusal(request.method, request.path, headers, of_locustfile=of_locustfile)
        return None if why is None else Response(f"scorebench: {why}\n", 403, content_type="text/plain")

    def close(response: Response) -> Response:
        """Locust lets every site read its answers, and show them in a frame."""
        response.headers.pop("Access-Control-Allow-Origin", None)
        response.headers.pop("Access-Control-Allow-Credentials", None)
        response.headers.setdefault("X-Frame-Options", "SAMEORIGIN")
        return response

    web_ui.app.before_request_funcs.setdefault(None, []).insert(0, check)
    web_ui.app.after_request_funcs.setdefault(None, []).insert(0, close)  # called last, after CORS
    if not _is_loopback(web_ui.host) and not web_ui.web_login:
        logger.warning(
            "scorebench: Locust's page listens on %s without a login: everybody who reaches it can start "
            "load from this machine. Use --web-host 127.0.0.1, or --web-login.",
            "all addresses" if web_ui.host in ALL_INTERFACES else web_ui.host,
        )


def _name(url: str) -> str:
    try:
        return (urlsplit(url).hostname or "").rstrip(".").lower()
    except ValueError:  # brackets without an address
        return ""


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


def _is_loopback(host: str) -> bool:
    return host == "localhost" or (_is_address(host) and ipaddress.ip_address(host).is_loopback)


def _shown(text: str) -> str:
    return repr(text[:100])
