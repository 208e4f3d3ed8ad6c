"""Streams' counts ↔ what stands of them in a recording's file. Knows msgspec; no JSON, and no file."""

from __future__ import annotations

from typing import Annotated, NamedTuple

from msgspec import Meta, Struct

from scorebench.recordings.histogram_form import HistogramForm, form_of, histogram_of
from scorebench.recordings.stream_tally import SUMS, BySecond, StreamTally
from scorebench.recordings.types import LONGEST_RUN_S, Count, UnixSecond


class SecondOfTimes(NamedTuple):
    """[Unix second, [lowest us of a bucket], [how many]], in 64 buckets a power of two."""

    second: UnixSecond
    lowest_us: list[Count]
    counts: list[Count]


Seconds = Annotated[list[SecondOfTimes], Meta(max_length=LONGEST_RUN_S)]


class StreamsForm(Struct, forbid_unknown_fields=True, kw_only=True):
    """The valid answers of a phase that were streams of server-sent events. Times are seconds."""

    streams: Annotated[Count, Meta(description="How many there were.")]
    chunks: Annotated[Count, Meta(description="Their events with data, without the `[DONE]`.")]
    size_bytes: Annotated[Count, Meta(description="Bytes of their bodies.")]
    prompt_tokens: Annotated[Count, Meta(description="As counted by the server, in its `usage`.")]
    output_tokens: Annotated[Count, Meta(description="As counted by the server, in its `usage`.")]
    with_prompt: Annotated[Count, Meta(description="Streams that told their prompt tokens.")]
    with_output: Annotated[Count, Meta(description="Streams that told their output tokens.")]
    first_chunk: Annotated[HistogramForm, Meta(description="From sent to the first chunk.")]
    chunk_gap: Annotated[HistogramForm, Meta(description="From one chunk to the next of the same stream.")]
    first_chunk_seconds: Annotated[
        Seconds, Meta(description="First chunks by the second in which the call was due.")
    ]
    chunk_gap_seconds: Annotated[Seconds, Meta(description="Gaps by the second in which the call was due.")]


def form_of_streams(tally: StreamTally) -> StreamsForm:
    """What to write."""
    return StreamsForm(
        **{name: getattr(tally, name) for name in SUMS},
        first_chunk=form_of(tally.first_chunk),
        chunk_gap=form_of(tally.chunk_gap),
        first_chunk_seconds=_rows(tally.first_chunk_seconds),
        chunk_gap_seconds=_rows(tally.chunk_gap_seconds),
    )


def streams_of(form: StreamsForm) -> StreamTally:
    """What was read. ValueError where a histogram does not decode, or a second's buckets lack counts."""
    return StreamTally(
        **{name: getattr(form, name) for name in SUMS},
        first_chunk=histogram_of(form.first_chunk),
        chunk_gap=histogram_of(form.chunk_gap),
        first_chunk_seconds=_by_second(form.first_chunk_seconds),
        chunk_gap_seconds=_by_second(form.chunk_gap_seconds),
    )


def _rows(seconds: BySecond) -> list[SecondOfTimes]:
    return [SecondOfTimes(second, [*times], [*times.values()]) for second, times in seconds.items()]


def _by_second(rows: list[SecondOfTimes]) -> BySecond:
    return {row.second: buckets(row.second, row.lowest_us, row.counts) for row in rows}


def buckets(second: int, lowest_us: list[int], counts: list[int]) -> dict[int, int]:
    """The buckets of a second; ValueError where a count is missing."""
    if len(lowest_us) != len(counts):
        raise ValueError(f"{len(lowest_us)} buckets with {len(counts)} counts in second {second}")
    return dict(zip(lowest_us, counts, strict=True))
