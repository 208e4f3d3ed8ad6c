"""What limits and stop conditions need of a run, checked before its first call. Knows metrics; no texts.

A condition on a figure that the run can't have would be open at the end, or would never stop it.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Protocol

from scorebench.errors import InputError
from scorebench.figures.metric import Metric
from scorebench.figures.metrics import find
from scorebench.load.arrivals import Arrivals, Recorded
from scorebench.load.warm_up import WarmUp
from scorebench.verdicts.limits import Limit, StopWhen, check_support


class Asked(Protocol):
    """The settings of a run that decide which figures it has."""

    @property
    def limits(self) -> tuple[Limit, ...]: ...
    @property
    def stop_when(self) -> tuple[StopWhen, ...]: ...
    @property
    def stream(self) -> bool: ...
    @property
    def arrivals(self) -> Arrivals | None: ...
    @property
    def run_time_s(self) -> float | None: ...
    @property
    def calls(self) -> int | None: ...
    @property
    def warm_up(self) -> WarmUp: ...


def check(asked: Asked) -> None:
    """InputError for a limit or stop condition on what the run won't measure."""
    for flag, text, metric in _conditions(asked):
        if metric.of_streams and not asked.stream:
            raise InputError(f"{flag} {text}: only streams have it; add --stream")
        if metric.of_schedule and asked.arrivals is None:
            raise InputError(
                f"{flag} {text}: without --rate or --arrivals no call is due before it is sent, so none is "
                "late; add one of them, or name another metric"
            )
    most_calls = _calls_to_come(asked)
    for limit in asked.limits:
        check_support(limit, most_calls)


def _conditions(asked: Asked) -> Iterator[tuple[str, str, Metric]]:
    for flag, conditions in (("--limit", asked.limits), ("--stop-when", asked.stop_when)):
        for condition in conditions:
            yield flag, condition.text, find(condition.metric)


def _calls_to_come(asked: Asked) -> float:
    """The most calls that the figures can be made of, as far as is known before the run; else infinite."""
    due = math.inf if asked.calls is None else asked.calls
    arrivals = asked.arrivals
    if arrivals is None or isinstance(arrivals.source, Recorded):  # whose times are not read yet
        return due - asked.warm_up.calls
    due = min(due, arrivals.expected_calls(math.inf if asked.run_time_s is None else asked.run_time_s))
    return due - asked.warm_up.calls - arrivals.expected_calls(asked.warm_up.seconds)
