"""Looks at renewals when it is time, each in a greenlet of its own. Knows gevent; nothing of what is renewed.

Nobody who sends waits for it: a look may take seconds.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import inf
from typing import TYPE_CHECKING

from scorebench.client.renewal import Renewal

if TYPE_CHECKING:
    from gevent import Greenlet
    from gevent.event import Event


class Keeping:
    """From `begin` to `end` renewals are kept fresh."""

    def __init__(self) -> None:
        self._keepers: list[Greenlet] = []
        self._wake: dict[int, Event] = {}
        """By the id of a renewal: what ends the wait for its next look."""

    def begin(
        self,
        renewals: Sequence[Renewal],
        on_problem: Callable[[str], None],
        on_look: Callable[[], object] = lambda: None,
    ) -> None:
        """Renew from now on. `on_problem` hears why one fails, once for each time it does.

        `on_look` is called after each look.
        """
        import gevent  # not in a process that only checks what is asked for
        from gevent.event import Event

        self.end()
        for one in renewals:
            one.on_problem = on_problem
            self._wake[id(one)] = event = Event()
            if not one.wait_s:  # since it was fetched, payloads were encoded, or the last test ran
                one.look()
                on_look()
            self._keepers.append(gevent.spawn(_keep, one, event, on_look))

    def wake(self, renewal: Renewal) -> None:
        """Its next look has become due."""
        if (event := self._wake.get(id(renewal))) is not None:
            event.set()

    def end(self) -> None:
        """Renew no longer: nobody sends."""
        if not self._keepers:
            return
        import gevent

        gevent.killall(self._keepers, block=False)
        self._keepers.clear()
        self._wake.clear()


def _keep(renewal: Renewal, wake: Event, on_look: Callable[[], object]) -> None:
    while True:
        wait_s = renewal.wait_s
        wake.wait(None if wait_s == inf else wait_s)
        wake.clear()
        if not renewal.wait_s:
            renewal.look()
            on_look()
