"""Where the time of calls went, as in summary.json. Computes nothing."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, Struct

from scorebench.figures.stages import Stages, TypicalCall
from scorebench.figures.times import Times
from scorebench.recordings.parts import PARTS
from scorebench.recordings.types import Count
from scorebench.report.forms.figures import Figure

Part = Annotated[str, Meta(extra_json_schema={"enum": list(PARTS)})]
_SHOWN = ("p50", "p99")


class TypicalForm(Struct, forbid_unknown_fields=True, kw_only=True):
    """The calls around a percentile of response time; seconds. The parts add up to the mean."""

    calls: Annotated[float, Meta(ge=0, description="Calls of a band at the edge count in part.")]
    low_s: Figure
    high_s: Figure
    mean_s: Figure
    parts_s: dict[Part, float]


class PartForm(Struct, forbid_unknown_fields=True, kw_only=True):
    """One part over all calls; seconds. Percentiles of parts don't add up."""

    calls: Count
    mean_s: Figure | None
    min_s: Figure | None
    max_s: Figure | None
    p50: Figure | None
    p99: Figure | None


class StagesFiguresForm(Struct, forbid_unknown_fields=True, kw_only=True):
    """Where the time of the valid calls went."""

    calls: Count
    told: Annotated[Count, Meta(description="Calls whose server told its total or stages.")]
    impossible: Annotated[Count, Meta(description="Calls whose server told times that contradict the call.")]
    refused: Annotated[Count, Meta(description="Metrics that broke the grammar of Server-Timing.")]
    typical: Annotated[
        dict[str, TypicalForm | None],
        Meta(description="By percentile; null where too few calls support it."),
    ]
    mean_s: Annotated[dict[Part, float], Meta(description="Of all calls; adds up to their mean.")]
    parts: dict[Part, PartForm]
    others: Annotated[dict[str, PartForm], Meta(description="Server-Timing's other metrics, by name.")]
    workers: Annotated[dict[str, Count], Meta(description="Calls by server process.")]


def form_of(stages: Stages | None) -> StagesFiguresForm | None:
    """What to write."""
    if stages is None:
        return None
    return StagesFiguresForm(
        calls=stages.calls,
        told=stages.with_timings,
        impossible=stages.impossible,
        refused=stages.refused,
        typical={name: None if one is None else _typical(one) for name, one in stages.typical.items()},
        mean_s=dict(stages.mean_s),
        parts={part: _part(times) for part, times in stages.parts.items()},
        others={name: _part(times) for name, times in stages.others.items()},
        workers=dict(stages.workers),
    )


def _typical(call: TypicalCall) -> TypicalForm:
    return TypicalForm(
        calls=call.calls,
        low_s=call.low_s,
        high_s=call.high_s,
        mean_s=call.mean_s,
        parts_s=dict(call.parts_s),
    )


def _part(times: Times) -> PartForm:
    percentiles = {name: times.percentiles[name].value for name in _SHOWN}
    return PartForm(
        calls=times.count, mean_s=times.mean_s, min_s=times.min_s, max_s=times.max_s, **percentiles
    )
