"""Streams add up to the same whatever batches, phases, workers and files they go through."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from scorebench.answers.outcome import Outcome
from scorebench.answers.streams import Streamed
from scorebench.recordings.calls import Calls, from_bytes, to_bytes
from scorebench.recordings.recording import Recording
from scorebench.recordings.streams import streams_of
from tests.recordings import calls, data_of, evenly, recording, through_msgpack

_GAPS = st.lists(st.integers(0, 2_000).map(lambda ms: ms / 1e3), max_size=5).map(tuple)
_TOKENS = st.none() | st.integers(0, 50)
_STREAM = st.builds(
    lambda first, gaps, size, prompt, output: Streamed(
        Outcome.VALID, first, 100.0, len(gaps) + 1, size, gaps, prompt, output
    ),
    st.integers(1, 5_000).map(lambda ms: ms / 1e3),
    _GAPS,
    st.integers(0, 900),
    _TOKENS,
    _TOKENS,
)
_MAYBE = st.lists(st.none() | _STREAM, min_size=1, max_size=12)


def batch(found: list[Streamed | None]) -> Calls:
    """A call for each, of which those with a stream are streams; each is sent at 0 of the streams' clock."""
    streamed = [(place, one) for place, one in enumerate(found) if one is not None]
    made = calls(evenly(len(found), 4.0, 6.0))
    return replace(made, streams=streams_of(streamed, np.zeros(len(found)))) if streamed else made


def told(made: Recording) -> Any:
    """What stands of its streams in a file; rounded, for sums depend on their order."""
    found = data_of(made)["measured"]["streams"]
    if found is None:
        return None
    for name in ("first_chunk", "chunk_gap"):
        found[name]["sum_s"] = round(found[name]["sum_s"], 6)
        rows = found[f"{name}_seconds"]
        found[f"{name}_seconds"] = {
            second: dict(sorted(zip(lowest, counts, strict=True)))
            for second, lowest, counts in rows
            if counts
        }
    return found


@given(_MAYBE, st.data())
def test_parts_add_up_to_the_whole(found: list[Streamed | None], data: st.DataObject) -> None:
    """Any two parts of a batch, counted apart and merged, are the whole; so is what went to a master."""
    whole = batch(found)
    mask = np.array(data.draw(st.lists(st.booleans(), min_size=len(found), max_size=len(found))))
    left, right = recording(whole.select(mask)), recording(whole.select(~mask))
    left.merge(through_msgpack(right))
    assert told(left) == told(recording(whole))
    sent = from_bytes(to_bytes([whole.select(mask), whole.select(~mask)]))
    assert told(recording(sent)) == told(recording(whole))


@given(_MAYBE)
def test_counts_are_those_of_the_streams(found: list[Streamed | None]) -> None:
    """Counted by hand: streams, chunks, bytes, tokens where they were sent, and the durations."""
    streams = [one for one in found if one is not None]
    tally = recording(batch(found)).measured.streams
    if tally is None:
        assert streams == []
        return
    assert (tally.streams, tally.chunks) == (len(streams), sum(one.chunks for one in streams))
    assert tally.size_bytes == sum(one.size_bytes for one in streams)
    outputs = [one.output_tokens for one in streams if one.output_tokens is not None]
    assert (tally.output_tokens, tally.with_output) == (sum(outputs), len(outputs))
    assert tally.first_chunk.max_s == max(one.first_s for one in streams if one.first_s is not None)
    assert tally.chunk_gap.count == sum(len(one.gaps_s) for one in streams)
