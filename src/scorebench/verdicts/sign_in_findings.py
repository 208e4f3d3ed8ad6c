"""Did the sign-in hold for as long as the run? Knows events and outcomes; nothing of how anybody signs in."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from scorebench.answers.outcome import Outcome
from scorebench.recordings.happenings import SIGN_IN_FAILED, SIGN_IN_REFUSED
from scorebench.recordings.types import Event
from scorebench.verdicts.finding import Finding, Severity

if TYPE_CHECKING:
    from scorebench.figures.summary import Summary
    from scorebench.recordings.recording import Recording


def findings(summary: Summary, recording: Recording) -> Iterator[Finding]:
    """Calls that nobody could be signed in for were never sent: the load was less than was asked for."""
    yield from _refused(summary, recording)
    failed = _first(summary, SIGN_IN_FAILED)
    calls = recording.measured.outcomes[Outcome.NOT_SIGNED_IN]
    if failed is None and not calls:
        return
    first = failed or {"what": SIGN_IN_FAILED}
    since = _since(first.get("t_s"), summary.environment.get("started_s"))
    why = f": {first.get('why')}" if first.get("why") else ""
    if calls:
        yield Finding(
            Severity.INVALID,
            "not_signed_in",
            f"{calls:,} calls were not sent because the sign-in had ended. Its renewal failed{since}{why}",
            "check the account that signs in, and the service that gives its tokens; run again",
        )
    else:
        yield Finding(
            Severity.WARNING,
            "sign_in_failed",
            f"a renewal of the sign-in failed{since}; the one before still held, and each call was sent{why}",
            "look at the service that gives the tokens: a longer failure would have ended the load",
        )


def _refused(summary: Summary, recording: Recording) -> Iterator[Finding]:
    """It is no failure of ours: the calls were sent, and failed; the outcome `unauthorized` counts them."""
    refused = _first(summary, SIGN_IN_REFUSED)
    if refused is None:
        return
    since = _since(refused.get("t_s"), summary.environment.get("started_s"))
    calls = recording.measured.outcomes[Outcome.UNAUTHORIZED]
    yield Finding(
        Severity.WARNING,
        "sign_in_refused",
        f"the server refused a sign-in that had not ended{since}, and a new one was asked for at once; "
        f"{calls:,} calls were refused (401 or 403)",
        "if later calls are valid, somebody ended the sign-in early; else its account may not call this URL",
    )


def _first(summary: Summary, what: str) -> Event | None:
    """The event of that name that came first, of all processes."""
    found = [event for event in summary.events if event.get("what") == what]
    return min(found, key=lambda event: event.get("t_s") or 0.0, default=None)


def _since(failed_s: float | None, started_s: object) -> str:
    """` at 06:43 UTC, in minute 12 of the run`, as far as it is known."""
    if not failed_s:
        return ""
    when = f" at {datetime.fromtimestamp(failed_s, UTC):%H:%M} UTC"
    if isinstance(started_s, int | float) and failed_s >= started_s:
        when += f", in minute {int((failed_s - started_s) // 60) + 1} of the run"
    return when
