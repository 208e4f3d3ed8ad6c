"""A master: leads workers, and sends no calls itself.

Knows Locust's master and our messages. Workers send what they counted with Locust's own regular reports, and
the rest in a message of ours when their last call is done: Locust's master waits half a second for last
reports, which a slow call outlasts.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from typing import Any

import gevent
from locust.runners import MasterRunner

from scorebench.options.settings import Settings
from scorebench.plugin.lifecycle import messages
from scorebench.plugin.lifecycle.asked import ALL_AT_ONCE, Asked
from scorebench.plugin.lifecycle.ending import Ending
from scorebench.plugin.lifecycle.forked import Forked
from scorebench.plugin.lifecycle.gathered import Gathered
from scorebench.plugin.lifecycle.refusing import abandon
from scorebench.recordings.happenings import ALL_REJECTED, WORKER_LOST
from scorebench.recordings.lost import NOT_HEARD_OF, not_heard_of
from scorebench.recordings.recording import Recording

_START_S = 60.0
"""How long workers may take until the first call can leave: each encodes the payload."""
_GRACE_S = 10.0
"""How much longer than its drain a worker may take for its last word."""


class Master:
    """Deals the places, gathers what the workers counted, and misses those that are lost."""

    leads = True
    behind_s = messages.BEHIND_S

    def __init__(self, runner: MasterRunner, asked: Asked, gathered: Gathered, ending: Ending) -> None:
        self._runner, self._asked, self._gathered, self._ending = runner, asked, gathered, ending
        self._order: list[str] = []
        """The workers of this test, each at its place."""
        self._last: set[str] = set()
        """Those that have told all."""
        self._exhausted: set[str] = set()
        self._resets = 0
        self._begun = False
        """Whether a first call may have left."""
        options = runner.environment.parsed_options
        waits = options is not None and options.headless  # who looks at Locust's page sees what is missing
        self._forked = Forked(getattr(options, "processes", None) or 0 if waits else 0)
        gevent.spawn(self._forked.watch, lambda: self._begun, self._on_early_end)
        runner.environment.events.worker_report.add_listener(self._on_report)
        runner.register_message(messages.BEGUN, self._on_begun)
        runner.register_message(messages.LAST, self._on_last)
        runner.register_message(messages.EXHAUSTED, self._on_exhausted)

    def prepare(self, settings: Settings) -> None:  # noqa: ARG002 (its workers look at them)
        """Tell the workers their places; Locust sends the options with the order to spawn."""
        self._order = sorted(client.id for client in self._runner.clients.all)
        self._last.clear()
        self._exhausted.clear()
        self._resets = 0
        setattr(self._asked.options, messages.ORDER, self._order)
        setattr(self._asked.options, ALL_AT_ONCE, self._asked.all_at_once)

    def begin(self) -> None:
        self._ending.count_from_now(_START_S)  # and anew when a worker says that it has begun

    def fall_silent(self, settings: Settings) -> None:
        """Have the workers finish their calls, and wait for what they counted; who says nothing is lost."""
        self._tell(messages.STOP, self._here())
        stop_s = time.time()
        end_s = time.monotonic() + settings.drain_s + _GRACE_S
        while not self._here() <= self._last and time.monotonic() < end_s:
            gevent.sleep(0.02)
        self._count_lost(settings, stop_s)

    def cut_short(self) -> None:
        self._tell(messages.CUT_SHORT, self._here())

    def hand_over(self, report: Callable[[], None]) -> None:
        report()
        if not self._here():
            self._ending.leave()

    def reset(self) -> None:
        """Have the workers drop what they counted; what they sent before they heard of it is dropped here."""
        self._gathered.reset()
        self._resets += 1
        self._tell(messages.RESET, self._order, {"resets": self._resets})

    def so_far(self) -> Recording:
        return self._gathered.recording

    def _tell(self, message: str, workers: Iterable[str], data: Any = None) -> None:
        for worker in workers:
            self._runner.send_message(message, data, worker)

    def _here(self) -> set[str]:
        """The workers of this test that still send heartbeats."""
        missing = {client.id for client in self._runner.clients.missing}
        return {client.id for client in self._runner.clients.all} & set(self._order) - missing

    def _count_lost(self, settings: Settings, stop_s: float) -> None:
        recording, workers = self._gathered.recording, len(self._order)
        lost = [number for number, worker in enumerate(self._order) if worker not in self._last]
        if lost:
            self._gathered.note(WORKER_LOST, f"{len(lost)} of {workers} processes")
            recording.due = None  # what it told last held calls that were still in flight
        most_calls = settings.most_calls(self._asked.bodies)
        for number in lost:
            place = {"worker": number, "workers": workers}
            calls = not_heard_of(recording, settings.arrivals, most_calls, **place, stop_s=stop_s)
            recording.add_never_sent(NOT_HEARD_OF, calls)

    def _on_report(self, client_id: str, data: dict[str, Any]) -> None:
        if messages.KEY in data:
            self._merge(client_id, data[messages.KEY])

    def _on_early_end(self, ended: str) -> None:
        """Locust would wait for them for ever."""
        self._forked.end()
        abandon(
            f"{ended} worker processes (--processes) ended before the first call: nothing was sent. Look for "
            "what ended them, such as a lack of memory, and run again."
        )

    def _on_begun(self, environment: Any, msg: Any) -> None:  # noqa: ARG002 (Locust's names)
        self._begun = True
        self._gathered.load_began()
        self._ending.count_from_now()

    def _on_last(self, environment: Any, msg: Any) -> None:  # noqa: ARG002 (Locust's names)
        self._merge(msg.node_id, msg.data[messages.KEY])
        self._last.add(msg.node_id)

    def _on_exhausted(self, environment: Any, msg: Any) -> None:  # noqa: ARG002
        self._exhausted.add(msg.node_id)
        if self._exhausted >= set(self._order):
            self._ending.soon()

    def _merge(self, client_id: str, message: bytes) -> None:
        report = messages.unpack(message)
        if client_id in self._order and report.resets == self._resets:
            worker = self._order.index(client_id)
            self._gathered.add(worker, *messages.counted(report, worker))
            if _rejects_every_call(self._gathered.recording):
                self._ending.soon()


def _rejects_every_call(recording: Recording) -> bool:
    """Whether a worker met nothing but rejections, and no worker a valid answer."""
    met = any(event.get("what") == ALL_REJECTED for event in recording.events)
    return met and not (recording.measured.valid or recording.warm_up.valid)
