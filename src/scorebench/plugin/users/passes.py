"""N Locust users, each going through the data by itself: what benchmark.py and threaded_benchmark.py do.

Knows Locust as a library; nothing of options or of how the results are printed.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from gevent.event import Event
from locust.env import Environment

from scorebench.answers.http_message import Answer
from scorebench.answers.outcome import Outcome
from scorebench.answers.predictions import CHECKED_AT_ONCE, parse_predictions
from scorebench.answers.strict_json import NotPredictions
from scorebench.options.settings import Settings
from scorebench.payloads.payload import Payload
from scorebench.plugin.users.batches import PERIOD_S
from scorebench.plugin.users.caller import Record, caller
from scorebench.plugin.users.session import Session, set_session
from scorebench.plugin.users.user import ScoringUser
from scorebench.recordings.calls import outcome_in
from scorebench.recordings.recording import Recording


@dataclass(frozen=True)
class Call:
    """One call of a pass: `predictions` is None where the answer was not valid, and empty after `on_call`."""

    user: int
    number: int
    service_time_s: float
    outcome: Outcome
    predictions: list[Any] | None


def walk(
    settings: Settings,
    payload: Payload,
    *,
    users: int,
    calls: int,
    on_call: Callable[[Call], None],
    wanted: Callable[[int], bool] = lambda _number: True,
) -> Recording:
    """Have `users` users each make `calls` calls with the bodies of `payload`, in order and then over again.

    `on_call` hears of each call for whose number `wanted` is true, as it is answered. Ctrl-C ends the walk;
    what was counted until then is returned.
    """
    # No answer is expected: each is wanted whole, and not only whether it is known.
    session = Session(settings, payload, expected_bytes=0)
    walker = _walker(users, calls, on_call, wanted)
    environment = Environment(user_classes=[walker], host=settings.target.base_url)
    environment.stop_timeout = settings.drain_s
    set_session(environment, session)
    runner = environment.create_local_runner()
    exhausted = Event()
    session.sending.on_exhausted = exhausted.set
    recording = Recording()
    runner.start(users, spawn_rate=100)
    try:
        while not exhausted.wait(PERIOD_S):
            _count(session, recording)
    except KeyboardInterrupt:
        pass
    session.finish(settings.drain_s)
    runner.quit()
    _count(session, recording)
    recording.merge(session.take_recording())
    return recording


def _count(session: Session, recording: Recording) -> None:
    calls = session.counting.take_calls()
    if calls is not None:
        recording.add(calls)


def _walker(
    users: int, calls: int, on_call: Callable[[Call], None], wanted: Callable[[int], bool]
) -> type[ScoringUser]:
    all_here = Event()

    class Walker(ScoringUser):
        """Sends the bodies in order."""

        def send_calls(self, session: Session) -> None:
            # Locust starts a hundred users a second, and another for each that has left meanwhile.
            if self.number == users - 1:
                all_here.set()
            all_here.wait()
            answers = _Answers(session)
            call = caller(session, self.connection, self.number, answers.judge)
            bodies = len(session.sending.messages)
            for number in range(calls):
                if not session.sending.share.running:
                    return
                record = call(number % bodies)
                if wanted(number):
                    made = _call(self.number, number, record, answers)
                    on_call(made)
                    answers.give_up(made.predictions)

    return Walker


class _Answers:
    """Judges as the session does, and keeps the last answer. Others go on while it reads a large one."""

    def __init__(self, session: Session) -> None:
        self._judge, self._pause = session.counting.judge, session.sending.pauses
        self.last: Answer | None = None

    def judge(self, index: int, answer: Answer) -> Outcome:
        self.last = answer
        return self._judge(index, answer)

    def predictions(self) -> list[Any] | None:
        """Those of the last answer; None where it has none."""
        try:
            return None if self.last is None else parse_predictions(self.last.body, pause=self._pause)
        except NotPredictions:
            return None

    def give_up(self, predictions: list[Any] | None) -> None:
        """Free them bit by bit: millions take long."""
        while predictions:
            del predictions[-CHECKED_AT_ONCE:]
            if predictions:
                self._pause()


def _call(user: int, number: int, record: Record, answers: _Answers) -> Call:
    _, sent, done, mark, _ = record
    outcome = outcome_in(mark)
    predictions = answers.predictions() if outcome is Outcome.VALID else None
    return Call(user, number, done - sent, outcome, predictions)
