"""Who is dealt what when workers come, go and fall silent: the state of the dealing. Pure; sends nothing.

An open loop is dealt by epochs (see `dealing`). A closed loop with a number of calls is dealt by these
numbers: each lies with one member, or here while nobody may have it. What a member leaves is dealt to the
others, and who joins is given a part of what the others have left.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from scorebench.load.dealing import Epoch
from scorebench.load.numbers import Ranges, after, size, split, without


@dataclass(frozen=True)
class Deal:
    """What is sent to one worker: the epoch that begins, and what it gets or gives besides."""

    epoch: Epoch
    numbers: Ranges = ()
    """Calls of a closed loop that it sends too."""
    warm_up_calls: int = 0
    """Calls that it leaves out of the figures too."""
    gives_up: int = 0
    """Where not 0, it hands in one of so many parts of the numbers that it has left."""
    is_withdrawn: bool = False
    """Whether others send all that it was dealt, because it has no user."""


Deals = dict[str, Deal]


@dataclass
class Member:
    """One worker. `number` names it in the recording, whatever its place is."""

    number: int
    epochs: tuple[Epoch, ...] = ()
    held: Ranges = ()
    """Numbers that it was given and has not handed in, sent or not."""
    warm_up_calls: int = 0


class Members:
    """The workers of one test. Times are seconds of its schedule."""

    def __init__(self, most_calls: int | None, warm_up_calls: int = 0) -> None:
        """`most_calls` is the number that a closed loop ends with; None where time or tickets end it."""
        self._most_calls, self._warm_up_calls = most_calls, warm_up_calls
        self.all: dict[str, Member] = {}
        """All that ever were members, by their names."""
        self.here: list[str] = []
        """Those that are dealt to now, in their places."""
        self._nobodys: Ranges = ()
        """Numbers that nobody is there for."""

    @property
    def numbered(self) -> bool:
        """Whether numbers are dealt."""
        return self._most_calls is not None

    def begin(self, names: Sequence[str]) -> Deals:
        """The first epoch: all of the schedule, all numbers."""
        self.here = list(names)
        for place, name in enumerate(names):
            numbers = range(place, self._most_calls or 0, len(names))
            warm_up_calls = len(range(place, self._warm_up_calls, len(names)))
            self.all[name] = Member(place, held=(numbers,), warm_up_calls=warm_up_calls)
        given = {name: member.held for name, member in self.all.items()}
        return self._epoch(0.0, given, {name: one.warm_up_calls for name, one in self.all.items()})

    def join(self, name: str, from_s: float) -> Deals:
        """A worker comes, or comes back. If it is new, the others give up a part of their numbers: `hand`."""
        is_new = name not in self.all
        if is_new:
            self.all[name] = Member(len(self.all))
        others = tuple(self.here)
        self.here = sorted([*others, name], key=lambda one: self.all[one].number)
        nobodys, self._nobodys = self._nobodys, ()
        deals = self._epoch(from_s, self._give(nobodys, [name]))
        if self.numbered and is_new:
            deals |= {one: Deal(deals[one].epoch, gives_up=len(self.here)) for one in others}
        return deals

    def silence(self, name: str, from_s: float) -> Deals:
        """A worker is not heard of: the others take over its rate. Its numbers wait for it."""
        self.here.remove(name)
        return self._epoch(from_s, gone=name)

    def leave(self, name: str, from_s: float, unsent: Iterable[range] = (), warm_up_left: int = 0) -> Deals:
        """A worker goes, and has handed in what it did not send."""
        if name in self.here:
            self.here.remove(name)
        member = self.all[name]
        unsent = _honest(member, unsent)
        warm_up_left = min(warm_up_left, member.warm_up_calls)
        member.held = without(member.held, unsent)
        member.warm_up_calls -= warm_up_left
        return self._epoch(from_s, self._give(unsent, self.here), self._warm_up(warm_up_left), gone=name)

    def withdraw(self, name: str, from_s: float) -> Deals:
        """A worker has no user that sends: the others send all that it was dealt."""
        member = self.all[name]
        deals = self.leave(name, from_s, member.held, member.warm_up_calls)
        return deals | {name: replace(deals[name], is_withdrawn=True)}

    def lose(self, name: str, from_s: float, reported: int, reported_warm_up: int = 0) -> Deals:
        """A worker is gone for good after it told of so many calls. The others send all the rest.

        Its first numbers are taken for those that it told of; with its last calls in flight it may have been
        others, as many.
        """
        member = self.all[name]
        warm_up_left = max(member.warm_up_calls - reported_warm_up, 0)
        return self.leave(name, from_s, after(member.held, reported), warm_up_left)

    def hand(self, giver: str, numbers: Iterable[range], taker: str) -> Deals:
        """What a member gave up goes to the one that joined, or to all where that is gone again."""
        given = _honest(self.all[giver], numbers)
        self.all[giver].held = without(self.all[giver].held, given)
        parts = self._give(given, [taker] if taker in self.here else self.here)
        return {one: Deal(self.all[one].epochs[-1], part) for one, part in parts.items() if part}

    def _give(self, numbers: Ranges, takers: Sequence[str]) -> dict[str, Ranges]:
        """Deal numbers evenly; where nobody is there, they wait for who comes."""
        if not takers:
            self._nobodys += numbers
        parts = dict(zip(takers, split(numbers, len(takers)), strict=True))
        for one, part in parts.items():
            self.all[one].held += part
        return parts

    def _warm_up(self, calls: int) -> dict[str, int]:
        """Deal calls of the warm-up evenly."""
        shares = {one: len(range(place, calls, len(self.here))) for place, one in enumerate(self.here)}
        for one, share in shares.items():
            self.all[one].warm_up_calls += share
        return shares

    def _epoch(
        self,
        from_s: float,
        numbers: Mapping[str, Ranges] | None = None,
        warm_up_calls: Mapping[str, int] | None = None,
        gone: str | None = None,
    ) -> Deals:
        """An epoch begins for all who are here, and for the one that has gone."""
        places: dict[str, int | None] = {one: place for place, one in enumerate(self.here)}
        if gone is not None:
            places[gone] = None
        deals = {}
        for one, place in places.items():
            epoch = Epoch(from_s, place, max(len(self.here), 1))
            self.all[one].epochs += (epoch,)
            deals[one] = Deal(epoch, (numbers or {}).get(one, ()), (warm_up_calls or {}).get(one, 0))
        return deals


def _honest(member: Member, numbers: Iterable[range]) -> Ranges:
    """What a member hands in; nothing where it never had that, or the others would send it besides."""
    numbers = tuple(numbers)
    held = size(member.held)
    return numbers if held - size(without(member.held, numbers)) == size(numbers) else ()
