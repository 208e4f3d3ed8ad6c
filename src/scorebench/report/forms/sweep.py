"""The content of sweep.json. Computes nothing."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from msgspec import Meta, Struct

from scorebench.report.forms.figures import Figure
from scorebench.report.words import plain
from scorebench.sweeps.curves import Curve, curves
from scorebench.sweeps.found import Ran, Sweep, SweepCell
from scorebench.sweeps.largest import Largest
from scorebench.sweeps.scaling import Bounded

FORMAT: Literal[1] = 1
"""The version of this form."""
MOST = 2**53
"""JSON's numbers are whole up to here; larger ones in a file are not ours."""
Size = Annotated[int, Meta(ge=0, le=MOST)]
Some = Annotated[int, Meta(ge=1, le=MOST)]


class BoundedForm(Struct, forbid_unknown_fields=True, kw_only=True):
    """A value and its bounds: the true one lies between with 95 % certainty. Null: no upper bound."""

    value: float
    low: float
    high: float | None


class ScalingForm(Struct, forbid_unknown_fields=True, kw_only=True):
    """The Universal Scalability Law along users: X(N) = gN / (1 + a(N-1) + bN(N-1))."""

    curve: Annotated[str, Meta(description="What these cells have in common.")]
    per_one_per_s: Annotated[BoundedForm, Meta(description="g, calls a second.")]
    contention: Annotated[BoundedForm, Meta(description="a.")]
    coherency: Annotated[BoundedForm, Meta(description="b.")]
    peak_users: Annotated[BoundedForm | None, Meta(description="Null: throughput is not shown to fall.")]


class CostsForm(Struct, forbid_unknown_fields=True, kw_only=True):
    """The line through median response times by rows a call."""

    curve: Annotated[str, Meta(description="What these cells have in common.")]
    per_call_s: BoundedForm
    per_row_s: BoundedForm


class RunForm(Struct, forbid_unknown_fields=True, kw_only=True):
    """One run of a cell. Null: not measured."""

    folder: Annotated[str, Meta(description="Beside sweep.json; empty where the server did not start.")]
    repeat: Some
    ok: Annotated[bool, Meta(description="A valid measurement, every call answered validly.")]
    error: str | None
    invalid: Annotated[str | None, Meta(description="Why the measurement is not valid.")]
    calls: Size
    valid: Size
    throughput_per_s: Figure | None
    rows_per_s: Figure | None
    mean_s: Figure | None
    p50_s: Figure | None
    p99_s: Figure | None
    body_bytes: Annotated[Size | None, Meta(description="Mean size of a body.")]
    server_cpu: Annotated[Figure | None, Meta(description="Mean cores that the server used.")]
    server_rss_bytes: Annotated[Size | None, Meta(description="The most resident memory of the server.")]


class SweepCellForm(Struct, forbid_unknown_fields=True, kw_only=True):
    """One combination of values."""

    server: str
    flavor: str | None
    workers: Some | None
    format: str
    rows_per_call: Some
    users: Some
    columns: Annotated[Size | None, Meta(description="The first of the data; null: all of them.")] = None
    problem: Annotated[str | None, Meta(description="Why none of its runs counts.")]
    runs: list[RunForm]


class LargestForm(Struct, forbid_unknown_fields=True, kw_only=True):
    """The largest body that passes. `failed` is null where the largest that was to be tried did."""

    server: str
    flavor: str | None
    workers: Some | None
    format: str
    most_bytes: Annotated[int, Meta(ge=1, le=MOST, description="No larger body was to be tried.")]
    calls: Size
    passed_rows: Annotated[Size, Meta(description="0: no body passed.")]
    passed_bytes: Size
    failed_rows: Size | None
    failed_bytes: Size | None
    why: Annotated[str | None, Meta(description="What became of the smallest body that failed.")]


class SweepForm(Struct, forbid_unknown_fields=True, kw_only=True):
    """A sweep: its cells and the laws through them. Times are seconds, rates a second, sizes bytes."""

    format: Annotated[Literal[1], Meta(description="Version of this form.")]
    ended: Annotated[str, Meta(description="Why no further cell was measured.")]
    repeats: Some
    took_s: Figure
    cells: list[SweepCellForm]
    scaling: list[ScalingForm]
    costs: list[CostsForm]
    largest: list[LargestForm] = []
    environment: Annotated[dict[str, Any], Meta(description="As in the recording of the first run.")]


def form_of(sweep: Sweep) -> SweepForm:
    """What to write."""
    along_users = [(curve, curve.scaling()) for curve in curves(sweep, "users")]
    along_rows = [(curve, curve.costs()) for curve in curves(sweep, "rows_per_call")]
    return SweepForm(
        format=FORMAT,
        ended=sweep.ended.value,
        repeats=sweep.repeats,
        took_s=sweep.took_s,
        cells=[_cell(cell) for cell in sweep.cells],
        scaling=[
            ScalingForm(
                curve=curve.name,
                per_one_per_s=_bounded(found.per_one),
                contention=_bounded(found.contention),
                coherency=_bounded(found.coherency),
                peak_users=None if found.peak is None else _bounded(found.peak),
            )
            for curve, found in along_users
            if found is not None
        ],
        costs=[_costs(curve) for curve, found in along_rows if found is not None],
        largest=[_largest(one) for one in sweep.largest],
        environment=dict(sweep.environment),
    )


def _largest(one: Largest) -> LargestForm:
    failed = one.failed
    return LargestForm(
        server=plain(one.of.server),
        flavor=one.of.flavor,
        workers=one.of.workers,
        format=one.of.format,
        most_bytes=one.most_bytes,
        calls=one.calls,
        passed_rows=one.passed.rows,
        passed_bytes=one.passed.size_bytes,
        failed_rows=None if failed is None else failed.rows,
        failed_bytes=None if failed is None else failed.size_bytes,
        why=None if failed is None else plain(failed.why or ""),
    )


def _costs(curve: Curve) -> CostsForm:
    found = curve.costs()
    assert found is not None
    return CostsForm(
        curve=curve.name, per_call_s=_bounded(found.per_call_s), per_row_s=_bounded(found.per_row_s)
    )


def _bounded(found: Bounded) -> BoundedForm:
    return BoundedForm(
        value=found.value, low=found.low, high=None if found.high == float("inf") else found.high
    )


def _cell(cell: SweepCell) -> SweepCellForm:
    place = cell.place
    return SweepCellForm(
        server=plain(place.server),
        flavor=place.flavor,
        workers=place.workers,
        format=place.format,
        rows_per_call=place.rows_per_call,
        users=place.users,
        columns=place.columns,
        problem=None if cell.problem is None else plain(cell.problem),
        runs=[_run(run) for run in cell.runs],
    )


def _run(run: Ran) -> RunForm:
    return RunForm(
        folder=run.folder,
        repeat=run.repeat,
        ok=run.ok,
        error=None if run.error is None else plain(run.error),
        invalid=None if run.invalid is None else plain(run.invalid),
        calls=run.calls,
        valid=run.valid,
        throughput_per_s=run.throughput_per_s,
        rows_per_s=run.rows_per_s,
        mean_s=run.mean_s,
        p50_s=run.p50_s,
        p99_s=run.p99_s,
        body_bytes=run.body_bytes,
        server_cpu=run.server_cpu,
        server_rss_bytes=run.server_rss_bytes,
    )
