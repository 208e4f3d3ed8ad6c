"""A model's events → when its chunks came, whether the stream came to its end, and what it was worth.

Knows the protocols that models stream by, one record each; no HTTP, and no clock: who reads says when.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import msgspec

from scorebench.answers.event_stream import Event, EventStream
from scorebench.answers.outcome import Outcome
from scorebench.answers.predictions import ERROR_KEYS, says_error

SHOWN_BYTES = 2_000
"""Most that is kept of an event, as an example."""
_MOST_TOKENS = 10**9


@dataclass(frozen=True)
class Protocol:
    """How one kind of stream says that it is over, or has failed. `type` is that of the event or its data."""

    name: str
    end_data: bytes | None = None
    end_types: frozenset[str] = frozenset()
    error_types: frozenset[str] = frozenset()


PROTOCOLS = (
    Protocol("chat completions, MLflow's AgentServer and AI Gateway, Databricks", end_data=b"[DONE]"),
    Protocol(
        "Responses",
        end_types=frozenset({"response.completed", "response.incomplete"}),
        error_types=frozenset({"response.failed", "error"}),
    ),
    Protocol("Anthropic Messages", end_types=frozenset({"message_stop"}), error_types=frozenset({"error"})),
)
"""To add one, add a record, and its line to docs/streams.md."""

_END_DATA = frozenset(one.end_data for one in PROTOCOLS if one.end_data is not None)
_END_TYPES = frozenset().union(*(one.end_types for one in PROTOCOLS))
_ERROR_TYPES = frozenset().union(*(one.error_types for one in PROTOCOLS))
_TOKEN_KEYS = {"prompt": ("prompt_tokens", "input_tokens"), "output": ("completion_tokens", "output_tokens")}
_TELLING = sorted({"usage", *ERROR_KEYS, *_END_TYPES, *_ERROR_TYPES})
_tells = re.compile(b'"(?:%b)"' % "|".join(map(re.escape, _TELLING)).encode()).search
"""Most chunks hold none of these words, and need no parser."""
_Seen = msgspec.defstruct(
    "_Seen", [(key, Any, None) for key in ("type", "usage", "response", "message", *ERROR_KEYS)]
)
_decode = msgspec.json.Decoder(_Seen).decode


@dataclass(frozen=True, slots=True)
class Streamed:
    """What one stream came to. Times are those that `feed` was given."""

    outcome: Outcome
    first_s: float | None
    """When the first chunk came; None where none did."""
    end_s: float | None
    """When its protocol's end came; None where that never came. A valid stream has both."""
    chunks: int
    """Events with data, the `[DONE]` left out: pieces of text, mostly, but not tokens."""
    size_bytes: int
    """The body's, up to its end."""
    gaps_s: tuple[float, ...]
    """Between chunks, one after the other; 0 for those that came together."""
    prompt_tokens: int | None
    """As the server counts them; None where it doesn't say."""
    output_tokens: int | None


class StreamReader:
    """Reads one stream as it comes."""

    def __init__(self) -> None:
        self._events = EventStream()
        self._chunk_times_s: list[float] = []
        self._size_bytes = 0
        self._tokens: dict[str, int] = {}
        self._error: bytes | None = None
        self._last = b""
        self.end_s: float | None = None
        """When the protocol's end came; None before."""

    @property
    def chunks(self) -> int:
        """How many came until now."""
        return len(self._chunk_times_s)

    def feed(self, piece: bytes, at_s: float) -> None:
        """Take what came at `at_s`. Behind the end nothing counts any more, but an error is still heard."""
        if self.end_s is None:
            self._size_bytes += len(piece)
        for event in self._events.feed(piece):
            self._take(event, at_s)

    def _take(self, event: Event, at_s: float) -> None:
        data, is_over = event.data, self.end_s is not None
        if data in _END_DATA:
            self.end_s = self.end_s or at_s
            return
        if not is_over:
            self._chunk_times_s.append(at_s)
            self._last = data
        if event.kind or _tells(data):
            self._look_into(event, at_s)

    def _look_into(self, event: Event, at_s: float) -> None:
        """An event that may be the end or an error, or count tokens."""
        seen = _parsed(event.data)
        types = {event.kind.decode("utf-8", "replace"), seen.get("type")}
        if types & _ERROR_TYPES or says_error(seen):
            self._error = self._error or event.data or b"an error event without data"
        elif types & _END_TYPES:
            self.end_s = self.end_s or at_s
        for holder in (seen, seen.get("response"), seen.get("message")):
            if isinstance(holder, dict) and isinstance(usage := holder.get("usage"), dict):
                self._tokens |= _tokens_in(usage)

    def shown(self) -> bytes:
        """What an example shows of it: the error, or else how far it came."""
        if self._error is not None:
            return self._error[:SHOWN_BYTES]
        how = ", within an event" if self._events.is_inside_an_event else ""
        description = f"a stream of {self.chunks:,} chunks that stopped{how} before its end"
        description = description if self.end_s is None else "a stream without a chunk before its end"
        return description.encode() + (b"; the last was " + self._last[:SHOWN_BYTES] if self._last else b"")

    def result(self) -> Streamed:
        """What it came to, once no more of it will come."""
        times_s = self._chunk_times_s
        return Streamed(
            outcome=self._outcome(),
            first_s=times_s[0] if times_s else None,
            end_s=self.end_s,
            chunks=len(times_s),
            size_bytes=self._size_bytes,
            gaps_s=tuple(after - before for before, after in pairwise(times_s)),
            prompt_tokens=self._tokens.get("prompt"),
            output_tokens=self._tokens.get("output"),
        )

    def _outcome(self) -> Outcome:
        if self._error is not None:
            return Outcome.MODEL_ERROR
        if self.end_s is None:
            return Outcome.STREAM_CUT_OFF
        return Outcome.VALID if self._chunk_times_s else Outcome.NOT_PARSEABLE


def _parsed(data: bytes) -> dict[str, Any]:
    """What an event says under the names that matter here; nothing where it is no JSON object."""
    try:
        return msgspec.structs.asdict(_decode(data))
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return {}


def _tokens_in(usage: Mapping[str, Any]) -> dict[str, int]:
    """What a `usage` counts. Servers that send several count all until then: the last one stands."""
    return {
        kind: count
        for kind, keys in _TOKEN_KEYS.items()
        for key in keys
        if type(count := usage.get(key)) is int and 0 <= count <= _MOST_TOKENS
    }
