"""A grant is renewed ahead of its end: on a clock of the test's own, second by second."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import pytest

from scorebench.client.access import Access
from scorebench.client.places import SignInFailed
from scorebench.client.renewal import Renewal
from scorebench.client.sign_ins.record import Grant
from scorebench.client.target import Target


@dataclass
class Clock:
    now_s: float = 1000.0

    def __call__(self) -> float:
        return self.now_s


@dataclass
class Service:
    """Issues tokens that end; `down` are the seconds (from, to) in which it refuses. It counts."""

    clock: Clock
    lifetime_s: float
    takes_s: float = 0.0
    down: tuple[float, float] = (0.0, 0.0)
    issued: list[tuple[str, float, float]] = field(default_factory=list)
    """(token, from, to)."""
    refused: int = 0

    def grant(self) -> Grant:
        issued_s = self.clock.now_s
        self.clock.now_s += self.takes_s
        if self.down[0] <= issued_s < self.down[1]:
            self.refused += 1
            raise SignInFailed("the service is down")
        token = f"token-{len(self.issued)}"
        self.issued.append((token, issued_s, issued_s + self.lifetime_s))
        return Grant({"Authorization": token}, (token,), lifetime_s=self.lifetime_s)

    def admits(self, token: str) -> bool:
        return any(one == token and begin <= self.clock.now_s < end for one, begin, end in self.issued)


def run(renewal: Renewal, clock: Clock, until_s: float, call: Callable[[], None]) -> None:
    """Call each 0.1 s and look when it is time, as a greenlet beside the users would."""
    while clock.now_s < until_s:
        if renewal.wait_s == 0:
            renewal.look()
        call()
        clock.now_s += 0.1


@pytest.mark.parametrize(("lifetime_s", "takes_s"), [(2.0, 0.0), (60.0, 1.0), (3600.0, 5.0)])
def test_no_call_carries_a_token_that_has_ended(lifetime_s: float, takes_s: float) -> None:
    """Fifteen minutes of 60 s tokens, and their like: every call is let in, and nobody asks too often.

    A token is renewed at three quarters of its life, so that N lives need at most N / 0.75 tokens, and one.
    """
    clock = Clock()
    service = Service(clock, lifetime_s, takes_s)
    renewal, refused = Renewal(service.grant, clock), []
    lives = 15

    def call() -> None:
        if renewal.is_over or not service.admits(renewal.grant.headers["Authorization"]):
            refused.append(clock.now_s)

    run(renewal, clock, clock.now_s + lives * lifetime_s, call)
    assert refused == []
    assert lives <= len(service.issued) <= lives / 0.75 + 1


def test_a_failure_is_told_once_and_tried_again() -> None:
    """A service that is down from second 40 to 55 of a 60 s token: renewed at 45, in vain, then in time."""
    clock = Clock(0.0)
    service = Service(clock, 60.0, down=(40.0, 55.0))
    renewal, told = Renewal(service.grant, clock), []
    renewal.on_problem = lambda why: told.append((round(clock.now_s), why))
    over = []
    run(renewal, clock, 120.0, lambda: over.append(renewal.is_over))
    assert told == [(45, "the service is down")]
    assert service.refused >= 3
    assert not any(over)
    assert renewal.problem is None


def test_once_the_grant_has_ended_nobody_is_let_in() -> None:
    """Down from second 40 on: the grant of 60 s ends at 60, and each call from then on is refused here."""
    clock = Clock(0.0)
    service = Service(clock, 60.0, down=(40.0, 100.0))
    renewal = Renewal(service.grant, clock)
    over = []
    run(renewal, clock, 90.0, lambda: over.append((clock.now_s, renewal.is_over)))
    assert all(is_over == (at_s >= 60.0) for at_s, is_over in over)
    assert renewal.problem == "the service is down"
    # It comes back at 100: 1, 2, 4 … 30 s apart, so within 31 s.
    run(renewal, clock, 131.0, lambda: None)
    assert not renewal.is_over


def test_an_error_of_a_library_ends_nothing() -> None:
    """Whatever a sign-in raises while the run goes on, the old grant holds until its end."""
    clock = Clock(0.0)
    answers: list[Grant | Exception] = [Grant({"A": "1"}, ("1",), lifetime_s=10.0), KeyError("token")]

    def fetch() -> Grant:
        found = answers.pop(0) if len(answers) > 1 else answers[0]
        if isinstance(found, Exception):
            raise found
        return found

    renewal = Renewal(fetch, clock)
    run(renewal, clock, 9.0, lambda: None)
    assert (renewal.is_over, renewal.problem) == (False, "KeyError: 'token'")


def test_what_no_header_holds_is_a_failure() -> None:
    """A token with a line break would add a header of its own."""
    with pytest.raises(Exception, match="not allowed in a header"):
        Renewal(lambda: Grant({"Authorization": "a\r\nX: b"}, ("a",)))


def test_a_file_is_read_again_each_second_and_half_written_once_is_no_problem() -> None:
    """No end is known, so the old one stays; two failures in a row are told."""
    clock = Clock(0.0)
    texts = {0: "a", 3: "", 4: "b", 7: "", 8: ""}

    def fetch() -> Grant:
        text = next(text for at_s, text in reversed(texts.items()) if at_s <= clock.now_s)
        if not text:
            raise SignInFailed("the file is empty")
        return Grant({"Authorization": text}, (text,), look_again_s=1.0)

    renewal, told, seen = Renewal(fetch, clock), [], set()
    renewal.on_problem = lambda why: told.append(round(clock.now_s))
    run(renewal, clock, 6.5, lambda: seen.add(renewal.grant.headers["Authorization"]))
    assert (seen, told) == ({"a", "b"}, [])
    run(renewal, clock, 12.0, lambda: None)
    assert len(told) == 1
    assert not renewal.is_over


def test_who_gives_the_same_again_is_asked_again_soon() -> None:
    """A library that renews 40 s ahead of the end by itself: we look from 300 s on, every 5 s at most."""
    clock, ends, looks = Clock(0.0), [3600.0], []

    def fetch() -> Grant:
        looks.append(clock.now_s)
        if ends[-1] - clock.now_s < 40:
            ends.append(clock.now_s + 3600)
        return Grant({"A": "x"}, (f"token {len(ends)}",), lifetime_s=ends[-1] - clock.now_s)

    renewal = Renewal(fetch, clock)
    over = []
    run(renewal, clock, 3700.0, lambda: over.append(renewal.is_over))
    assert not any(over)
    assert len(ends) == 2
    assert len(looks) < 3 + 270 / 5


def test_earlier_secrets_are_hidden_too() -> None:
    """A late answer may show the token before."""
    clock = Clock(0.0)
    service = Service(clock, 60.0)
    renewal = Renewal(service.grant, clock)
    run(renewal, clock, 200.0, lambda: None)
    access = Access(Target.parse("https://host"), {"X-Tenant": "tenant-a-b"}, [renewal])
    tokens = [token for token, _, _ in service.issued]
    assert len(tokens) > 3
    shown = access.hidden(" ".join([*tokens, "tenant-a-b"]).encode()).decode()
    assert shown.split() == ["(hidden)"] * (len(tokens) + 1)


def test_a_refusal_brings_the_next_look_forward() -> None:
    """Refused at second 10 of 3600 s: a new token at once. While that is refused too: 5, 10, 20 … s apart.

    Calls that left with the token before are still being answered within these seconds.
    """
    clock = Clock(0.0)
    service = Service(clock, 3600.0)
    renewal, asked = Renewal(service.grant, clock), []

    def call() -> None:
        if clock.now_s >= 10 and renewal.refused():
            asked.append(round(clock.now_s))

    run(renewal, clock, 200.0, call)
    assert asked == [10, 15, 25, 45, 85, 165]
    assert len(service.issued) == 1 + len(asked)


def test_refusals_that_are_long_past_count_no_more() -> None:
    """After five minutes of peace the next one is answered as the first was."""
    clock = Clock(0.0)
    renewal = Renewal(Service(clock, 36_000.0).grant, clock)
    for at_s in (10, 15.5, 1000, 1005.5):
        clock.now_s = at_s
        assert renewal.refused()
        renewal.look()
        assert not renewal.refused()


def test_after_a_refusal_no_cache_is_asked() -> None:
    """A library that keeps its token until the end is opened again, and the new one serves from then on."""
    clock = Clock(0.0)
    opened: list[str] = []

    def open_one() -> Callable[[], Grant]:
        opened.append(f"token {len(opened)}")
        token = opened[-1]
        return lambda: Grant({"A": token}, (token,), lifetime_s=3600.0)

    renewal = Renewal(open_one(), clock, open_again=open_one)
    renewal.look()
    assert renewal.grant.headers["A"] == "token 0"
    assert renewal.refused()
    renewal.look()
    assert renewal.grant.headers["A"] == "token 1"
    renewal.look()
    assert (renewal.grant.headers["A"], len(opened)) == ("token 1", 2)


def test_a_renewal_ahead_of_time_may_fail() -> None:
    """It is told, tried again from the start, and the old grant stays."""
    clock = Clock(0.0)
    down = [True]
    told: list[str] = []

    def open_again() -> Callable[[], Grant]:
        if down[0]:
            raise SignInFailed("the service is down")
        return lambda: Grant({"A": "new"}, ("new",), lifetime_s=3600.0)

    renewal = Renewal(lambda: Grant({"A": "old"}, ("old",), lifetime_s=3600.0), clock, open_again)
    renewal.on_problem = told.append
    assert renewal.refused()
    renewal.look()
    assert (renewal.grant.headers["A"], told) == ("old", ["the service is down"])
    down.clear()
    down.append(False)
    clock.now_s += renewal.wait_s
    renewal.look()
    assert renewal.grant.headers["A"] == "new"


def test_a_token_without_an_end_is_renewed_by_a_refusal_alone() -> None:
    """RFC 6749, section 5.1: `expires_in` may be left out. Nobody is asked until a call is refused."""
    clock = Clock(0.0)
    looks: list[float] = []

    def fetch() -> Grant:
        looks.append(clock.now_s)
        return Grant({"A": "same"}, ("same",), may_end=True)

    renewal = Renewal(fetch, clock)
    assert renewal.changes
    run(renewal, clock, 50.0, lambda: None)
    assert renewal.refused()
    run(renewal, clock, 10_000.0, lambda: None)
    assert len(looks) == 2
