"""The header `Server-Timing` → what a server tells of a call. Knows the header's grammar; no time, no socket.

The grammar is the W3C's (Server Timing, section 2): metrics between commas, each a name with parameters, of
which `dur` is milliseconds. All of it is what a server wrote: it is bounded in size, in count and in value,
and what breaks a rule is refused and counted, never mended.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

MOST_BYTES = 4_096
"""A longer header is refused whole: what is cut off might belong to what is kept."""
MOST_METRICS = 32
LONGEST_NAME = 40
LONGEST_S = 3_600.0
"""A longer duration is refused. It is also where histograms end."""

_TOKEN = rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]+"
_QUOTED = rb'"(?:[^"\\]|\\.)*"'
_NAME = re.compile(_TOKEN)
_PARAMETER = re.compile(
    rb"[ \t]*;[ \t]*(" + _TOKEN + rb")(?:[ \t]*=[ \t]*(" + _TOKEN + rb"|" + _QUOTED + rb"))?"
)
_SPACE = re.compile(rb"[ \t]*")
_END = re.compile(rb"[ \t]*(?:,|\Z)")
_REST = re.compile(rb'(?:[^",]|' + _QUOTED + rb")*")
_NUMBER = re.compile(rb"[0-9]+(?:\.[0-9]*)?(?:[eE][+-]?[0-9]{1,3})?")


@dataclass(slots=True)
class ServerTimings:
    """What one header tells; durations in seconds."""

    durations_s: dict[str, float] = field(default_factory=dict)
    """By metric. A metric that is named more than once counts as the sum: it happened more than once."""
    descriptions: dict[str, str] = field(default_factory=dict)
    """By metric, of those that have one."""
    refused: int = 0
    """Metrics that broke a rule."""


def parse(value: bytes) -> ServerTimings:
    """What the header tells; several headers of one answer are one value, joined by commas."""
    timings = ServerTimings()
    if len(value) > MOST_BYTES:
        timings.refused = 1
        return timings
    at, metrics = 0, 0
    while at < len(value):
        at = _space(value, at)
        if value[at : at + 1] == b",":  # an empty element, which a list may have
            at += 1
            continue
        if at == len(value):
            break
        metrics += 1
        name, parameters, end = _metric(value, at)
        if name is None or metrics > MOST_METRICS or not _keep(timings, name, parameters):
            timings.refused += 1
        at = end
    return timings


def _metric(value: bytes, at: int) -> tuple[str | None, dict[str, bytes | None], int]:
    """(name, parameters, where the next one begins); without a name where it breaks the grammar."""
    parameters: dict[str, bytes | None] = {}
    found = _NAME.match(value, at)
    if found is None or len(found[0]) > LONGEST_NAME:
        return None, parameters, _behind(value, at)
    end = found.end()
    while parameter := _PARAMETER.match(value, end):
        # Of several parameters with one name only the first counts, even if it is wrong.
        parameters.setdefault(parameter[1].lower().decode("ascii"), parameter[2])
        end = parameter.end()
    after = _END.match(value, end)
    if after is None:
        return None, parameters, _behind(value, end)
    return found[0].decode("ascii"), parameters, after.end()


def _keep(timings: ServerTimings, name: str, parameters: dict[str, bytes | None]) -> bool:
    """Add a metric; False where its duration is none."""
    description = parameters.get("desc")
    if description is not None:
        text = _unquoted(description).decode("latin-1")
        timings.descriptions.setdefault(name, text[:LONGEST_NAME])
    if "dur" not in parameters:
        return True
    text_ms = _unquoted(parameters["dur"] or b"")
    if _NUMBER.fullmatch(text_ms) is None:
        return False
    seconds = timings.durations_s.get(name, 0.0) + float(text_ms) / 1e3
    if not seconds <= LONGEST_S:
        return False
    timings.durations_s[name] = seconds
    return True


def _unquoted(value: bytes) -> bytes:
    return re.sub(rb"\\(.)", rb"\1", value[1:-1]) if value[:1] == b'"' else value


def _space(value: bytes, at: int) -> int:
    found = _SPACE.match(value, at)
    return at if found is None else found.end()


def _behind(value: bytes, at: int) -> int:
    """Where the next metric begins: behind the next comma outside quotes. A quote without an end ends all."""
    found = _REST.match(value, at)
    end = at if found is None else found.end()
    return end + 1 if value[end : end + 1] == b"," else len(value)
