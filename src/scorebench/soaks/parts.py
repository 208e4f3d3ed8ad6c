"""A run of a soak → its part, its stretches, what happened in it. Knows recordings; no files, no clock."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from math import ceil
from statistics import median
from typing import TYPE_CHECKING

from scorebench.answers.outcome import BY_LABEL, Group
from scorebench.figures.scraped import resident_bytes
from scorebench.figures.server_use import mean_cpu, server_samples
from scorebench.figures.timeline import times_of_bands
from scorebench.recordings.happenings import (
    ALL_REJECTED,
    KILLED,
    SERVER_ENDED,
    SERVER_RESTARTED,
    STOPPED_EARLY,
)
from scorebench.soaks.found import Happening, Kind, Part, Stretch
from scorebench.verdicts.finding import Severity
from scorebench.verdicts.outages import outages
from scorebench.verdicts.verdict import ExitCode

if TYPE_CHECKING:
    from scorebench.figures.summary import Summary
    from scorebench.recordings.recording import Recording
    from scorebench.recordings.types import Sample
    from scorebench.verdicts.verdict import Verdict

MOST_STRETCHES = 480
"""Of a soak that ends as asked: eight hours by the minute. A page can draw them, and memory holds them."""


def stretch_s(asked_s: float) -> int:
    """How long a stretch is, in whole seconds."""
    return max(1, ceil(asked_s / MOST_STRETCHES))


def first_second(recording: Recording) -> int | None:
    """Unix second in which its load began; None where there was none."""
    seconds = [second for phase in (recording.warm_up, recording.measured) for second in phase.seconds]
    return min(seconds, default=None)


def part_of(summary: Summary, recording: Recording, verdict: Verdict) -> Part:
    """Where it lies, when it began and how long it was to take are the caller's to fill in."""
    first = first_second(recording)
    happened = {event["what"] for event in recording.events}
    wrong = [one.text for one in verdict.findings if one.severity is Severity.INVALID]
    return Part(
        folder="",
        at_s=0.0,
        load_s=0.0 if first is None else _end_s(recording) - first,
        asked_s=0.0,
        calls=summary.calls,
        valid=summary.valid,
        exit_code=int(verdict.exit_code),
        invalid=wrong[0] if wrong else None,
        missed=tuple(f"{one.limit.text}: {one.why}" for one in verdict.checked if one.met is False),
        was_killed=KILLED in happened,
        ended_itself=bool(happened & {STOPPED_EARLY, SERVER_ENDED, ALL_REJECTED}),
    )


def lost_part(reason: str) -> Part:
    """A run that left nothing that can be read: what it sent is not known, and it counts for nothing."""
    return Part(
        folder="",
        at_s=0.0,
        load_s=0.0,
        asked_s=0.0,
        calls=0,
        valid=0,
        exit_code=int(ExitCode.NOT_VALID),
        invalid=f"could not be read: {reason}",
        missed=(),
        was_killed=False,
    )


def _end_s(recording: Recording) -> float:
    """When the load ended, as Unix time; of a run that was killed, the end of the last second with calls."""
    ended_s = recording.environment.get("load_ended_s")
    if isinstance(ended_s, int | float):
        return float(ended_s)
    phases = (recording.warm_up, recording.measured)
    return 1.0 + max(second for phase in phases for second, tally in phase.seconds.items())


def stretches_of(recording: Recording, began_s: int, length_s: int) -> Iterator[Stretch]:
    """In order; the last may be shorter."""
    seconds = recording.measured.seconds
    if not seconds:
        return
    samples = server_samples(recording)
    memory = _memory(recording, samples)
    until_s = min(max(seconds) + 1, ceil(_end_s(recording)))
    for begin_s in range(min(seconds), until_s, length_s):
        end_s = min(begin_s + length_s, until_s)
        within = [one for one in samples if begin_s < one["t_s"] <= end_s]
        rss = [size for at_s, size in memory if begin_s < at_s <= end_s]
        yield _stretch(recording, begin_s, end_s, began_s=began_s, memory=rss, cpu=mean_cpu(within))


def _memory(recording: Recording, samples: list[Sample]) -> list[tuple[float, float]]:
    """(Unix second, bytes) of a server that we started, else as its own metrics tell it."""
    known = [(one["t_s"], float(rss)) for one in samples if (rss := one["rss_bytes"]) is not None]
    return known or resident_bytes(recording)


def _stretch(
    recording: Recording, begin_s: int, end_s: int, *, began_s: int, memory: list[float], cpu: float | None
) -> Stretch:
    bands: Counter[int] = Counter()
    groups: Counter[Group] = Counter()
    due = 0
    for second in range(begin_s, end_s):
        if (tally := recording.measured.seconds.get(second)) is not None:
            due += tally.due
            bands.update(tally.response_us)
            for label, calls in tally.done.items():
                groups[BY_LABEL[label].group] += calls
    times = times_of_bands(bands)
    return Stretch(
        at_s=float(begin_s - began_s),
        length_s=float(end_s - begin_s),
        due=due,
        valid=groups[Group.VALID],
        bad=groups.total() - groups[Group.VALID],
        p50_s=times["p50_s"],
        p99_s=times["p99_s"],
        max_s=times["max_s"],
        server_rss_bytes=median(memory) if memory else None,
        server_cpu=cpu,
    )


def happenings_of(summary: Summary, recording: Recording, began_s: int) -> Iterator[Happening]:
    """Outages, stalls and restarts."""
    first = min(recording.measured.seconds, default=began_s)
    for one in outages(recording, summary.response.at(0.5) or 0.0):
        kind = Kind.OUTAGE if one.failed else Kind.STALL
        yield Happening(float(first + one.first - began_s), kind, float(one.length_s), one.failed)
    kinds = {SERVER_RESTARTED: Kind.RESTART, KILLED: Kind.KILLED}
    for event in recording.events:
        if kind_of := kinds.get(event["what"]):
            at_s = event.get("t_s", _end_s(recording) if recording.measured.seconds else began_s)
            yield Happening(max(float(at_s) - began_s, 0.0), kind_of)
