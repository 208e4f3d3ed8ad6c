"""Summary + limits → two verdicts: is the measurement valid, were the limits met. Knows no report.

They are never mixed: a limit that was missed says nothing of the measurement, and a measurement that is not
valid says nothing of the server.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import TYPE_CHECKING

from scorebench.recordings.happenings import STOPPED_EARLY
from scorebench.verdicts.finding import Finding, Severity
from scorebench.verdicts.findings import look
from scorebench.verdicts.limits import Checked, Limit, check, parse_limit

if TYPE_CHECKING:
    from scorebench.figures.percentiles import Estimate
    from scorebench.figures.summary import Summary
    from scorebench.recordings.recording import Recording


class ExitCode(IntEnum):
    """What a command returns after a run. Wrong input exits with 2, before there is anything to judge."""

    GOOD = 0
    CALLS_FAILED = 1
    LIMIT_MISSED = 3
    NOT_VALID = 4


@dataclass(frozen=True)
class Verdict:
    """`met` is None if there was no limit, or if none was missed and one could not be judged."""

    valid: bool
    met: bool | None
    findings: tuple[Finding, ...]
    checked: tuple[Checked, ...]
    failures: int
    """Calls that ended without a valid answer."""
    allowed_failures: int
    """0, unless a limit on `valid` allows more."""
    lost: bool = False
    """Whether `--stop-when` ended the run."""

    @property
    def exit_code(self) -> ExitCode:
        """The first of these that holds: calls failed; a limit was missed for certain; not valid; missed.

        Failed calls are facts, valid measurement or not. A missed limit is one too when all that is wrong
        with the measurement made the server look better than it is. Otherwise what is not valid comes first:
        the limit may have been missed by the generator.
        """
        wrong = [finding for finding in self.findings if finding.severity is Severity.INVALID]
        if self.failures > self.allowed_failures:
            return ExitCode.CALLS_FAILED
        missed = self.met is False or self.lost
        if missed and all(finding.flatters for finding in wrong):
            return ExitCode.LIMIT_MISSED
        return ExitCode.NOT_VALID if wrong else ExitCode.GOOD


def judge(
    summary: Summary, recording: Recording, limits: Iterable[Limit] = (), *, so_far: bool = False
) -> Verdict:
    """Both verdicts, with their reasons; `recording` is the one that `summary` was made of.

    `so_far`: the run goes on. What only its end can show is not looked for, and a limit that too few calls
    support yet is open, which is no fault.
    """
    checked = tuple(_checked(limit, summary) for limit in limits)
    found = look(summary, recording, so_far=so_far)
    found += [] if so_far else [*_undecided(checked, summary), *_on_the_edge(checked, summary)]
    account = summary.accounting
    return Verdict(
        valid=all(finding.severity is not Severity.INVALID for finding in found),
        met=_met(checked),
        findings=tuple(sorted(found)),
        checked=checked,
        failures=account.invalid + account.failed,
        allowed_failures=_allowed_failures([one.limit for one in checked], account.finished),
        lost=any(event.get("what") == STOPPED_EARLY for event in summary.events),
    )


def _checked(limit: Limit, summary: Summary) -> Checked:
    found = limit.of.estimate(summary)
    if found is None:
        checked = check(limit, limit.of.of(summary))
    else:
        checked = check(limit, found.value, found.low, found.high)
    if checked.met is False:
        return checked
    return _missed_by_least(limit, summary) or _open_by_cut_streams(checked, summary) or checked


def _missed_by_least(limit: Limit, summary: Summary) -> Checked | None:
    """A time is missed where what it is at least says so, however few the calls are.

    Calls without an answer count against it by how long they had waited.
    """
    metric = limit.of
    least = metric.at_least(summary)
    if least is None or limit.keeps(least):
        return None
    unanswered = metric.waiting(summary).count
    why = f"with {unanswered:,} calls that had no answer in time" if unanswered else "as no call was faster"
    return Checked(
        limit, None, False, f"{metric.name} is at least {metric.say(least)}, {why}, beyond {limit.text}"
    )


def _open_by_cut_streams(checked: Checked, summary: Summary) -> Checked | None:
    """After a stream was cut off, its next chunk may have taken any time.

    So a limit on chunks is met only if it would be met even with endless waits.
    """
    metric, cut_off = checked.limit.of, summary.service_waits.count
    if not (checked.met and cut_off and metric.of_streams and metric.is_time):
        return None
    worst = metric.at_most(summary, cut_off)
    if worst is not None and checked.limit.keeps(worst):
        return None
    why = f"{metric.name} is not known: {cut_off:,} streams were cut off before their next chunk"
    cure = "give a longer --timeout or --drain, or find out why streams don't end"
    return Checked(checked.limit, None, None, why, cure)


def limits_of(recording: Recording) -> tuple[Limit, ...]:
    """The limits that the run was given, as recorded; InputError for one that does not parse."""
    texts = recording.environment.get("limits") or ()
    return tuple(parse_limit(text, place="recorded limit") for text in texts)


def _met(checked: Sequence[Checked]) -> bool | None:
    if any(one.met is False for one in checked):
        return False
    return True if checked and all(one.met for one in checked) else None


def _allowed_failures(limits: Sequence[Limit], finished: int) -> int:
    """The most failures of `finished` calls that keep every limit on them; 0 without such a limit."""
    shares = [limit for limit in limits if limit.of.allows_failures]
    return min((_most_failures(limit, finished) for limit in shares), default=0)


def _most_failures(limit: Limit, finished: int) -> int:
    few, too_many = 0, finished + 1
    while too_many - few > 1:
        middle = (few + too_many) // 2
        if limit.keeps((finished - middle) / finished):
            few = middle
        else:
            too_many = middle
    return few


def _undecided(checked: Iterable[Checked], summary: Summary) -> list[Finding]:
    """A finding for each limit that can't be judged."""
    return [
        Finding(
            Severity.INVALID,
            "too_few_calls" if one.limit.of.needs and one.cure is None else "not_measured",
            f"{one.limit.text}: {one.why}",
            one.cure or _cure(one.limit, summary),
            flatters=True,  # that one limit is open makes nothing of another's miss
        )
        for one in checked
        if one.met is None
    ]


def _cure(limit: Limit, summary: Summary) -> str:
    if limit.of.needs and summary.valid:
        return "run longer, or at a higher rate"
    return "find out why no call was valid"


def _on_the_edge(checked: Iterable[Checked], summary: Summary) -> list[Finding]:
    """A finding for each limit whose figure decides while the true value may be on the other side."""
    return [
        Finding(
            Severity.NOTE,
            "limit_on_the_edge",
            f"{one.limit.text}: {one.why}, but {doubt}",
            "run longer: bounds narrow with the root of the calls",
        )
        for one in checked
        if one.value is not None and (doubt := _doubt(one, one.limit.of.estimate(summary)))
    ]


def _doubt(one: Checked, found: Estimate | None) -> str | None:
    """What the bound beyond the figure says; None if it says the same, or if there is none."""
    if found is None:
        return None
    metric = one.limit.of
    reaches_up = one.met == (metric.good == "<")
    bound = found.high if reaches_up else found.low
    if bound is None:
        return "the calls are too few, or too alike in time, to bound its true value"
    if one.limit.keeps(bound) == one.met:
        return None
    return f"it may truly be {'up to' if reaches_up else 'as low as'} {metric.say(bound)}"
