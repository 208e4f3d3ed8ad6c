"""What master and workers say to each other, besides what Locust itself says. Knows words and their form."""

from __future__ import annotations

from math import ceil

import msgspec
from locust.runners import WORKER_REPORT_INTERVAL

from scorebench.recordings.calls import Calls, from_bytes, to_bytes
from scorebench.recordings.form import Report, form_of, recording_of
from scorebench.recordings.recording import Recording

KEY = "scorebench"
"""Where Locust's regular reports carry what a worker has counted."""
ORDER = "scorebench_workers"
"""The option that tells each worker its place: Locust sends the options with the order to spawn."""
BEHIND_S = ceil(WORKER_REPORT_INTERVAL) + 1
"""Seconds after which a master has heard of all calls of a second."""

BEGUN, LAST, EXHAUSTED = "scorebench_begun", "scorebench_last", "scorebench_exhausted"
"""From a worker: its first call may leave; all that it still had to tell; its calls are used up."""
STOP, CUT_SHORT, RESET = "scorebench_stop", "scorebench_cut_short", "scorebench_reset"
"""From the master: finish your calls; wait for them no longer; drop what you counted."""


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
