"""Warm-up: how much of a run's beginning is left out of its figures. Knows numbers alone."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class WarmUp:
    """What is left out of the figures: the calls due in the first `seconds`, or the first `calls`."""

    seconds: float = 0.0
    calls: int = 0
