"""What stands of a run's streams in summary.json. Computes nothing."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, Struct

from scorebench.figures.streams import StreamFigures
from scorebench.recordings.types import Count
from scorebench.report.forms.figures import Figure, Intervals, Times


class StreamFiguresForm(Struct, forbid_unknown_fields=True, kw_only=True):
    """The valid answers that were streams. Times are seconds, rates are a second; null is not measured."""

    streams: Count
    chunks: Annotated[Count, Meta(description="Events with data, without the `[DONE]`.")]
    size_bytes: Count
    prompt_tokens: Annotated[Count | None, Meta(description="As the server counts them, of all streams.")]
    output_tokens: Annotated[Count | None, Meta(description="As the server counts them, of all streams.")]
    chunks_per_s: Figure | None
    stream_bytes_per_s: Figure | None
    output_tokens_per_s: Figure | None
    first_chunk_s: Annotated[Times, Meta(description="Seconds from sent to the first chunk.")]
    first_chunk_interval_s: Intervals
    chunk_gap_s: Annotated[Times, Meta(description="Seconds between two chunks of the same stream.")]
    chunk_gap_interval_s: Intervals


def form_of(found: StreamFigures) -> StreamFiguresForm:
    """What to write."""
    return StreamFiguresForm(
        streams=found.streams,
        chunks=found.chunks,
        size_bytes=found.size_bytes,
        prompt_tokens=found.prompt_tokens,
        output_tokens=found.output_tokens,
        chunks_per_s=found.chunks_per_s,
        stream_bytes_per_s=found.stream_bytes_per_s,
        output_tokens_per_s=found.output_tokens_per_s,
        first_chunk_s=found.first_chunk.by_name(),
        first_chunk_interval_s=found.first_chunk.intervals(),
        chunk_gap_s=found.chunk_gap.by_name(),
        chunk_gap_interval_s=found.chunk_gap.intervals(),
    )
