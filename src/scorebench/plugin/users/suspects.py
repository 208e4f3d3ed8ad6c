"""Calls of clients that nobody knows, which somebody broke off or the run's end met: seen only by the stack.

Knows greenlets, what they wait for, and whose they are; nothing of Locust's events. Such a call may still be
reported, by the greenlet that made it: then the report counts, and not what is kept here.
"""

from __future__ import annotations

import gc
import weakref
from collections.abc import Callable, Container, Iterator
from dataclasses import dataclass
from time import perf_counter as clock

import gevent
from gevent import Greenlet, getcurrent
from locust import User

from scorebench.answers.outcome import Outcome
from scorebench.plugin.users.failures import CUT_OFF, VALID, Ended
from scorebench.plugin.users.owners import UserGreenlet, since_s, user_of
from scorebench.plugin.users.waiting import Awaited, asked_by, awaited_by


@dataclass(frozen=True)
class Suspect:
    """A call that is under way in all likelihood, as of `seen_s`. Times are of `time.perf_counter`."""

    user: User
    sent_s: float
    seen_s: float
    ended: Ended
    what: str = "stopped in the background"
    """What became of it, in words."""
    is_sure: bool = True
    """False where the user waited for another greenlet of this process, which may have no call either."""

    @property
    def is_kill(self) -> bool:
        """Whether its greenlet was killed, and did not give up."""
        return self.ended is CUT_OFF


class Suspects:
    """At most one a greenlet. `on_call` gets those that nobody reported."""

    def __init__(
        self,
        on_call: Callable[[Suspect], None],
        is_known: Callable[[Greenlet], bool],
        is_here: Callable[[User], bool],
    ) -> None:
        """`is_known` says whether a greenlet makes a call that is counted anyway.

        `is_here` says whether a user is one of this test: as a library Locust may run several at once.
        """
        self._on_call, self._is_known, self._is_here = on_call, is_known, is_here
        self._broken: dict[Greenlet, Suspect] = {}
        """By the greenlet that was killed, or whose time was up."""
        self._in_doubt: list[Suspect] = []
        self._background: dict[Greenlet, Suspect] = {}
        """By greenlets that users started, which had calls when the test was about to end."""
        self._counted: weakref.WeakKeyDictionary[Greenlet, float] = weakref.WeakKeyDictionary()
        """Until when a call in the background was under way as a test ended: its report comes too late."""

    def broken_off(self, greenlet: Greenlet, user: User, error: BaseException, *, in_doubt: bool) -> None:
        """`error` is about to be thrown into a greenlet of `user`, which ends what it waits for.

        `in_doubt`: one that is killed has a call even if it waits for nothing but another greenlet.
        """
        awaited = Awaited.NOTHING if self._is_known(greenlet) else awaited_by(greenlet)
        is_kill = not isinstance(error, gevent.Timeout)
        since, now_s, is_sure = since_s(greenlet), clock(), awaited is Awaited.ANSWER
        if is_kill and not isinstance(greenlet, UserGreenlet):  # one that the user started
            asked = asked_by(greenlet)
            if not is_sure or asked.is_answered or asked.in_doubt:
                return
            self._background.pop(greenlet, None)
            found = Suspect(user, asked.sent_s or since, now_s, CUT_OFF)
        elif is_kill and (is_sure or (in_doubt and awaited is Awaited.GREENLET)):
            found = Suspect(user, since, now_s, CUT_OFF, "stopped in a task", is_sure)
        elif is_sure and not is_kill and not asked_by(greenlet).is_answered:
            why = f"the task gave up after {error}"
            found = Suspect(user, since, now_s, Ended(Outcome.CLIENT_TIMEOUT, why), "given up in a task")
        else:
            return
        self._let_go(greenlet)
        self._broken[greenlet] = found

    def reported(self, began_s: float, ended: Ended) -> Ended:
        """The running greenlet reports a call that began then and ended like that; how it ended indeed.

        If it had one that was broken off, this is its report, unless the call began later: a farewell in
        `on_stop` and another attempt are calls of their own.
        """
        greenlet = getcurrent()
        self._background.pop(greenlet, None)
        user = user_of(greenlet)
        for one in (greenlet, user and user._greenlet):
            suspect = self._broken.get(one)
            if suspect is None or (one is not greenlet and suspect.is_sure):
                continue
            if began_s > suspect.seen_s:
                self._let_go(one)
                continue
            del self._broken[one]
            return suspect.ended if one is greenlet and (suspect.is_kill or ended is VALID) else ended
        return ended

    def is_counted(self, began_s: float) -> bool:
        """Whether the call that the running greenlet reports was cut off when an earlier test ended."""
        seen_s = self._counted.pop(getcurrent(), None)
        return seen_s is not None and began_s <= seen_s

    def settle(self) -> None:
        """Count the calls of greenlets that have ended: they report nothing any more."""
        for greenlet, suspect in list(self._broken.items()):
            if greenlet.dead and suspect.is_sure:
                self._let_go(greenlet)

    def stopping(self) -> None:
        """The test is about to end: greenlets that its users started may be killed by them."""
        self._background = dict(self._calls_of_background(None))

    def end(self, *, in_background: bool) -> None:
        """All users are gone: what nobody reported was under way until now."""
        waiting = {one.user for one in (*self._broken.values(), *self._in_doubt) if not one.is_sure}
        found = dict(self._calls_of_background(waiting)) if in_background else {}
        for greenlet, suspect in self._background.items():
            if greenlet.dead and isinstance(greenlet.value, gevent.GreenletExit):
                found[greenlet] = suspect
        self._background = {}
        self._counted.update({greenlet: suspect.seen_s for greenlet, suspect in found.items()})
        callers = {suspect.user for suspect in found.values()}
        for suspect in (*found.values(), *self._broken.values(), *self._in_doubt):
            if suspect.is_sure or suspect.user not in callers:
                self._on_call(suspect)
        self._broken.clear()
        self._in_doubt.clear()

    def _calls_of_background(self, waiting: Container[User] | None) -> Iterator[tuple[Greenlet, Suspect]]:
        """Greenlets that users started and that wait for an answer. gevent keeps no list of them.

        `waiting` are users that waited for another greenlet; None where that is not known yet. Only theirs
        has a call where its socket does not tell whether it was answered.
        """
        for greenlet in gc.get_objects():
            if not isinstance(greenlet, Greenlet) or isinstance(greenlet, UserGreenlet):
                continue
            user = user_of(greenlet)
            if user is None or not self._is_here(user):
                continue
            if greenlet in self._counted or self._is_known(greenlet):
                continue
            if awaited_by(greenlet) is Awaited.ANSWER:
                asked = asked_by(greenlet)
                in_doubt = asked.in_doubt and waiting is not None and user not in waiting
                if not (asked.is_answered or in_doubt):
                    yield greenlet, Suspect(user, asked.sent_s or since_s(greenlet), clock(), CUT_OFF)

    def _let_go(self, greenlet: Greenlet) -> None:
        """Nobody reports its call any more."""
        suspect = self._broken.pop(greenlet, None)
        if suspect is None:
            return
        if suspect.is_sure:
            self._on_call(suspect)
        else:
            self._in_doubt.append(suspect)
