"""A master and two workers, one without a user of ours: what is dealt, told and noted. Without a socket."""

from __future__ import annotations

import math
import time
from typing import Any

import pytest

from scorebench.plugin.lifecycle import messages
from scorebench.plugin.lifecycle.membership import ALL_LEAVE_S, Membership
from scorebench.plugin.lifecycle.messages import Dealt, Unsent
from scorebench.recordings.happenings import USERS_MISSING, WORKER_JOINED, WORKER_LEFT


class Master:
    """Locust's master: remembers what was sent to whom. And where events are noted."""

    def __init__(self) -> None:
        self.deals: list[tuple[str, Dealt]] = []
        self.noted: list[str] = []

    def register_message(self, *_: Any) -> None:
        """Nobody says anything here."""

    def send_message(self, what: str, data: Any, client_id: str) -> None:
        assert what == messages.DEALT
        self.deals.append((client_id, messages.content(_Message(data), Dealt)))

    def note(self, what: str, _why: str) -> None:
        self.noted.append(what)


class _Message:
    def __init__(self, data: Any, node_id: str = "") -> None:
        self.data, self.node_id = data, node_id


@pytest.fixture
def master() -> Master:
    return Master()


def members(master: Master, idle: set[str], most_calls: int | None = 10) -> Membership:
    """Workers a and b, of which a sends."""
    made: Any = Membership(
        master,  # type: ignore[arg-type]
        master,  # type: ignore[arg-type]
        is_dead=lambda _: False,
        has_no_users=idle.__contains__,
        lock_out=lambda *_, **__: None,
        end=lambda: None,
    )
    made.begin(["a", "b"], most_calls, 0)
    made.begun("a")
    master.deals.clear()
    return made  # type: ignore[no-any-return]


def sizes(master: Master) -> dict[str, int]:
    return {name: sum(len(range(*one)) for one in what.numbers) for name, what in master.deals}


def test_what_lies_with_an_idle_worker_goes_to_the_others(master: Master) -> None:
    """Five of ten numbers each: a gets b's five, and b hears that it has none. Once."""
    made = members(master, {"b"})
    made._withdraw_from_idle()
    made._withdraw_from_idle()
    assert sizes(master) == {"a": 5, "b": 0}
    assert [(name, what.is_withdrawn) for name, what in master.deals] == [("a", False), ("b", True)]
    made.end(is_shared=True, by_itself=True)
    assert not master.noted


def test_one_that_waits_for_its_users_keeps_its_share(master: Master) -> None:
    """Until Locust says that none will come; where the run ends before, nobody has sent it: that is noted."""
    made = members(master, set())
    made._withdraw_from_idle()
    assert not master.deals
    made.end(is_shared=True, by_itself=True)
    assert master.noted == [USERS_MISSING]


def test_users_that_come_later_are_dealt_to_as_in_a_worker_that_comes(master: Master) -> None:
    """With the time of the schedule, which has begun elsewhere; before that, no beat makes it a member."""
    made = members(master, {"b"}, most_calls=None)
    made._withdraw_from_idle()
    made.heard["b"].away_s = 1.0
    made._come_back("b", made.heard["b"], 2.0)
    assert [name for name, _ in master.deals] == ["a", "b"]
    master.deals.clear()
    assert not made.begun("b")
    (late,) = [what for name, what in master.deals if name == "b"]
    assert late.at_s is not None
    assert (late.is_withdrawn, late.epochs[-1][1:]) == (False, (1, 2))
    assert master.noted == [WORKER_JOINED]


def leaves(made: Membership, name: str) -> None:
    made._on_leaving(None, _Message(messages.saying(Unsent()), name))


@pytest.mark.parametrize(
    ("leavers", "by_itself", "noted"),
    [("b", True, [WORKER_LEFT]), ("b", False, []), ("ab", True, []), ("ab", False, [])],
)
def test_one_that_left_a_moment_before_the_end_is_noted(
    leavers: str, by_itself: bool, noted: list[str], master: Master
) -> None:
    """Where the test ended by itself. Ctrl-C has all leave, or one leave and the master stop: no loss."""
    made = members(master, set())
    made.begun("b")
    for name in leavers:
        leaves(made, name)
    made.end(is_shared=True, by_itself=by_itself)
    assert master.noted == noted


def test_who_left_one_test_is_not_noted_in_the_next(master: Master) -> None:
    """One left, somebody stopped the test, and the next began at once: nobody left that."""
    made = members(master, set())
    made.begun("b")
    leaves(made, "b")
    made.end(is_shared=True, by_itself=False)
    made.begin(["a", "b"], 10, 0)
    made.begun("a")
    made.begun("b")
    made._note_leavers(math.inf)
    made.end(is_shared=True, by_itself=True)
    assert not master.noted


def test_a_leaver_is_noted_once_and_with_its_second(master: Master) -> None:
    """While the test runs, once Ctrl-C would have stopped it; not a second time at its end."""
    made = members(master, set())
    made.begun("b")
    leaves(made, "b")
    now_s = time.monotonic()
    made._note_leavers(now_s - ALL_LEAVE_S)
    assert not master.noted
    made._note_leavers(now_s)
    made.end(is_shared=True, by_itself=True)
    assert master.noted == [WORKER_LEFT]
