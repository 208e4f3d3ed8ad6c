"""The streams of a run → times to the first chunk, gaps, rates. Statistics; knows no run, no wording."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from scorebench.figures.clumps import Clumps
from scorebench.figures.times import NO_TIMES, Times, times_of

if TYPE_CHECKING:
    from scorebench.recordings.stream_tally import StreamTally


@dataclass(frozen=True)
class StreamFigures:
    """The valid streams of a run. Rates are None where the time or the calls are too few for one."""

    streams: int = 0
    chunks: int = 0
    size_bytes: int = 0
    prompt_tokens: int | None = None
    """As the server counts them; None unless each stream tells it, as the next."""
    output_tokens: int | None = None
    first_chunk: Times = NO_TIMES
    """From sent to the first chunk."""
    chunk_gap: Times = NO_TIMES
    """Between one chunk and the next of the same stream."""
    over_s: float | None = None
    """How long the answers took, for rates."""

    @property
    def chunks_per_s(self) -> float | None:
        return self.chunks / self.over_s if self.over_s and self.streams else None

    @property
    def stream_bytes_per_s(self) -> float | None:
        return self.size_bytes / self.over_s if self.over_s and self.streams else None

    @property
    def output_tokens_per_s(self) -> float | None:
        tokens = self.output_tokens
        return None if tokens is None or not self.over_s else tokens / self.over_s


NO_STREAMS = StreamFigures()


def streams_of(
    tally: StreamTally | None, over_s: float | None, *, bounds: bool = True
) -> StreamFigures | None:
    """The figures of the streams that came in `over_s`; None where none did. `bounds`: of percentiles."""
    if tally is None or not tally.streams:
        return None
    return StreamFigures(
        streams=tally.streams,
        chunks=tally.chunks,
        size_bytes=tally.size_bytes,
        prompt_tokens=tally.prompt_tokens if tally.with_prompt == tally.streams else None,
        output_tokens=tally.output_tokens if tally.with_output == tally.streams else None,
        first_chunk=times_of(tally.first_chunk, Clumps(tally.first_chunk_seconds) if bounds else None),
        chunk_gap=times_of(tally.chunk_gap, Clumps(tally.chunk_gap_seconds) if bounds else None),
        over_s=over_s,
    )
