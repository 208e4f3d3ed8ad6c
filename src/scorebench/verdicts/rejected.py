"""A run that was stopped because the server rejected every call: what it said, and what to give instead.

Knows the event and where the rows came from; no limit.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from scorebench.payloads.origin import Kind
from scorebench.recordings.happenings import ALL_REJECTED
from scorebench.verdicts.finding import Finding, Severity

if TYPE_CHECKING:
    from scorebench.figures.summary import Summary
    from scorebench.recordings.recording import Recording

CODE = "all_rejected"
_BY_STATUS = {
    "401": "give a token with --bearer-env",
    "403": "give a token that may call this endpoint, with --bearer-env",
    "404": "check the path: calls go to /invocations, unless the URL has a path of its own",
    "405": "check the path: calls go to /invocations, unless the URL has a path of its own",
    "413": "send fewer rows in a call (--rows-per-call)",
    "415": "send another --format",
}
_BY_ORIGIN = {
    Kind.DEMO: "give rows of your model's with --data FILE, or your model with --model",
    Kind.FILE: "compare the columns with the message; leave some out with --drop, or name the --model",
    Kind.BODY: "compare the body with the message",
}
_OTHERWISE = "check that the server has the model that --model names"


def findings(summary: Summary, _: Recording) -> Iterator[Finding]:
    """One finding, where the run was stopped for it."""
    whys = [str(event.get("why")) for event in summary.events if event.get("what") == ALL_REJECTED]
    if whys and not summary.valid:  # where one process of several met it, others may have done better
        text = f"the server rejected every call, so the run was stopped. It said: {whys[0]}"
        yield Finding(Severity.INVALID, CODE, text, advice(whys[0], summary.environment))


def advice(message: str, environment: Mapping[str, Any]) -> str:
    """What to try, by the status that the message begins with, else by where the rows came from."""
    if known := _BY_STATUS.get(message[:3]):
        return known
    source = (environment.get("payload") or {}).get("source") or {}
    if source.get("signature_of"):
        return _OTHERWISE
    return next((text for kind, text in _BY_ORIGIN.items() if kind == source.get("kind")), _OTHERWISE)
