"""Where a host lies: numbers need no resolver, and users that connect together ask it once."""

from __future__ import annotations

import socket
from typing import Any

import gevent
import gevent.socket
import pytest

from scorebench.answers.http_message import CallFailed
from scorebench.answers.outcome import Outcome
from scorebench.client.addresses import addresses
from scorebench.client.target import Target

pytestmark = pytest.mark.quick
ADDRESS = (socket.AF_INET, socket.SOCK_STREAM, 6, "", ("192.0.2.7", 80))
"""Of the block that RFC 5737 keeps for documentation: no packet is ever sent there."""


class Resolver:
    """Takes `takes_s` for each answer, which is `gives`, and counts them."""

    def __init__(self, gives: Any = (ADDRESS,), takes_s: float = 0.02) -> None:
        self.gives, self.takes_s, self.asked = gives, takes_s, 0

    def getaddrinfo(self, *_: Any, **__: Any) -> Any:
        self.asked += 1
        gevent.sleep(self.takes_s)
        if isinstance(self.gives, Exception):
            raise self.gives
        return list(self.gives)


@pytest.fixture
def resolver(monkeypatch: pytest.MonkeyPatch) -> Resolver:
    """In place of the system's, which can't be made slow or wrong on command."""
    made = Resolver()
    monkeypatch.setattr(gevent.socket, "getaddrinfo", made.getaddrinfo)
    return made


@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
def test_a_number_needs_no_resolver(resolver: Resolver, host: str) -> None:
    """10,000 users that connect at once kept gevent's ten threads busy with it for more than 5 s."""
    ((_, address),) = addresses(Target("http", host, 80, "/"), 1.0)
    assert address[:2] == (host, 80)
    assert resolver.asked == 0


def test_users_that_connect_together_ask_once(resolver: Resolver) -> None:
    """All of them get the answer; who comes later asks anew, since names move."""
    target = Target("http", "model.example", 80, "/")
    users = [gevent.spawn(addresses, target, 1.0) for _ in range(1_000)]
    gevent.joinall(users)
    assert {tuple(user.value) for user in users} == {((socket.AF_INET, ("192.0.2.7", 80)),)}
    assert resolver.asked == 1
    addresses(target, 1.0)
    assert resolver.asked == 2


def test_each_of_them_fails_where_there_is_none(resolver: Resolver) -> None:
    """The resolver's words, for each call."""
    resolver.gives = socket.gaierror(-2, "Name or service not known")
    target = Target("http", "nowhere.example", 80, "/")

    def ask() -> CallFailed:
        with pytest.raises(CallFailed, match=r"nowhere\.example: .*Name or service not known") as caught:
            addresses(target, 1.0)
        return caught.value

    users = [gevent.spawn(ask) for _ in range(3)]
    gevent.joinall(users)
    assert [user.value.outcome for user in users] == [Outcome.CONNECTION_FAILED] * 3
    assert resolver.asked == 1


def test_nobody_waits_longer_than_the_limit(resolver: Resolver) -> None:
    """Also who joined late."""
    resolver.takes_s = 0.5
    target = Target("http", "slow.example", 80, "/")
    for _ in range(2):
        with pytest.raises(CallFailed, match=r"no address found in 0\.01 s"):
            addresses(target, 0.01)
    assert resolver.asked == 1
