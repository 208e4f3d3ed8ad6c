"""What workers told of their calls, held against what their master knows. Pure; asks no clock.

A worker that is broken or lies can tell whatever adds up. But it sends at most what was dealt to it, and each
of its users waits for one answer at a time.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from scorebench.cluster.lease import LATE_S
from scorebench.load.arrivals import Arrivals
from scorebench.load.members import Member
from scorebench.plugin.lifecycle.heard import Heard
from scorebench.recordings.dealt import Dealt
from scorebench.units import say_seconds

DRIFT = 1.001
"""Two clocks differ by less: a thousandth is ten times what a bad quartz does."""


Workers = Sequence[tuple[Member, Heard]]
"""Each that ever was a member, and what it told."""


def impossible(
    arrivals: Arrivals | None, most_calls: int | None, workers: Workers, load_s: float, all_s: float
) -> Iterator[str]:
    """What can't be true, in words. New calls could leave for `load_s`; after `all_s` all was told."""
    counted = sum(heard.reported for _, heard in workers)
    if most_calls is not None and counted > most_calls:
        yield f"{counted:,} calls, of {most_calls:,}"
    if arrivals is not None:
        yield from _more_than_due(Dealt(arrivals, most_calls), workers, load_s * DRIFT + LATE_S)
    yield from _longer_than_there_was(workers, all_s)


def _more_than_due(dealt: Dealt, workers: Workers, until_s: float) -> Iterator[str]:
    for member, heard in workers:
        most = dealt.most(member.epochs, until_s, LATE_S)
        if heard.counted > most:
            yield f"worker {member.number} counted {heard.counted:,} calls, and at most {most:,} were due"


def _longer_than_there_was(workers: Workers, all_s: float) -> Iterator[str]:
    for member, heard in workers:
        longest_s = max(heard.busy_s.values(), default=0.0)
        if longest_s > all_s * DRIFT:
            waited = f"{say_seconds(longest_s)} for answers, in {say_seconds(all_s)}"
            yield f"a user of worker {member.number} waited {waited}"
