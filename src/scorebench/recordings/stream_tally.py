"""Counts, sums and histograms of streams, which add up batch by batch and merge over workers.

Knows the columns of streams; nothing of runs, files or what the numbers mean.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from scorebench.recordings.bands import coarse_us
from scorebench.recordings.counting import counted_pairs
from scorebench.recordings.histogram import Histogram
from scorebench.recordings.streams import NOT_TOLD, Streams

if TYPE_CHECKING:
    from numpy.typing import NDArray

BySecond = dict[int, dict[int, int]]
"""Unix second → {lowest microsecond of a band of durations: how many}."""
SUMS = ("streams", "chunks", "size_bytes", "prompt_tokens", "output_tokens", "with_prompt", "with_output")


@dataclass
class StreamTally:
    """The valid streams of a phase."""

    streams: int = 0
    chunks: int = 0
    size_bytes: int = 0
    prompt_tokens: int = 0
    """Of the streams whose server sent their number, as the next."""
    output_tokens: int = 0
    with_prompt: int = 0
    """Streams whose server sent how many tokens the prompt had."""
    with_output: int = 0
    first_chunk: Histogram = field(default_factory=Histogram)
    """From sent to the first chunk."""
    chunk_gap: Histogram = field(default_factory=Histogram)
    """Between one chunk and the next of the same stream."""
    first_chunk_seconds: BySecond = field(default_factory=dict)
    """The same times by the second in which the call was due."""
    chunk_gap_seconds: BySecond = field(default_factory=dict)

    def adding(self, due_s: NDArray[np.float64], streams: Streams) -> Iterator[None]:
        """Count the streams of a batch whose calls were due at `due_s`, in short steps."""
        self.streams += len(streams)
        self.chunks += int(streams.chunks.sum())
        self.size_bytes += int(streams.size_bytes.sum())
        for kind in ("prompt", "output"):
            tokens = getattr(streams, f"{kind}_tokens")
            tokens = tokens[tokens != NOT_TOLD]
            setattr(self, f"{kind}_tokens", getattr(self, f"{kind}_tokens") + int(tokens.sum()))
            setattr(self, f"with_{kind}", getattr(self, f"with_{kind}") + len(tokens))
        yield
        self.first_chunk.add(streams.first_chunk_s)
        yield
        _add_by_second(self.first_chunk_seconds, due_s[streams.call], streams.first_chunk_s)
        yield
        self.chunk_gap.add(streams.gaps_s)
        yield
        _add_by_second(self.chunk_gap_seconds, due_s[streams.gap_call], streams.gaps_s)

    def merge(self, other: StreamTally) -> None:
        """Add what `other` counted."""
        for name in SUMS:
            setattr(self, name, getattr(self, name) + getattr(other, name))
        for name in ("first_chunk", "chunk_gap"):
            getattr(self, name).merge(getattr(other, name))
            mine: BySecond = getattr(self, f"{name}_seconds")
            for second, times in getattr(other, f"{name}_seconds").items():
                of_second = mine.setdefault(second, {})
                for value, count in times.items():
                    of_second[value] = of_second.get(value, 0) + count


def _add_by_second(seconds: BySecond, at_s: NDArray[np.float64], durations_s: NDArray[np.float64]) -> None:
    for (second, value), count in counted_pairs(at_s.astype(np.int64), coarse_us(durations_s)):
        of_second = seconds.setdefault(second, {})
        of_second[value] = of_second.get(value, 0) + count
