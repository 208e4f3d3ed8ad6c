"""A sweep → what to change, by a table of rules. Pure: knows cells; no report, no file."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from scorebench.advice.commands import changed
from scorebench.advice.record import Advice
from scorebench.sweeps.curves import Curve, curves
from scorebench.units import say_rate, say_seconds

if TYPE_CHECKING:
    from scorebench.sweeps.found import Sweep, SweepCell

BATCH_GAIN, FORMAT_GAIN = 2.0, 1.25
FEWEST_RUNS = 2


@dataclass(frozen=True)
class SweepRule:
    """`look` yields advice where the cells support it; `threshold` and `source` are for people."""

    name: str
    threshold: str
    source: str
    look: Callable[[Sweep], Iterator[Advice]]


def advise_sweep(sweep: Sweep) -> list[Advice]:
    """All that its cells support."""
    return [
        replace(advice, threshold=rule.threshold, source=rule.source)
        for rule in SWEEP_RULES
        for advice in rule.look(sweep)
    ]


def _batch(sweep: Sweep) -> Iterator[Advice]:
    """One piece of advice: from the curve that gains least of those that gain enough.

    The one that gains most would be the one with the slowest run, which may be slow by chance.
    """
    found = [advice for curve in curves(sweep, "rows_per_call") if (advice := _gain_of_rows(curve, sweep))]
    if found:
        yield min(found, key=lambda one: one[0])[1]


def _gain_of_rows(curve: Curve, sweep: Sweep) -> tuple[float, Advice] | None:
    known = [
        (rows, [time_s / rows for time_s in cell.values(lambda run: run.p50_s)])
        for cell in curve.cells
        if (rows := cell.place.rows_per_call)
    ]
    known = [(rows, costs) for rows, costs in known if costs and min(costs) > 0]
    if len(known) < 2:
        return None
    (few, first), (many, best) = known[0], min(known, key=lambda one: max(one[1]))
    dear, cheap = min(first), max(best)
    if dear / cheap < BATCH_GAIN:
        return None
    advice = Advice(
        "batch",
        f"a row costs {say_seconds(dear)} or more with {few:,} row{'' if few == 1 else 's'} a call and "
        f"{say_seconds(cheap)} or less with {many:,} ({curve.name})",
        f"send up to {many:,} rows in a call",
        f"at least {dear / cheap:.3g} times less time a row",
        _again(sweep, "--rows-per-call", f"{few},{many}", without=("--body-size",)),
    )
    return dear / cheap, advice


def _format(sweep: Sweep) -> Iterator[Advice]:
    """The pair of formats, all else alike, that gains most; no run of the one may reach into the other's."""
    found = []
    for slow in sweep.cells:
        for fast in sweep.cells:
            if slow.place.format != fast.place.format and replace(slow.place, format="") == replace(
                fast.place, format=""
            ):
                found += [one for one in [_gain_of_format(slow, fast, sweep)] if one]
    if found:
        yield max(found, key=lambda one: one[0])[1]


def _gain_of_format(slow: SweepCell, fast: SweepCell, sweep: Sweep) -> tuple[float, Advice] | None:
    before, after = (cell.values(lambda run: run.p50_s) for cell in (slow, fast))
    if len(before) < FEWEST_RUNS or len(after) < FEWEST_RUNS or min(before) < FORMAT_GAIN * max(after):
        return None
    ratio = min(before) / max(after)
    rates = [cell.middle(lambda run: run.rows_per_s) for cell in (slow, fast)]
    more = (
        "" if None in rates else f": {say_rate(rates[1] or 0.0)} rows instead of {say_rate(rates[0] or 0.0)}"
    )
    advice = Advice(
        "format",
        f"the median call takes {say_seconds(min(before))} or more as {slow.place.format}, and "
        f"{say_seconds(max(after))} or less as {fast.place.format} ({slow.place.words})",
        f"send {fast.place.format}",
        f"at least {ratio:.3g} times faster{more}",
        _again(sweep, "--format", f"{slow.place.format},{fast.place.format}"),
    )
    return ratio, advice


def _again(sweep: Sweep, flag: str, value: str, without: tuple[str, ...] = ()) -> str:
    """The command of the sweep with another list; other values are another sweep, which can't be resumed."""
    command = str(sweep.environment.get("command") or "scorebench sweep TARGET")
    return changed(command, {flag: value}, without=("--resume", *without))


SWEEP_RULES = (
    SweepRule("batch", "half the time a row, or less, in every run", "the medians of the runs", _batch),
    SweepRule(
        "format", "1.25 times faster in every one of at least 2 runs", "the medians of the runs", _format
    ),
)
