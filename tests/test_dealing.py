"""How a load is dealt over workers that come and go, on a simulated clock: each call is sent once."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import islice, pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scorebench.load.arrivals import Arrivals, parse
from scorebench.load.blocks import BLOCK
from scorebench.load.dealing import Epoch, Tickets
from scorebench.load.members import Deals, Members
from scorebench.load.numbers import Numbers, size, split, without
from scorebench.load.schedule import Schedule
from tests.test_arrivals import EVERY, rate_for

MARGIN_S = 0.5
"""How long before an epoch begins its members are told of it."""
STEP_S = 0.1
MANY_BODIES = 10**9
"""So that the payload of a ticket is its number."""


def due(arrivals: Arrivals) -> list[float]:
    return list(arrivals.due_times())


@dataclass
class Simulated:
    """A worker: users that send what is due, and hold tickets for later as soon as they are free."""

    schedule: Schedule
    users: int
    sent: list[tuple[float, int]] = field(default_factory=list)
    held: list[tuple[float, int]] = field(default_factory=list)
    told: list[tuple[float, Epoch]] = field(default_factory=list)
    """Messages under way: when each arrives."""

    def work(self, now_s: float) -> None:
        """Do what happens until `now_s`."""
        while self.told and self.told[0][0] <= now_s:
            at_s, epoch = self.told.pop(0)
            self._send(at_s)
            for ticket in self.held:
                self.schedule.give_back(ticket)
            self.held.clear()
            self.schedule.change(epoch, at_s)
        self._send(now_s)

    def _send(self, now_s: float) -> None:
        while True:
            while len(self.held) < self.users and (ticket := self.schedule.take()) is not None:
                self.held.append(ticket)
            ready = [ticket for ticket in self.held if ticket[0] <= now_s]
            if not ready:
                return
            self.sent += ready
            self.held = [ticket for ticket in self.held if ticket[0] > now_s]


def simulate(
    arrivals: Arrivals, changes: list[tuple[float, str, int]], *, users: int, late_s: float, length_s: float
) -> tuple[dict[str, Simulated], dict[str, list[tuple[float, int]]]]:
    """Run `changes` (when, what, which worker); a message takes up to `late_s`. What each worker sent."""
    members = Members(None)
    workers: dict[str, Simulated] = {}

    def tell(deals: Deals, now_s: float) -> None:
        for place, (name, deal) in enumerate(deals.items()):
            if name not in workers:
                schedule = Schedule(Tickets(arrivals, deal.epoch), MANY_BODIES, 0.0)
                workers[name] = Simulated(schedule, users)
            else:
                workers[name].told.append((now_s + late_s * (place % 3) / 2, deal.epoch))

    tell(members.begin(["a", "b", "c"]), 0.0)
    steps = [step * STEP_S for step in range(round(length_s / STEP_S) + 1)]
    for now_s in steps:
        for worker in workers.values():
            worker.work(now_s)
        while changes and changes[0][0] <= now_s:
            _, what, which = changes.pop(0)
            if what == "join":
                tell(members.join(f"new {len(members.all)}", now_s + MARGIN_S), now_s)
            elif len(members.here) > 1:
                name = members.here[which % len(members.here)]
                tell(members.leave(name, now_s + MARGIN_S), now_s)
    return workers, {name: worker.sent for name, worker in workers.items()}


changes_of = st.lists(
    st.tuples(st.floats(0.2, 8.0), st.sampled_from(["join", "leave"]), st.integers(0, 5)), max_size=8
).map(sorted)


@settings(max_examples=60)
@given(changes=changes_of, spec=st.sampled_from(EVERY), users=st.integers(1, 40), late_s=st.floats(0, 0.4))
def test_whoever_comes_and_goes_each_call_is_sent_once(
    changes: list[tuple[float, str, int]], spec: str, users: int, late_s: float
) -> None:
    """Members change at any time: together they send the schedule of a single process, call for call."""
    arrivals = parse(spec, rate_for(spec), 20, 9)
    _, sent = simulate(arrivals, changes, users=users, late_s=late_s, length_s=21.0)
    numbers = sorted(number for one in sent.values() for _, number in one)
    assert numbers == list(range(len(numbers)))
    assert sorted(at for one in sent.values() for at, _ in one) == due(arrivals)


@settings(max_examples=30)
@given(changes=changes_of, late_s=st.floats(0.6, 2.0))
def test_who_hears_of_a_change_late_leaves_no_call_out(
    changes: list[tuple[float, str, int]], late_s: float
) -> None:
    """Messages that come after the epoch began: some calls are sent twice then, and none is lost."""
    arrivals = parse("poisson", 100, 12, 5)
    spread = [change for before, change in pairwise([(-9.0, "", 0), *changes]) if change[0] - before[0] > 3]
    _, sent = simulate(arrivals, spread, users=5, late_s=late_s, length_s=15.0)
    assert {number for one in sent.values() for _, number in one} == set(range(len(due(arrivals))))


def test_poisson_stays_poisson_across_a_change() -> None:
    """Gaps around three changes pass the Kolmogorov-Smirnov test, which even arrivals fail."""
    from scipy.stats import kstest

    arrivals = parse("poisson", 300, 20, 7)
    changes = [(5.0, "leave", 0), (9.0, "join", 0), (13.0, "leave", 1)]
    _, sent = simulate(arrivals, changes, users=20, late_s=0.3, length_s=21.0)
    at = sorted(at for one in sent.values() for at, _ in one)
    near = [
        after - before for before, after in pairwise(at) if any(abs(before - t - 0.5) < 1 for t in (5, 9, 13))
    ]
    assert len(near) > 1_000
    assert kstest(near, "expon", args=(0, 1 / 300)).pvalue > 0.001
    even = parse("constant", 300, 20, 7)
    _, sent = simulate(even, [(5.0, "leave", 0)], users=20, late_s=0.3, length_s=21.0)
    at = sorted(at for one in sent.values() for at, _ in one)
    assert kstest([b - a for a, b in pairwise(at)], "expon", args=(0, 1 / 300)).pvalue < 0.001


def test_the_rate_is_whole_again_within_a_second() -> None:
    """300/s over three workers, one of which leaves at 5 s: every second has its 300 calls."""
    _, sent = simulate(parse("constant", 300, 10, 1), [(5.0, "leave", 1)], users=5, late_s=0.2, length_s=10.0)
    seconds = [int(at) for one in sent.values() for at, _ in one]
    assert [seconds.count(second) for second in range(10)] == [300] * 10
    assert max(at for at, _ in sent["b"]) < 5.5


@pytest.mark.parametrize("spec", EVERY)
@pytest.mark.parametrize("workers", [1, 2, 3, 7])
def test_the_workers_together_send_the_schedule_of_one(spec: str, workers: int) -> None:
    """Dealt over any number of workers, the union is what a single process would have sent, call for call."""
    whole = parse(spec, rate_for(spec), 20, 9)
    shares = [[at for at, _ in Tickets(whole, Epoch(0.0, place, workers))] for place in range(workers)]
    assert sorted(at for share in shares for at in share) == due(whole)
    assert max(map(len, shares)) - min(map(len, shares)) <= 1


def test_shares_stay_right_past_a_block() -> None:
    """A number of workers that does not divide the block size deals on without a slip."""
    whole = list(islice(parse("poisson", 1, None, 3).due_times(), 5 * BLOCK))
    mine = islice(Tickets(parse("poisson", 1, None, 3), Epoch(0.0, 2, 7)), 5 * BLOCK // 7)
    assert [at for at, _ in mine] == whole[2::7][: 5 * BLOCK // 7]


@pytest.mark.parametrize("spec", EVERY)
def test_an_epoch_late_in_the_schedule_finds_its_place(spec: str) -> None:
    """From second 15 of 20 on, long past the first block: the same tickets as from the beginning."""
    arrivals = parse(spec, rate_for(spec), 20, 9)
    whole = [ticket for ticket in Tickets(arrivals) if ticket[0] >= 15]
    tickets = Tickets(arrivals, Epoch(0.0, None, 1))
    tickets.change(Epoch(15.0, 0, 1), 14.5)
    assert list(tickets) == whole


@pytest.mark.parametrize("most_calls", [1, 10, 1_000, 5_000])
def test_a_number_of_calls_is_dealt_to_the_call(most_calls: int) -> None:
    """--calls with --rate: tickets 0 to N - 1, over four workers."""
    arrivals = parse("poisson", 1_000, None, 2)
    dealt = [Tickets(arrivals, Epoch(0.0, place, 4), most_calls) for place in range(4)]
    assert sorted(number for one in dealt for _, number in one) == list(range(most_calls))


def test_a_place_outside_its_number_is_our_mistake() -> None:
    """Places count from 0 to n - 1."""
    for place, members in ((2, 2), (-1, 2), (0, 0)):
        with pytest.raises(ValueError, match="places count from 0"):
            Epoch(0.0, place, members)


def test_calls_that_came_due_while_a_worker_stood_still_are_left_out() -> None:
    """100/s, skipped until second 2: 200 calls, of which one was given back; the next is due at 2 s."""
    schedule = Schedule(Tickets(parse("constant", 100, None, 1)), MANY_BODIES, 10.0)
    ticket = schedule.take()
    assert ticket is not None
    schedule.give_back(ticket)
    assert schedule.skip(12.0) == 200
    assert schedule.taken == 0
    assert schedule.take() == (12.0, 200)


ranges_of = st.lists(
    st.builds(
        lambda first, count, step: range(first, first + count * step, step),
        st.integers(0, 50),
        st.integers(0, 30),
        st.integers(1, 5),
    ),
    max_size=4,
)


@given(numbers=ranges_of, parts=st.integers(1, 6))
def test_numbers_are_split_evenly(numbers: list[range], parts: int) -> None:
    """Nothing is lost, and no part has two more than another."""
    dealt = split(numbers, parts)
    sizes = [size(part) for part in dealt]
    assert [n for part in dealt for one in part for n in one] == [n for one in numbers for n in one]
    assert len(sizes) == parts
    assert max(sizes) - min(sizes) <= 1


@given(calls=st.integers(0, 200), taken=st.integers(0, 100), parts=st.integers(1, 5))
def test_what_is_given_up_is_the_end_of_what_is_left(calls: int, taken: int, parts: int) -> None:
    """One part of `parts`, rounded down; the rest comes in its order, and what was given is gone."""
    held = (range(0, calls, 2), range(1, calls, 2))
    order = [n for one in held for n in one]
    numbers = Numbers(MANY_BODIES, held)
    began = list(islice(numbers, taken))
    given_up = numbers.give_up(parts)
    left = len(order) - len(began)
    assert size(given_up) == left // parts
    assert began + list(numbers) + [n for one in given_up for n in one] == order
    assert numbers.taken == len(order) - size(given_up)
    assert size(without(held, given_up)) == len(order) - size(given_up)


def test_numbers_may_be_added_after_the_last() -> None:
    """A worker that has sent all goes on with what another left; bodies come in turn."""
    numbers = Numbers(3, [range(2)])
    assert list(numbers) == [0, 1]
    numbers.add([range(5, 8)])
    assert list(numbers) == [2, 0, 1]


class Closed:
    """Workers of a closed loop with a number of calls, and what the messages between them hold."""

    def __init__(self, calls: int, names: list[str]) -> None:
        self.members = Members(calls, warm_up_calls=calls // 3)
        self.numbers: dict[str, Numbers] = {}
        self.sent: dict[str, list[int]] = {}
        self.warm_up: dict[str, int] = {}
        self.handed: list[tuple[str, tuple[range, ...], str]] = []
        self.tell(self.members.begin(names), "")

    def tell(self, deals: Deals, joined: str) -> None:
        for name, deal in deals.items():
            numbers = self.numbers.setdefault(name, Numbers(MANY_BODIES))
            numbers.add(deal.numbers)
            self.warm_up[name] = self.warm_up.get(name, 0) + deal.warm_up_calls
            if deal.gives_up:
                self.handed.append((name, numbers.give_up(deal.gives_up), joined))

    def deliver(self) -> None:
        for giver, given_up, taker in self.handed:
            self.tell(self.members.hand(giver, given_up, taker), "")
        self.handed.clear()

    def work(self, name: str, calls: int) -> None:
        self.sent.setdefault(name, []).extend(islice(self.numbers[name], calls))


acts_of = st.lists(
    st.tuples(
        st.sampled_from(["work", "work", "join", "leave", "lose", "silence", "back", "deliver"]),
        st.integers(0, 7),
        st.integers(0, 60),
    ),
    max_size=30,
)


@settings(max_examples=200)
@given(calls=st.integers(1, 500), acts=acts_of)
def test_a_number_of_calls_stays_exact_whoever_comes_and_goes(
    calls: int, acts: list[tuple[str, int, int]]
) -> None:
    """Workers join, leave, are lost or silent for a time: every number is sent once, but for what was lost.

    A lost worker has told of all that it sent here, so nothing is sent twice either.
    """
    load = Closed(calls, ["a", "b", "c"])
    silent: list[str] = []
    for what, which, count in acts:
        here = load.members.here
        name = here[which % len(here)] if here else ""
        if what == "join":
            new = f"new {len(load.members.all)}"
            load.tell(load.members.join(new, 1.0), new)
        elif what == "deliver":
            load.deliver()
        elif what == "back" and silent:
            load.tell(load.members.join(silent.pop(), 1.0), "")
        elif not name:
            continue
        elif what == "work":
            load.work(name, count)
        elif what == "leave":
            load.tell(load.members.leave(name, 1.0, load.numbers[name].give_up(1)), "")
        elif what == "lose":
            load.deliver()  # what it handed in came before it was known to be gone
            load.tell(load.members.lose(name, 1.0, len(load.sent.get(name, []))), "")
            load.numbers[name].give_up(1)
        elif what == "silence":
            load.tell(load.members.silence(name, 1.0), "")
            silent.append(name)
    load.deliver()
    if not load.members.here:
        load.tell(load.members.join("last", 1.0), "")
    for name in [*load.members.here, *silent]:
        load.work(name, calls)
    assert sorted(n for sent in load.sent.values() for n in sent) == list(range(calls))
    assert all(len(numbers.give_up(1)) == 0 for numbers in load.numbers.values())


@settings(max_examples=60)
@given(calls=st.integers(0, 50), told=st.integers(0, 20), members=st.integers(2, 5), lost=st.integers(0, 4))
def test_the_warm_up_of_a_lost_worker_is_the_others(calls: int, told: int, members: int, lost: int) -> None:
    """--warm-up in calls: what it had told of counts, the rest is dealt anew, to the call."""
    dealing = Members(None, warm_up_calls=calls)
    names = [f"w{n}" for n in range(members)]
    shares = {name: deal.warm_up_calls for name, deal in dealing.begin(names).items()}
    assert sum(shares.values()) == calls
    name = names[lost % members]
    told = min(told, shares[name])
    dealt = dealing.lose(name, 1.0, 0, told)
    assert sum(deal.warm_up_calls for deal in dealt.values()) == shares[name] - told
