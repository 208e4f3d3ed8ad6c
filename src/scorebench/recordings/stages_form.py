"""StageTally ↔ its form in a recording's file. Knows msgspec's types; no file, no JSON."""

from __future__ import annotations

from typing import Annotated, NamedTuple

from msgspec import Meta, Struct

from scorebench.answers.server_timing import LONGEST_NAME
from scorebench.recordings.histogram_form import HistogramForm, histogram_of
from scorebench.recordings.histogram_form import form_of as histogram_form_of
from scorebench.recordings.parts import PARTS
from scorebench.recordings.stages import MOST_OTHERS, MOST_WORKERS, Band, StageTally
from scorebench.recordings.types import Count

_MOST_BANDS = 64 * 64
_PartName = Annotated[str, Meta(extra_json_schema={"enum": list(PARTS)})]
_PartSum = Annotated[float, Meta(ge=-1e12, le=1e18)]
Name = Annotated[str, Meta(max_length=LONGEST_NAME, pattern=r"^[!-~]+$")]
"""What a server calls one of its metrics or processes."""


class BandRow(NamedTuple):
    """[lowest us of the band of response time, calls, {part: seconds of all of them}]."""

    lowest_us: Count
    calls: Count
    parts_s: dict[_PartName, _PartSum]


class StagesForm(Struct, forbid_unknown_fields=True, kw_only=True):
    """Where the time of the valid calls went. The parts of a call add up to its response time."""

    calls: Count
    told: Annotated[Count, Meta(description="Calls whose server told its total or stages.")]
    impossible: Annotated[Count, Meta(description="Calls whose server told times that contradict the call.")]
    refused: Annotated[Count, Meta(description="Metrics that broke the grammar of Server-Timing.")]
    bands: Annotated[
        list[BandRow],
        Meta(max_length=_MOST_BANDS, description="By response time, 64 bands a power of two."),
    ]
    parts: dict[_PartName, HistogramForm]
    others: Annotated[
        dict[Name, HistogramForm],
        Meta(max_length=MOST_OTHERS, description="Server-Timing's other metrics, by name."),
    ]
    workers: Annotated[
        dict[Name, Count], Meta(max_length=MOST_WORKERS, description="Calls by server process.")
    ]


def form_of(tally: StageTally) -> StagesForm:
    """What to write."""
    return StagesForm(
        calls=tally.calls,
        told=tally.with_timings,
        impossible=tally.impossible,
        refused=tally.refused,
        bands=[BandRow(us, band.calls, band.parts_s) for us, band in sorted(tally.bands.items())],
        parts={part: histogram_form_of(one) for part, one in tally.parts.items()},
        others={name: histogram_form_of(one) for name, one in tally.others.items()},
        workers=dict(tally.workers),
    )


def stages_of(form: StagesForm) -> StageTally:
    """What was read. ValueError for a part that is none."""
    for part in {*form.parts, *(part for row in form.bands for part in row.parts_s)}:
        if part not in PARTS:
            raise ValueError(f"a call has no part {part!r}")
    return StageTally(
        calls=form.calls,
        with_timings=form.told,
        impossible=form.impossible,
        refused=form.refused,
        bands={row.lowest_us: Band(row.calls, dict(row.parts_s)) for row in form.bands},
        parts={part: histogram_of(one) for part, one in form.parts.items()},
        others={name: histogram_of(one) for name, one in form.others.items()},
        workers=dict(form.workers),
    )
