"""Recording → what became of every call that was due, and whether all counts agree. Knows no time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from scorebench.answers.outcome import Group

if TYPE_CHECKING:
    from scorebench.recordings.recording import Recording
    from scorebench.recordings.tally import Tally


PATIENCE, PATIENCE_S = 2.0, 1.0
"""A call in flight at the end is overdue after this many times the slowest answer, plus this many seconds."""


@dataclass(frozen=True)
class Accounting:
    """What became of every call that was due."""

    due: int
    valid: int
    invalid: int
    failed: int
    cut_off: int
    """In flight at the end, when no answer could be expected yet."""
    never_sent: Mapping[str, int]
    overdue: int = 0
    """Those of the failed calls that were cut off at the end, overdue."""
    mismatches: tuple[str, ...] = ()
    """Two counts of the same calls that differ, in words: a bug, which the report shows."""

    @property
    def adds_up(self) -> bool:
        """due = valid + invalid + failed + cut off + never sent, and every other count agrees."""
        return not self.mismatches

    @property
    def finished(self) -> int:
        """Calls whose fate is known: valid, invalid or failed."""
        return self.valid + self.invalid + self.failed


def account(recording: Recording) -> Accounting:
    """The account of a recording; `recording.due` is the schedule's own count."""
    tally = recording.measured
    sent = {group: tally.in_group(group) for group in Group}
    never_sent = sum(recording.never_sent.values())
    counted = sum(sent.values()) + never_sent
    due = counted if recording.due is None else recording.due - recording.warm_up.calls
    overdue = _overdue(tally)
    return Accounting(
        due=due,
        valid=sent[Group.VALID],
        invalid=sent[Group.INVALID],
        failed=sent[Group.FAILED] + overdue,
        cut_off=sent[Group.CUT_OFF] - overdue,
        never_sent=dict(recording.never_sent),
        overdue=overdue,
        mismatches=tuple(_mismatches(tally, due - never_sent)),
    )


def patience_s(tally: Tally) -> float | None:
    """After how long a call without an answer is overdue; None where no call was answered."""
    slowest_s = tally.service.max_s
    return None if slowest_s is None else PATIENCE * slowest_s + PATIENCE_S


def _overdue(tally: Tally) -> int:
    """Calls that were cut off after they had waited for twice the slowest answer and a second more."""
    most_s = patience_s(tally)
    if most_s is None:
        return 0
    waited_s, calls = tally.waiting.table()
    return int(calls[waited_s > most_s].sum())


def _mismatches(tally: Tally, due_and_sent: int) -> list[str]:
    """Each pair of independent counts of the same calls that differ."""
    users, seconds = tally.users.values(), tally.seconds.values()
    calls, valid, other = tally.calls, tally.valid, tally.calls - tally.valid
    ways = [
        ("due and not left unsent", due_and_sent, "sent", calls),
        ("by user", sum(user.calls for user in users), "by outcome", calls),
        ("valid by user", sum(user.valid for user in users), "valid by outcome", valid),
        ("due by second", sum(second.due for second in seconds), "by outcome", calls),
        ("sent by second", sum(second.sent for second in seconds), "by outcome", calls),
        ("done by second", sum(sum(second.done.values()) for second in seconds), "by outcome", calls),
        ("service times", tally.service.count, "valid by outcome", valid),
        ("response times", tally.response.count, "valid by outcome", valid),
        ("times of other calls", tally.failing.count, "not valid by outcome", other),
    ]
    if (streams := tally.streams) is not None:
        gaps = streams.chunks - streams.streams
        ways.append(("times to first chunks", streams.first_chunk.count, "streams", streams.streams))
        ways.append(("times between chunks", streams.chunk_gap.count, "gaps", gaps))
    return [f"{a:,} {this}, {b:,} {that}" for this, a, that, b in ways if a != b]
