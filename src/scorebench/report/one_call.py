"""One call → text: as curl would send it, its answer, how that was judged. Knows wording; sends nothing."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from scorebench.answers.outcome import FATES, Outcome
from scorebench.report.sent import header
from scorebench.report.words import plain
from scorebench.units import say_seconds

if TYPE_CHECKING:
    from scorebench.client.exchange import OneCall

CHARACTERS = 2_000
"""Of a body that are shown."""


def render(done: OneCall, facts: Mapping[str, Any]) -> str:
    """What was sent and where to; the call as a command; the answer; the verdict on it."""
    headers = [f"  -H {shlex.quote(f'{name}: {plain(value)}')}" for name, value in done.headers.items()]
    command = [f"curl {shlex.quote(done.url)}", *headers, f"  --data-binary {_quoted(done.body)}"]
    sections = [header(facts), [" \\\n".join(command)], _answer(done), [_judged(done)]]
    return "\n\n".join("\n".join(lines) for lines in sections if lines) + "\n"


def _answer(done: OneCall) -> list[str]:
    if done.answer is None:
        return [f"No answer: {plain(done.problem)}"]
    kind = f", {plain(done.answer.content_type)}" if done.answer.content_type else ""
    where = f", redirects to {plain(done.answer.location)}" if done.answer.location else ""
    return [f"{done.answer.status} after {say_seconds(done.took_s)}{kind}{where}", _shown(done.answered)]


def _judged(done: OneCall) -> str:
    if done.outcome is Outcome.VALID:
        return f"valid: the status is 200, and {done.valid_if}"
    why = plain(done.problem) if done.answer else ""
    return f"not valid: {done.outcome.label} ({why or FATES[done.outcome].cause.replace('`', '')})"


def _quoted(body: bytes) -> str:
    if b"\0" in body[:CHARACTERS]:
        return f"@FILE  # {len(body):,} bytes that are no text"
    text = _shown(body)
    return shlex.quote(text)


def _shown(body: bytes) -> str:
    text = plain(body.decode("utf-8", "replace"))
    if len(text) <= CHARACTERS:
        return text
    return f"{text[:CHARACTERS]}… ({len(body):,} bytes in all)"
