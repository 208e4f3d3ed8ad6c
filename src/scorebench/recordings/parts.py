"""A batch of calls → the seconds that each spent in each of its parts. Knows the arithmetic; no clock.

What the client saw: due, sent, the opened connection, all sent, first byte, done. What the server told: its
stages, inside a total. Together they are all of a call:

    due → sent: turn; name, connect, tls; send; then network + [read queue parse schema predict write around]
    or unknown; receive → done

The bracket is the server's total. A part of it may lie before `all sent`: a large body is still being sent
while the server reads, and a busy generator notes late that all was sent. That part is taken off `read`, and
what is more than `read` off `send`. What contradicts itself, a total longer than the call or stages longer
than their total, is dropped: that call's server time is unknown.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from scorebench.answers.server_timing import ServerTimings
from scorebench.recordings.calls import Calls
from scorebench.timings.names import STAGES, TOTAL

if TYPE_CHECKING:
    from numpy.typing import NDArray

PARTS = {
    "turn": "waiting for its turn",
    "name": "name resolution",
    "connect": "connecting",
    "tls": "TLS handshake",
    "send": "sending",
    "network": "network and HTTP server",
    **STAGES,
    "around": "rest of the server",
    "receive": "receiving",
    "unknown": "not known",
}
"""In the order of a call's life, more or less; each with its words."""
ROUNDING_S = 1e-4
"""By how much durations of two clocks, written in thousandths of a millisecond, may contradict each other."""
RESOLUTION_S = 5e-7
"""What Unix time as a double can't tell apart, twice: less than this is none."""


def parts_of(
    calls: Calls, server_timings: Sequence[ServerTimings]
) -> tuple[dict[str, NDArray[np.float64]], NDArray[np.bool_], NDArray[np.bool_]]:
    """(seconds by part; where the server's words were used; where what the server told was dropped).

    The parts of each call add up to its response time. Raises nothing: what is impossible is clipped.
    """
    assert calls.split is not None
    name, connect, tls, sent_all_s, first_s = calls.split.phases.T
    opening = np.minimum(name + connect + tls, calls.done_s - calls.sent_s)
    first_s = np.clip(np.where(first_s > 0, first_s, calls.done_s), calls.sent_s + opening, calls.done_s)
    sent_all_s = np.clip(np.where(sent_all_s > 0, sent_all_s, first_s), calls.sent_s + opening, first_s)
    scale = np.divide(opening, name + connect + tls, out=np.zeros_like(opening), where=opening > 0)
    parts = {
        "turn": calls.sent_s - calls.due_s,
        "name": name * scale,
        "connect": connect * scale,
        "tls": tls * scale,
        "send": sent_all_s - calls.sent_s - opening,
        "receive": calls.done_s - first_s,
    }
    inside, used, dropped = _inside(first_s - sent_all_s, parts["send"], server_timings)
    return {part: {**parts, **inside}[part] for part in PARTS}, used, dropped


def _inside(
    wait: NDArray[np.float64], send: NDArray[np.float64], server_timings: Sequence[ServerTimings]
) -> tuple[dict[str, NDArray[np.float64]], NDArray[np.bool_], NDArray[np.bool_]]:
    """The same for the time from the first byte that was sent to the first that came: send and wait."""
    stages = {
        stage: np.array([one.durations_s.get(stage, 0.0) for one in server_timings], dtype=np.float64)
        for stage in STAGES
    }
    total = np.array([one.durations_s.get(TOTAL, np.nan) for one in server_timings], dtype=np.float64)
    has_total = np.isfinite(total)
    named: NDArray[np.float64] = np.sum([*stages.values()], axis=0)
    length = np.where(has_total, total, named)
    early = np.maximum(length - wait, 0.0)  # of the server's time, what lies before the last byte was sent
    possible = (length <= wait + send + ROUNDING_S) & (named <= length + ROUNDING_S)
    spoke = (named > 0) | has_total
    used = spoke & possible
    late = np.where(used, np.minimum(np.maximum(early - stages["read"], 0.0), send), 0.0)
    stages["read"] = np.maximum(stages["read"] - early, 0.0)
    left = wait + late - np.where(used, np.sum([*stages.values()], axis=0), 0.0)
    around = np.clip(total - named, 0.0, np.maximum(left, 0.0))
    around = np.where(used & has_total, around, 0.0)
    rest = left - around  # below 0 by rounding alone; the parts shall add up all the same
    rest = np.where(np.abs(rest) < RESOLUTION_S, 0.0, rest)
    inside = {stage: np.where(used, seconds, 0.0) for stage, seconds in stages.items()}
    inside["around"] = around
    inside["send"] = send - late
    inside["network"] = np.where(used & has_total, rest, 0.0)
    inside["unknown"] = np.where(used & has_total, 0.0, rest)
    return inside, used, spoke & ~possible
