"""What sends in one test of this process: its connections, its beginning and its end.

Knows settings, requests and connections; nothing of what the calls come to, or of Locust.
"""

from __future__ import annotations

import itertools
import ssl
from collections.abc import Callable, Sequence
from time import perf_counter as clock

import gevent
from gevent.event import Event

from scorebench.client.connection import COUNTS, Connection
from scorebench.client.pauses import Pauses
from scorebench.client.streaming import StreamingConnection
from scorebench.client.timed import TimedConnection
from scorebench.client.tls import client_context
from scorebench.client.watchdog import Watchdog
from scorebench.load.schedule import NeverSent
from scorebench.options.settings import Settings
from scorebench.plugin.users.share import Share

CUT_OFF_S = 1.0
"""How long calls that were given up may take to end; the watchdog looks at them ten times a second."""


class Sending:
    """What the users of one test have in common while they send."""

    def __init__(self, settings: Settings, messages: Sequence[bytes], *, is_dealt: bool = False) -> None:
        """Where it `is_dealt`, a master says what this process sends; else all that was asked for."""
        self.messages = messages
        """Whole requests, one for each body."""
        self.share = Share(settings, len(messages), is_dealt=is_dealt)
        """Which calls users send, and whether a new one may leave."""
        self.over = Event()
        """Set once no new call may leave."""
        self.cutting = False
        """Whether calls in flight are being cut off."""
        self.stop_s: float | None = None
        """When the last new call could leave, on `time.perf_counter`'s clock; None before."""
        self.on_start: Callable[[], None] = lambda: None
        """Called once, when the first call may leave."""
        self.on_exhausted: Callable[[], None] = lambda: None
        """Called once, when the last user has left because no calls are left to send."""
        self._settings = settings
        secure = settings.target.scheme == "https"
        self._tls = client_context(settings.ca_file, settings.certificate) if secure else None
        self._watchdog = Watchdog()
        self._connections: set[Connection] = set()
        self._totals_before = dict.fromkeys(COUNTS, 0)  # of connections that are closed
        self.pauses = Pauses()
        self._numbers = itertools.count()
        self._active = 0
        self._arrived = 0
        self._expected: int | None = 0
        self._exhausted = False
        self._started = Event()
        self._silent_by_s = 0.0

    def start(self) -> None:
        """Let the users begin: due times count from now."""
        self.share.start()
        self._started.set()
        self.on_start()

    def gather(self) -> None:
        """Have the users wait until `expect` says how many they are and all of them are here."""
        self._expected = None

    def expect(self, users: int) -> None:
        """Start once so many users are here."""
        self._expected = users
        self._start_if_all_are_here()

    def start_by(self, limit_s: float) -> tuple[int, int] | None:
        """Start in `limit_s` at the latest; (users here, users expected) where some were missing then."""
        self._started.wait(limit_s)
        if self._started.is_set() or self.stop_s is not None:
            return None
        here = self._arrived, self._expected or 0
        self.start()
        return here

    def wait_for_start(self) -> None:
        """Wait until `start`: it comes with the first user, or after `gather` with the last one."""
        self._arrived += 1
        self._start_if_all_are_here()
        self._started.wait()

    def _start_if_all_are_here(self) -> None:
        is_waiting = not self._started.is_set() and self._expected is not None
        if is_waiting and self._arrived >= max(self._expected or 0, 1):
            self.start()

    def finish(self, drain_s: float) -> None:
        """Send no new call, wait up to `drain_s` for those in flight, and cut off the rest."""
        self.stop_s = clock()
        self.share.end()
        self.over.set()
        self._started.set()  # who waits for a start that won't come leaves
        self._wait_for_silence(drain_s)
        self.cutting = True
        for connection in self._connections:
            connection.give_up()
        self._wait_for_silence(CUT_OFF_S)
        self.share.waker.close()

    def cut_short(self) -> None:
        """Stop waiting for the calls in flight: they are cut off."""
        if not self.cutting:
            self._silent_by_s = 0.0

    def _wait_for_silence(self, limit_s: float) -> None:
        self._silent_by_s = clock() + limit_s
        while clock() < self._silent_by_s and (
            self.share.waker.waiting or self.pauses.active or any(c.in_call for c in self._connections)
        ):
            gevent.sleep(0.01)

    @property
    def due(self) -> int | None:
        """Calls that users have taken a ticket for; None in a closed loop."""
        schedule = self.share.schedule
        return None if schedule is None else schedule.taken

    @property
    def totals(self) -> dict[str, int]:
        """What the connections counted, by field of the recording."""
        return {
            name: before + sum(getattr(connection, name) for connection in self._connections)
            for name, before in self._totals_before.items()
        }

    def never_sent(self) -> NeverSent | None:
        """Calls that were due until the end and nobody sent; ends the schedule. None in a closed loop."""
        assert self.stop_s is not None
        schedule = self.share.schedule
        return None if schedule is None else schedule.never_sent(self.stop_s)

    def wait_for_more(self, is_wanted: Callable[[], bool]) -> bool:
        """For a user that has nothing to send: whether it goes on, see `Share`."""
        return self.share.wait_for_more(is_wanted, lambda: self._active)

    def next_user(self) -> int:
        """The number of a user of ours that begins."""
        self._active += 1
        return self.next_number()

    def next_number(self) -> int:
        """A number that no other user of this process had."""
        return next(self._numbers)

    def finished_user(self) -> None:
        """A user leaves because there is nothing left to send."""
        self._exhausted = self._exhausted or self.share.running

    def new_connection(self) -> Connection:
        """A connection to the target, watched for time-outs."""
        settings = self._settings
        kind: type[Connection] = StreamingConnection if settings.stream else Connection
        kind = TimedConnection if settings.timings else kind
        connection = kind(
            settings.target,
            self._watchdog,
            timeout_s=settings.timeout_s,
            connect_timeout_s=settings.connect_timeout_s,
            tls=self._tls,
            max_answer_bytes=settings.max_answer_bytes,
        )
        self._connections.add(connection)
        return connection

    def use_tls(self, context: ssl.SSLContext) -> None:
        """For connections that are opened from now on; those that stand go on as they are."""
        self._tls = context
        for connection in self._connections:
            connection.use_tls(context)

    def leave(self, connection: Connection) -> None:
        """A user is gone; its connection closes."""
        self._active -= 1
        self._connections.discard(connection)
        for name in COUNTS:
            self._totals_before[name] += getattr(connection, name)
        connection.close()
        if self._exhausted and not self._active:
            self._exhausted = False
            self.on_exhausted()
