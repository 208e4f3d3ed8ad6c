"""What a recording may say of the command that made it."""

from __future__ import annotations

import argparse

import pytest

from scorebench.client.hiding import in_urls
from scorebench.options.recorded import as_recorded

KNOWN = ("host", "num_users", "run_time", "headless", "config_users", "user_classes")


def parser() -> argparse.ArgumentParser:
    """Options of Locust's, and of a locustfile: one that is called secret, one that is, and numbers."""
    made = argparse.ArgumentParser()
    made.add_argument("-H", "--host")
    made.add_argument("-u", "--users", dest="num_users")
    made.add_argument("-t", "--run-time")
    made.add_argument("--headless", action="store_true")
    made.add_argument("--config-users", nargs="*")
    made.add_argument("user_classes", nargs="*")
    made.add_argument("--pin").is_secret = True  # type: ignore[attr-defined]
    made.add_argument("--tenant")
    made.add_argument("--tokens")
    made.add_argument("--names", nargs="+")
    return made


@pytest.mark.parametrize(
    ("typed", "recorded"),
    [
        ("-u 5 -t 30s --headless MyUser", "-u 5 -t 30s --headless MyUser"),
        ("-u5 -t30s --users=6", "-u5 -t30s --users=6"),
        ("--pin 1234", "--pin …"),  # the parser says so, though it is a number
        ("--pin=1234 --tokens=12", "--pin=… --tokens=12"),
        ("--tenant acme --tokens 12.5", "--tenant … --tokens 12.5"),
        ("--ten acme", "--ten …"),  # argparse takes a beginning
        ("--tenant=acme", "--tenant=…"),
        ("--names a b -u 1", "--names … … -u 1"),
        ("--unknown=thing", "--unknown=…"),
        ("-H http://me:pw@host:1/p?key=k&b=c", "-H http://…@host:1/p?key=…&b=…"),
        ("-Hhttp://me:pw@host", "-Hhttp://…@host"),
        ("-H me:pw@host:50051", "-H …@host:50051"),
        ('--config-users {"pw":1}', "--config-users …"),
        ("--tokens -5", "--tokens -5"),
    ],
)
def test_values_are_shown_where_they_are_safe(typed: str, recorded: str) -> None:
    """Names are always there; a value only where we know that it is no secret."""
    assert as_recorded(typed.split(), parser(), KNOWN) == recorded


@pytest.mark.parametrize("text", ["localhost:50051", "user@example.com", "a=b&c=d", ""])
def test_what_is_no_url_stays(text: str) -> None:
    """Only a URL has a password and a query."""
    assert in_urls(text) == text
