"""The generator's own samples → did it stall, and which calls did that affect? Knows no server, no limit.

A loop that is held for five seconds hands on nothing meanwhile: calls leave late, answers wait, and the
server would be blamed. The mean of a second hides it; its longest single stretch (`stall_s`) does not.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from scorebench.units import say_percent, say_seconds
from scorebench.verdicts.finding import Finding, Severity

if TYPE_CHECKING:
    from scorebench.figures.summary import Summary
    from scorebench.recordings.recording import Recording

CODE = "generator_stalled"
GENERATOR = "generator"
LEAST_S = 0.2
"""Shorter stalls are normal on a machine that other processes use too."""
PERIOD_S = 1.0
"""The stall of a sample began at most its own length plus this before the sample."""
MATTERS, SHOWS = 0.0025, 0.00025
"""Shares of all calls: a quarter of those beyond p99, and of those beyond p99.9."""
TIME_SHARE = 0.05
"""A share of the run: rates are off by this much."""
LEAST_RATIO = 0.25
"""Times the median response time: a shorter stall does not matter beside slow calls."""
BLAMES_THE_SERVER = (
    "never_sent", "users_busy", "rate_not_reached", "outage", "stall", "overdue", "cut_off",
    "trend", "unsteady", "slow_start",
)  # fmt: skip
INSTEAD = "the generator stood still: mend that, and run again"


def findings(summary: Summary, recording: Recording) -> Iterator[Finding]:
    """At most one finding: the longest stall, and the calls that all stalls affected."""
    first_s = recording.measured.first_due_s or 0.0  # a stall that ended before delayed nothing
    stretches = [one for one in recording.resources if _stall_s(one) >= LEAST_S and one["t_s"] > first_s]
    usual_s = summary.response.at(0.5) or 0.0
    if not stretches or not summary.calls:
        return
    longest = max(stretches, key=_stall_s)
    hit = min(round(sum(_hit(summary, recording, one) for one in stretches)), summary.calls)
    share = hit / summary.calls
    of_time = sum(map(_stall_s, stretches)) / summary.wall_time_s if summary.wall_time_s else 0.0
    matters = _stall_s(longest) > LEAST_RATIO * usual_s and (share >= MATTERS or of_time > TIME_SHARE)
    if matters or share >= SHOWS:
        yield Finding(
            Severity.INVALID if matters else Severity.WARNING,
            CODE,
            f"{longest['who']} stood still for {say_seconds(_stall_s(longest))}, up to second "
            f"{_second(recording, longest)}: about {hit:,} calls ({say_percent(round(share, 4))}) were due "
            "or waited for their answer meanwhile",
            "find what held it: other programs on its core, a task that blocks, a paused machine",
        )


def without_blame(found: list[Finding]) -> list[Finding]:
    """The same findings, without advice on the server for what a stalled generator may have caused."""
    if not any(one.code == CODE and one.severity is Severity.INVALID for one in found):
        return found
    return [replace(one, advice=INSTEAD) if one.code in BLAMES_THE_SERVER else one for one in found]


def _stall_s(sample: Mapping[str, Any]) -> float:
    is_ours = str(sample.get("who", "")).startswith(GENERATOR)
    return float(sample.get("stall_s") or 0.0) if is_ours else 0.0


def _second(recording: Recording, sample: Mapping[str, Any]) -> int:
    return int(sample["t_s"]) - min(recording.measured.seconds, default=int(sample["t_s"]))


def _hit(summary: Summary, recording: Recording, sample: Mapping[str, Any]) -> float:
    """Calls due in the stretch, by its share of its seconds; in a closed loop one a user, or more."""
    stall_s, until_s = _stall_s(sample), float(sample["t_s"])
    began_s = until_s - stall_s - PERIOD_S
    due = sum(
        tally.due * max(0.0, min(second + 1, until_s) - max(second, began_s))
        for second, tally in recording.measured.seconds.items()
    )
    generators = {s.get("who") for s in recording.resources if str(s.get("who", "")).startswith(GENERATOR)}
    in_flight = 0 if summary.open_loop else int(sample.get("users") or 0)
    return float(max(due * stall_s / (stall_s + PERIOD_S) / len(generators), in_flight))
