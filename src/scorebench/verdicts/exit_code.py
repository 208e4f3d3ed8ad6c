"""With what Locust exits: its own decision, the locustfile's, or ours. Knows codes; no process."""

from __future__ import annotations

from dataclasses import dataclass

from scorebench.verdicts.verdict import ExitCode

UNHANDLED = 2
"""Locust's, where a listener or greenlet raised."""


@dataclass(frozen=True)
class Decided:
    """What was decided without us. `by_locustfile` is None where it left that to Locust."""

    by_locustfile: int | None
    on_error: int
    """Of --exit-code-on-error: for failed calls, and for exceptions in tasks."""
    task_raised: bool
    listener_raised: bool


def exit_code(ours: ExitCode, decided: Decided, *, answered: bool, kept: bool) -> int:
    """The code of the whole: 1 where it would be 0 and the report could not be kept."""
    return _judged(ours, decided, answered=answered) or int(not kept)


def _judged(ours: ExitCode, decided: Decided, *, answered: bool) -> int:
    """`answered` says whether any call had a valid answer.

    Whether failed calls matter, the locustfile or --exit-code-on-error may decide. Nobody but us knows of
    limits, of a measurement that is not valid, and of a server that answered nothing: those are never 0.
    """
    if decided.by_locustfile is not None:
        ours_is_worse = ours in (ExitCode.LIMIT_MISSED, ExitCode.NOT_VALID) or (ours and not answered)
        return int(ours) if decided.by_locustfile == 0 and ours_is_worse else decided.by_locustfile
    if ours is ExitCode.CALLS_FAILED:
        return decided.on_error or (0 if answered else int(ours))
    if ours is not ExitCode.GOOD:
        return int(ours)
    if decided.task_raised:
        return decided.on_error
    return UNHANDLED if decided.listener_raised else int(ours)
