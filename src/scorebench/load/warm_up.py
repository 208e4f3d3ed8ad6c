"""Warm-up: how much of a run's beginning is left out of its figures. Knows numbers alone."""

from __future__ import annotations

from dataclasses import dataclass, replace


@dataclass(frozen=True)
class WarmUp:
    """What is left out of the figures: the calls due in the first `seconds`, or the first `calls`."""

    seconds: float = 0.0
    calls: int = 0

    def share(self, worker: int, workers: int) -> WarmUp:
        """What one worker of several leaves out: its part of the calls, and all of the seconds."""
        return replace(self, calls=len(range(worker, self.calls, workers)))
