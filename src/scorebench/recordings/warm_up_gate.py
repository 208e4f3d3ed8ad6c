"""Keeps the warm-up apart: calls due in the first seconds, or the first calls. Knows recordings; no clock.

A call that was due in those seconds and failed after them is measured: a server that hangs since the warm-up
is not slow to start, and else nobody would hear of it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
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
        elif self._seconds:
            early = self._early(calls, self.begin_s + self._seconds)
        else:
            early = None
        measured = calls if early is None else calls.select(~early)
        if early is not None:
            yield from recording.warm_up.adding(calls.select(early))
        yield from recording.measured.adding(measured)
        if names is not None:
            yield from recording.requests.adding(names, measured)

    @staticmethod
    def _early(calls: Calls, end_s: float) -> NDArray[np.bool_]:
        answered = (calls.outcome == Outcome.VALID) | (calls.done_s < end_s)
        early: NDArray[np.bool_] = (calls.due_s < end_s) & answered
        return early
