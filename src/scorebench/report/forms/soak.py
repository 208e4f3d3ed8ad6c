"""The content of soak.json. Computes nothing."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from msgspec import Meta, Struct, structs

from scorebench.figures.trend import Trend
from scorebench.report.forms.figures import Figure, Whole
from scorebench.report.words import plain
from scorebench.soaks.found import Happening, Part, Soak, Stretch

FORMAT: Literal[1] = 1
"""The version of this form."""
AtS = Annotated[float, Meta(ge=0, description="Seconds from the begin of the soak.")]


class TrendForm(Struct, forbid_unknown_fields=True, kw_only=True):
    """How a value changes with time: Theil and Sen's slope, its bounds (95 % sure), Mann and Kendall's p."""

    per_hour: float
    low_per_hour: float
    high_per_hour: float
    p: Annotated[float, Meta(ge=0, le=1)]
    over_s: Annotated[Figure, Meta(description="How long it was watched: without the first fifth.")]
    rises: Annotated[bool, Meta(description="Shown to rise, by more than is of use to know.")]


class TrendsForm(Struct, forbid_unknown_fields=True, kw_only=True):
    """Null: not measured in enough stretches."""

    memory_bytes: Annotated[TrendForm | None, Meta(description="The server's resident memory.")]
    p50_s: Annotated[TrendForm | None, Meta(description="The stretches' median response times.")]
    p99_s: Annotated[TrendForm | None, Meta(description="The stretches' p99 of response times.")]


class PartForm(Struct, forbid_unknown_fields=True, kw_only=True):
    """One run of the soak."""

    folder: Annotated[str, Meta(description="Beside soak.json.")]
    at_s: AtS
    load_s: Annotated[Figure, Meta(description="How long load ran.")]
    asked_s: Figure
    calls: Whole
    valid: Whole
    exit_code: Whole
    invalid: Annotated[str | None, Meta(description="Why its measurement is not valid.")]
    missed: Annotated[list[str], Meta(description="The limits that it missed.")]
    was_killed: bool


class StretchForm(Struct, forbid_unknown_fields=True, kw_only=True):
    """A stretch of time. Times are response times of valid calls. Null: not measured."""

    at_s: AtS
    length_s: Figure
    due: Whole
    valid: Whole
    bad: Annotated[Whole, Meta(description="Calls that ended without a valid answer.")]
    p50_s: Figure | None
    p99_s: Figure | None
    max_s: Figure | None
    server_rss_bytes: Annotated[Figure | None, Meta(description="Median resident memory.")]
    server_cpu: Annotated[Figure | None, Meta(description="Mean cores.")]


class HappeningForm(Struct, forbid_unknown_fields=True, kw_only=True):
    """What happened besides calls."""

    at_s: AtS
    kind: Annotated[str, Meta(description="outage, stall, restart or generator killed.")]
    length_s: Figure | None
    failed: Annotated[Whole, Meta(description="Calls that ended in it without a valid answer.")]


class SoakForm(Struct, forbid_unknown_fields=True, kw_only=True):
    """A soak, part by part and stretch by stretch. Times are seconds, sizes bytes."""

    format: Annotated[Literal[1], Meta(description="Version of this form.")]
    ended: Annotated[str, Meta(description="Why it measured no further.")]
    asked_s: Figure
    load_s: Annotated[Figure, Meta(description="How long load ran, all parts together.")]
    trends: TrendsForm
    happenings: list[HappeningForm]
    parts: list[PartForm]
    stretches: list[StretchForm]
    environment: Annotated[dict[str, Any], Meta(description="As in the recording of the first part.")]


def form_of(soak: Soak) -> SoakForm:
    """What to write."""
    trends, rises = soak.trends, soak.rises()
    found = {name: _trend(one, rises=name in rises) for name, one in trends.items()}
    return SoakForm(
        format=FORMAT,
        ended=soak.ended.value,
        asked_s=soak.asked_s,
        load_s=soak.load_s,
        trends=TrendsForm(memory_bytes=found["memory"], p50_s=found["p50"], p99_s=found["p99"]),
        happenings=[_happening(one) for one in soak.happenings],
        parts=[_part(one) for one in soak.parts],
        stretches=[_stretch(one) for one in soak.stretches],
        environment=dict(soak.environment),
    )


def _trend(found: Trend | None, *, rises: bool) -> TrendForm | None:
    if found is None:
        return None
    return TrendForm(
        per_hour=found.per_s * 3600,
        low_per_hour=found.low_per_s * 3600,
        high_per_hour=found.high_per_s * 3600,
        p=found.p,
        over_s=found.over_s,
        rises=rises,
    )


def _happening(one: Happening) -> HappeningForm:
    return HappeningForm(at_s=one.at_s, kind=one.kind.value, length_s=one.length_s, failed=one.failed)


def _part(one: Part) -> PartForm:
    fields = {name: getattr(one, name) for name in PartForm.__struct_fields__}
    form = PartForm(**fields)
    return structs.replace(
        form,
        invalid=None if one.invalid is None else plain(one.invalid),
        missed=[plain(text) for text in one.missed],
    )


def _stretch(one: Stretch) -> StretchForm:
    return StretchForm(**{name: getattr(one, name) for name in StretchForm.__struct_fields__})
