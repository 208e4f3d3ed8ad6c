"""A master: leads workers, and sends no calls itself.

Knows Locust's master and our messages. Workers send what they counted with Locust's own regular reports, and
the rest in a message of ours when their last call is done: Locust's master waits half a second for last
reports, which a slow call outlasts.
"""

from __future__ import annotations

import socket
import time
from collections import Counter
from collections.abc import Callable, Iterable
from typing import Any

import gevent
from locust.runners import MasterRunner

from scorebench.cluster.reports import BadReport, read_report
from scorebench.options.settings import Settings
from scorebench.plugin.lifecycle import messages
from scorebench.plugin.lifecycle.asked import ALL_AT_ONCE, Asked
from scorebench.plugin.lifecycle.believed import impossible
from scorebench.plugin.lifecycle.ending import Ending
from scorebench.plugin.lifecycle.forked import Forked
from scorebench.plugin.lifecycle.gathered import Gathered
from scorebench.plugin.lifecycle.joining import Joining
from scorebench.plugin.lifecycle.membership import Membership
from scorebench.plugin.lifecycle.muster import Muster
from scorebench.plugin.lifecycle.refusing import abandon
from scorebench.recordings.happenings import ALL_REJECTED, MORE_THAN_DEALT, REPORT_REFUSED
from scorebench.recordings.lost import NOT_HEARD_OF, not_heard_of
from scorebench.recordings.recording import Recording

_START_S = 60.0
"""How long workers may take until the first call can leave: their users connect."""
_GRACE_S = 10.0
"""How much longer than its drain a worker may take for its last word."""
_MOST_REFUSED = 20
"""Reports that are refused and noted one by one."""


class Master:
    """Has the workers make ready, gathers what they counted, and misses those that are lost."""

    leads = True
    behind_s = messages.BEHIND_S

    def __init__(self, runner: MasterRunner, asked: Asked, gathered: Gathered, ending: Ending) -> None:
        self._runner, self._asked, self._gathered, self._ending = runner, asked, gathered, ending
        self._resets = self._refused = 0
        self._begun = self._is_running = False
        """Whether a first call may have left; whether more may leave."""
        options = runner.environment.parsed_options
        waits = options is not None and options.headless  # who looks at Locust's page sees what is missing
        self._forked = Forked(getattr(options, "processes", None) or 0)
        if waits:
            gevent.spawn(self._forked.watch, lambda: self._begun, self._on_early_end)
        self._muster = Muster(runner, asked)
        self._joining = Joining(
            runner,
            self._muster,
            is_running=lambda: self._is_running,
            on_join=self._on_join,
            on_all_lost=ending.soon,
            on_senseless=self._refuse,
        )
        self._members = Membership(
            runner,
            gathered,
            is_dead=self._is_dead,
            has_no_users=lambda name: _has_no_users(runner, asked.names_of_our_users, name),
            lock_out=self._joining.lock_out,
            end=ending.soon,
        )
        runner.environment.events.worker_report.add_listener(self._on_report)
        runner.register_message(messages.BEGUN, self._on_begun)
        runner.register_message(messages.LAST, self._on_last)

    def prepare(self, settings: Settings) -> None:
        """Have the workers make ready, and deal; Locust sends the options with the order to spawn."""
        if self._asked.options is not None:
            setattr(self._asked.options, ALL_AT_ONCE, self._asked.all_at_once)
        names = sorted(client.id for client in self._runner.clients.all if client.state != "missing")
        self._muster.gather(names)
        self._resets = self._refused = 0
        closed = settings.arrivals is None and self._asked.needs_payload
        most_calls = settings.most_calls(self._asked.bodies) if closed else None
        self._members.begin(names, most_calls, settings.warm_up.calls)

    def begin(self) -> None:
        self._is_running = True
        self._gathered.facts["workers"] = len(self._members.heard)
        gevent.spawn(self._members.watch)
        self._ending.count_from_now(_START_S)  # and anew when a worker says that it has begun

    def fall_silent(self, settings: Settings) -> None:
        """Have the workers finish their calls, and wait for what they counted; who says nothing is lost."""
        self._is_running = False
        self._joining.end()
        # Without a rate or a number of calls, users on other workers send as much as they can.
        most_calls = settings.most_calls(self._asked.bodies)
        is_shared = settings.arrivals is not None or most_calls is not None
        self._members.end(is_shared=is_shared, by_itself=self._ending.is_ours)
        self._tell(messages.STOP, self._awaited())
        stopped_s = time.monotonic()
        stop_s = self._members.time.at(stopped_s)
        end_s = time.monotonic() + settings.drain_s + _GRACE_S
        while self._awaited() and time.monotonic() < end_s:
            gevent.sleep(0.02)
        self._count_lost(settings, stop_s)
        if self._asked.only_ours:
            since_s = self._members.since_s
            all_s = time.monotonic() - since_s
            workers = [(one, self._members.heard[name]) for name, one in self._members.dealing.all.items()]
            for why in impossible(settings.arrivals, most_calls, workers, stopped_s - since_s, all_s):
                self._gathered.note(MORE_THAN_DEALT, why)

    def cut_short(self) -> None:
        self._tell(messages.CUT_SHORT, self._awaited())

    def hand_over(self, report: Callable[[], None]) -> None:
        report()
        if not self._runner.worker_count:
            self._ending.leave()

    def reset(self) -> None:
        """Have the workers drop what they counted; what they sent before they heard of it is dropped here."""
        self._gathered.reset()
        self._resets += 1
        self._tell(messages.RESET, self._members.heard, {"resets": self._resets})

    def so_far(self) -> Recording:
        return self._gathered.recording

    def waiting(self) -> dict[int, int]:
        together: Counter[int] = Counter()
        for heard in self._members.heard.values():
            if heard.dead_s is None and not heard.is_last:
                together.update(heard.beat.waiting)
        return together

    def _tell(self, message: str, workers: Iterable[str], data: Any = None) -> None:
        for worker in list(workers):
            self._runner.send_message(message, data, worker)

    def _awaited(self) -> set[str]:
        """The workers that have not told all, and still can."""
        connected = {client.id for client in self._runner.clients.all if client.state != "missing"}
        return {
            name
            for name, heard in self._members.heard.items()
            if not heard.is_last and (name in connected or heard.is_leaving) and not self._is_dead(name)
        }

    def _is_dead(self, name: str) -> bool:
        """Whether it is a process of ours that has ended."""
        hello = self._muster.known.get(name)
        return hello is not None and hello.host == socket.gethostname() and self._forked.has_ended(hello.pid)

    def _count_lost(self, settings: Settings, stop_s: float) -> None:
        for name, heard in self._members.heard.items():
            if not heard.is_last and self._members.number(name) is not None:
                self._members.miss(name)
        recording = self._gathered.recording
        most_calls = settings.most_calls(self._asked.bodies)
        for lost in self._members.losses:
            calls = not_heard_of(
                settings.arrivals, lost.epochs, most_calls, reported=lost.reported, stop_s=stop_s
            )
            recording.add_never_sent(NOT_HEARD_OF, calls)
            recording.due = None  # what it told last held calls that were still in flight

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

    def _on_join(self, name: str) -> None:
        self._members.admit(name)

    def _on_begun(self, environment: Any, msg: Any) -> None:  # noqa: ARG002 (Locust's names)
        self._begun = True
        self._gathered.load_began()
        if self._members.begun(msg.node_id):
            self._ending.count_from_now()

    def _on_last(self, environment: Any, msg: Any) -> None:  # noqa: ARG002 (Locust's names)
        self._merge(msg.node_id, msg.data[messages.KEY])
        if msg.node_id in self._members.heard:
            self._members.heard[msg.node_id].is_last = True

    def _merge(self, client_id: str, message: bytes) -> None:
        worker = self._members.number(client_id)
        if worker is None:
            return
        try:
            report, recording, kept = read_report(message, worker, time.time())
        except BadReport as bad:
            self._refuse(client_id, str(bad))
            return
        self._members.heard[client_id].count(recording)
        if report.resets == self._resets:
            self._gathered.add(worker, recording, kept)
            if _rejects_every_call(self._gathered.recording):
                self._ending.soon()

    def _refuse(self, client_id: str, why: str) -> None:
        """Note what a worker said that can't be counted; a stranger counts for nothing."""
        worker = self._members.number(client_id)
        if worker is not None and self._refused < _MOST_REFUSED:
            self._refused += 1
            self._gathered.note_once(REPORT_REFUSED, f"worker {worker}: {why}")


def _has_no_users(runner: MasterRunner, names: Iterable[str], worker: str) -> bool:
    """Whether Locust has started all users, and on that worker none of the classes `names`."""
    node = runner.clients.get(worker)
    if node is None or not runner.spawning_completed or not node.user_classes_count:
        return False
    return not any(node.user_classes_count.get(name) for name in names)


def _rejects_every_call(recording: Recording) -> bool:
    """Whether a worker met nothing but rejections, and no worker a valid answer."""
    met = any(event.get("what") == ALL_REJECTED for event in recording.events)
    return met and not (recording.measured.valid or recording.warm_up.valid)
