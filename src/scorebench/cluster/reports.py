"""What a worker has counted, as a message, and checked before it counts. Knows no Locust, and no merging.

A worker may be broken, or lie: what it sends is as foreign as a file from elsewhere.
"""

from __future__ import annotations

import msgspec

from scorebench.errors import in_one_line
from scorebench.recordings.calls import Calls, from_bytes, to_bytes
from scorebench.recordings.form import Report, form_of, recording_of
from scorebench.recordings.recording import Recording
from scorebench.recordings.types import LONGEST_RUN_S

MOST_BYTES = 64 * 2**20
"""A report covers some seconds. A thousand users with 20,000 calls a second and --keep-calls take 5 MB."""


class BadReport(Exception):
    """What can't be counted, and why, in one line."""


def pack(recording: Recording, kept: list[Calls], resets: int) -> bytes:
    """What a worker has counted since its `resets`-th reset."""
    calls = to_bytes(kept) if kept else None
    return msgspec.msgpack.encode(Report(recording=form_of(recording), calls=calls, resets=resets))


def unpack(message: bytes) -> Report:
    """What `pack` packed."""
    return msgspec.msgpack.decode(message, type=Report)


def counted(report: Report, worker: int) -> tuple[Recording, list[Calls]]:
    """What is in a report, its users and samples named as those of `worker`."""
    recording = recording_of(report.recording)
    recording.rename_users(worker)
    return recording, [from_bytes(report.calls)] if report.calls else []


def read_report(message: object, worker: int, now_s: float) -> tuple[Report, Recording, list[Calls]]:
    """The report, what it counted as `worker` did, and the calls kept. BadReport for anything else.

    `now_s` is Unix time. Seconds far from it would make a run of years, of which every second is drawn.
    """
    if not isinstance(message, bytes) or len(message) > MOST_BYTES:
        raise BadReport(f"found no report of at most {MOST_BYTES / 2**20:.0f} MiB")
    try:
        report = unpack(message)
        recording, kept = counted(report, worker)
    except (msgspec.DecodeError, ValueError, KeyError, TypeError, RecursionError) as problem:
        raise BadReport(in_one_line(f"{type(problem).__name__}: {problem}"[:200])) from None
    for calls in kept:
        if len({len(column) for column in calls.columns().values()}) > 1:
            raise BadReport("found columns of calls that differ in length")
    far_s = max((abs(at_s - now_s) for at_s in _times(recording)), default=0.0)
    if far_s > LONGEST_RUN_S:
        raise BadReport(f"found calls {far_s / 86_400:,.0f} days from now; set the clock of its machine")
    return report, recording, kept


def _times(recording: Recording) -> list[float]:
    """All points in time that charts and rates are made of."""
    found: list[float] = []
    for phase in (recording.measured, recording.warm_up):
        found += phase.seconds
        for streams in () if phase.streams is None else (phase.streams,):
            found += [*streams.first_chunk_seconds, *streams.chunk_gap_seconds]
        ends = (phase.first_due_s, phase.last_due_s, phase.last_sent_s, phase.last_done_s)
        found += [at_s for at_s in ends if at_s is not None]
    return found
