"""Keeps the warm-up apart: calls due in the first seconds, or the first calls. Knows recordings; no clock.

A call that was due in those seconds and failed after them is measured, from their end on: a server that hangs
since the warm-up is not slow to start, and else nobody would hear of it. Its wait before is no part of the
time that rates are taken over.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from scorebench.answers.outcome import Outcome
from scorebench.load.warm_up import WarmUp
from scorebench.recordings.calls import Calls
from scorebench.recordings.recording import Recording
from scorebench.recordings.requests import Name

if TYPE_CHECKING:
    from numpy.typing import NDArray


class WarmUpGate:
    """Sends each call of a run to the warm-up or to the figures, by its due time."""

    def __init__(self, warm_up: WarmUp) -> None:
        self._seconds = warm_up.seconds
        self.calls_left = warm_up.calls
        """Calls that are still left out."""
        self.begin_s: float | None = None
        """When the load began, in Unix seconds; None until the first call."""
        self._end_s = -math.inf
        """When the last call of the warm-up was due, or could be."""

    def add(self, recording: Recording, calls: Calls) -> None:
        """Count a batch."""
        for _ in self.adding(recording, calls):
            pass

    def adding(
        self, recording: Recording, calls: Calls, names: Sequence[Name] | None = None
    ) -> Iterator[None]:
        """Count a batch in short steps, as `Tally.adding` does; by request too where `names` are given."""
        if self.begin_s is None:
            self.begin_s = float(calls.due_s.min())
        if self.calls_left:
            early = np.zeros(len(calls), dtype=bool)
            early[np.argsort(calls.due_s, kind="stable")[: self.calls_left]] = True
            self.calls_left -= int(early.sum())
            self._end_s = max(self._end_s, float(calls.due_s[early].max()))
        elif self._seconds:
            self._end_s = self.begin_s + self._seconds
            early = self._early(calls, self._end_s)
        else:
            early = None
        measured = self._from_the_end_on(calls if early is None else calls.select(~early))
        if early is not None:
            yield from recording.warm_up.adding(calls.select(early))
        yield from recording.measured.adding(measured)
        if names is not None:
            yield from recording.requests.adding(names, measured)

    def add_waits(self, recording: Recording, due_s: NDArray[np.float64], until_s: float) -> None:
        """Count how long calls that were never sent had waited at `until_s` (Unix seconds).

        As with calls that hang, what they waited before the warm-up's end does not count.
        """
        if self.calls_left or not len(due_s):
            return
        begin_s = float(due_s.min()) if self.begin_s is None else self.begin_s
        end_s = max(self._end_s, begin_s + self._seconds if self._seconds else -math.inf)
        waited_s = until_s - np.maximum(due_s, end_s)
        recording.measured.unanswered.add(waited_s[waited_s > 0])

    def _from_the_end_on(self, calls: Calls) -> Calls:
        """The same calls, none of them due before the warm-up's end, but for valid ones."""
        hung = (calls.due_s < self._end_s) & (calls.outcome != Outcome.VALID)
        if not hung.any():
            return calls
        due_s, sent_s = (
            np.where(hung, np.clip(self._end_s, times, calls.done_s), times)
            for times in (calls.due_s, calls.sent_s)
        )
        return replace(calls, due_s=due_s, sent_s=sent_s)

    @staticmethod
    def _early(calls: Calls, end_s: float) -> NDArray[np.bool_]:
        answered = (calls.outcome == Outcome.VALID) | (calls.done_s < end_s)
        early: NDArray[np.bool_] = (calls.due_s < end_s) & answered
        return early
