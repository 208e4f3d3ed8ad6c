"""Recording → what the server used while it was measured. Statistics; no wording, no clock."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from scorebench.recordings.recording import Recording
    from scorebench.recordings.types import Sample

SERVER = "server"
_PROCESS = f"{SERVER} process "
SAMPLE_S = 1.0
"""A sample tells of the second before it."""


def server_samples(recording: Recording) -> list[Sample]:
    """All processes of the server together, under load alone: while users start it idles."""
    return _of(recording, lambda who: who == SERVER)


def process_samples(recording: Recording) -> dict[str, list[Sample]]:
    """The samples of each process of the server; empty where it is one, or a container."""
    found: dict[str, list[Sample]] = {}
    for sample in _of(recording, lambda who: who.startswith(_PROCESS)):
        found.setdefault(sample["who"], []).append(sample)
    return found


def _of(recording: Recording, wanted: Callable[[str], bool]) -> list[Sample]:
    first_s, last_s = recording.measured.first_due_s, recording.environment.get("load_ended_s")
    if first_s is None:
        return []
    return [
        sample
        for sample in recording.resources
        if wanted(sample["who"])
        and sample["t_s"] >= first_s + SAMPLE_S
        and (not isinstance(last_s, int | float) or sample["t_s"] <= last_s + SAMPLE_S / 2)
    ]


def mean_cpu(samples: list[Sample]) -> float | None:
    """Mean cores; None where none was read."""
    known = [cpu for one in samples if (cpu := one["cpu"]) is not None]
    return sum(known) / len(known) if known else None


def most_rss_bytes(samples: list[Sample]) -> int | None:
    """The most resident memory; None where none was read."""
    return max((rss for one in samples if (rss := one["rss_bytes"]) is not None), default=None)
