"""A batch of finished calls as columns: what the user class hands to its listeners.

Knows what one call leaves behind; nothing of who made it or what is done with it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from scorebench.answers.outcome import Outcome
from scorebench.recordings.split import Split, split_of
from scorebench.recordings.streams import Streams

if TYPE_CHECKING:
    from numpy.typing import NDArray

FIELDS_PER_CALL = 5
"""due, sent, done, tag, payload: the numbers that a user appends for each call."""

UNKNOWN_USER = -1
"""The number of a user that nobody knows: a thread, or no user at all, made the call."""
_OUTCOMES = 64
"""More than there are; a tag lives in one process, so no file has to be read again when it grows."""
_WAITED = 64
_TAGS_PER_USER = 128
_SECONDS = ("due_s", "sent_s", "done_s", "first_chunk_s", "gaps_s")
_KINDS = {**dict.fromkeys(_SECONDS, np.float64), "waited": np.bool_}
_OF_STREAMS = "streams."


def tag(user: int, outcome: int, *, waited: bool = False) -> float:
    """User, outcome and whether the user waited for the due time, in one number.

    A float, because a list of floats alone becomes an array three times as fast as a mixed one.
    """
    return float(user * _TAGS_PER_USER + (_WAITED if waited else 0) + outcome)


def outcome_in(mark: float) -> Outcome:
    """The outcome that `tag` put into a number."""
    return Outcome(int(mark) % _OUTCOMES)


@dataclass(frozen=True, slots=True)
class Calls:
    """Columns of equal length, one entry a call; times are seconds since the Unix epoch."""

    user: NDArray[np.int64]
    due_s: NDArray[np.float64]
    sent_s: NDArray[np.float64]
    done_s: NDArray[np.float64]
    outcome: NDArray[np.int64]
    waited: NDArray[np.bool_]
    """True where a free user waited for the due time: what it then came late is the generator's fault."""
    payload: NDArray[np.int64]
    """Which of the run's bodies was sent."""
    rows: NDArray[np.int64]
    split: Split | None = None
    """With --timings: where the time of each went."""
    streams: Streams | None = None
    """Of the valid answers that were streams; None where none was one."""
    traces: NDArray[np.str_] | None = None
    """With --traceparent: the id of each call's trace; empty where it never left."""

    def __len__(self) -> int:
        return len(self.user)

    def select(self, mask: NDArray[np.bool_]) -> Calls:
        """The calls where `mask` is true."""
        streams = None if self.streams is None else self.streams.select(mask)
        split = None if self.split is None else self.split.select(mask)
        kept = {name: getattr(self, name)[mask] for name in COLUMNS}
        traces = None if self.traces is None else self.traces[mask]
        return Calls(**kept, split=split, streams=streams, traces=traces)

    def columns(self) -> dict[str, NDArray[Any]]:
        """All that is known of each call: of streams the seconds to the first chunk, and their chunks."""
        found = {name: getattr(self, name) for name in COLUMNS}
        if self.streams is not None:
            found["first_chunk_s"] = np.full(len(self), np.nan)
            found["chunks"] = np.zeros(len(self), dtype=np.int64)
            found["first_chunk_s"][self.streams.call] = self.streams.first_chunk_s
            found["chunks"][self.streams.call] = self.streams.chunks
        return found


COLUMNS = tuple(f.name for f in fields(Calls) if f.name not in ("split", "streams", "traces"))
"""Those that have an entry for each call."""


def from_numbers(
    flat: Sequence[float],
    rows_of_payload: NDArray[np.int64],
    epoch_s: float,
    phases: Sequence[float] = (),
    server_timings: Sequence[bytes] = (),
) -> Calls:
    """Calls from what the users appended: `FIELDS_PER_CALL` numbers each, one after the other.

    `epoch_s` is what turns the process's monotonic clock into Unix time; `rows_of_payload[i]` are the
    records in body i. With --timings `phases` and `server_timings` are as `split_of` takes them.
    """
    table = np.array(flat, dtype=np.float64).reshape(-1, FIELDS_PER_CALL)
    tags = table[:, 3].astype(np.int64)
    payload = table[:, 4].astype(np.int64)
    rest = tags % _TAGS_PER_USER
    return Calls(
        user=tags // _TAGS_PER_USER,
        due_s=table[:, 0] + epoch_s,
        sent_s=table[:, 1] + epoch_s,
        done_s=table[:, 2] + epoch_s,
        outcome=rest % _OUTCOMES,
        waited=rest >= _WAITED,
        payload=payload,
        rows=rows_of_payload[payload],
        split=split_of(phases, server_timings, epoch_s) if server_timings else None,
    )


def to_bytes(batches: Sequence[Calls]) -> dict[str, bytes]:
    """The columns of all batches, one after the other, as they lie in memory: for a message to the master."""
    return {
        name: np.concatenate([getattr(calls, name) for calls in batches]).tobytes() for name in COLUMNS
    } | _streams_to_bytes(batches)


def from_bytes(columns: dict[str, bytes]) -> Calls:
    """The calls that `to_bytes` wrote, on a machine of the same byte order."""
    read: dict[str, Any] = {
        name: np.frombuffer(columns[name], _KINDS.get(name, np.int64)) for name in COLUMNS
    }
    return Calls(**read, streams=_streams_from_bytes(columns))


def _streams_to_bytes(batches: Sequence[Calls]) -> dict[str, bytes]:
    ends = np.cumsum([len(calls) for calls in batches])
    found = [
        replace(calls.streams, call=calls.streams.call + end - len(calls))
        for calls, end in zip(batches, ends.tolist(), strict=True)
        if calls.streams is not None
    ]
    return {
        f"{_OF_STREAMS}{f.name}": np.concatenate([getattr(one, f.name) for one in found]).tobytes()
        for f in fields(Streams)
        if found
    }


def _streams_from_bytes(columns: dict[str, bytes]) -> Streams | None:
    if not any(name.startswith(_OF_STREAMS) for name in columns):
        return None
    return Streams(
        **{
            f.name: np.frombuffer(columns[f"{_OF_STREAMS}{f.name}"], _KINDS.get(f.name, np.int64))
            for f in fields(Streams)
        }
    )
