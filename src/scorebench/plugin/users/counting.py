"""What the calls of one test come to in this process: answers are judged, batches become a recording.

Knows calls, judge and recording; nothing of connections, tickets or Locust. Counting is split into short
steps, because users share this process: what counts a batch at once keeps every user waiting.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from time import perf_counter as clock

import gevent
import numpy as np

from scorebench.answers.answer import Judge, describe
from scorebench.answers.first import Changed
from scorebench.answers.http_message import Answer
from scorebench.answers.outcome import Group, Outcome
from scorebench.answers.streams import Streamed
from scorebench.plugin.users.rejections import Rejections
from scorebench.recordings.calls import FIELDS_PER_CALL, Calls, from_numbers
from scorebench.recordings.recording import Recording
from scorebench.recordings.streams import streams_of

BREATH_S = 0.001
"""Between two steps of counting a batch. Not 0: gevent goes on at once then, and looks at no socket first."""
STEP_S, PATIENCE = 0.0005, 5
"""What a step takes at most, about; and how often it is put off for a user who is due."""
EXPECTED_BYTES = 32 * 2**20
"""Most memory for whole answers kept to compare with; beyond it answers are parsed."""


class Counting:
    """Counts the calls that users append to `numbers`; `pending` holds what was counted and not taken yet."""

    on_unauthorized: Callable[[], object] | None = None
    """Called for each answer that lets nobody in."""

    def __init__(
        self,
        rows: Sequence[int],
        *,
        judge: Judge,
        hidden: Callable[[bytes], bytes],
        is_near: Callable[[float], bool],
        expected_bytes: int = EXPECTED_BYTES,
    ) -> None:
        """`rows` has the records in each body; `hidden` takes credentials out of an answer.

        `is_near` says whether a user is due within some seconds.
        """
        self.numbers: list[float] = []
        """What users append: `FIELDS_PER_CALL` for each call."""
        self.phases: list[float] = []
        self.server_timings: list[bytes] = []
        """What users append to both for each call, with --timings: see `recordings.split`."""
        self.traces: list[str] = []
        """What users append for each call, with --traceparent: the id of its trace."""
        self._streamed: list[tuple[int, Streamed]] = []  # by the place of its call among these
        self.expected: list[bytes | None] = [None] * len(rows)
        """The answer to each body that is known to be valid, byte for byte."""
        self.pending = Recording()
        """All of the test in a local run; on a worker, what came since its last report."""
        self.kept: list[Calls] = []
        """With --keep-calls, every batch since it was last taken."""
        self.taken = 0
        """Calls taken as columns since the start."""
        self.epoch_s = time.time() - clock()
        """What turns `time.perf_counter` into Unix time."""
        self._rows = np.array(rows, dtype=np.int64)
        self._judge = judge
        self.rejections = Rejections(hidden)
        self._hidden, self._is_near = hidden, is_near
        self._expected_left = expected_bytes
        self._steps: Iterator[None] = iter(())
        self._reading_s = 0.0
        self._totals: dict[str, float] = {}

    @property
    def done(self) -> int:
        """Calls that ended since the start."""
        return self.taken + len(self.numbers) // FIELDS_PER_CALL

    def judge(self, index: int, answer: Answer) -> Outcome:
        """The outcome of an answer to body `index` whose bytes are not known to be valid; now they may be."""
        began_s = clock()
        outcome = self._judged(index, answer)
        self._reading_s += clock() - began_s
        return outcome

    def _judged(self, index: int, answer: Answer) -> Outcome:
        self.rejections.see(answer)
        outcome, is_first, why = self._judge.compare(index, answer)
        if outcome is Outcome.UNAUTHORIZED and self.on_unauthorized is not None:
            self.on_unauthorized()
        if outcome is not Outcome.VALID and outcome.label not in self.pending.examples:
            place = self._hidden(answer.location.encode("latin-1")).decode("latin-1")
            shown = replace(answer, body=self._hidden(answer.body), location=place)
            self.pending.add_example(outcome.label, describe(shown, why))
        elif answer.stream is not None:  # its user appends the call next, and no other does before
            self._streamed.append((len(self.numbers) // FIELDS_PER_CALL, answer.stream))
        elif outcome is Outcome.VALID and answer.raw is not None and is_first:
            self._expect(index, answer.raw)
        if (changed := self._judge.first.take_example()) is not None:
            self._show(changed)
        return outcome

    def _show(self, changed: Changed) -> None:
        """Keep two answers that differ; credentials go before anything is cut."""
        bare = Changed(changed.payload, self._hidden(changed.first), self._hidden(changed.then))
        first, then = bare.shown()
        self.pending.changed_example = {"body": str(changed.payload), "first": first, "then": then}

    def _expect(self, index: int, raw: bytes) -> None:
        if self.expected[index] is None:
            if len(raw) > self._expected_left:
                return
            self._expected_left -= len(raw)
        self.expected[index] = raw

    def add_example(self, outcome: Outcome, text: str) -> None:
        """Keep why a call without an answer failed; how the run's end cut one off explains itself."""
        if outcome.group is not Group.CUT_OFF and outcome.label not in self.pending.examples:
            shown = self._hidden(text.encode("utf-8", "backslashreplace"))
            self.pending.add_example(outcome.label, shown.decode())

    def note(self, what: str, why: str) -> None:
        """Keep what happened besides calls, once of its kind since it was last taken."""
        if all(event["what"] != what for event in self.pending.events):
            self.pending.events.append({"t_s": time.time(), "what": what, "why": why})

    def count(self, steps: Iterator[None]) -> None:
        """Take the steps of counting a batch one by one; users run in between and wait for none of them."""
        self.settle()
        self._steps = steps
        for _ in steps:
            self.make_way()

    def make_way(self) -> None:
        """Let users go first whose answers came, or who are due before a step of counting would be over."""
        for _ in range(PATIENCE):
            gevent.sleep(BREATH_S)
            if not self._is_near(STEP_S):
                return

    def settle(self) -> None:
        """Finish the counting that goes on, for a reader who needs its figures now."""
        for _ in self._steps:
            pass

    def take_calls(self) -> Calls | None:
        """The calls since the last time, as columns; None when there were none."""
        if not self.numbers:
            return None
        numbers, phases, server_timings = self.numbers.copy(), self.phases.copy(), self.server_timings.copy()
        for kept in (self.numbers, self.phases, self.server_timings):
            kept.clear()
        self.taken += len(numbers) // FIELDS_PER_CALL
        calls = from_numbers(numbers, self._rows, self.epoch_s, phases, server_timings)
        if self.traces:
            calls = replace(calls, traces=np.array(self.traces))
            self.traces.clear()
        if self._streamed:
            streamed, self._streamed = self._streamed, []
            calls = replace(calls, streams=streams_of(streamed, calls.sent_s - self.epoch_s))
        return calls

    def take_kept(self) -> list[Calls]:
        """The batches kept since the last time."""
        taken, self.kept = self.kept, []
        return taken

    def take_recording(self) -> Recording:
        """What was counted since the last time."""
        self.settle()
        taken, self.pending = self.pending, Recording()
        return taken

    def bring_up_to_date(self, totals: Mapping[str, int], *, due: int | None) -> None:
        """Count what others keep `totals` of, by field of the recording; `due` is None in a closed loop."""
        own = {"changed": self._judge.first.changed, "reading_s": self._reading_s}
        for name, total in {**totals, **own}.items():
            setattr(self.pending, name, getattr(self.pending, name) + self._since(name, total))
        if due is not None:
            self.pending.add_due(int(self._since("due", due)))

    def forget_due(self) -> None:
        """Count the tickets that users hold as due once more: after a reset they become calls."""
        self._totals["due"] = self.taken

    def _since(self, name: str, total: float) -> float:
        """How much a total has grown since the last time."""
        grown = total - self._totals.get(name, 0)
        self._totals[name] = total
        return grown
