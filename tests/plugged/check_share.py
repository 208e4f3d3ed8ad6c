"""What a worker was dealt and has not begun to send: later deals change it as they change what is sent."""

from __future__ import annotations

from argparse import Namespace

from scorebench.load.dealing import Epoch
from scorebench.load.members import Deal
from scorebench.options.settings import from_namespace
from scorebench.plugin.users.share import Share

BODIES = 1_000


def share(**asked: object) -> Share:
    """Of a worker; nothing is dealt to it yet."""
    return Share(from_namespace(Namespace(**asked), "http://127.0.0.1:1"), BODIES, is_dealt=True)


def numbers_of(one: Share) -> list[int]:
    one.start()
    return sorted(one.payloads)


def due_of(one: Share, until_s: float) -> list[float]:
    one.start()
    assert one.schedule is not None
    began_s = one.schedule.take()[0]  # type: ignore[index]
    found = [0.0]
    while (ticket := one.schedule.take()) is not None and ticket[0] - began_s < until_s:
        found.append(round(ticket[0] - began_s, 6))
    return found


def test_numbers_of_one_that_left_are_added_before_the_users_are_there() -> None:
    """Calls 0, 2, … 8 of ten, and then 1, 3, … 9, which another had: each is sent once."""
    one = share(calls=10)
    one.deal(Deal(Epoch(0.0, 0, 2), (range(0, 10, 2),)), None)
    one.change([Epoch(0.0, 0, 1)], stood_still=False)
    one.add((range(1, 10, 2),))
    assert numbers_of(one) == list(range(10))


def test_numbers_are_given_up_before_the_users_are_there() -> None:
    """Half of ten calls goes to one that comes: what is left and what is given are all of them."""
    one = share(calls=10)
    one.deal(Deal(Epoch(0.0, 0, 1), (range(10),)), None)
    given = [number for piece in one.give_up(2) for number in piece]
    assert len(given) == 5
    assert sorted([*given, *numbers_of(one)]) == list(range(10))


def test_a_rate_is_dealt_anew_before_the_users_are_there() -> None:
    """20/s for two: every other call, and every call from 1 s on, where the other is gone."""
    one = share(rate=20.0)
    one.deal(Deal(Epoch(0.0, 0, 2)), None)
    one.change([Epoch(1.0, 0, 1)], stood_still=False)
    assert due_of(one, 1.18) == [*[n / 10 for n in range(10)], 1.0, 1.05, 1.1, 1.15]


def test_one_without_users_hands_all_on_and_says_what_it_missed() -> None:
    """20/s for two: those at 0.05, 0.15, … 0.45 s were its own. Then it is dealt to as one that comes."""
    one = share(rate=20.0)
    one.deal(Deal(Epoch(0.0, 1, 2)), None)
    assert one.withdraw(0.0, 0.5) == 5
    one.start()
    assert one.schedule is None
    one.deal(Deal(Epoch(0.0, 0, 1)), None)
    assert one.schedule is not None


def test_what_it_missed_in_the_warm_up_counts_for_nothing() -> None:
    """Of those at 0.05, 0.15, … 0.45 s the last two are measured, from 0.3 s on."""
    one = share(rate=20.0)
    one.deal(Deal(Epoch(0.0, 1, 2)), None)
    assert one.withdraw(0.3, 0.5) == 2
