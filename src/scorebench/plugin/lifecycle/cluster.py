"""Master and workers: who sends which calls, and how what they counted comes together.

Knows Locust's messages. Workers send what they counted with Locust's own regular reports, and the rest in a
message of ours when their last call is done: Locust's master waits half a second for last reports, which a
slow call outlasts.
"""

from __future__ import annotations

import time
from functools import cache
from math import ceil
from typing import TYPE_CHECKING, Any

import gevent
import msgspec
from locust import argument_parser
from locust.runners import WORKER_REPORT_INTERVAL, MasterRunner, WorkerRunner

from scorebench.plugin.users.session import Session, session_of
from scorebench.recordings.calls import from_bytes, to_bytes
from scorebench.recordings.form import Report, form_of, recording_of
from scorebench.recordings.happenings import WORKER_LOST
from scorebench.recordings.lost import NOT_HEARD_OF, not_heard_of

if TYPE_CHECKING:
    from scorebench.options.settings import Settings
    from scorebench.plugin.lifecycle.run import Run

KEY = "scorebench"
BEHIND_S = ceil(WORKER_REPORT_INTERVAL) + 1
"""Seconds after which a master has heard of all calls of a second."""
ORDER = "scorebench_workers"
_BEGUN, _STOP, _LAST, _RESET, _EXHAUSTED, _CUT_SHORT = (
    f"scorebench_{word}" for word in ("begun", "stop", "last", "reset", "exhausted", "cut_short")
)
_GRACE_S = 10.0


class Alone:
    """One process that does everything."""

    def __init__(self, run: Run) -> None:
        self._run = run

    def place(self) -> tuple[int, int]:
        """(this worker's number, how many there are)."""
        return 0, 1

    def begun(self) -> None:
        """The first call may leave: the run's time counts from here."""
        self._run.begin_run_time()

    def exhausted(self) -> None:
        """All calls are done: end the test, and Locust too where nobody looks at its page."""
        gevent.spawn(end_test, self._run)

    def cut_short(self) -> None:
        """Wait no longer for the calls in flight."""
        session_of(self._run.environment).cut_short()

    def deal(self) -> None: ...
    def stop_workers(self, settings: Settings) -> None: ...
    def reset_workers(self) -> None: ...
    def send_last(self, session: Session) -> None: ...
    def left(self) -> None: ...


class Master(Alone):
    """Leads workers, and sends no calls itself."""

    def __init__(self, run: Run, runner: MasterRunner) -> None:
        super().__init__(run)
        self._runner = runner
        self._order: list[str] = []
        self._last: set[str] = set()
        self._exhausted: set[str] = set()
        self._resets = 0
        runner.environment.events.worker_report.add_listener(self._on_report)
        runner.register_message(_BEGUN, lambda **_: run.begin_run_time())
        runner.register_message(_LAST, self._on_last)
        runner.register_message(_EXHAUSTED, self._on_exhausted)

    def deal(self) -> None:
        """Tell the workers their places; Locust sends the options with the order to spawn."""
        self._order = sorted(client.id for client in self._runner.clients.all)
        self._last.clear()
        self._exhausted.clear()
        self._resets = 0
        setattr(self._run.environment.parsed_options, ORDER, self._order)

    def stop_workers(self, settings: Settings) -> None:
        """Have the workers finish their calls, and wait for what they counted; who says nothing is lost."""
        for worker in self._here():
            self._runner.send_message(_STOP, None, worker)
        stop_s = time.time()
        end_s = time.monotonic() + settings.drain_s + _GRACE_S
        while not self._here() <= self._last and time.monotonic() < end_s:
            gevent.sleep(0.02)
        self._count_lost(settings, stop_s)

    def cut_short(self) -> None:
        for worker in self._here():
            self._runner.send_message(_CUT_SHORT, None, worker)

    def _count_lost(self, settings: Settings, stop_s: float) -> None:
        run, workers = self._run, len(self._order)
        lost = [number for number, worker in enumerate(self._order) if worker not in self._last]
        if lost:
            run.note(WORKER_LOST, f"{len(lost)} of {workers} processes")
            run.recording.due = None  # what it told last held calls that were still in flight
        most_calls = settings.most_calls(run.asked.bodies)
        for number in lost:
            place = {"worker": number, "workers": workers}
            calls = not_heard_of(run.recording, settings.arrivals, most_calls, **place, stop_s=stop_s)
            run.recording.add_never_sent(NOT_HEARD_OF, calls)

    def left(self) -> None:
        """The report is written. Locust waits for workers that are all lost, and for ever."""
        if not self._here() and self._run.environment.web_ui is None:
            gevent.spawn(self._runner.quit)

    def _here(self) -> set[str]:
        """The workers of this test that still send heartbeats."""
        missing = {client.id for client in self._runner.clients.missing}
        return {client.id for client in self._runner.clients.all} & set(self._order) - missing

    def reset_workers(self) -> None:
        """Have the workers drop what they counted; what they sent before they heard of it is dropped here."""
        self._resets += 1
        for worker in self._order:
            self._runner.send_message(_RESET, {"resets": self._resets}, worker)

    def _on_report(self, client_id: str, data: dict[str, Any]) -> None:
        if KEY in data:
            self._merge(client_id, data[KEY])

    def _on_last(self, environment: Any, msg: Any) -> None:  # noqa: ARG002 (Locust's names)
        self._merge(msg.node_id, msg.data[KEY])
        self._last.add(msg.node_id)

    def _on_exhausted(self, environment: Any, msg: Any) -> None:  # noqa: ARG002
        self._exhausted.add(msg.node_id)
        if self._exhausted >= set(self._order):
            gevent.spawn(end_test, self._run)

    def _merge(self, client_id: str, message: bytes) -> None:
        report = msgspec.msgpack.decode(message, type=Report)
        if client_id not in self._order or report.resets != self._resets:
            return
        worker = self._order.index(client_id)
        recording = recording_of(report.recording)
        recording.rename_users(worker)
        self._run.recording.merge(recording)
        if report.calls:
            self._run.kept.append((worker, from_bytes(report.calls)))


class Worker(Alone):
    """Sends its share of the calls, and what it counted to the master."""

    def __init__(self, run: Run, runner: WorkerRunner) -> None:
        super().__init__(run)
        self._runner = runner
        self._resets = 0
        runner.environment.events.report_to_master.add_listener(self._on_report)
        runner.register_message(_STOP, self._on_stop, concurrent=True)
        runner.register_message(_CUT_SHORT, lambda **_: run.cut_short())
        runner.register_message(_RESET, self._on_reset)
        # At each order to spawn Locust makes the table of its own options anew, once an option that came with
        # it: a quarter of a second in which no user wakes.
        argument_parser.default_args_dict = cache(argument_parser.default_args_dict)

    def place(self) -> tuple[int, int]:
        self._resets = 0  # a test begins
        order = getattr(self._run.environment.parsed_options, ORDER, None) or [self._runner.client_id]
        return order.index(self._runner.client_id), len(order)

    def begun(self) -> None:
        self._runner.send_message(_BEGUN)

    def exhausted(self) -> None:
        self._runner.send_message(_EXHAUSTED)

    def send_last(self, session: Session) -> None:
        self._runner.send_message(_LAST, {KEY: self._counted(session)})

    def _on_report(self, client_id: str, data: dict[str, Any]) -> None:  # noqa: ARG002 (Locust's names)
        session = session_of(self._run.environment)
        if session is not None and session.stop_s is None:
            data[KEY] = self._counted(session)

    def _on_stop(self, environment: Any, msg: Any) -> None:  # noqa: ARG002
        self._runner.stop()

    def _on_reset(self, environment: Any, msg: Any) -> None:  # noqa: ARG002
        self._resets = msg.data["resets"]
        self._run.forget()

    def _counted(self, session: Session) -> bytes:
        """What was counted since the last time, as a message."""
        kept = session.take_kept()
        report = Report(
            recording=form_of(session.take_recording()),
            calls=to_bytes(kept) if kept else None,
            resets=self._resets,
        )
        return msgspec.msgpack.encode(report)


def join(run: Run) -> Alone:
    """The part that this process plays."""
    runner = run.environment.runner
    if isinstance(runner, MasterRunner):
        return Master(run, runner)
    return Worker(run, runner) if isinstance(runner, WorkerRunner) else Alone(run)


def end_test(run: Run) -> None:
    """Stop the test; leave Locust too unless its page is open."""
    runner = run.environment.runner
    if runner is None or runner.state in ("stopping", "stopped", "cleanup"):
        return
    if run.environment.web_ui is None:
        runner.quit()
    else:
        runner.stop()
