"""Sends ever larger bodies to a server, until one fails. Knows one call and its answer; not which is next."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from scorebench.answers.outcome import Outcome
from scorebench.client.target import Target
from scorebench.errors import InputError
from scorebench.runs.one_call import call
from scorebench.runs.sized import Sized
from scorebench.sweeps.largest import Gone, Largest, Of, Tried, search

if TYPE_CHECKING:
    from scorebench.client.exchange import OneCall
    from scorebench.options.settings import Settings

TIMES = 2
"""How often a body is sent before it has failed: once may be chance."""


def largest_body(
    settings: Settings, url: str, of: Of, most_bytes: int, on_tried: Callable[[Tried], None]
) -> Largest:
    """The largest body of the run's rows that the server at `url` answers, of at most `most_bytes`.

    `on_tried` hears of each body, and may end the search by raising.
    """
    made = Sized(settings)
    there = replace(settings, target=Target.parse(url))

    def attempt(rows: int) -> Tried:
        payload = made.body(rows)
        tried = Tried(rows, len(payload.bodies[0]))
        if tried.size_bytes > most_bytes:
            return tried
        for _ in range(TIMES):
            try:
                done = call(there, payload)
            except InputError as problem:  # no server listens
                raise Gone(replace(tried, why=str(problem))) from None
            tried = replace(tried, why=None if done.outcome is Outcome.VALID else _why(done))
            on_tried(tried)
            if tried.why is None:
                break
        return tried

    return search(of, most_bytes, attempt)


def _why(done: OneCall) -> str:
    status = "" if done.answer is None else f" (status {done.answer.status})"
    return f"{done.outcome.label}{status}" + (f": {done.problem}" if done.problem else "")
