"""What the streams among a batch's calls leave behind, as columns. Knows numpy; not how they are counted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from scorebench.answers.streams import Streamed

if TYPE_CHECKING:
    from numpy.typing import NDArray

NOT_TOLD = -1
"""In place of a number of tokens: the server did not send it."""


@dataclass(frozen=True, slots=True)
class Streams:
    """Valid streams, an entry each, in the order of their calls; the gaps of all of them one after the other.

    A stream has one gap less than chunks.
    """

    call: NDArray[np.int64]
    """Which of the batch's calls it answered."""
    first_chunk_s: NDArray[np.float64]
    """From sent to its first chunk."""
    chunks: NDArray[np.int64]
    size_bytes: NDArray[np.int64]
    prompt_tokens: NDArray[np.int64]
    output_tokens: NDArray[np.int64]
    gaps_s: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.call)

    @property
    def gap_call(self) -> NDArray[np.int64]:
        """The call of each gap."""
        return np.repeat(self.call, self.chunks - 1)

    def select(self, calls: NDArray[np.bool_]) -> Streams:
        """The streams of the calls where `calls` is true, numbered as these are then."""
        mask, place = calls[self.call], np.cumsum(calls) - 1
        return Streams(
            call=place[self.call[mask]],
            first_chunk_s=self.first_chunk_s[mask],
            chunks=self.chunks[mask],
            size_bytes=self.size_bytes[mask],
            prompt_tokens=self.prompt_tokens[mask],
            output_tokens=self.output_tokens[mask],
            gaps_s=self.gaps_s[calls[self.gap_call]],
        )


def streams_of(streamed: Sequence[tuple[int, Streamed]], sent_s: NDArray[np.float64]) -> Streams:
    """Columns of (which call of a batch, its valid stream); `sent_s`: of all its calls, by the same clock."""
    call = np.array([place for place, _ in streamed], dtype=np.int64)
    found = [stream for _, stream in streamed]

    def whole(name: str) -> NDArray[np.int64]:
        known = (getattr(stream, name) for stream in found)
        return np.array([NOT_TOLD if value is None else value for value in known], dtype=np.int64)

    gaps_s = [gap for stream in found for gap in stream.gaps_s]
    return Streams(
        call=call,
        first_chunk_s=np.array([stream.first_s for stream in found], dtype=np.float64) - sent_s[call],
        chunks=whole("chunks"),
        size_bytes=whole("size_bytes"),
        prompt_tokens=whole("prompt_tokens"),
        output_tokens=whole("output_tokens"),
        gaps_s=np.array(gaps_s, dtype=np.float64),
    )
