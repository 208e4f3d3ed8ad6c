"""The seconds of a run → stretches in which no call was answered. Statistics of counts; knows no limit."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING

from scorebench.answers.outcome import BY_LABEL, Group, Outcome
from scorebench.verdicts.finding import Finding, Severity

if TYPE_CHECKING:
    from scorebench.figures.summary import Summary
    from scorebench.recordings.recording import Recording

LEAST_S = 2
EXPECTED = 15
"""In a stretch that would have had this many answers, none is chance only once in e^15."""
TIMES_LONGER = 3
"""Times the median response time: slow calls leave gaps too."""
FAILED = (Group.FAILED, Group.INVALID, Group.CUT_OFF)


@dataclass(frozen=True)
class Outage:
    """Seconds `first` to `last` of the run, from 0, without a valid answer; `failed` calls ended in them."""

    first: int
    last: int
    failed: int
    not_sent: int = 0
    """Those of `failed` that nobody could be signed in for."""

    @property
    def length_s(self) -> int:
        return self.last - self.first + 1


def outages(recording: Recording, usual_s: float) -> list[Outage]:
    """Stretches that neither chance nor slow answers explain; `usual_s` is the median response time."""
    measured = recording.measured
    if not (measured.valid and measured.seconds):  # a damaged recording may have calls and no seconds
        return []
    first_s, until_s = min(measured.seconds), load_until_s(recording)
    answered = [_done(recording, second, Group.VALID) for second in range(first_s, until_s)]
    silent = sum(not calls for calls in answered)
    if silent == len(answered):
        return []
    rate_per_s = sum(answered) / (len(answered) - silent)
    found = []
    for has_answers, group in groupby(enumerate(answered), key=lambda second: second[1] > 0):
        stretch = [number for number, _ in group]
        long = len(stretch) >= max(LEAST_S, TIMES_LONGER * usual_s) and len(stretch) * rate_per_s >= EXPECTED
        if not has_answers and long:
            reaches_end = stretch[-1] == len(answered) - 1
            outage = _outage(recording, first_s, stretch, reaches_end=reaches_end)
            if outage.failed or _is_asked(recording, first_s + outage.first, first_s + outage.last):
                found.append(outage)
    return found


def findings(summary: Summary, recording: Recording) -> Iterator[Finding]:
    """An outage if calls failed in it; a stall if all of them were answered in the end.

    `sign_in_findings` tells of calls that were not sent because nobody was signed in: no server did that.
    """
    for one in outages(recording, summary.response.at(0.5) or 0.0):
        if one.not_sent:
            continue
        text = f"no valid answer from second {one.first} to {one.last}"
        if one.failed:
            yield Finding(
                Severity.INVALID,
                "outage",
                f"{text}, and {one.failed:,} calls failed: the figures mix a server that was there "
                "with one that was not",
                "see the server's log at that time: a crash, a restart, a deployment",
                flatters=True,
            )
        else:
            yield Finding(
                Severity.WARNING,
                "stall",
                f"{text}; the calls were answered later",
                "see the server's log at that time: a pause, a model being loaded",
            )


def load_until_s(recording: Recording) -> int:
    """The second in which the load ended, which was measured only in part."""
    ended_s = recording.environment.get("load_ended_s")
    sent = [second for second, tally in recording.measured.seconds.items() if tally.sent]
    return int(ended_s) if ended_s is not None else max(sent, default=0)


def _is_asked(recording: Recording, first_s: int, last_s: int) -> bool:
    """Whether a call was due or in flight in these seconds: other people's users may all wait, or be gone."""
    seconds = recording.measured.seconds
    until = [tally for second, tally in seconds.items() if second <= last_s]
    ended_before = sum(sum(tally.done.values()) for second, tally in seconds.items() if second < first_s)
    return sum(tally.due for tally in until) > ended_before


def _outage(recording: Recording, first_s: int, stretch: list[int], *, reaches_end: bool) -> Outage:
    seconds = [first_s + number for number in stretch]
    failed = sum(_done(recording, second, *FAILED) for second in seconds)
    if reaches_end:  # what was in flight then was cut off after the drain
        failed += recording.measured.outcomes[Outcome.CUT_OFF]
    tallies = [tally for second in seconds if (tally := recording.measured.seconds.get(second))]
    not_sent = sum(tally.done.get(Outcome.NOT_SIGNED_IN.label, 0) for tally in tallies)
    return Outage(stretch[0], stretch[-1], failed, not_sent)


def _done(recording: Recording, second: int, *groups: Group) -> int:
    tally = recording.measured.seconds.get(second)
    if tally is None:
        return 0
    return sum(calls for label, calls in tally.done.items() if BY_LABEL[label].group in groups)
