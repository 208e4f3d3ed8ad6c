"""Histogram ↔ its form in a recording's file. Knows msgspec's types; no file, no JSON."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, Struct

from scorebench.recordings.histogram import Histogram
from scorebench.recordings.types import Count, Seconds, Sum


class HistogramForm(Struct, forbid_unknown_fields=True, kw_only=True):
    """Durations, counted."""

    count: Annotated[Count, Meta(description="How many durations.")]
    sum_s: Annotated[Sum, Meta(description="Their exact sum in seconds.")]
    min_s: Annotated[Seconds | None, Meta(description="The least, exact, in seconds; null if there is none.")]
    max_s: Annotated[
        Seconds | None, Meta(description="The greatest, exact, in seconds; null if there is none.")
    ]
    hdr: Annotated[
        Annotated[str, Meta(max_length=400_000)] | None,
        Meta(
            description="HdrHistogram's compressed V2 encoding in base64: whole microseconds, three digits, "
            "1 us to 1 h; null while empty."
        ),
    ]


def form_of(histogram: Histogram) -> HistogramForm:
    return HistogramForm(
        count=histogram.count,
        sum_s=histogram.sum_s,
        min_s=histogram.min_s,
        max_s=histogram.max_s,
        hdr=histogram.encoded(),
    )


def histogram_of(form: HistogramForm) -> Histogram:
    if form.hdr is None or form.min_s is None or form.max_s is None:
        if form.count:
            raise ValueError(f"a histogram of {form.count} durations without its counts")
        return Histogram()
    return Histogram.decoded(form.hdr, count=form.count, sum_s=form.sum_s, min_s=form.min_s, max_s=form.max_s)
