"""Whose requests Locust's page answers, by what browsers say of them.

The rows of REFUSED and TAKEN are what Chromium sends in each case (Fetch Metadata, RFC 6454): the attack page
of tests/live shows the same in the real browser.
"""

from __future__ import annotations

import runpy
from pathlib import Path
from typing import Any

import pytest

# By its path: importing the plugin patches sockets and threads. The guard itself needs nothing of it.
GUARD: dict[str, Any] = runpy.run_path(str(Path(__file__).parents[1] / "src/scorebench/plugin/page/guard.py"))
guard = GUARD["Guard"](frozenset({"load.example"}), "/")
pytestmark = pytest.mark.quick
HERE = "127.0.0.1:8089"
LINK = {"sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate", "sec-fetch-dest": "document"}
EVIL = "https://evil.example"

REFUSED = [
    ("a form elsewhere", "POST", "/swarm", {"host": HERE, "origin": EVIL, "sec-fetch-site": "cross-site"}),
    ("a sandboxed frame", "POST", "/stop", {"host": HERE, "origin": "null", "sec-fetch-site": "cross-site"}),
    ("an older browser's form", "POST", "/swarm", {"host": HERE, "origin": EVIL}),
    ("another port of this machine", "POST", "/swarm", {"host": HERE, "origin": "http://127.0.0.1:3000"}),
    ("fetch without CORS", "GET", "/stats/reset", {"host": HERE, "sec-fetch-site": "cross-site"}),
    ("an image", "GET", "/stop", {"host": HERE, "sec-fetch-site": "same-site", "sec-fetch-mode": "no-cors"}),
    (
        "a frame around the page",
        "GET",
        "/",
        {
            "host": HERE,
            "sec-fetch-site": "cross-site",
            "sec-fetch-mode": "navigate",
            "sec-fetch-dest": "iframe",
        },
    ),
    (
        "a link to what it tells",
        "GET",
        "/stats/report",
        {"host": HERE} | LINK,
    ),
    ("a name that leads here", "GET", "/", {"host": "evil.example:8089", "sec-fetch-site": "none"}),
    (
        "its own requests after that",
        "POST",
        "/swarm",
        {"host": "evil.example:8089", "origin": "http://evil.example:8089", "sec-fetch-site": "same-origin"},
    ),
    ("a name that begins like ours", "GET", "/", {"host": "localhost.evil.example"}),
    ("no host", "GET", "/", {}),
    ("half an address", "GET", "/", {"host": "[::1"}),
]
TAKEN = [
    (
        "the owner's form",
        "POST",
        "/swarm",
        {"host": HERE, "origin": f"http://{HERE}", "sec-fetch-site": "same-origin"},
    ),
    ("its figures", "GET", "/stats/requests", {"host": HERE, "sec-fetch-site": "same-origin"}),
    ("a typed address", "GET", "/stats/report", {"host": "localhost:8089", "sec-fetch-site": "none"}),
    ("IPv6", "GET", "/", {"host": "[::1]:8089"}),
    ("curl in CI", "POST", "/swarm", {"host": HERE}),
    ("a name that was allowed", "GET", "/", {"host": "Load.Example."}),
    (
        "a proxy that adds TLS and keeps the host",
        "POST",
        "/swarm",
        {"host": "load.example", "origin": "https://load.example", "sec-fetch-site": "same-origin"},
    ),
    (
        "a proxy that puts its own host there",
        "POST",
        "/swarm",
        {"host": HERE, "origin": "https://load.example", "sec-fetch-site": "same-origin"},
    ),
    (
        "a link to the start page",
        "GET",
        "/",
        {"host": HERE} | LINK,
    ),
]


@pytest.mark.parametrize(("what", "method", "path", "headers"), REFUSED, ids=lambda value: str(value)[:40])
def test_it_is_refused(what: str, method: str, path: str, headers: dict[str, str]) -> None:
    """In one line, which names what it saw and what to do, and nothing else."""
    why = guard.refusal(method, path, headers)
    assert why is not None, what
    assert why.startswith("this page "), why
    assert "\n" not in why


@pytest.mark.parametrize(("what", "method", "path", "headers"), TAKEN, ids=lambda value: str(value)[:40])
def test_it_is_answered(what: str, method: str, path: str, headers: dict[str, str]) -> None:
    assert guard.refusal(method, path, headers) is None, what


def test_the_start_page_lies_below_its_base_path() -> None:
    """With --web-base-path /load a link may lead there alone."""
    below = GUARD["Guard"](frozenset(), "/load/")
    link = {
        "host": HERE,
        "sec-fetch-site": "cross-site",
        "sec-fetch-mode": "navigate",
        "sec-fetch-dest": "document",
    }
    assert below.refusal("GET", "/load/", link) is None
    assert below.refusal("GET", "/load/login", link) is None
    assert below.refusal("GET", "/", link) is not None


def test_a_sign_in_elsewhere_leads_back_to_a_route_of_the_locustfile() -> None:
    """As with Locust's example of OAuth: the provider sends the browser back. No form and no script may."""
    back = {"host": HERE} | LINK
    assert guard.refusal("GET", "/github/callback", back, of_locustfile=True) is None
    assert guard.refusal("POST", "/github/callback", back, of_locustfile=True) is not None
    assert guard.refusal("GET", "/mine", back | {"sec-fetch-mode": "cors"}, of_locustfile=True) is not None
