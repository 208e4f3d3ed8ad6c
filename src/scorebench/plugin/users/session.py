"""One test in one process, from its first call to its last: what sends and what counts.

Knows both, and the environment that holds them; nothing of how either does its work.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from scorebench.answers.answer import Judge
from scorebench.answers.http_message import CallFailed
from scorebench.answers.outcome import Outcome
from scorebench.answers.readings import expected
from scorebench.client.access import Access
from scorebench.client.certificate_files import CertificateFiles
from scorebench.client.connection import Connection
from scorebench.client.failures import OwnLimit
from scorebench.client.keeping import Keeping
from scorebench.client.renewal import Renewal
from scorebench.client.timed import TimedConnection
from scorebench.load.schedule import ALL_USERS_BUSY, NeverSent
from scorebench.options.settings import Settings
from scorebench.payloads.payload import Payload
from scorebench.plugin.users.counting import EXPECTED_BYTES, Counting
from scorebench.plugin.users.requests import Traced, requests_of
from scorebench.plugin.users.sending import Sending
from scorebench.plugin.users.waits import Send, Waits, by_second
from scorebench.recordings.happenings import OWN_LIMIT, SIGN_IN_FAILED, SIGN_IN_REFUSED
from scorebench.recordings.recording import Recording
from scorebench.recordings.warm_up_gate import WarmUpGate

if TYPE_CHECKING:
    from locust.env import Environment

_ATTRIBUTE = "scorebench_session"


class Session:
    """`sending` and `counting` of one test, which end together."""

    def __init__(
        self,
        settings: Settings,
        payload: Payload,
        access: Access | None = None,
        *,
        is_dealt: bool = False,
        expected_bytes: int = EXPECTED_BYTES,
    ) -> None:
        """`is_dealt`: a master says what it sends. Calls go to the target of `access`.

        Without `access` the credentials are loaded here: InputError where one is missing.
        """
        self.access = access or settings.credentials.load()
        messages = requests_of(payload, self.access)
        wanted = expected(payload.answers)
        settings = replace(settings, target=self.access.target).with_times(payload.times_s)
        self.settings = settings
        self.gate = WarmUpGate(replace(settings.warm_up, calls=0) if is_dealt else settings.warm_up)
        """A test's own: the last batches of the test before must not use up its warm-up."""
        self.sending = Sending(settings, messages, is_dealt=is_dealt)
        self.counting = Counting(
            payload.rows,
            judge=Judge(
                wanted.counts(payload.rows),
                wanted.reading,
                nulls=payload.null_predictions,
                pause=self.sending.pauses,
                tolerance=settings.tolerance,
            ),
            hidden=self.access.hidden,
            is_near=self.sending.share.waker.is_near,
            expected_bytes=expected_bytes,
        )
        self.waits = Waits()
        self._keeping = Keeping()
        self._begin_renewing()

    def _begin_renewing(self) -> None:
        def tell(why: str) -> None:
            self.counting.note(SIGN_IN_FAILED, why)

        self.counting.on_unauthorized = self._renew_early
        self.access.begin(tell)
        shown = self.settings.certificate
        if shown is not None:
            files = CertificateFiles(self.settings.ca_file, shown, self.sending.use_tls)
            self._keeping.begin([Renewal(files.fetch)], tell)

    def _renew_early(self) -> None:
        """A call was refused: the service may have ended the sign-in before its time."""
        if self.access.refused():
            self.counting.note(SIGN_IN_REFUSED, "a new one was asked for at once")

    def sender(self, connection: Connection) -> Send:
        """What calls over `connection` are sent by; with --stop-when it is known which are in flight."""
        return self.waits.following(connection.call) if self.settings.stop_when else connection.call

    def waiting(self, others_sent_s: Iterable[float] = ()) -> dict[int, int]:
        """{whole seconds that they have waited since the warm-up: calls in flight}; {} without --stop-when.

        `others_sent_s`: when calls that are not ours were sent.
        """
        sent_s = [*self.waits.sent_s, *others_sent_s]
        if not sent_s or not self.settings.stop_when or self.gate.calls_left or self.is_over:
            return {}
        begin_s = self.gate.begin_s
        began_s = min(sent_s) if begin_s is None else begin_s - self.counting.epoch_s
        return by_second(sent_s, began_s + self.settings.warm_up.seconds)

    @property
    def is_over(self) -> bool:
        """Whether no new call may leave any more."""
        return self.sending.stop_s is not None

    def messages_of_a_user(self) -> Sequence[bytes]:
        """What one user sends; with --traceparent each call gets a trace of its own."""
        return Traced(self.sending.messages) if self.settings.traceparent else self.sending.messages

    def recorder(
        self, connection: Connection, messages: Sequence[bytes]
    ) -> Callable[[Iterable[float]], None]:
        """What keeps the numbers of a call over `connection`; with --timings its phases too.

        With --traceparent `messages` know the trace of the call, which is kept as well.
        """
        keep = self.counting.numbers.extend
        if isinstance(messages, Traced):
            keep = _with_traces(keep, messages, self.counting.traces.append)
        if not isinstance(connection, TimedConnection):
            return keep
        keep_phases, keep_timing = self.counting.phases.extend, self.counting.server_timings.append

        def keep_all(numbers: Iterable[float]) -> None:
            keep(numbers)
            keep_phases(connection.phases)
            keep_timing(connection.server_timing)

        return keep_all

    def failed(self, failure: CallFailed) -> Outcome:
        """The outcome of a call without an answer."""
        outcome = Outcome.CUT_OFF if self.sending.cutting else failure.outcome
        self.counting.add_example(outcome, str(failure))
        if isinstance(failure, OwnLimit):
            self.counting.note(OWN_LIMIT, str(failure))
        return outcome

    def finish(self, drain_s: float) -> None:
        """End the test, once: wait up to `drain_s` for the calls in flight, and account for every call."""
        if self.is_over:
            return
        self.sending.finish(drain_s)
        self.access.end()
        self._keeping.end()
        self._account_for(self.sending.never_sent())
        self._bring_up_to_date()

    def _account_for(self, never_sent: NeverSent | None) -> None:
        if never_sent is None:
            return
        pending, calls = self.counting.pending, len(never_sent.due_s)
        pending.add_never_sent(never_sent.cause, calls)
        pending.add_due(calls)
        if never_sent.cause == ALL_USERS_BUSY and self.sending.stop_s is not None:
            epoch_s = self.counting.epoch_s
            self.gate.add_waits(pending, np.array(never_sent.due_s) + epoch_s, self.sending.stop_s + epoch_s)

    def so_far(self) -> Recording:
        """What was counted and not taken yet; not to be changed."""
        self.counting.settle()
        self._bring_up_to_date()
        return self.counting.pending

    def take_recording(self) -> Recording:
        """What was counted since the last time."""
        self.counting.settle()
        self._bring_up_to_date()
        return self.counting.take_recording()

    def forget(self) -> None:
        """Drop what was counted and not taken yet. Tickets that users hold become calls later: due again."""
        self.counting.take_calls()
        self.take_recording()
        self.counting.take_kept()
        self.counting.forget_due()

    def _bring_up_to_date(self) -> None:
        self.counting.bring_up_to_date(self.sending.totals, due=self.sending.due)


def _with_traces(
    keep: Callable[[Iterable[float]], None], messages: Traced, keep_trace: Callable[[str], None]
) -> Callable[[Iterable[float]], None]:
    def keep_both(numbers: Iterable[float]) -> None:
        keep(numbers)
        keep_trace(messages.trace_id)

    return keep_both


def session_of(environment: Environment) -> Any:
    """The session of the test that runs."""
    return getattr(environment, _ATTRIBUTE)


def set_session(environment: Environment, session: Session | None) -> None:
    """Make `session` the one of the test that runs."""
    setattr(environment, _ATTRIBUTE, session)
